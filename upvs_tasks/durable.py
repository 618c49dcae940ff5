"""Files that are whole or absent, and JSON that is the same bytes for the same facts.

The only module that syncs and renames. A file is written under ``<name>.partial``, synced, and
then renamed over its final name, so that a reader, a killed process and a power cut all see either
the old file or the new one.

Not every file system can sync a folder, date a file or lock one. There it is left undone, and said.
Whatever else a disk refuses is a `StorageError`.
"""

import errno
import hashlib
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

import orjson

from upvs_tasks import escaping, machine
from upvs_tasks.errors import StorageError, quoted

log = logging.getLogger(__name__)

PARTIAL_SUFFIX = ".partial"

_ANYBODY, _OWNER_ONLY = 0o666, 0o600
# What a file system answers that does not know the call; EACCES where a folder may not be opened.
_UNKNOWN_CALL = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_UNSYNCED = _UNKNOWN_CALL | {errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF}
_LEADS_THROUGH_FILE = {errno.ENOTDIR, errno.EEXIST, errno.ENOENT}


def partial_of(path: Path) -> Path:
    """Name under which ``path`` is written until it is whole."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


@contextmanager
def explaining(path: Path | None = None, *, done: str = "") -> Iterator[None]:
    """Turn what the system refuses inside the block into a `StorageError`.

    ``path`` is what was to be ``done``, such as "written". Without it, the refusal has to tell.
    """
    try:
        yield
    except OSError as error:
        explained = StorageError.of(error, path, done=done)
        if explained is None:
            raise
        file = _file_among(path.parents) if path and error.errno in _LEADS_THROUGH_FILE else None
        if path and file:
            explained = StorageError(
                f"{quoted(path)} cannot be {done}, since {quoted(file)} is a file and no folder: "
                "move it away"
            )
        raise explained from error


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the disk's refusals inside the block into a `StorageError` that names ``path``."""
    with explaining(path, done="written"):
        yield


def _file_among(folders: Iterable[Path]) -> Path | None:
    """What stands where a folder should be, if anything does."""
    return next((each for each in folders if _exists(each) and not os.path.isdir(each)), None)  # noqa: PTH112  it never raises


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  likewise


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Yield a stream whose bytes appear at ``path`` only when the block succeeds.

    A ``private`` file is for this user alone, from its first byte on. Raises StorageError.
    """
    with storing(path):
        partial = prepared(path)
        try:
            with _created(partial, _OWNER_ONLY if private else _ANYBODY) as stream:
                yield stream
                sync(stream)
            promote(partial, path)
        except BaseException:
            forget(partial)
            raise


def prepared(path: Path) -> Path:
    """Name under which another program is to write ``path``; nothing has that name, nor a link.

    Raises StorageError, also where ``path`` itself is no file that could be replaced.
    """
    partial = partial_of(path)
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise StorageError(f"{quoted(path)} is no file: move it away, then run again")
    delete(partial)
    return partial


def sync(stream: IO[bytes]) -> None:
    """Force what was written into an open file to the disk, if that can be had."""
    stream.flush()
    _sync(stream.fileno())


def promote(partial: Path, path: Path) -> None:
    """Give a written and synced file its final name, durably."""
    with storing(path):
        partial.replace(path)
        _sync_directory(path.parent)


def delete(path: Path) -> None:
    """Delete a file if it is there. Raises StorageError."""
    with explaining(path, done="deleted"):
        path.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Delete a file that nobody needs; one that cannot be deleted stays for the next `sweep`."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Delete what interrupted runs left half written; nobody may be at work in ``folder``.

    ``names`` are patterns of the files that are ours, below it. What others call so, too, stays.
    """
    for name in names:
        with explaining(folder, done="read"):
            partials = [each for each in folder.glob(name + PARTIAL_SUFFIX) if each.is_file()]
        for partial in partials:
            delete(partial)


def sync_file(path: Path) -> None:
    """Force what another process wrote at ``path`` to the disk, if that can be had."""
    with storing(path):
        _sync_opened(path)


def date(path: Path, modified_ms: int) -> int:
    """Date a file, if the file system lets us. Returns the date that it then has."""
    modified_ns = modified_ms * 1_000_000
    try:
        os.utime(path, ns=(modified_ns, modified_ns))
    except OSError as error:
        _tell_once("files cannot be dated here", error.strerror)
    with explaining(path, done="read"):
        return path.stat().st_mtime_ns // 1_000_000


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
    with explaining(path, done="read"):
        try:
            with _opened(path) as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None where there is none, or the disk has lost its bytes.

    Raises StorageError where the bytes may well be there, but cannot be had now.
    """
    with explaining(path, done="read"):
        try:
            with _opened(path) as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None


def set_aside(path: Path, aside: Path) -> None:
    """Give a file that is about to be replaced a second name, so that its bytes stay.

    Raises StorageError.
    """
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


def appended(path: Path, *, follows_link: bool = True) -> IO[bytes]:
    """Open a file to which each write is appended at once. Raises OSError, also for a pipe."""
    flags = machine.NO_WAIT if follows_link else machine.NO_WAIT | machine.NO_LINK
    return _open(path, "ab", flags, buffering=0)


def _created(path: Path, permissions: int) -> IO[bytes]:
    """Open a file to write that is not there yet, nor is a link of that name."""
    return _open(path, "xb", machine.NO_LINK, permissions)


def _opened(path: Path) -> BufferedReader:
    """Open a file to read; what is no file, such as a pipe, is refused and not waited for."""
    stream = cast("BufferedReader", _open(path, "rb", machine.NO_WAIT))
    try:
        _check_file(stream, path)
    except BaseException:
        stream.close()
        raise
    return stream


def _check_file(stream: IO[bytes], path: Path) -> None:
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is no file", str(path))


def _open(
    path: Path, mode: str, added: int, permissions: int = _ANYBODY, *, buffering: int = -1
) -> IO[bytes]:
    def opened(name: str, flags: int) -> int:
        return os.open(name, flags | added, permissions)

    stream: IO[bytes] = open(path, mode, buffering, opener=opened)  # noqa: SIM115  flags
    return stream


def _sync_directory(directory: Path) -> None:
    try:
        _sync_opened(directory)
    except OSError as error:
        if error.errno not in _UNSYNCED:
            raise
        _tell_once("folders cannot be synced here", error.strerror)


def _sync_opened(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNKNOWN_CALL:
            raise
        _tell_once("files cannot be synced here", error.strerror)


@cache
def _tell_once(event: str, reason: str | None) -> None:
    """Log what is left undone, once a process."""
    log.info(event, extra={"reason": reason})
