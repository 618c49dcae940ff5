"""The program that renders segments: ``python -m upvs_tasks.media.worker NICENESS``.

`worker_protocol` says what it reads and writes.
"""

import logging
import os
import sys
from queue import Empty, SimpleQueue
from threading import Thread

import upvs_tasks
from upvs_tasks import machine
from upvs_tasks.errors import ExitCode, UpvsError
from upvs_tasks.media.segment import render_segment
from upvs_tasks.media.worker_protocol import (
    FramesEncoded,
    LogEvent,
    Message,
    RenderFailure,
    decode_job,
    encode_message,
)

_FRAMES_PER_REPORT = 10
# How long the worker waits for another job before it gives its memory back.
_IDLE_SECS = 5.0
_PARENT_GONE = 70
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({})))


def main() -> int:
    """Render the jobs of standard input, one after the other. Returns the exit code."""
    package_log = logging.getLogger(upvs_tasks.__name__)
    package_log.addHandler(_ParentHandler())
    package_log.setLevel(logging.INFO)
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_lines, args=[lines], daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_IDLE_SECS)
        except Empty:
            return ExitCode.WHOLE
        try:
            result = render_segment(decode_job(line), _report_frames)
        except UpvsError as error:
            _send(RenderFailure(type(error).__name__, str(error)))
            return error.exit_code
        _send(result)


class _ParentHandler(logging.Handler):
    """Sends what is logged to the parent."""

    def emit(self, record: logging.LogRecord) -> None:
        facts = {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        _send(LogEvent(record.getMessage(), facts))


def _report_frames(frames: int) -> None:
    if frames % _FRAMES_PER_REPORT == 0:
        _send(FramesEncoded(frames))


def _send(message: Message) -> None:
    sys.stdout.buffer.write(encode_message(message))
    sys.stdout.buffer.flush()


def _read_lines(lines: SimpleQueue[bytes]) -> None:
    """Put each line of standard input into the queue, and end the process where the input ends.

    ``sys.stdin`` is of no use here: Python cannot close it at its end while a thread reads it.
    """
    unfinished = b""
    while content := os.read(sys.stdin.fileno(), 1 << 16):
        *whole, unfinished = (unfinished + content).split(b"\n")
        for line in whole:
            lines.put(line)
    os._exit(_PARENT_GONE)


if __name__ == "__main__":
    machine.add_niceness(int(sys.argv[1]))
    sys.exit(main())
