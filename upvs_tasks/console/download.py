import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

import requests

from upvs_tasks.console.records import Download
from upvs_tasks.errors import Transient

# Eight TLS records, so that Python's share of the work does not count. Twice as much was no faster,
# and in longer runs took up to a third more processor time: in the kernel's copy into the file.
_PIECE_BYTES = 1 << 17
_NO_VIDEO = ("text/", "application/json", "application/xml")
# An MP4 begins with the length and the name of its first box (ISO/IEC 14496-12 §4.2).
_HEAD_BYTES = 8
_FIRST_BOX = b"ftyp"


def receive(
    response: requests.Response,
    into: IO[bytes],
    *,
    what: str,
    translating: Callable[[str], AbstractContextManager[None]],
    on_bytes: Callable[[int], None] | None = None,
) -> Download:
    """Write the body of an export as it comes, a piece at a time.

    Raises Transient when it is no MP4, is empty, or has another length than was promised.
    """
    _check_type(response, what)
    promised_bytes = _promised_bytes(response)
    pieces = response.raw.stream(_PIECE_BYTES, decode_content=False)
    digest, head, size_bytes = hashlib.sha256(), b"", 0
    while True:
        with translating(f"{what}: after {size_bytes} bytes"):
            piece = next(pieces, None)
        if piece is None:
            break
        if len(head) < _HEAD_BYTES:
            head = (head + piece)[:_HEAD_BYTES]
            _check_head(head, what)
        into.write(piece)
        digest.update(piece)
        size_bytes += len(piece)
        if on_bytes is not None:
            on_bytes(len(piece))
    _check_length(size_bytes, promised_bytes, what)
    return Download(size_bytes, digest.hexdigest())


def _check_type(response: requests.Response, what: str) -> None:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type.startswith(_NO_VIDEO):
        raise Transient(f"{what}: the console sent {content_type[:60]} instead of a video")


def _promised_bytes(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _check_head(head: bytes, what: str) -> None:
    if not _FIRST_BOX.startswith(head[4:_HEAD_BYTES]):
        raise Transient(f"{what}: what the console sent does not begin like an MP4")


def _check_length(size_bytes: int, promised_bytes: int | None, what: str) -> None:
    if size_bytes == 0:
        raise Transient(f"{what}: the console sent an empty file")
    if promised_bytes is not None and size_bytes != promised_bytes:
        raise Transient(f"{what}: {size_bytes} of {promised_bytes} promised bytes came")
    if size_bytes < _HEAD_BYTES:
        raise Transient(f"{what}: {size_bytes} bytes are no MP4")
