import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sentences import one_sentence
from upvs_tasks import durable
from upvs_tasks.errors import StorageError

REPOSITORY = Path(__file__).parents[1]
OLD, NEW = b"old content\n", b"new content\n"
FULL_DEVICE = Path("/dev/full")
NOBODY = 65_534

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
    with durable.holding(lock):
        pass


@pytest.mark.skipif(not FULL_DEVICE.exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_in_a_sentence_and_leaves_the_old_file(file: Path) -> None:
    """The half written file leads to a device that the system keeps full for such tests."""
    durable.partial_of(file).symlink_to(FULL_DEVICE)

    with pytest.raises(StorageError) as caught:
        durable.write_if_changed(file, NEW)

    assert str(caught.value) == (
        f"the disk is full while writing {file}: free some space, then run again"
    )
    assert file.read_bytes() == OLD
    assert names_in(file.parent) == {"file.json"}


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
