"""What a person sees: a short story on stdout, problems and a progress bar on stderr."""

import sys
import time
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_QUIET_SECS = 15.0


class Terminal:
    """Tells the story of a run; on a terminal with a bar, elsewhere with a line now and then."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bar: Progress | None = None
        self._work = ""
        self._spoke_at_secs = 0.0

    def tell(self, subject: str, sentence: str) -> None:
        """One sentence of the story."""
        self.end_work()
        self._out.print(f"{subject:<10} {sentence}")

    def warn(self, sentence: str) -> None:
        """A problem, without interrupting the bar."""
        self._err.print(sentence)

    def work(self, name: str, *, done: int, total: int, detail: str) -> None:
        """How far a piece of work is; safe to call from any thread, and cheap."""
        with self._lock:
            if self._work != name:
                self._begin(name)
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=done, total=total, detail=detail)
            elif time.monotonic() - self._spoke_at_secs > _QUIET_SECS:
                self._spoke_at_secs = time.monotonic()
                self._err.print(f"{name:<10} {done} of {total} {detail}")

    def end_work(self) -> None:
        """Take the bar away."""
        with self._lock:
            self._end()

    def _begin(self, name: str) -> None:
        self._end()
        self._work = name
        self._spoke_at_secs = time.monotonic()
        if self._err.is_terminal and not self._err.is_dumb_terminal:
            self._bar = _bar(name, self._err)
            self._bar.start()

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._work = None, ""

    @cached_property
    def _out(self) -> "Console":
        return _console(sys.stdout)

    @cached_property
    def _err(self) -> "Console":
        return _console(sys.stderr)


def _console(stream: TextIO) -> "Console":
    # What only lists the tasks tells nothing, and gets by without the import.
    from rich.console import Console  # noqa: PLC0415

    return Console(file=stream, highlight=False, markup=False, soft_wrap=True)


def _bar(name: str, console: "Console") -> "Progress":
    from rich.progress import (  # noqa: PLC0415  only where somebody looks on
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn(f"{name:<10}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} {task.fields[detail]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    bar.add_task(name, total=0, detail="")
    return bar
