"""The lock of a folder, which keeps other processes out."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import IO

from upvs_tasks import machine
from upvs_tasks.durable import appended, storing
from upvs_tasks.errors import FolderBusyError, quoted


@contextmanager
def holding(path: Path) -> Iterator[str]:
    """Keep every other process out of the block while this one is in it.

    The lock goes with the process, however it ends. Where the file system has no locks, other
    processes of this computer are kept out by a lock in its folder for temporary files. (A file
    with the number of the process would stay when that is killed, and in containers all have the
    same number.) Yields what has to be said of that; empty elsewhere. Raises FolderBusyError when
    the lock is taken, and StorageError.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = appended(path, follows_link=False)
    held, caveat = [stream], ""
    try:
        reason = _hindrance(stream, path)
        if reason:
            others = _lock_elsewhere(path, held)
            folder = f"{quoted(path.parent.parent)} is on a disk without locks ({reason})"
            caveat = f"{folder}: let nothing else run there {others}"
        yield caveat
    finally:
        for each in held:  # nothing was written into them
            with suppress(OSError):
                each.close()


def _lock_elsewhere(path: Path, held: list[IO[bytes]]) -> str:
    """Lock a file of this computer in place of another one. Returns who is not kept out."""
    digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    with suppress(OSError):
        stream = appended(Path(gettempdir()) / f"upvs-{digest}.lock", follows_link=False)
        held.append(stream)
        if not _hindrance(stream, path):
            return "from another computer"
    return "at the same time"


def _hindrance(stream: IO[bytes], path: Path) -> str:
    """Lock an open file; returns why that cannot be. Raises FolderBusyError."""
    try:
        machine.lock(stream)
    except BlockingIOError as error:
        folder = path.parent.parent
        message = f"another run is at work in {quoted(folder)}: wait for it to end, then run again"
        raise FolderBusyError(message) from error
    except OSError as error:
        return error.strerror or "no reason given"
    return ""
