"""Finds ffmpeg programs, and runs them; the only module that does."""

import atexit
import errno
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from threading import Event, Thread, Timer
from typing import IO

from upvs_tasks import machine
from upvs_tasks.errors import RenderError, StorageError, UsageError
from upvs_tasks.media.parent_death import NOT_STARTED, ending_with_parent

_END_TIMEOUT_SECS = 3.0
_KEPT_ERROR_LINES = 40
_SHOWN_ERROR_LINES = 3
# What only a disk refuses. Newer programs end with the number, all of them say its words.
_MOST_EXIT_CODES = 256
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ESTALE)

_running: set[subprocess.Popen[str]] = set()


def candidates() -> Iterator[str]:
    """Absolute path of each ffmpeg on PATH, then of the one in the package imageio-ffmpeg.

    Whether one of them works is not known yet.
    """
    seen = set[Path]()
    for folder in os.get_exec_path():
        on_path = which("ffmpeg", path=folder) if folder else None
        if on_path is not None and (program := Path(on_path).absolute()) not in seen:
            seen.add(program)
            yield str(program)
    from imageio_ffmpeg import get_ffmpeg_exe  # noqa: PLC0415  slow, and needed only here

    with suppress(RuntimeError, OSError):  # it has none for this machine
        yield str(Path(get_ffmpeg_exe()).absolute())


def find_ffmpeg() -> str:
    """The first of all `candidates`. Raises UsageError when there is none."""
    first = next(candidates(), None)
    if first is None:
        raise UsageError("no ffmpeg was found: install one (it has to be on PATH), then run again")
    return first


def run(
    command: Sequence[str],
    *,
    on_frame: Callable[[int], None] | None = None,
    partial: Path,
    longest_secs: float | None = None,
) -> None:
    """Run an ffmpeg command that writes ``partial`` and has the option ``-progress pipe:1``.

    ``on_frame`` is called with the number of encoded frames, about twice a second. However the wait
    ends, ffmpeg does not run afterwards, and ``partial`` is removed unless all went well. Raises
    StorageError when the disk is full and RenderError for any other failure, such as that it did
    not end in ``longest_secs``.
    """
    error_lines: deque[str] = deque(maxlen=_KEPT_ERROR_LINES)
    try:
        with _started(command, error_lines) as process, _limited(process, longest_secs, partial):
            for frames in _encoded_frames(_stream(process.stdout)):
                if on_frame is not None:
                    on_frame(frames)
            process.wait()
        _check_outcome(process.returncode, list(error_lines), partial)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is told
            partial.unlink(missing_ok=True)
        raise


def stop_all() -> None:
    """End every ffmpeg that this process has started; each `run` then raises RenderError."""
    for process in tuple(_running):
        _end(process)


@contextmanager
def _started(command: Sequence[str], error_lines: deque[str]) -> Iterator[subprocess.Popen[str]]:
    """Start ffmpeg, in a session of its own, so that Ctrl-C in the terminal does not reach it."""
    atexit.unregister(stop_all)  # so that it is registered once
    atexit.register(stop_all)
    process = subprocess.Popen(  # noqa: S603  built by us, without a shell
        ending_with_parent(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    _running.add(process)
    error_reader = Thread(target=error_lines.extend, args=[_stream(process.stderr)], daemon=True)
    try:
        error_reader.start()
        yield process
    finally:
        _end(process)
        error_reader.join()
        _running.discard(process)
        _stream(process.stdin).close()
        _stream(process.stdout).close()
        _stream(process.stderr).close()


@contextmanager
def _limited(
    process: subprocess.Popen[str], longest_secs: float | None, partial: Path
) -> Iterator[None]:
    """Kill ffmpeg after so many seconds. Raises RenderError where that was done."""
    if longest_secs is None:
        yield
        return
    is_over = Event()

    def end() -> None:
        is_over.set()
        machine.kill_group(process.pid)

    timer = Timer(longest_secs, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if is_over.is_set():
        message = f"ffmpeg did not write {partial.name}; it did not end in {longest_secs:g} s"
        raise RenderError(message)


def _end(process: subprocess.Popen[str]) -> None:
    """End ffmpeg and the program that waits for it, whichever of the two still runs."""
    if process.poll() not in {None, -signal.SIGKILL}:
        return
    with suppress(OSError):
        _stream(process.stdin).close()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_TIMEOUT_SECS)
    finally:  # also when a second Ctrl-C interrupts the wait
        machine.kill_group(process.pid)
        process.wait()


def _encoded_frames(progress: IO[str]) -> Iterator[int]:
    for line in progress:
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            yield int(value)


def _check_outcome(exit_code: int, error_lines: list[str], partial: Path) -> None:
    if exit_code == 0:
        return
    for number in _OF_DISKS:
        words = os.strerror(number)
        if exit_code == _MOST_EXIT_CODES - number or any(words in line for line in error_lines):
            raise StorageError.of_number(number, partial)
    for number in (errno.EAGAIN, errno.ENOMEM):
        if any(f"{NOT_STARTED}: {os.strerror(number)}" in line for line in error_lines):
            raise StorageError.of_number(number, None)
    last_lines = [line.strip() for line in error_lines[-_SHOWN_ERROR_LINES:]]
    reason = "; ".join(last_lines) or "it gave no reason"
    cause = f"with exit code {exit_code}"
    if exit_code < 0:
        cause = f"by {signal.Signals(-exit_code).name}"
    raise RenderError(f"ffmpeg did not write {partial.name}; it ended {cause}: {reason}")


def _stream(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise AssertionError("the process was started without this pipe")
    return pipe
