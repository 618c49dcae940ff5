"""Checks the boxes of an MP4 before libav parses them.

libav allocates whatever a table claims, and reads past the end of a cut file without an error. So
every box has to lie inside the box around it, every table inside its box, and no table may claim
more samples than hours of video have. What stands behind the index may be unfinished, as long as it
is no index itself: no frame is lost with it that the index does not name. The layouts are from
ISO/IEC 14496-12.
"""

import math
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from upvs_tasks.errors import BrokenFootageError, StorageError, quoted
from upvs_tasks.model.plural import counted, is_or_are

_FIRST_KINDS = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide"}
    | {b"uuid", b"udta", b"pnot", b"junk", b"pict", b"prfl", b"sidx", b"emsg", b"prft", b"meta"}
)
_INDEX_KINDS = frozenset({b"moov", b"moof"})
_CONTAINERS = frozenset({b"trak", b"edts", b"mdia", b"minf", b"stbl", b"mvex", b"traf", b"moov"})
_ENTRY_BYTES = {b"stts": 8, b"ctts": 8, b"stsc": 12, b"stco": 4, b"co64": 8, b"stss": 4}
_ENCRYPTED = frozenset({b"encv", b"drmi"})
_MAX_BOXES = 500_000  # two for each frame of an hour at 60 frames a second, and some
_MAX_INDEX_BYTES = 64 << 20
_MAX_SAMPLES = 4_000_000
_MAX_TRACKS = 16
_MAX_EDITS = 1_000
_MAX_DEPTH = 8

_Boxes = dict[bytes, memoryview]


@dataclass(frozen=True, slots=True)
class Structure:
    """What the boxes say of a file and of the video track with the most frames.

    ``track_id`` is the track's own number. ``reorders``: frames may be shown in another order than
    they are stored in. ``samples`` is their number, or None where it is not certain (fragments,
    edit lists). ``last_ticks`` is the duration of the last frame in the track's time base, 0 where
    it is unknown. Players mirror the frames left to right if it ``is_mirrored``, then turn them
    clockwise by ``rotation``: 0, 90, 180 or 270 degrees.
    """

    track_id: int
    reorders: bool
    samples: int | None
    last_ticks: int
    rotation: int
    is_mirrored: bool
    has_audio: bool


class _MalformedError(Exception):
    """What is wrong; the sentence continues the name of the file."""


def check_boxes(path: Path) -> Structure:
    """Structure of an MP4 that is whole and safe for libav.

    Raises BrokenFootageError when it is not.
    """
    try:
        with path.open("rb") as stream:
            indexes = list(_indexes(stream, path.stat().st_size))
        return _structure(indexes)
    except (_MalformedError, struct.error) as error:
        fault = (
            str(error) if isinstance(error, _MalformedError) else "holds a box that is too short"
        )
        raise BrokenFootageError(f"{path.name} {fault}") from error
    except FileNotFoundError as error:
        raise BrokenFootageError(f"{path.name} is not there") from error
    except OSError as error:
        raise StorageError(f"{quoted(path)} cannot be read: {error.strerror}") from error


