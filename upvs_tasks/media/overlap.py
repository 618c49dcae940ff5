"""Finds the frames that two neighbouring clips both hold.

The console cuts exports at keyframes and does not encode them again: where two overlap, they hold
the same packets, byte by byte.
"""

from dataclasses import dataclass
from pathlib import Path

from upvs_tasks.errors import reading
from upvs_tasks.media.packets import open_quickly, video_of

# H.264 and HEVC store a B frame after at most so many frames that are shown later.
_MOST_REORDERED = 16


@dataclass(frozen=True, slots=True)
class _Packets:
    """Where a clip's packets lie in its file, in the order in which they are stored."""

    places: tuple[tuple[int, int], ...]
    keyframes: tuple[int, ...]
    reorders: bool


def repeated_frames(before: Path, after: Path) -> int:
    """How many of the first frames of ``after`` are the last ones of ``before``.

    0 where that is not certain. It is certain where all packets of the shared part have the same
    sizes, and the first and the last of them the same bytes; never in a clip of which an edit list
    hides a part. Raises BrokenFootageError when a clip cannot be opened.
    """
    earlier, later = _packets(before), _packets(after)
    if earlier is None or later is None or not later.places:
        return 0
    sizes = [size for _, size in earlier.places]
    later_sizes = [size for _, size in later.places]
    for start in earlier.keyframes:
        if sizes[start] != later_sizes[0]:
            continue
        shared = len(sizes) - start
        if sizes[start:] == later_sizes[:shared] and all(
            _bytes_at(before, earlier.places[start + place])
            == _bytes_at(after, later.places[place])
            for place in (0, shared - 1)
        ):
            reordered = _MOST_REORDERED if later.reorders else 0
            return max(0, shared - reordered)
    return 0


def _packets(path: Path) -> _Packets | None:
    with open_quickly(path) as container:
        stream = video_of(container, path)
        entries = list(stream.index_entries)
        if any(entry.is_discard for entry in entries):
            return None
        keyframes = tuple(place for place, entry in enumerate(entries) if entry.is_keyframe)
        places = tuple((entry.pos, entry.size) for entry in entries)
        return _Packets(places, keyframes, bool(stream.codec_context.reorder_depth))


def _bytes_at(path: Path, place: tuple[int, int]) -> bytes:
    start, size = place
    with reading(path), path.open("rb") as stream:
        stream.seek(start)
        return stream.read(size)
