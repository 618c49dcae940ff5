"""At which instants of the footage the film's frames lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from upvs_tasks.model.stitching import Part, StitchedFootage

# The spans of the clock that are halved first: about 37 hours of Unix time, so that every day lies
# in one or two.
_WIDEST_BITS = 27


@dataclass(frozen=True, slots=True)
class Grid:
    """Frames of the film at even distances over neighbouring parts of the footage."""

    parts: tuple[Part, ...]
    frame_count: int
    step_ms: Fraction


def one_grid(footage: StitchedFootage, step_ms: Fraction, frame_count: int) -> tuple[Grid, ...]:
    """All of the footage on one grid: a clip more or less moves all that comes after it."""
    return (Grid(footage.parts, frame_count, step_ms),) if footage.parts and frame_count else ()


def grids_by_clock(
    footage: StitchedFootage, step_ms: Fraction, frame_count: int, *, longest_frames: int
) -> tuple[Grid, ...]:
    """A grid for each span of the clock, ``frame_count`` frames in all.

    A span is halved until its footage makes ``longest_frames`` at most, or is one clip; where it is
    halved the clock alone decides. So as long as the step stays, a clip more or less alters its own
    span, and the longest one, which makes up for the rounding of the others.
    """
    spans = list(_halved(footage, footage.parts, longest_frames * step_ms, _WIDEST_BITS))
    lengths_ms = [parts[-1].end_ms - parts[0].start_ms for parts in spans]
    counts = [max(1, round(length_ms / step_ms)) for length_ms in lengths_ms]
    longest = max(range(len(spans)), key=lengths_ms.__getitem__, default=0)
    missing = frame_count - sum(counts)
    if not spans or counts[longest] + missing < 1:  # spans of less than a step, by the hundred
        return one_grid(footage, step_ms, frame_count)
    counts[longest] += missing
    return tuple(
        Grid(parts, count, Fraction(length_ms, count))
        for parts, count, length_ms in zip(spans, counts, lengths_ms, strict=True)
    )


def _halved(
    footage: StitchedFootage, parts: Sequence[Part], longest_ms: Fraction, bits: int
) -> Iterator[tuple[Part, ...]]:
    for _, group in groupby(parts, lambda part: footage.clips[part.clip].start_ms >> bits):
        together = tuple(group)
        length_ms = together[-1].end_ms - together[0].start_ms
        if length_ms <= longest_ms or len(together) == 1 or not bits:
            yield together
        else:
            yield from _halved(footage, together, longest_ms, bits - 1)
