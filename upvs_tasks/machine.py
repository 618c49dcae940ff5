"""What not every operating system has, each with what is done where it is missing.

No other module asks for these, save `media.parent_death`, which is a program of its own.
"""

import math
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    fcntl = None  # type: ignore[assignment]  # that it may be missing is what is said here

# Flags for opening a file: not the one that a link leads to; without waiting for another program.
NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)

_OTHERS = 0o077


def usable_cores(root: Path = Path("/")) -> int:
    """How many cores this process may use at once; a container may have a share of them.

    ``root`` is where the files of the system are looked for.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1  # macOS gives every process all cores
    shares = filter(None, map(_share_of_cores, _groups("cpu", root)))
    return max(1, min([cores, *map(math.ceil, shares)]))


def free_memory_bytes(root: Path = Path("/")) -> int | None:
    """Memory that new processes can have before the system or a container runs out of it.

    What the system would give up at once, such as files that it keeps in memory, counts as free.
    None where nobody says.
    """
    rooms = [_free_of_system(root), *map(_free_of_group, _groups("memory", root))]
    return min((room for room in rooms if room is not None), default=None)


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


def others_can_read(path: Path) -> bool:
    """Whether any user of this computer can read a file, as far as that can be seen."""
    if not hasattr(os, "getuid"):  # on Windows a file's mode does not say who may read it
        return False
    try:
        path = path.resolve(strict=True)
        ways = [folder.stat().st_mode & stat.S_IXOTH for folder in path.parents]
        return all(ways) and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def signal_thread(thread_id: int, number: int) -> None:
    """Send a signal to a thread of this process, so that a call in which it waits is broken off."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread_id, number)
    else:
        signal.raise_signal(number)  # its handler runs once the call is over


def _free_of_system(root: Path) -> int | None:
    """Linux says what is free; of others it is known what they have."""
    for line in _lines(root / "proc/meminfo"):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    names = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
    if not hasattr(os, "sysconf") or not set(names) <= os.sysconf_names.keys():
        return None
    pages, page_bytes = map(os.sysconf, names)
    return pages * page_bytes


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the control groups that limit this process, whatever the version.

    In a container the paths are those of the host, and only the outermost folder may be there.
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = f"{line}::".split(":")[:3]
        top = root / "sys/fs/cgroup"
        if controllers:
            if controller not in controllers.split(","):
                continue
            top /= controller
        folder = top / path.strip("/")
        yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top))


def _share_of_cores(group: Path) -> float | None:
    """How many cores' time a control group has; None where it has no limit."""
    words = " ".join(_lines(group / "cpu.max")).split()  # version 2: quota and period
    if not words:
        words = [*_lines(group / "cpu.cfs_quota_us"), *_lines(group / "cpu.cfs_period_us")]
    with suppress(ValueError, ZeroDivisionError):
        quota, period = map(int, words)
        return quota / period if quota > 0 else None
    return None


def _free_of_group(group: Path) -> int | None:
    """Memory that is left of a control group's limit; None where it has none."""
    for limit, usage, kept in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(ValueError):
            (limit_bytes,) = map(int, _lines(group / limit))
            (usage_bytes,) = map(int, _lines(group / usage))
            statistics = dict(line.split() for line in _lines(group / "memory.stat"))
            return max(0, limit_bytes - usage_bytes + int(statistics.get(kept, 0)))
    return None


def _lines(path: Path) -> list[str]:
    """Lines of a file of the system; none where it cannot be read."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
