"""Finished MP4 files, and the changes that consoles' files need and the muxer cannot make."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

TICKS_PER_SEC = 90_000
TICKS_PER_MS = 90

_CHUNK_BYTES = 1 << 16
_FILLER = bytes(range(256)) * (_CHUNK_BYTES // 256)
_ROTATIONS: dict[int, tuple[int, int, int, int]] = {
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A finished clip. Filler bytes are sent at the end of its ``mdat``, after the samples.

    ``mdat_at`` and ``moov_at`` are the offsets of these boxes in the file.
    """

    file: IO[bytes]
    size: int
    mdat_at: int
    moov_at: int
    filler_bytes: int = 0

    def __len__(self) -> int:
        """Return how many bytes ``chunks`` yields."""
        return self.size + self.filler_bytes

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in order, in chunks."""
        if not self.filler_bytes:
            yield from _chunks(self.file, 0, self.size)
            return
        # The muxer writes an empty ``free`` box before ``mdat``: space for a 64 bit length.
        yield from _chunks(self.file, 0, self.mdat_at - 8)
        mdat_bytes = self.moov_at - self.mdat_at + 8 + self.filler_bytes
        yield (1).to_bytes(4) + b"mdat" + mdat_bytes.to_bytes(8)
        yield from _chunks(self.file, self.mdat_at + 8, self.moov_at)
        left = self.filler_bytes
        while left:
            chunk = _FILLER[:left]
            left -= len(chunk)
            yield chunk
        yield from _chunks(self.file, self.moov_at, self.size)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def finished_clip(
    file: IO[bytes], *, rotation_degrees: int, min_bytes: int, made_secs: int
) -> ClipFile:
    """Give what the muxer wrote the brand, the rotation and the date of a console's file."""
    places = {kind: (start, end) for kind, start, end in _top_boxes(file)}
    moov_at, size = places[b"moov"]
    _rename_brand(file, places[b"ftyp"][1])
    if rotation_degrees:
        _rotate(file, rotation_degrees, places[b"moov"])
    if made_secs:
        _stamp(file, made_secs, moov_at)
    return ClipFile(file, size, places[b"mdat"][0], moov_at, max(0, min_bytes - size))


def empty_mp4() -> bytes:
    """Return a valid MP4 without a track, as consoles send for lost footage."""
    movie_header = bytes(4) + bytes(8) + TICKS_PER_SEC.to_bytes(4) + bytes(4)
    movie_header += (0x10000).to_bytes(4) + (0x100).to_bytes(2) + bytes(10)
    movie_header += _matrix((1, 0, 0, 1)) + bytes(24) + (1).to_bytes(4)
    header = _box(b"ftyp", b"mp42" + bytes(4) + b"mp42isom")
    return header + _box(b"mdat", b"") + _box(b"moov", _box(b"mvhd", movie_header))


def _top_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box at the top level."""
    start = 0
    while True:
        file.seek(start)
        header = file.read(8)
        if not header:
            return
        end = start + int.from_bytes(header[:4])
        yield header[4:], start, end
        start = end


def _rename_brand(file: IO[bytes], ftyp_end: int) -> None:
    file.seek(0)
    ftyp = file.read(ftyp_end)
    file.seek(0)
    file.write(ftyp.replace(b"iso2", b"isom"))


def _rotate(file: IO[bytes], degrees: int, moov: tuple[int, int]) -> None:
    """Write a rotation into the header of the video track, the only one that has a width."""
    file.seek(moov[0])
    content = bytearray(file.read(moov[1] - moov[0]))
    at = content.find(b"tkhd")
    while at >= 0:
        if any(content[at + 80 : at + 84]):
            content[at + 44 : at + 80] = _matrix(_ROTATIONS[degrees])
        at = content.find(b"tkhd", at + 4)
    file.seek(moov[0])
    file.write(content)


def _stamp(file: IO[bytes], made_secs: int, moov_at: int) -> None:
    """Write a date into the movie header, which is the first box in ``moov``."""
    file.seek(moov_at + 8 + 8 + 4)
    file.write(made_secs.to_bytes(4))


def _matrix(corners: tuple[int, int, int, int]) -> bytes:
    a, b, c, d = ((value * 0x10000).to_bytes(4, signed=True) for value in corners)
    return a + b + bytes(4) + c + d + bytes(12) + (0x4000_0000).to_bytes(4)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def _chunks(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start
    while left > 0:
        chunk = file.read(min(_CHUNK_BYTES, left))
        left -= len(chunk)
        yield chunk
