"""What a single ffmpeg over a list of clips cannot film, told before it renders.

The concat demuxer takes everything from the first clip: the decoder, the tracks by their place, the
unit of time, the size and how the picture is turned. A clip that differs is a still of the one
before, or distorted, and ffmpeg says nothing of it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from upvs_tasks.errors import UsageError
from upvs_tasks.model.footage import Footage

_REMEDY = "engine=segments can film them"


@dataclass(frozen=True, slots=True)
class ListedClip:
    """A clip that is to be filmed from the list; ``tick_secs`` is its unit of time."""

    name: str
    footage: Footage
    tick_secs: Fraction
    is_longer_than_asked: bool = False


_SAME: tuple[tuple[str, Callable[[ListedClip], object]], ...] = (
    ("codec", lambda clip: clip.footage.codec),
    ("size", lambda clip: f"{clip.footage.width}x{clip.footage.height}"),
    ("pixel format", lambda clip: clip.footage.pixel_format),
    ("orientation or pixel shape", lambda clip: clip.footage.display),
    ("unit of time", lambda clip: clip.tick_secs),
    ("order of tracks", lambda clip: clip.footage.track),
)


def check_listed(clips: Iterable[ListedClip]) -> None:
    """Raise UsageError for clips that ffmpeg cannot film from a list."""
    found = next(_obstacles(tuple(clips)), None)
    if found is not None:
        raise UsageError(f"engine=concat cannot film these clips: {found}; {_REMEDY}")


def _obstacles(clips: tuple[ListedClip, ...]) -> Iterator[str]:
    for clip in clips:
        first = clips[0]
        for fact, of in _SAME:
            if of(clip) != of(first):
                shown = f" ({of(clip)}, not {of(first)})" if isinstance(of(clip), str) else ""
                yield f"{clip.name} has another {fact} than {first.name}{shown}"
        if clip.is_longer_than_asked:
            yield f"{clip.name} is longer than what was asked for"
        if clip.footage.gaps and clip.footage.has_b_frames:
            yield f"{clip.name} has a gap, and B frames"
