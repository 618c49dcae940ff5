"""What not every operating system has, each with what is done where it is missing.

No other module asks for these, save `media.parent_death`, which is a program of its own.
"""

import os
import signal
import stat
from contextlib import suppress
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    fcntl = None  # type: ignore[assignment]  # that it may be missing is what is said here

# Flags for opening a file: not the one that a link leads to; without waiting for another program.
NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)

_OTHERS = 0o077


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS gives every process all cores


def add_niceness(increment: int) -> None:
    """Let other programs go first, the more the higher the number."""
    if hasattr(os, "nice"):  # without it rendering is as fast, and others wait longer
        os.nice(increment)


def lock(stream: IO[bytes]) -> None:
    """Lock an open file until it is closed. Raises BlockingIOError when another process has it.

    Raises any other OSError where the file system has no locks.
    """
    if fcntl is not None:  # without it whoever starts two runs in one folder has to know better
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def kill_group(leader_id: int) -> None:
    """Kill a process that leads a group of its own, and all others of the group."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader_id, signal.SIGKILL)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(leader_id, signal.SIGTERM)  # there it ends the process outright


def is_private(stream: IO[bytes]) -> bool:
    """Whether an open file is this user's and nobody else may read or write it."""
    if not hasattr(os, "getuid"):  # on Windows a file's mode does not say who may read it
        return True
    status = os.fstat(stream.fileno())
    return status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & _OTHERS


def signal_thread(thread_id: int, number: int) -> None:
    """Send a signal to a thread of this process, so that a call in which it waits is broken off."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread_id, number)
    else:
        signal.raise_signal(number)  # its handler runs once the call is over
