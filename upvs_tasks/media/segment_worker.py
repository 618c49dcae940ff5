"""Renders one segment in a process of its own.

The job comes as a line of JSON on standard input, which then stays open: where it ends, the parent
is gone, and so is this process at once. What it tells are lines of JSON on standard output: frames
encoded so far, and last either the result or the reason why there is none.
"""

import atexit
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import IO, Any

import upvs_tasks
from upvs_tasks.errors import RenderFailed, StorageError, UpvsError
from upvs_tasks.media.segment import Damage, SegmentJob, SegmentResult, render_segment

_FRAMES_PER_REPORT = 10
_KEPT_LINES = 10
_GRACE_SECS = 3.0
_ORPHANED = 70

_running: set[subprocess.Popen[str]] = set()


def render_apart(
    job: SegmentJob, *, nice: int = 0, on_frame: Callable[[int], None] = lambda _: None
) -> SegmentResult:
    """Render a segment in a child process, as `render_segment` does in this one.

    ``nice`` is added to the child's niceness. Whatever ends the wait, the child is gone afterwards,
    and so is the job's output unless all went well. Raises StorageError when the disk is full or
    may not be written, and RenderFailed for any other failure.
    """
    try:
        return _result_of(_child(nice), job, on_frame)
    except BaseException:
        job.output_path.unlink(missing_ok=True)
        raise


def stop_all() -> None:
    """End every child that any thread of this process waits for; each then fails."""
    for process in tuple(_running):
        process.kill()


def running() -> tuple[int, ...]:
    """Process ids of the children at work."""
    return tuple(process.pid for process in _running)


def main() -> int:
    """Do what the first line of standard input asks. Returns the exit code."""
    line = sys.stdin.readline()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = render_segment(SegmentJob.from_document(json.loads(line)), _report)
    except UpvsError as error:
        _tell({"error": type(error).__name__, "reason": str(error)})
        return error.exit_code
    _tell({"frames": result.frames, "damages": [asdict(damage) for damage in result.damages]})
    return 0


def _child(nice: int) -> subprocess.Popen[str]:
    """The worker, found where this package is, in a session that no Ctrl-C reaches."""
    if not _running:
        atexit.unregister(stop_all)
        atexit.register(stop_all)
    process = subprocess.Popen(  # noqa: S603  ourselves, without a shell
        [sys.executable, "-m", __name__, str(nice)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        cwd=Path(upvs_tasks.__file__).parents[1],
        start_new_session=True,
    )
    _running.add(process)
    return process


def _result_of(
    process: subprocess.Popen[str], job: SegmentJob, on_frame: Callable[[int], None]
) -> SegmentResult:
    complaints: deque[str] = deque(maxlen=_KEPT_LINES)
    listener = Thread(target=complaints.extend, args=[_pipe(process.stderr)], daemon=True)
    listener.start()
    last: dict[str, Any] = {}
    try:
        _order(process, job)
        for last in map(_told, _pipe(process.stdout)):
            if "damages" not in last and "frames" in last:
                on_frame(last["frames"])
    finally:
        _end(process)
        listener.join()
        _pipe(process.stdout).close()
        _pipe(process.stderr).close()
    return _judged(last, process.returncode, complaints, job)


def _order(process: subprocess.Popen[str], job: SegmentJob) -> None:
    with suppress(BrokenPipeError):  # it died at once; its exit code and its words tell why
        _pipe(process.stdin).write(json.dumps(job.to_document()) + "\n")
        _pipe(process.stdin).flush()


def _end(process: subprocess.Popen[str]) -> None:
    """Wait for a child that has closed its output; the end of its input is what ends any other."""
    with suppress(OSError):
        _pipe(process.stdin).close()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECS)
    finally:
        process.kill()
        process.wait()
        _running.discard(process)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise AssertionError("the process was started without this pipe")
    return pipe


def _told(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _judged(
    last: dict[str, Any], exit_code: int, complaints: deque[str], job: SegmentJob
) -> SegmentResult:
    match last:
        case {"frames": int(frames), "damages": [*damages]} if exit_code == 0:
            return SegmentResult(frames, tuple(Damage(**damage) for damage in damages))
        case {"error": StorageError.__name__, "reason": str(reason)}:
            raise StorageError(reason)
        case {"reason": str(reason)}:
            raise RenderFailed(reason)
    told = " ".join(line.strip() for line in complaints) or "it gave no reason"
    name = job.output_path.name
    raise RenderFailed(f"the process that was to render {name} ended with {exit_code}: {told}")


def _report(frames: int) -> None:
    if frames % _FRAMES_PER_REPORT == 0:
        _tell({"frames": frames})


def _tell(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """Be gone as soon as nobody waits for the result."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(_ORPHANED)


if __name__ == "__main__":
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    sys.exit(main())
