import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks import durable
from upvs_tasks.errors import FolderBusyError
from upvs_tasks.lock import holding

REPOSITORY = Path(__file__).parents[1]
OLD, NEW = b"old content\n", b"new content\n"

# Writes the file over and over, each time with another byte, and tells each time that it is there.
REWRITER = """
import sys
from pathlib import Path
from upvs_tasks import durable
for number in range(100_000):
    with durable.replacing(Path(sys.argv[1])) as stream:
        for _ in range(64):
            stream.write(bytes([number % 256]) * 4096)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
"""
REWRITTEN_BYTES = 64 * 4096

# Holds a lock until it is killed.
HOLDER = """
import sys
from pathlib import Path
from upvs_tasks.lock import holding
with holding(Path(sys.argv[1])):
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the old content."""
    path = tmp_path / "folder" / "file.json"
    durable.write_if_changed(path, OLD)
    return path


@contextmanager
def running(script: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that works on a path; killed at the end."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[bytes], count: int) -> None:
    """Wait until the process has told as many times that it did something."""
    assert process.stdout is not None
    assert process.stdout.read(count) == b"." * count


def names_in(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def write(path: Path, *, failure: type[BaseException] | None = None) -> None:
    """Replace a file by its new content, or fail before the end."""
    with durable.replacing(path) as stream:
        stream.write(NEW)
        if failure is not None:
            raise failure


def hold(lock: Path) -> None:
    """Hold a lock for a moment."""
    with holding(lock):
        pass


def test_a_file_appears_only_once_it_is_whole(tmp_path: Path) -> None:
    """Folders are made on the way."""
    path = tmp_path / "a" / "b" / "file.json"

    with durable.replacing(path) as stream:
        stream.write(NEW)
        stream.flush()
        assert not path.exists()

    assert path.read_bytes() == NEW
    assert names_in(path.parent) == {"file.json"}


def test_the_old_content_stays_until_the_new_one_is_whole(file: Path) -> None:
    """Whoever reads meanwhile sees the one or the other."""
    with durable.replacing(file) as stream:
        stream.write(NEW)
        stream.flush()
        assert file.read_bytes() == OLD

    assert file.read_bytes() == NEW


def test_what_is_being_written_has_a_name_of_its_own(file: Path) -> None:
    """The specification's: ``<name>.partial``, beside the file."""
    with durable.replacing(file) as stream:
        stream.write(NEW)
        stream.flush()
        assert durable.partial_of(file).read_bytes() == NEW

    assert durable.partial_of(file) == file.with_name("file.json.partial")


@pytest.mark.parametrize("failure", [ValueError, OSError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_everything_as_it_was(
    file: Path, failure: type[BaseException]
) -> None:
    """And lets the failure through."""
    with pytest.raises(failure):
        write(file, failure=failure)

    assert file.read_bytes() == OLD
    assert names_in(file.parent) == {"file.json"}


def test_what_an_interrupted_run_left_is_written_over(file: Path) -> None:
    """However long it was."""
    durable.partial_of(file).write_bytes(b"x" * 10_000)

    with durable.replacing(file) as stream:
        stream.write(NEW)

    assert file.read_bytes() == NEW
    assert names_in(file.parent) == {"file.json"}


@pytest.mark.parametrize("rewrites", range(1, 25, 2))
def test_a_process_that_is_killed_leaves_a_whole_file(tmp_path: Path, rewrites: int) -> None:
    """At whatever instant: the old content or the new, and the next run can go on."""
    path = tmp_path / "file.json"

    with running(REWRITER, path) as process:
        wait_for(process, rewrites)
        process.send_signal(signal.SIGKILL)
        process.wait()

    content = path.read_bytes()
    assert len(content) == REWRITTEN_BYTES
    assert len(set(content)) == 1
    assert names_in(tmp_path) <= {"file.json", "file.json.partial"}

    assert durable.write_if_changed(path, NEW)
    assert path.read_bytes() == NEW
    assert names_in(tmp_path) == {"file.json"}


def test_a_file_that_holds_the_content_already_is_not_touched(file: Path) -> None:
    """Neither it nor its folder: tools that look at dates see nothing new."""
    os.utime(file, ns=(1_000, 1_000))
    os.utime(file.parent, ns=(1_000, 1_000))
    before = file.stat()

    assert not durable.write_if_changed(file, OLD)

    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert file.parent.stat().st_mtime_ns == 1_000


@pytest.mark.parametrize("content", [NEW, b"", OLD + b"\n", OLD[:-1]])
def test_a_file_that_holds_something_else_is_rewritten(file: Path, content: bytes) -> None:
    """To the byte."""
    assert durable.write_if_changed(file, content)
    assert file.read_bytes() == content


def test_an_empty_file_is_not_the_same_as_none(tmp_path: Path) -> None:
    """An empty concat.txt is written, too."""
    path = tmp_path / "concat.txt"

    assert durable.write_if_changed(path, b"")
    assert path.exists()
    assert not durable.write_if_changed(path, b"")


def test_a_folder_is_held_by_one_process_alone(tmp_path: Path) -> None:
    """The other is told so at once, and which folder it is."""
    lock = tmp_path / "films" / ".upvs" / "run.lock"

    with running(HOLDER, lock) as process:
        wait_for(process, 1)
        with pytest.raises(FolderBusyError, match=f"at work in {tmp_path / 'films'}:"):
            hold(lock)

        assert process.stdin is not None
        process.stdin.close()
        process.wait()

    hold(lock)


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    """No file to be deleted by hand: the lock goes with the process."""
    lock = tmp_path / "run.lock"

    with running(HOLDER, lock) as process:
        wait_for(process, 1)
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert lock.exists()
    hold(lock)


def test_one_process_cannot_hold_a_folder_twice(tmp_path: Path) -> None:
    """Nor does a failed attempt free it."""
    lock = tmp_path / "run.lock"

    with holding(lock):
        for _ in range(2):
            with pytest.raises(FolderBusyError):
                hold(lock)
    hold(lock)


def test_a_block_that_fails_holds_nothing_any_more(tmp_path: Path) -> None:
    """Whatever happened in it."""
    lock = tmp_path / "run.lock"

    with pytest.raises(ValueError, match="failed"), holding(lock):
        raise ValueError("failed")

    hold(lock)


def test_half_written_files_are_swept_away_and_nothing_else(tmp_path: Path) -> None:
    """Only of files that are ours, and not behind a link that leads out of the folder."""
    elsewhere, films = tmp_path / "elsewhere", tmp_path / "films"
    ours = ("clips/a.mp4.partial", "b.json.partial", ".upvs/d/e.partial")
    others = {"clips/a.mp4", "clips/a.mp4.x7.partial", ".upvs/c.partial.json", "else/f.partial"}
    for path in (*ours, *others):
        durable.write_if_changed(films / path, OLD)
    durable.write_if_changed(elsewhere / "d.partial", OLD)
    (films / "link").symlink_to(elsewhere)

    durable.sweep(films, ["clips/*.mp4", "*.json", ".upvs/**/*"])

    left = {str(path.relative_to(films)) for path in films.rglob("*") if path.is_file()}
    assert left == others
    assert (elsewhere / "d.partial").exists()


def test_only_files_are_swept_away(tmp_path: Path) -> None:
    """A folder is nothing that we write."""
    inner = tmp_path / "films.partial" / "film.mp4"
    durable.write_if_changed(inner, OLD)

    durable.sweep(tmp_path, ["*"])

    assert inner.read_bytes() == OLD


def test_there_is_nothing_to_sweep_where_nothing_is(tmp_path: Path) -> None:
    """The first run of a day has no folder yet."""
    durable.sweep(tmp_path / "absent", ["*"])

    assert names_in(tmp_path) == set()


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, DOCUMENTS, max_size=5))
def test_json_is_the_same_bytes_for_the_same_facts(document: dict[str, object]) -> None:
    """In whatever order they were put together; and they come back as they were."""
    turned = dict(reversed(document.items()))

    assert durable.encode_json(turned) == durable.encode_json(document)
    assert orjson.loads(durable.encode_json(document)) == document


def test_json_is_for_people_to_read() -> None:
    """Sorted, indented, and with an end to its last line."""
    assert durable.encode_json({"b": [1], "a": "ü"}) == (
        '{\n  "a": "ü",\n  "b": [\n    1\n  ]\n}\n'.encode()
    )


def test_json_that_was_written_is_read_again(tmp_path: Path) -> None:
    """Byte for byte what `encode_json` made of it."""
    path = tmp_path / "day.json"
    durable.write_if_changed(path, durable.encode_json({"a": [1, None]}))

    assert durable.read_json(path) == {"a": [1, None]}


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 100, b'{"a": 1} x', b"\xff", b"[" * 10_000])
def test_a_file_that_is_no_json_is_as_good_as_none(file: Path, content: bytes) -> None:
    """A power cut can leave anything behind on some disks."""
    file.write_bytes(content)

    assert durable.read_json(file) is None


def test_a_file_that_is_absent_holds_nothing(file: Path) -> None:
    """Nor does one below something that is no folder."""
    for path in (file.with_name("absent"), file.parent / "a" / "b", file / "inner"):
        assert durable.read_bytes(path) is None
        assert durable.read_json(path) is None


def test_a_file_that_is_set_aside_keeps_its_bytes_under_a_second_name(file: Path) -> None:
    """Its own name may be given to another file at once."""
    aside = file.with_name("aside")
    durable.set_aside(file, aside)
    write(file)
    assert (file.read_bytes(), aside.read_bytes()) == (NEW, OLD)


def test_setting_aside_again_is_the_same_as_once(file: Path) -> None:
    """A run may have been killed in between."""
    aside = file.with_name("aside")
    durable.set_aside(file, aside)
    durable.set_aside(file, aside)
    assert aside.read_bytes() == OLD


def test_a_digest_is_that_of_the_bytes_and_none_where_they_cannot_be_read(file: Path) -> None:
    assert durable.digest_of(file) == hashlib.sha256(OLD).hexdigest()
    assert durable.digest_of(file.parent) is None
    assert durable.digest_of(file.with_name("absent")) is None
