import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.refusals import WHY_NOT, FileSystem, Refusal, can_refuse
from tests.sentences import one_sentence
from upvs_tasks import durable
from upvs_tasks.errors import StorageError
from upvs_tasks.lock import holding

REPOSITORY = Path(__file__).parents[1]
OLD, NEW = b"old content\n", b"new content\n"
NOBODY = 65_534
needs_refusals = pytest.mark.skipif(not can_refuse, reason=WHY_NOT)

_WORDED = """
import sys
from pathlib import Path
from upvs_tasks import durable
from upvs_tasks.errors import UpvsError
from upvs_tasks.lock import holding
path = Path(sys.argv[1])
try:
    {}
except UpvsError as error:
    sys.stdout.write(str(error))
"""
WRITER = _WORDED.format(f"durable.write_if_changed(path, {NEW!r}); sys.stdout.write('done')")
DATER = _WORDED.format("sys.stdout.write(str(durable.date(path, 1_700_000_000_700)))")
DIGESTER = _WORDED.format("sys.stdout.write(str(durable.digest_of(path)))")
HOLDER_TWICE = _WORDED.format(
    "with holding(path) as caveat:\n"
    "        sys.stdout.write(caveat + '\\n')\n"
    "        with holding(path):\n"
    "            pass"
)

# Writes more than it may.
GLUTTON = """
import resource, sys
from pathlib import Path
from upvs_tasks import durable
from upvs_tasks.errors import StorageError
allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, allowed[1]))
try:
    durable.write_if_changed(Path(sys.argv[1]), b"x" * 100_000)
except StorageError as error:
    sys.stdout.write(str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, allowed)  # whoever measures this writes at its end
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the old content."""
    path = tmp_path / "folder" / "file.json"
    durable.write_if_changed(path, OLD)
    return path


def names_in(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def write(path: Path) -> None:
    """Replace a file by its new content."""
    durable.write_if_changed(path, NEW)


def hold(lock: Path) -> None:
    """Hold a lock for a moment."""
    with holding(lock):
        pass


def on_disk_that_refuses(script: str, path: Path, *refusals: Refusal) -> str:
    """What a script says that works on a path, where the disk refuses what is said."""
    system = FileSystem(path.parent, refusals)
    process = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=REPOSITORY,
        env=os.environ | system.environment,
        capture_output=True,
        check=False,
        text=True,
    )
    assert len(system.refused()) > 0
    system.forget()
    assert process.stderr == ""
    return process.stdout


@needs_refusals
@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal("create", "*.partial", errno.EROFS), "may not be written"),
        (Refusal("write", "*.partial", errno.ENOSPC), "the disk is full"),
        (Refusal("fsync", "*.partial", errno.EIO), "check the disk"),
        (Refusal("close", "*.partial", errno.EDQUOT), "the disk is full"),
        (Refusal("rename", "file.json", errno.ESTALE), "check the disk"),
        (Refusal("open", "file.json", errno.EMFILE), "no more files"),
        (Refusal("read", "file.json", errno.EIO), "cannot be read"),
    ],
    ids=str,
)
def test_what_the_disk_refuses_leaves_the_old_file(
    file: Path, refusal: Refusal, words: str
) -> None:
    """And is told in a sentence that names it."""
    said = one_sentence(on_disk_that_refuses(WRITER, file, refusal))

    assert words in said
    assert str(file) in said
    assert file.read_bytes() == OLD
    assert names_in(file.parent) == {"file.json"}


@needs_refusals
@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("fsync", ".", errno.EINVAL),
        Refusal("fsync", ".", errno.ENOTSUP),
        Refusal("fsync", "*.partial", errno.EINVAL),
        Refusal("open", ".", errno.EACCES),
    ],
    ids=str,
)
def test_a_disk_that_cannot_sync_is_written_to_all_the_same(file: Path, refusal: Refusal) -> None:
    """Shares on a network and file systems of programs do not know all calls."""
    assert on_disk_that_refuses(WRITER, file, refusal) == "done"

    assert file.read_bytes() == NEW


@needs_refusals
def test_a_disk_without_dates_keeps_the_date_that_it_gave(file: Path) -> None:
    """And that is the date to compare with."""
    before_ns = file.stat().st_mtime_ns

    said = on_disk_that_refuses(DATER, file, Refusal("utime", "*", errno.EPERM))

    assert file.stat().st_mtime_ns == before_ns
    assert said == str(before_ns // 1_000_000)


@needs_refusals
def test_a_disk_with_whole_seconds_has_whole_seconds(file: Path) -> None:
    system = FileSystem(file.parent, whole_seconds=True)
    command = [sys.executable, "-c", DATER, str(file)]
    environment = os.environ | system.environment
    said = subprocess.check_output(command, cwd=REPOSITORY, env=environment, text=True)
    system.forget()

    assert said == "1700000000000"
    assert file.stat().st_mtime_ns == 1_700_000_000 * 10**9


@needs_refusals
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.EIO])
def test_on_a_disk_without_locks_this_computer_has_one(tmp_path: Path, number: int) -> None:
    """Other computers cannot be kept out; that is said."""
    lock = tmp_path / "films" / ".upvs" / "run.lock"
    lock.parent.mkdir(parents=True)

    said = on_disk_that_refuses(HOLDER_TWICE, lock, Refusal("flock", "*", number))

    caveat, busy = said.splitlines()
    assert "without locks" in one_sentence(caveat)
    assert caveat.endswith("let nothing else run there from another computer")
    assert busy.startswith("another run is at work")


