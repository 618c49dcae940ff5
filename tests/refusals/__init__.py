"""File systems that refuse: a call of a program of ours fails that would have succeeded.

A small library in C stands between the program and the C library, and between those that it starts
and theirs. It needs no rights. Of a program that does not use the system's C library, such as the
ffmpeg of imageio-ffmpeg, it sees nothing.
"""

import errno
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

_SOURCE = Path(__file__).with_name("refuse.c")
_MOST_ORDERS = 16

can_refuse = shutil.which("gcc") is not None and Path("/proc/self/fd").exists()
WHY_NOT = "refusals need Linux and gcc"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a program: its kind, as in refuse.c, and the path below the folder."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The call of that kind on paths of that pattern fails: the one of that number, 0 for each."""

    kind: str
    pattern: str
    error: int
    which: int = 0

    def __str__(self) -> str:
        """As one would look it up in a failing test."""
        which = f"#{self.which}" if self.which else "always"
        return f"{self.kind} {self.pattern} {which} {errno.errorcode[self.error]}"


class FileSystem:
    """What a program meets below one folder, and what it called there."""

    def __init__(
        self, below: Path, refusals: Sequence[Refusal] = (), *, whole_seconds: bool = False
    ) -> None:
        self._folder = Path(mkdtemp(prefix="refusals-"))
        self._log = self._folder / "log"
        counts = self._folder / "counts"
        counts.write_bytes(bytes(8 * _MOST_ORDERS))
        orders = (f"{each.kind}\t{each.pattern}\t{each.which}\t{each.error}\n" for each in refusals)
        self.environment = {
            "LD_PRELOAD": str(_library()),
            "TMPDIR": str(self._folder),  # where a lock may be kept in place of one below
            "REFUSE_BELOW": str(below.resolve()),
            "REFUSE_LOG": str(self._log),
            "REFUSE_COUNTS": str(counts),
            "REFUSE_ORDERS": "".join(orders),
        } | ({"REFUSE_WHOLE_SECONDS": "1"} if whole_seconds else {})

    def calls(self) -> Iterator[Call]:
        """All calls below the folder, in order."""
        return (call for _, call in self._lines())

    def refused(self) -> list[Call]:
        """The calls that were refused."""
        return [call for mark, call in self._lines() if mark == "refused"]

    def forget(self) -> None:
        """Delete what was written beside the folder."""
        shutil.rmtree(self._folder)

    def _lines(self) -> Iterator[tuple[str, Call]]:
        lines = self._log.read_text(errors="surrogateescape").splitlines()
        for line in lines if self._log.exists() else ():
            mark, kind, path = line.split("\t")
            yield mark, Call(kind, path)


def numbered(calls: Iterable[Call]) -> Iterator[tuple[Call, int]]:
    """Each call with its number among those of its kind and path."""
    seen: dict[Call, int] = {}
    for call in calls:
        seen[call] = seen.get(call, 0) + 1
        yield call, seen[call]


@cache
def _library() -> Path:
    """The library, compiled once a process."""
    library = Path(mkdtemp(prefix="refusals-")) / "refuse.so"
    command = ["gcc", "-std=gnu11", "-O1", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    return library