def _indexes(stream: BinaryIO, file_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each ``moov`` and ``moof`` box."""
    if file_bytes == 0:
        raise _MalformedError("is empty")
    offset = index_bytes = 0
    for _ in range(_MAX_BOXES):
        if offset >= file_bytes:
            break
        stream.seek(offset)
        head = stream.read(16)
        try:
            kind, head_bytes, box_bytes = _head(head, file_bytes - offset, first=not offset)
        except _MalformedError:
            if index_bytes and head[4:8] not in _INDEX_KINDS:
                break
            raise
        if kind in _INDEX_KINDS:
            index_bytes += box_bytes
            if index_bytes > _MAX_INDEX_BYTES:
                raise _MalformedError(
                    f"has an index of {index_bytes >> 20} MB: no video needs that"
                )
            stream.seek(offset + head_bytes)
            yield kind, stream.read(box_bytes - head_bytes)
        offset += box_bytes
    else:
        raise _MalformedError(f"has more than {_MAX_BOXES} boxes: no video needs that")


def _head(head: bytes, left_bytes: int, *, first: bool) -> tuple[bytes, int, int]:
    """Kind, header size and whole size of the box that begins with ``head``; sizes in bytes."""
    if first and head[4:8] not in _FIRST_KINDS:
        shown = head.decode("latin-1").strip()
        raise _MalformedError(
            f"is no MP4 video: it begins with {shown!r} ({counted(left_bytes, 'byte')} in all)"
        )
    if len(head) < 8:  # noqa: PLR2004  a size and a kind, four bytes each
        raise _MalformedError("is cut off: it ends in the middle of a box's header")
    box_bytes, kind = struct.unpack_from(">I4s", head)
    head_bytes = 8
    if box_bytes == 1:
        (box_bytes,) = struct.unpack_from(">Q", head, 8)
        head_bytes = 16
    elif box_bytes == 0:
        box_bytes = left_bytes
    if box_bytes > left_bytes:
        missing = box_bytes - left_bytes
        part = f"{counted(missing, 'byte')} of its {_shown(kind)} box {is_or_are(missing)}"
        raise _MalformedError(f"is cut off: {part} missing")
    if box_bytes < head_bytes:
        raise _MalformedError(f"holds a {_shown(kind)} box of an impossible size")
    return kind, head_bytes, box_bytes


def _structure(indexes: list[tuple[bytes, bytes]]) -> Structure:
    movie: _Boxes = {}
    tracks: list[_Boxes] = []
    fragments: Counter[int] = Counter()  # frames, by the number of their track
    for index_kind, content in indexes:
        track_id = 0
        for kind, payload in _walk(memoryview(content)):
            _check_table(kind, payload)
            if kind == b"tfhd":
                (track_id,) = struct.unpack_from(">I", payload, 4)
            elif kind == b"trun":
                fragments[track_id] += struct.unpack_from(">I", payload, 4)[0]
            elif kind == b"trak" and index_kind == b"moov":
                tracks.append({})
            elif index_kind == b"moov":
                (tracks[-1] if tracks else movie).setdefault(kind, payload)
    if not any(kind == b"moov" for kind, _ in indexes):
        raise _MalformedError("has no index (no moov box): it is cut off or was never finished")
    _check_counts(tracks, fragments.total())
    return _facts(movie, tracks, fragments)


def _facts(movie: _Boxes, tracks: list[_Boxes], fragments: Counter[int]) -> Structure:
    videos = [track for track in tracks if _handler(track) == b"vide"]
    if not videos:
        raise _MalformedError("has no video track")
    video = max(videos, key=lambda track: _stored_frames(track) + fragments[_track_id(track)])
    if bytes(video.get(b"stsd", b"")[12:16]) in _ENCRYPTED:
        raise _MalformedError("is encrypted, and the key is not in it")
    is_certain = not fragments and b"elst" not in video and b"stsz" in video
    rotation, is_mirrored = _orientation(movie, video)
    return Structure(
        track_id=_track_id(video),
        reorders=b"ctts" in video or bool(fragments),
        samples=_stored_frames(video) if is_certain else None,
        last_ticks=_last_ticks(video),
        rotation=rotation,
        is_mirrored=is_mirrored,
        has_audio=any(_handler(track) == b"soun" for track in tracks),
    )


def _handler(track: _Boxes) -> bytes:
    return bytes(track.get(b"hdlr", b"")[8:12])


def _track_id(track: _Boxes) -> int:
    header = track.get(b"tkhd")
    return struct.unpack_from(">I", header, 20 if header[0] else 12)[0] if header else 0


def _stored_frames(track: _Boxes) -> int:
    sizes = track.get(b"stsz", track.get(b"stz2"))
    return struct.unpack_from(">I", sizes, 8)[0] if sizes else 0


def _walk(content: memoryview, depth: int = 0) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and payload of each box inside ``content``, outer boxes before inner ones."""
    if depth > _MAX_DEPTH:
        raise _MalformedError("nests its boxes too deeply")
    offset = 0
    while offset + 8 <= len(content):
        kind, head_bytes, box_bytes = _head(
            bytes(content[offset : offset + 16]), len(content) - offset, first=False
        )
        payload = content[offset + head_bytes : offset + box_bytes]
        yield kind, payload
        if kind in _CONTAINERS:
            yield from _walk(payload, depth + 1)
        offset += box_bytes


def _check_table(kind: bytes, payload: memoryview) -> None:
    """Raise for a table that claims more entries than fit into its box."""
    if kind == b"cmov":
        raise _MalformedError("has a compressed index, which no camera writes")
    if kind in _ENTRY_BYTES:
        (entries,) = struct.unpack_from(">I", payload, 4)
        needed_bytes = 8 + entries * _ENTRY_BYTES[kind]
    elif kind == b"elst":
        version, entries = struct.unpack_from(">B3xI", payload)
        needed_bytes = 8 + entries * (20 if version else 12)
        if entries > _MAX_EDITS:
            raise _MalformedError(f"is cut together from {entries} parts: no export is")
    elif kind == b"stsz":
        sample_bytes, entries = struct.unpack_from(">II", payload, 4)
        needed_bytes = 12 if sample_bytes else 12 + entries * 4
    elif kind == b"trun":
        flags, entries = struct.unpack_from(">II", payload)
        needed_bytes = 8 + entries * 4 * (flags >> 8 & 0xF).bit_count()
    else:
        return
    if needed_bytes > len(payload):
        raise _MalformedError(
            f"has a {_shown(kind)} table of {entries} entries in {len(payload)} bytes"
        )


def _check_counts(tracks: list[_Boxes], in_fragments: int) -> None:
    """Raise for more samples than a day of video has: libav allocates memory for each."""
    if len(tracks) > _MAX_TRACKS:
        raise _MalformedError(f"has {len(tracks)} tracks: no export has")
    claimed = in_fragments
    for track in tracks:
        if _is_raw_audio(track):
            continue
        runs = [count for kind in (b"stts", b"ctts") for count, _ in _runs(track.get(kind))]
        claimed += max(sum(runs), _stored_frames(track))
    if claimed > _MAX_SAMPLES:
        raise _MalformedError(f"claims to hold {claimed} frames: no export does")


def _is_raw_audio(track: _Boxes) -> bool:
    """Whether a sample is one value of a waveform; libav has one index entry for many of those."""
    runs = list(_runs(track.get(b"stts")))
    return _handler(track) == b"soun" and [ticks for _, ticks in runs] == [1]


def _last_ticks(video: _Boxes) -> int:
    return next((ticks for count, ticks in reversed([*_runs(video.get(b"stts"))]) if count), 0)


def _runs(table: memoryview | None) -> Iterator[tuple[int, int]]:
    """Entries of ``stts`` or ``ctts``: a number of samples, and the ticks of each of them."""
    if table is not None:
        (entries,) = struct.unpack_from(">I", table, 4)
        yield from struct.iter_unpack(">II", table[8 : 8 + entries * 8])


def _orientation(movie: _Boxes, video: _Boxes) -> tuple[int, bool]:
    """Clockwise turn in degrees, and whether the frames are mirrored left to right before."""
    a, b, c, d = _matrix(video.get(b"tkhd"), 40, 52)
    e, f, g, h = _matrix(movie.get(b"mvhd"), 36, 48)
    a, b, c, d = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
    degrees = round(math.degrees(math.atan2(-c, d))) % 360
    return degrees if degrees % 90 == 0 else 0, a * d < b * c


def _matrix(header: memoryview | None, at: int, at_in_version_1: int) -> tuple[int, int, int, int]:
    """The part of a header's matrix that turns and mirrors; a point (x, y) is a row before it."""
    if header is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack_from(">5i", header, at_in_version_1 if header[0] else at)
    return a, b, c, d


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))
