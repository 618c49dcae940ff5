"""Starts, reuses and stops the worker processes that render segments."""

import atexit
import logging
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO

import upvs_tasks
from upvs_tasks.errors import DocumentError, RenderError, StorageError
from upvs_tasks.media.segment import SegmentJob, SegmentResult
from upvs_tasks.media.worker_protocol import (
    FramesEncoded,
    LogEvent,
    Message,
    RenderFailure,
    decode_message,
    encode_job,
    encode_message,
)

log = logging.getLogger(__name__)

_WORKER_MODULE = "upvs_tasks.media.worker"
_KEPT_ERROR_LINES = 10
# What Python, libav, x264 and x265 print when they get none.
_NO_MEMORY = ("MemoryError", "Cannot allocate memory", "malloc of size", "bad_alloc")
_END_TIMEOUT_SECS = 3.0
_KILLED: int = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no such signal


def render_in_worker(
    job: SegmentJob, *, nice: int = 0, on_frame: Callable[[int], None] = lambda _: None
) -> SegmentResult:
    """Render a segment in a worker process, as `render_segment` does in this one.

    A worker that has succeeded is kept for some seconds for the next job: Python, libav and its
    codecs are slow to start. ``nice`` is added to the worker's niceness. However the wait ends, no
    worker goes on with the job afterwards, and its output is removed unless all went well. Raises
    StorageError when the disk is full or may not be written, and RenderError for any other failure.
    """
    try:
        worker = _take_idle(nice)
        last = worker.render(job, on_frame) if worker else None
        if worker is None or (last is None and not worker.is_stopped):  # it may just have ended
            worker = _Worker(nice)
            last = worker.render(job, on_frame)
        return _result(last, worker, job)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is told
            job.output_path.unlink(missing_ok=True)
        raise


def stop_all() -> None:
    """End all workers of this process; each thread that waits for one gets a RenderError."""
    for worker in tuple(_busy):
        worker.is_stopped = True
        worker.process.kill()
    with _lock:
        idle = tuple(_idle)
        _idle.clear()
        _logged.clear()
    for worker in idle:
        worker.end()


def busy_workers() -> tuple[int, ...]:
    """Process ids of the workers that render."""
    return tuple(worker.process.pid for worker in _busy)


class _Worker:
    """A worker process in a session of its own, so that Ctrl-C in the terminal does not reach it.

    It finds this package where it was imported from.
    """

    def __init__(self, nice: int) -> None:
        atexit.unregister(stop_all)  # so that it is registered once
        atexit.register(stop_all)
        self.nice, self.is_stopped = nice, False
        self.error_lines: deque[bytes] = deque(maxlen=_KEPT_ERROR_LINES)
        self.process = subprocess.Popen(  # noqa: S603  ourselves, without a shell
            [sys.executable, "-m", _WORKER_MODULE, str(nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(upvs_tasks.__file__).parents[1],
            start_new_session=True,
        )
        self._error_reader = Thread(
            target=self.error_lines.extend, args=[_pipe(self.process.stderr)], daemon=True
        )
        self._error_reader.start()

    def render(self, job: SegmentJob, on_frame: Callable[[int], None]) -> Message | None:
        """Render a job. Returns the worker's last message, None where it sent none.

        The worker is kept for the next job if that is a result; otherwise it is ended.
        """
        last: Message | None = None
        _busy.add(self)
        try:
            self._send(job)
            while line := _pipe(self.process.stdout).readline():
                with suppress(DocumentError):  # libraries may print, too
                    last = decode_message(line)
                    _act_on(last, on_frame)
                if isinstance(last, SegmentResult):
                    break
        except BaseException:
            last = None
            raise
        finally:
            _busy.discard(self)
            if isinstance(last, SegmentResult):
                with _lock:
                    _idle.append(self)
            else:
                self.end()
        return last

    def end(self) -> None:
        """Close the worker's input, which ends it, and wait; kill it if that takes too long."""
        with suppress(OSError):
            _pipe(self.process.stdin).close()
        try:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_TIMEOUT_SECS)
        finally:
            self.process.kill()
            self.process.wait()
        self._error_reader.join()
        _pipe(self.process.stdout).close()
        _pipe(self.process.stderr).close()

    def _send(self, job: SegmentJob) -> None:
        with suppress(BrokenPipeError):  # it has died; its exit code and error lines say why
            _pipe(self.process.stdin).write(encode_job(job))
            _pipe(self.process.stdin).flush()


_busy: set[_Worker] = set()
_idle: list[_Worker] = []
_logged: set[bytes] = set()
_lock = Lock()


def _act_on(message: Message, on_frame: Callable[[int], None]) -> None:
    match message:
        case FramesEncoded(frames):
            on_frame(frames)
        case LogEvent():
            _log_once(message)


def _log_once(event: LogEvent) -> None:
    """Log an event of a worker, unless another worker has sent the same."""
    line = encode_message(event)
    with _lock:
        is_new = line not in _logged
        _logged.add(line)
    if is_new:
        log.info(event.event, extra=event.facts)


def _take_idle(nice: int) -> _Worker | None:
    """A worker that waits for a job and has this niceness; those that have ended are removed."""
    with _lock:
        ended = [worker for worker in _idle if worker.process.poll() is not None]
        fitting = (worker for worker in _idle if worker not in ended and worker.nice == nice)
        chosen = next(fitting, None)
        _idle[:] = [worker for worker in _idle if worker not in ended and worker is not chosen]
    for worker in ended:
        worker.end()
    return chosen


def _result(last: Message | None, worker: _Worker, job: SegmentJob) -> SegmentResult:
    """What the worker's last message says. Raises the error that it reports."""
    match last:
        case SegmentResult():
            return last
        case RenderFailure(StorageError.__name__, reason):
            raise StorageError(reason)
        case RenderFailure(_, reason):
            raise RenderError(reason)
    what, code = f"the worker that rendered {job.output_path.name}", worker.process.returncode
    said = " ".join(line.decode(errors="replace").strip() for line in worker.error_lines)
    if code == -_KILLED and not worker.is_stopped:
        raise RenderError.out_of_memory(job.output_path, "the system killed the worker")
    if any(words in said for words in _NO_MEMORY):
        raise RenderError.out_of_memory(job.output_path, f"exit code {code}")
    cause = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    raise RenderError(f"{what} ended {cause}: {said or 'it gave no reason'}")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("the process was started without this pipe")
    return pipe
