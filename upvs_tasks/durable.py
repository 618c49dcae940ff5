"""Files that are whole or absent, and JSON that is the same bytes for the same facts.

The only module that syncs and renames. A file is written under ``<name>.partial``, synced, and
then renamed over its final name, so that a reader, a killed process and a power cut all see either
the old file or the new one.
"""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from upvs_tasks import escaping, machine
from upvs_tasks.errors import FolderBusyError, StorageError, is_disk_full, quoted

PARTIAL_SUFFIX = ".partial"

_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IMPOSSIBLE = {
    errno.EEXIST,
    errno.EIO,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
}


def partial_of(path: Path) -> Path:
    """Name under which ``path`` is written until it is whole."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the disk's refusals inside the block into a `StorageError` that names ``path``."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise StorageError.disk_full(path) from error
        if error.errno in _FORBIDDEN:
            message = (
                f"{quoted(path)} may not be written ({error.strerror}): check the folder's owner"
            )
        elif (file := _file_among(path.parents)) is not None:
            message = (
                f"{quoted(path)} cannot be written, since {quoted(file)} is a file and no folder: "
                "move it away"
            )
        elif error.errno in _IMPOSSIBLE:
            message = (
                f"{quoted(path)} cannot be written ({error.strerror}): look what is in its place"
            )
        else:
            raise
        raise StorageError(message) from error


def _file_among(folders: Iterable[Path]) -> Path | None:
    """What stands where a folder should be, if anything does."""
    return next((folder for folder in folders if folder.exists() and not folder.is_dir()), None)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a stream whose bytes appear at ``path`` only when the block succeeds.

    Raises StorageError when the disk is full or may not be written.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = partial_of(path)
        try:
            with partial.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            promote(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def promote(partial: Path, path: Path) -> None:
    """Give a written and synced file its final name, durably."""
    partial.replace(path)
    _sync_directory(path.parent)


def sweep(folder: Path) -> None:
    """Delete what interrupted runs left half written below ``folder``; nobody may be at work."""
    for partial in folder.rglob(f"*{PARTIAL_SUFFIX}"):
        if partial.is_file():
            with storing(partial):
                partial.unlink()


def sync_file(path: Path) -> None:
    """Force what another process wrote at ``path`` to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_if_changed(path: Path, content: bytes) -> bool:
    """Make ``path`` hold ``content``; a file that holds it already is not touched.

    Returns whether anything was written.
    """
    if read_bytes(path) == content:
        return False
    with replacing(path) as stream:
        stream.write(content)
    return True


def read_bytes(path: Path) -> bytes | None:
    """Content of ``path``, or None when there is no such file. Raises StorageError."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{quoted(path)} cannot be read ({error.strerror}): look what is in its place"
        raise StorageError(message) from error


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def set_aside(path: Path, aside: Path) -> None:
    """Give a file that is about to be replaced a second name, so that its bytes stay."""
    with storing(aside):
        aside.unlink(missing_ok=True)
        try:
            os.link(path, aside)
        except OSError:  # the file system knows no second names
            path.rename(aside)
        _sync_directory(aside.parent)


def encode_json(document: object) -> bytes:
    """JSON with sorted keys, two spaces and a newline at the end; it only shows."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return escaping.in_json(orjson.dumps(document, option=options).decode()).encode()


def read_json(path: Path) -> Any | None:  # noqa: ANN401  the shape is the caller's to check
    """Parsed JSON of ``path``; None when it is absent or no JSON."""
    content = read_bytes(path)
    return None if content is None else decode_json(content)


def decode_json(content: bytes) -> Any | None:  # noqa: ANN401  the shape is the caller's to check
    """Parsed JSON; None for what is no JSON."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


@contextmanager
def holding(lock_path: Path) -> Iterator[None]:
    """Keep every other process out of the block while this one is in it.

    The lock goes with the process, however it ends. Raises FolderBusyError when it is taken.
    """
    with storing(lock_path):
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        stream = lock_path.open("a")
    with stream:
        try:
            machine.lock(stream)
        except BlockingIOError as error:
            folder = lock_path.parent.parent
            message = (
                f"another run is at work in {quoted(folder)}: wait for it to end, then run again"
            )
            raise FolderBusyError(message) from error
        yield


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
