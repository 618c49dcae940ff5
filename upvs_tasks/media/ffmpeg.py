"""The only door to the ffmpeg program: where it is, and how it is run to its end or ended."""

import atexit
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from threading import Thread
from typing import IO

from upvs_tasks.errors import RenderError, StorageError, UsageError
from upvs_tasks.media.parent_death import ending_with_parent

_GRACE_SECS = 3.0
_KEPT_LINES = 40
_TOLD_LINES = 3
_DISK_FULL = ("No space left on device", "Disk quota exceeded")

_running: set[subprocess.Popen[str]] = set()


def find_ffmpeg() -> str:
    """Absolute path of the ffmpeg of PATH, or else of the one that came with imageio-ffmpeg.

    Raises UsageError when there is neither.
    """
    on_path = which("ffmpeg")
    if on_path is not None:
        return str(Path(on_path).absolute())
    from imageio_ffmpeg import get_ffmpeg_exe  # noqa: PLC0415  slow, and needed only here

    try:
        return str(Path(get_ffmpeg_exe()).absolute())
    except RuntimeError as error:
        message = "no ffmpeg is to be found: install one (it has to be on PATH), then run again"
        raise UsageError(message) from error


def run(
    command: Sequence[str], *, on_frame: Callable[[int], None] | None = None, partial: Path
) -> None:
    """Run an ffmpeg command that writes ``partial`` and reports with ``-progress pipe:1``.

    ``on_frame`` is told how many frames are encoded, about twice a second. Whatever ends the wait,
    ffmpeg is gone afterwards, and so is ``partial`` unless all went well. Raises StorageError when
    the disk is full and RenderError for any other failure.
    """
    complaints: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        with _started(command, complaints) as process:
            for frames in _encoded_frames(_stream(process.stdout)):
                if on_frame is not None:
                    on_frame(frames)
            process.wait()
        _check_outcome(process.returncode, list(complaints), partial)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def stop_all() -> None:
    """End every ffmpeg that any thread of this process has started; each then fails its `run`."""
    for process in tuple(_running):
        _end(process)


@contextmanager
def _started(command: Sequence[str], complaints: deque[str]) -> Iterator[subprocess.Popen[str]]:
    """Have ffmpeg at work, in its own session so that a Ctrl-C reaches it by way of us alone."""
    atexit.unregister(stop_all)  # once is enough
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
    listener = Thread(target=complaints.extend, args=[_stream(process.stderr)], daemon=True)
    try:
        listener.start()
        yield process
    finally:
        _end(process)
        listener.join()
        _running.discard(process)
        _stream(process.stdin).close()
        _stream(process.stdout).close()
        _stream(process.stderr).close()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    _stream(process.stdin).close()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECS)
    finally:  # a second Ctrl-C does not leave it running either
        process.kill()
        process.wait()


def _encoded_frames(progress: IO[str]) -> Iterator[int]:
    for line in progress:
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            yield int(value)


def _check_outcome(exit_code: int, complaints: list[str], partial: Path) -> None:
    if exit_code == 0:
        return
    if any(sign in line for line in complaints for sign in _DISK_FULL):
        raise StorageError(
            f"the disk is full while writing {partial}: free some space, then run again"
        )
    told = "; ".join(line.strip() for line in complaints[-_TOLD_LINES:]) or "it gave no reason"
    how = f"with exit code {exit_code}"
    if exit_code < 0:
        how = f"by {signal.Signals(-exit_code).name}"
    raise RenderError(f"ffmpeg was to write {partial.name} but ended {how}: {told}")


def _stream(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise AssertionError("the process was started without this pipe")
    return pipe
