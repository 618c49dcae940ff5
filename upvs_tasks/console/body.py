"""The body of an answer that is read as a whole: never more of it than its kind can have.

`Response.content` would take whatever comes. A compressed body, for which we never ask, may be a
thousand times as large as what was sent of it.
"""

import zlib
from collections.abc import Callable, Iterator

import requests

from upvs_tasks.errors import ConsoleError, TransientError

# A bootstrap has about 23 kB for each camera, and the largest consoles have some 300 cameras. An
# event has about 1 kB, and no page has more than 10,000 events.
MOST_BYTES = 16 << 20
MOST_ERROR_BYTES = 65_536
LONGEST_SECS = 60.0
_PIECE_BYTES = 1 << 16
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_PLAIN = ("", "identity")
_COMPRESSED = ("gzip", "x-gzip", "deflate")


def whole_body(response: requests.Response, what: str, now_secs: Callable[[], float]) -> bytes:
    """The body, decompressed where it has to be.

    Raises ConsoleError when it is too large, and TransientError when it takes too long or cannot be
    decompressed.
    """
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length) > MOST_BYTES:
        raise _too_large(what)
    began_secs, pieces, size_bytes = now_secs(), list[bytes](), 0
    for piece in _decompressed(response, what):
        size_bytes += len(piece)
        if size_bytes > MOST_BYTES:
            raise _too_large(what)
        if now_secs() - began_secs > LONGEST_SECS:
            raise TransientError(f"{what}: the answer was not over after {LONGEST_SECS:g} s")
        pieces.append(piece)
    return b"".join(pieces)


def start_of_body(response: requests.Response, what: str) -> bytes:
    """As much of the body as an error message has."""
    return next(_decompressed(response, what, MOST_ERROR_BYTES), b"")


def _too_large(what: str) -> ConsoleError:
    return ConsoleError(
        f"{what}: the console sends more than {MOST_BYTES >> 20} MB: it has no such answer, so "
        "look what is at this address"
    )


def _decompressed(
    response: requests.Response, what: str, piece_bytes: int = _PIECE_BYTES
) -> Iterator[bytes]:
    """The body in pieces, none of them larger than ``piece_bytes``."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    sent = iter(lambda: response.raw.read(piece_bytes, decode_content=False), b"")
    if encoding in _PLAIN:
        yield from sent
        return
    if encoding not in _COMPRESSED:
        raise TransientError(f"{what}: the answer is compressed in a way that nobody asked for")
    unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        for piece in sent:
            yield unpacking.decompress(piece, piece_bytes)
            while unpacking.unconsumed_tail:
                yield unpacking.decompress(unpacking.unconsumed_tail, piece_bytes)
    except zlib.error as error:
        raise TransientError(f"{what}: the answer cannot be decompressed") from error
