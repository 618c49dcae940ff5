"""One clip, written into a file as it comes."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import IO, cast

import requests

from upvs_tasks.console.failures import error_for_exception
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import TransientError
from upvs_tasks.model.plural import counted, is_or_are

# Eight TLS records, so that Python's share of the work does not count. Twice as much was no faster,
# and in longer runs took up to a third more processor time: in the kernel's copy into the file.
_PIECE_BYTES = 1 << 17
_NO_VIDEO = ("text/", "application/json", "application/xml")
# An MP4 begins with the length and the name of its first box (ISO/IEC 14496-12 §4.2).
_HEAD_BYTES = 8
_FIRST_BOX = b"ftyp"


# The best cameras send some 3 MB a second. An export begins up to a keyframe interval or two before
# what was asked for, and ends as much later.
_MOST_BYTES_PER_SEC = 8_000_000
_LONGEST_MARGIN_SECS = 30
# Over a slow line, an hour of video takes hours.
_LONGEST_SECS_PER_SEC, _LEAST_ALLOWED_SECS = 12, 1_800


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an export may have at most, and how long it may take."""

    size_bytes: int
    secs: float

    @classmethod
    def of_span(cls, span_ms: int) -> "Bounds":
        """For an export of so many milliseconds."""
        secs = span_ms / 1000
        return cls(
            size_bytes=round((secs + _LONGEST_MARGIN_SECS) * _MOST_BYTES_PER_SEC),
            secs=_LEAST_ALLOWED_SECS + secs * _LONGEST_SECS_PER_SEC,
        )


@dataclass(frozen=True, slots=True)
class Download:
    """What one export brought; the digest is in hexadecimal."""

    size_bytes: int
    sha256: str


def receive(  # noqa: PLR0913  where to, within which bounds, and whom to tell
    response: requests.Response,
    into: IO[bytes],
    *,
    what: str,
    bounds: Bounds,
    now_secs: Callable[[], float],
    usage: UsageCounter,
    on_bytes: Callable[[int], None] | None = None,
) -> Download:
    """Write the body of an export into an open file, from its start; in constant memory.

    Raises TransientError when it is no MP4, is empty, ends early, has not the promised length, or
    is beyond its bounds.
    """
    into.seek(0)
    into.truncate()
    _check_type(response, what)
    _check_size(_promised_bytes(response) or 0, bounds, what)
    began_secs = now_secs()
    digest, size_bytes = hashlib.sha256(), 0
    for piece in _pieces(response, what):
        if size_bytes == 0:
            _check_head(bytes(piece[:_HEAD_BYTES]), what)
        _check_size(size_bytes + len(piece), bounds, what)
        if now_secs() - began_secs > bounds.secs:
            raise TransientError(f"{what}: it was not over after {bounds.secs / 60:.0f} minutes")
        into.write(piece)
        digest.update(piece)
        size_bytes += len(piece)
        if on_bytes is not None:
            on_bytes(len(piece))
    _check_length(size_bytes, _promised_bytes(response), what)
    with usage.lock:
        usage.received_bytes += size_bytes
    return Download(size_bytes, digest.hexdigest())


def as_received(download: Download) -> Download:
    """Accept whatever came whole."""
    return download


def _pieces(response: requests.Response, what: str) -> Iterator[memoryview]:
    """The body, each piece of it in the memory of the one before.

    This leans on a private part of urllib3: the response of http.client that it wraps, in which
    requests looks for cookies. urllib3 itself only hands out new bytes, which with several
    connections cost a tenth of the time.
    """
    body = cast("HTTPResponse", response.raw._original_response)  # noqa: SLF001  see above
    buffer, size_bytes = memoryview(bytearray(_PIECE_BYTES)), 0
    try:
        while piece_bytes := body.readinto(buffer):
            yield buffer[:piece_bytes]
            size_bytes += piece_bytes
        if body.length:
            raise IncompleteRead(b"", body.length)
    except (HTTPException, OSError) as error:
        where = f"{what}: after {counted(size_bytes, 'byte')}"
        raise error_for_exception(error, where, was_answered=True) from error
    response.raw.release_conn()


def _check_type(response: requests.Response, what: str) -> None:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type.startswith(_NO_VIDEO):
        raise TransientError(f"{what}: the console sent {content_type[:60]} instead of a video")


def _promised_bytes(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _check_head(head: bytes, what: str) -> None:
    if not _FIRST_BOX.startswith(head[4:_HEAD_BYTES]):
        raise TransientError(f"{what}: what the console sent does not begin like an MP4")


def _check_size(size_bytes: int, bounds: Bounds, what: str) -> None:
    if size_bytes > bounds.size_bytes:
        raise TransientError(
            f"{what}: the console sends more than {bounds.size_bytes / 1e6:.0f} MB, which no video "
            "of that length has"
        )


def _check_length(size_bytes: int, promised_bytes: int | None, what: str) -> None:
    if size_bytes == 0:
        raise TransientError(f"{what}: the console sent an empty file")
    if promised_bytes is not None and size_bytes != promised_bytes:
        promised = counted(promised_bytes, "byte")
        raise TransientError(f"{what}: {size_bytes} of {promised} came")
    if size_bytes < _HEAD_BYTES:
        size = counted(size_bytes, "byte")
        raise TransientError(f"{what}: {size} {is_or_are(size_bytes)} no MP4")
