"""Renders segments in processes of their own.

A job comes as a line of JSON on standard input, which then stays open: where it ends, the parent is
gone, and so is this process at once. What it tells are lines of JSON on standard output: frames
encoded so far, what is worth a line in the log, and last either the result or the reason why there
is none. After a result it waits for the next job, but not for long; after anything else it ends.
"""

import atexit
import json
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import IO, Any

import upvs_tasks
from upvs_tasks import machine
from upvs_tasks.errors import RenderError, StorageError, UpvsError
from upvs_tasks.media.segment import SegmentJob, SegmentResult, render_segment
from upvs_tasks.model.damage import Damage

log = logging.getLogger(__name__)

_FRAMES_PER_REPORT = 10
_KEPT_LINES = 10
_GRACE_SECS = 3.0
# How long a child waits for another job before it gives its memory back.
_PATIENCE_SECS = 5.0
_ORPHANED = 70
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({})))

_Told = dict[str, Any]


def render_apart(
    job: SegmentJob, *, nice: int = 0, on_frame: Callable[[int], None] = lambda _: None
) -> SegmentResult:
    """Render a segment in a child process, as `render_segment` does in this one.

    A child that has done well is kept for a while for the next job: Python, libav and its codecs
    are slow to start. ``nice`` is added to the child's niceness. Whatever else ends the wait, the
    child is gone afterwards, and so is the job's output unless all went well. Raises StorageError
    when the disk is full or may not be written, and RenderError for any other failure.
    """
    try:
        child = _kept_child(nice)
        told = child.told_of(job, on_frame) if child else {}
        if child is None or not (told or child.is_stopped):  # a kept one may have ended just now
            child = _Child(nice)
            told = child.told_of(job, on_frame)
        return _judged(told, child, job)
    except BaseException:
        job.output_path.unlink(missing_ok=True)
        raise


def stop_all() -> None:
    """End every child that any thread of this process waits for, each of which then fails.

    Those that wait for a job end as well.
    """
    for child in tuple(_running):
        child.is_stopped = True
        child.process.kill()
    with _lock:
        idle = tuple(_idle)
        _idle.clear()
        _logged.clear()
    for child in idle:
        child.end()


def running() -> tuple[int, ...]:
    """Process ids of the children at work."""
    return tuple(child.process.pid for child in _running)


def main() -> int:
    """Do what comes on standard input, line by line. Returns the exit code."""
    logging.getLogger(upvs_tasks.__name__).addHandler(_Teller())
    logging.getLogger(upvs_tasks.__name__).setLevel(logging.INFO)
    orders: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=[orders], daemon=True).start()
    while True:
        try:
            order = orders.get(timeout=_PATIENCE_SECS)
        except Empty:
            return 0
        try:
            result = render_segment(SegmentJob.from_document(json.loads(order)), _report)
        except UpvsError as error:
            _tell({"error": type(error).__name__, "reason": str(error)})
            return error.exit_code
        _tell({"frames": result.frames, "damages": [asdict(damage) for damage in result.damages]})


class _Child:
    """The worker, found where this package is, in a session that no Ctrl-C reaches."""

    def __init__(self, nice: int) -> None:
        atexit.unregister(stop_all)  # once is enough
        atexit.register(stop_all)
        self.nice, self.is_stopped = nice, False
        self.complaints: deque[str] = deque(maxlen=_KEPT_LINES)
        self.process = subprocess.Popen(  # noqa: S603  ourselves, without a shell
            [sys.executable, "-m", __name__, str(nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            cwd=Path(upvs_tasks.__file__).parents[1],
            start_new_session=True,
        )
        self._listener = Thread(
            target=self.complaints.extend, args=[_pipe(self.process.stderr)], daemon=True
        )
        self._listener.start()

    def told_of(self, job: SegmentJob, on_frame: Callable[[int], None]) -> _Told:
        """Have a job done: the last thing that the child tells of it, empty where it tells nothing.

        It is then kept if it has a result, and ended if not.
        """
        last: _Told = {}
        _running.add(self)
        try:
            self._order(job)
            while line := _pipe(self.process.stdout).readline():
                last = _told(line)
                match last:
                    case {"damages": _}:
                        break
                    case {"frames": int(frames)}:
                        on_frame(frames)
                    case {"event": str(event), "facts": dict(facts)}:
                        _log_once(event, facts)
        except BaseException:
            last = {}
            raise
        finally:
            _running.discard(self)
            if "damages" in last:
                with _lock:
                    _idle.append(self)
            else:
                self.end()
        return last

    def end(self) -> None:
        """Wait for a child that has closed its output; the end of its input ends any other."""
        with suppress(OSError):
            _pipe(self.process.stdin).close()
        try:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_GRACE_SECS)
        finally:
            self.process.kill()
            self.process.wait()
        self._listener.join()
        _pipe(self.process.stdout).close()
        _pipe(self.process.stderr).close()

    def _order(self, job: SegmentJob) -> None:
        with suppress(BrokenPipeError):  # it has died; its exit code and its words tell why
            _pipe(self.process.stdin).write(json.dumps(job.to_document()) + "\n")
            _pipe(self.process.stdin).flush()


_running: set[_Child] = set()
_idle: list[_Child] = []
_logged: set[str] = set()
_lock = Lock()


def _log_once(event: str, facts: dict[str, object]) -> None:
    """Log what a child tells, unless another one has told it."""
    with _lock:
        line = json.dumps([event, facts], sort_keys=True)
        is_news = line not in _logged
        _logged.add(line)
    if is_news:
        log.info(event, extra=facts)


def _kept_child(nice: int) -> _Child | None:
    """A child that waits for a job, and is as nice as it should be."""
    with _lock:
        ended = [child for child in _idle if child.process.poll() is not None]
        fitting = (child for child in _idle if child not in ended and child.nice == nice)
        chosen = next(fitting, None)
        _idle[:] = [child for child in _idle if child not in ended and child is not chosen]
    for child in ended:
        child.end()
    return chosen


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise AssertionError("the process was started without this pipe")
    return pipe


def _told(line: str) -> _Told:
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _judged(told: _Told, child: _Child, job: SegmentJob) -> SegmentResult:
    match told:
        case {"frames": int(frames), "damages": [*damages]}:
            return SegmentResult(frames, tuple(Damage(**damage) for damage in damages))
        case {"error": StorageError.__name__, "reason": str(reason)}:
            raise StorageError(reason)
        case {"reason": str(reason)}:
            raise RenderError(reason)
    words = " ".join(line.strip() for line in child.complaints) or "it gave no reason"
    name, exit_code = job.output_path.name, child.process.returncode
    raise RenderError(f"the process that was to render {name} ended with {exit_code}: {words}")


class _Teller(logging.Handler):
    """Tells the parent what is to be logged; the child has no log of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        facts = {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        _tell({"event": record.getMessage(), "facts": facts})


def _report(frames: int) -> None:
    if frames % _FRAMES_PER_REPORT == 0:
        _tell({"frames": frames})


def _tell(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _listen(orders: SimpleQueue[bytes]) -> None:
    """Take orders, and be gone as soon as nobody waits for the result.

    Not by way of ``sys.stdin``, which Python could not close at its end while a thread reads it.
    """
    begun = b""
    while content := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, begun = (begun + content).split(b"\n")
        for line in lines:
            orders.put(line)
    os._exit(_ORPHANED)


if __name__ == "__main__":
    machine.add_niceness(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    sys.exit(main())
