"""The messages between a worker, which renders segments, and the process that started it.

Each message is one line of JSON. The parent writes a `SegmentJob` to the worker's standard input.
The worker writes to its standard output: any number of `FramesEncoded` and `LogEvent`, then one
`SegmentResult` or one `RenderFailure`. After a result it waits some seconds for the next job; after
a failure it ends. When its standard input ends, the worker ends at once, whatever it does.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from upvs_tasks import documents
from upvs_tasks.errors import DocumentError
from upvs_tasks.media.segment import SegmentJob, SegmentResult


@dataclass(frozen=True, slots=True)
class FramesEncoded:
    """How many frames of the segment are encoded so far."""

    frames: int


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event for the log, with its facts; the worker has no log of its own."""

    event: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RenderFailure:
    """Why there is no segment; ``error`` is the name of the error's class."""

    error: str
    reason: str


Message = FramesEncoded | LogEvent | SegmentResult | RenderFailure

_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (FramesEncoded, LogEvent, SegmentResult, RenderFailure)
}


def encode_job(job: SegmentJob) -> bytes:
    """Line that the parent writes."""
    return _line(documents.to_document(job))


def decode_job(line: bytes) -> SegmentJob:
    """Job that a line holds. Raises DocumentError for any other line."""
    return documents.from_document(_parsed(line), SegmentJob)


def encode_message(message: Message) -> bytes:
    """Line that the worker writes."""
    return _line({"kind": type(message).__name__, "message": documents.to_document(message)})


def decode_message(line: bytes) -> Message:
    """Message that a line holds. Raises DocumentError for any other line."""
    match _parsed(line):
        case {"kind": str(kind), "message": message} if kind in _KINDS:
            return documents.from_document(message, _KINDS[kind])
    raise DocumentError("not a message of a worker")


def _line(document: object) -> bytes:
    # The facts of a log event may be of any type.
    return orjson.dumps(document, default=str, option=orjson.OPT_APPEND_NEWLINE)


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DocumentError(f"not a line of JSON: {error}") from error
