"""What a person sees: a line for each task on stdout, problems and a progress bar on stderr."""

import sys
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, TextIO, cast

from upvs_tasks.clock import Clock
from upvs_tasks.escaping import one_line
from upvs_tasks.output.listener import Listener, plain

if TYPE_CHECKING:
    from rich.progress import Progress

_QUIET_SECS = 15.0
_SPOKEN_IN_MINUTES_SECS = 120.0
_ABOUT_AS_LONG_SECS = 60.0


class Terminal:
    """Tells of a run, in lines; threads may share it.

    A reporter may give the summaries of the tasks a stream of their own. Without one, they go to
    stderr, and work under way is not shown. With one, work under way is shown on stderr: as a bar
    on a terminal, as a line now and then elsewhere. Problems always go to stderr.

    stdout and stderr are those of the start, since doit's JSON reporter replaces them for a while.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._out, self._err = plain(sys.stdout), plain(sys.stderr)
        self._summaries = self._err
        self._shows_work = False
        self._lock = Lock()
        self._bar: Progress | None = None
        self._work, self._is_silent = "", False
        self._spoke_at_secs = self._waits_until_secs = 0.0

    def fall_silent(self) -> None:
        """Say nothing from now on: threads that are still at work only notice that all is over."""
        with self._lock:
            self._end()
            self._is_silent = True

    def tell_summaries_on(self, stream: TextIO) -> None:
        """Send summaries to ``stream`` from now on, and show work under way."""
        self._summaries, self._shows_work = plain(stream), True

    def end_summaries(self) -> None:
        """Send what is left to tell, the account, to stdout: the stream of the summaries ends."""
        self._summaries = self._out

    def tell(self, subject: str, sentence: str) -> None:
        """What a task did, or the run found, in a sentence."""
        with self._lock:
            self._end()
            self._write_line(self._summaries, f"{subject:<10} {sentence}")

    def warn(self, sentence: str) -> None:
        """A problem."""
        with self._lock:
            self._end()
            self._write_line(self._err, sentence)

    def wait(self, reason: str, longest_secs: float) -> None:
        """Why nothing goes on, and for how long at most; once for all who wait about as long."""
        with self._lock:
            now_secs = self._clock.monotonic_secs()
            if now_secs + longest_secs < self._waits_until_secs + _ABOUT_AS_LONG_SECS:
                return
            self._waits_until_secs = now_secs + longest_secs
            self._end()
            self._write_line(self._err, f"waiting for up to {_spoken(longest_secs)}: {reason}")

    def work(self, name: str, *, done: int, total: int, detail: str) -> None:
        """How far a piece of work is; cheap."""
        if not self._shows_work or self._is_silent:
            return
        with self._lock:
            if self._work != name:
                self._begin(name, done=done, total=total, detail=detail)
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=done, total=total, detail=detail)
            elif self._clock.monotonic_secs() - self._spoke_at_secs > _QUIET_SECS:
                self._spoke_at_secs = self._clock.monotonic_secs()
                self._write_line(self._err, f"{name:<10} {done} of {total} {detail}")

    def end_work(self) -> None:
        """Take the bar away."""
        with self._lock:
            self._end()

    def _begin(self, name: str, *, done: int, total: int, detail: str) -> None:
        self._end()
        self._work = name
        self._spoke_at_secs = self._clock.monotonic_secs()
        if self._err.isatty():
            self._bar = _bar(name, self._err)
            if self._bar is not None:
                self._bar.add_task(name, completed=done, total=total, detail=detail)
                self._bar.start()

    def _write_line(self, stream: TextIO, line: str) -> None:
        if not self._is_silent:
            stream.write(f"{one_line(line)}\n")
            stream.flush()

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._work = None, ""


class Work:
    """How much is downloaded and rendered so far; threads may share it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._lock = Lock()
        self._clips_done = self._clips_failed = self._clip_count = 0
        self.clips_found = 0
        self._bytes_received = 0
        self._frame_counts: Mapping[str, int] = {}
        self._frames_done: dict[str, int] = {}

    @property
    def megabytes_received(self) -> float:
        """How much video has come."""
        return self._bytes_received / 1e6

    def expect_clips(self, count: int) -> None:
        """How many clips the day has."""
        self._clip_count = count

    def begin_clip(self) -> None:
        """A clip is on its way."""
        self._show_clips()

    @property
    def clips_failed(self) -> int:
        """How many clips were asked for, and could not be had."""
        return self._clips_failed

    def end_clip(self, *, failed: bool = False) -> None:
        """One clip more is looked after: it is there, or it ``failed``."""
        if failed:
            self._clips_failed += 1
        else:
            self._clips_done += 1
        self._show_clips()

    def add_bytes(self, count: int) -> None:
        """So many bytes more of some clip have come."""
        with self._lock:
            self._bytes_received += count
        self._show_clips()

    def count_found_clip(self) -> None:
        """One clip more was on the disk already, and needed no download."""
        with self._lock:
            self.clips_found += 1

    def expect_segments(self, frame_counts: Mapping[str, int]) -> None:
        """How many frames each segment of the film has, by its name."""
        self._frame_counts = frame_counts

    def show_segment(self, name: str, frames: int) -> None:
        """How many frames of a segment are rendered."""
        with self._lock:
            self._frames_done[name] = frames
            done = sum(self._frames_done.values())
        total = sum(self._frame_counts.values())
        self._terminal.work("render", done=done, total=total, detail=_noun("frame", total))

    def end_segment(self, name: str) -> None:
        """A segment is there, whether it was rendered now or before."""
        self.show_segment(name, self._frame_counts.get(name, 0))

    def show_film(self, frames: int, total: int) -> None:
        """How many frames of a film that is made at once are rendered."""
        self._terminal.work("timelapse", done=frames, total=total, detail=_noun("frame", total))

    def _show_clips(self) -> None:
        failed = f"{self._clips_failed} failed, " if self._clips_failed else ""
        clips = _noun("clip", self._clip_count)
        detail = f"{clips}, {failed}{self.megabytes_received:.0f} MB"
        self._terminal.work("fetch", done=self._clips_done, total=self._clip_count, detail=detail)


def _noun(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _spoken(secs: float) -> str:
    return f"{secs:.0f} s" if secs < _SPOKEN_IN_MINUTES_SECS else f"{secs / 60:.0f} minutes"


def _bar(name: str, stream: TextIO) -> "Progress | None":
    """A bar that has yet to be started; None on a terminal that cannot show one."""
    # Only where somebody looks on: the import takes longer than a run with nothing to do.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(file=cast("Listener", stream).raw())
    if console.is_dumb_terminal:
        return None
    return Progress(
        TextColumn(f"{name:<10}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} {task.fields[detail]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