def test_a_link_of_the_name_of_a_half_written_file_is_not_followed(file: Path) -> None:
    """It may lead to a file of somebody else."""
    other = file.parent / "other"
    other.write_bytes(OLD)
    durable.partial_of(file).symlink_to(other)

    durable.write_if_changed(file, NEW)

    assert other.read_bytes() == OLD
    assert file.read_bytes() == NEW
    assert names_in(file.parent) == {"file.json", "other"}


@pytest.mark.parametrize("action", [write, durable.read_bytes, hold])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(
    tmp_path: Path, action: Callable[[Path], object]
) -> None:
    """Nobody may ever write into it, or read from it."""
    pipe = tmp_path / "file.json"
    os.mkfifo(pipe)

    with pytest.raises(StorageError, match=str(pipe)) as caught:
        action(pipe)

    one_sentence(str(caught.value))
    assert pipe.is_fifo()


def test_a_pipe_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert durable.digest_of(tmp_path / "pipe") is None


@needs_refusals
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EIO, "None"),
        (errno.EACCES, "check the folder's owner"),
        (errno.EMFILE, "no more files"),
        (errno.ESTALE, "check the disk"),
    ],
)
def test_only_bytes_that_the_disk_has_lost_have_no_digest(
    file: Path, number: int, said: str
) -> None:
    """Whatever else is in the way may go, and the bytes are still there."""
    kind = "read" if number == errno.EIO else "open"

    assert said in on_disk_that_refuses(DIGESTER, file, Refusal(kind, "file.json", number))


def test_a_file_longer_than_allowed_is_told_in_a_sentence(file: Path) -> None:
    """By a limit of the user's, or of a FAT disk: the system's word for it is not "full"."""
    process = subprocess.run(
        [sys.executable, "-c", GLUTTON, str(file)],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )

    assert process.stderr == b""
    assert str(file) in one_sentence(process.stdout.decode())
    assert file.read_bytes() == OLD
    assert names_in(file.parent) == {"file.json"}


@contextmanager
def as_somebody_who_may_not_write(folder: Path) -> Iterator[None]:
    """Without the right to write in a folder, which the superuser would have anywhere."""
    is_superuser = os.geteuid() == 0
    folder.chmod(0o555)
    if is_superuser:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_superuser:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_folder_of_somebody_else_is_told_in_a_sentence(file: Path) -> None:
    """And what lies there is left alone."""
    sentence = rf"^{file} may not be written \(Permission denied\): check the folder's owner$"

    with (
        as_somebody_who_may_not_write(file.parent),
        pytest.raises(StorageError, match=sentence),
        durable.replacing(file),
    ):
        pytest.fail("there is nothing to write to")

    assert file.read_bytes() == OLD


def file_in_place_of_a_folder(folder: Path) -> Path:
    """A path that leads through a file."""
    (folder / "file").write_bytes(OLD)
    return folder / "file" / "inner" / "file.json"


def folder_in_place_of_a_file(folder: Path) -> Path:
    """A path that is a folder."""
    path = folder / "file.json"
    (path / "inner").mkdir(parents=True)
    return path


def name_too_long(folder: Path) -> Path:
    """A path with a name that no file system takes."""
    return folder / ("x" * 300)


def endless_link(folder: Path) -> Path:
    """A path through a link that leads to itself."""
    (folder / "link").symlink_to("link")
    return folder / "link" / "file.json"


@pytest.mark.parametrize(
    ("action", "make"),
    [
        (write, file_in_place_of_a_folder),
        (write, folder_in_place_of_a_file),
        (write, name_too_long),
        (write, endless_link),
        (hold, file_in_place_of_a_folder),
        (hold, folder_in_place_of_a_file),
        (hold, name_too_long),
        (hold, endless_link),
        (durable.read_bytes, folder_in_place_of_a_file),
    ],
)
def test_a_path_that_is_not_what_it_should_be_is_told_in_a_sentence(
    tmp_path: Path, action: Callable[[Path], object], make: Callable[[Path], Path]
) -> None:
    """What the user named as the folder is not always one."""
    path = make(tmp_path)
    before = names_in(tmp_path)

    with pytest.raises(StorageError, match=str(path)) as caught:
        action(path)
    one_sentence(str(caught.value))

    assert names_in(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EPERM, "may not be written"),
        (errno.EROFS, "may not be written"),
    ],
)
def test_what_the_disk_refuses_is_told_in_a_sentence(number: int, words: str) -> None:
    """With the path that was to be written, and the system's own error as its cause."""
    refused = OSError(number, os.strerror(number))

    with pytest.raises(StorageError, match=words) as caught, durable.storing(Path("/films/x")):
        raise refused

    assert "/films/x" in one_sentence(str(caught.value))
    assert caught.value.__cause__ is refused


def test_what_is_not_the_disks_doing_is_let_through() -> None:
    """A broken connection is an OSError, too."""
    with pytest.raises(ConnectionResetError), durable.storing(Path("/films/x")):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


@pytest.mark.parametrize("below", ["lock", "deep/er/lock"])
def test_a_file_in_place_of_a_folder_is_named(file: Path, below: str) -> None:
    with pytest.raises(StorageError) as caught:
        hold(file / below)
    assert one_sentence(str(caught.value)) == (
        f"{file / below} cannot be written, since {file} is a file and no folder: move it away"
    )


def test_a_path_with_a_space_is_told_as_a_shell_takes_it(file: Path) -> None:
    below = file / "Front Door" / "run.lock"
    with pytest.raises(StorageError) as caught:
        hold(below)
    assert one_sentence(str(caught.value)).startswith(f"'{below}' cannot be written, since {file} ")
