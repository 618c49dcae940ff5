"""At which instants of the footage the film's frames lie, and what is on screen then.

Frame k of the film shows what is on screen at (k + 1/2) * step of the footage. All arithmetic is in
integers: the speed counts as the exact fraction that its float is, so nothing drifts, and every
machine plans the same film.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from upvs_tasks.model.recorded_time import Part
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.stitching import ShownSpan, StitchedFootage

# Time is first cut into periods of 2 ** 27 ms, about 37 hours: a day lies in one or two of them.
_WIDEST_BITS = 27
# Groups of pictures up to this length count as one step long: at 150x and 30 fps a step is 5 s, and
# cameras that are set to groups of 5 s make them 5.005 s long.
_SNAPPED_STEPS = Fraction(10, 9)

Pick = tuple[int, int]  # place of the clip in the footage, place of the frame in its table


@dataclass(frozen=True, slots=True)
class Grid:
    """Frames of the film at even distances over neighbouring spans of the footage."""

    spans: tuple[ShownSpan, ...]
    frame_count: int
    step_ms: Fraction


def one_grid(footage: StitchedFootage, step_ms: Fraction, frame_count: int) -> tuple[Grid, ...]:
    """All of the footage on one grid: each added clip moves all frames after it."""
    return (Grid(footage.spans, frame_count, step_ms),) if footage.spans and frame_count else ()


def grids_by_clock(
    footage: StitchedFootage, step_ms: Fraction, frame_count: int, *, longest_frames: int
) -> tuple[Grid, ...]:
    """A grid for each period of the day, ``frame_count`` frames in all.

    Periods are halved until their footage makes at most ``longest_frames``, or is one clip; they
    are cut at fixed times of the clock. So an added clip changes only its own period, as long as
    the step stays the same, and the longest one, which makes up for the rounding of the others.
    """
    periods = list(_halved(footage, footage.spans, longest_frames * step_ms, _WIDEST_BITS))
    lengths_ms = [period[-1].end_ms - period[0].start_ms for period in periods]
    counts = [max(1, round(length_ms / step_ms)) for length_ms in lengths_ms]
    longest = max(range(len(periods)), key=lengths_ms.__getitem__, default=0)
    missing = frame_count - sum(counts)
    if not periods or counts[longest] + missing < 1:  # hundreds of periods shorter than a step
        return one_grid(footage, step_ms, frame_count)
    counts[longest] += missing
    return tuple(
        Grid(period, count, Fraction(length_ms, count))
        for period, count, length_ms in zip(periods, counts, lengths_ms, strict=True)
    )


def picks_on(footage: StitchedFootage, grid: Grid) -> Iterator[Pick]:
    """What each frame of the film on this grid shows."""
    over, under = grid.step_ms.numerator, 2 * grid.step_ms.denominator
    origin_ms, after_last = grid.spans[0].start_ms, 0
    for span in grid.spans:
        first, is_last = after_last, span is grid.spans[-1]
        # Film frames k with (2k + 1) * over / under < the span's end, from the grid's start on.
        end = (span.end_ms - origin_ms) * under
        after_last = grid.frame_count if is_last else max(first, -(-(end - over) // (2 * over)))
        after_last = min(after_last, grid.frame_count)
        table = footage.clips[span.clip].table
        offset = (span.start_ms - origin_ms) * under
        for frame in _span_frames(table, span, range(first, after_last), (over, under, offset)):
            yield span.clip, frame


def _halved(
    footage: StitchedFootage, spans: Sequence[ShownSpan], longest_ms: Fraction, bits: int
) -> Iterator[tuple[ShownSpan, ...]]:
    for _, group in groupby(spans, lambda span: footage.clips[span.clip].start_ms >> bits):
        together = tuple(group)
        length_ms = together[-1].end_ms - together[0].start_ms
        if length_ms <= longest_ms or len(together) == 1 or not bits:
            yield together
        else:
            yield from _halved(footage, together, longest_ms, bits - 1)


def _span_frames(
    table: SampleTable, span: ShownSpan, film_frames: range, grid: tuple[int, int, int]
) -> Iterator[int]:
    """Frame of the span that each of the film's frames shows.

    Times are in units of 1 / (under * q) ms from the span's start, where a tick of the table is
    p / q ms: in these units all of them are whole numbers.
    """
    over, under, offset = grid
    scale = 1000 * span.tick_secs
    tick_units, q = scale.numerator * under, scale.denominator
    first, end = span.first_frame, span.frames.end_frame
    ticks, origin = table.ticks, table.ticks[first]
    groups = _Groups(table, span.frames, 2 * over * q * _SNAPPED_STEPS // tick_units)
    for k in film_frames:
        middle = ((2 * k + 1) * over - offset) * q
        shown = bisect_right(ticks, origin + middle // tick_units, lo=first, hi=end) - 1
        # The middle in half ticks, rounded up: what is compared with it is a whole number of them.
        near = groups.nearest_keyframe(shown, 2 * origin - (-2 * middle // tick_units))
        if near is not None:
            distance = (ticks[near] - origin) * tick_units - middle
            following = ticks[near + 1] if near + 1 < end else span.frames.end_ticks
            is_alone = (following - origin) * tick_units <= middle + 2 * over * q
            if -over * q <= distance < over * q and (distance <= 0 or is_alone):
                shown = near
        yield shown


class _Groups:
    """The groups of pictures of a part, and which keyframe can replace a frame of a short one.

    The frames of the part may begin within a group.
    """

    def __init__(self, table: SampleTable, frames: Part, longest_ticks: int) -> None:
        self._ticks, self._end_ticks = table.ticks, frames.end_ticks
        self._keyframes = table.keyframes
        self._first = bisect_left(table.keyframes, frames.first_frame)
        self._end = bisect_left(table.keyframes, frames.end_frame)
        self._longest_ticks = longest_ticks

    def nearest_keyframe(self, frame: int, half_ticks: int) -> int | None:
        """Keyframe nearest to an instant; None where the group of ``frame`` is too long.

        The instant is given in half ticks, so that the middle of a group is a whole number.
        """
        group = bisect_right(self._keyframes, frame) - 1
        if group < self._first:
            return None
        ticks, at = self._ticks, self._keyframes[group]
        if group + 1 == self._end:
            return at if self._last_group_ticks() <= self._longest_ticks else None
        after = self._keyframes[group + 1]
        if ticks[after] - ticks[at] > self._longest_ticks:
            return None
        return at if half_ticks <= ticks[at] + ticks[after] else after

    def _last_group_ticks(self) -> int:
        """Length of the last group, at least that of the one before: the clip may end within it."""
        ticks, last = self._ticks, self._keyframes[self._end - 1]
        is_first = self._end - self._first < 2  # noqa: PLR2004  the last one and one before it
        before = ticks[last] if is_first else ticks[self._keyframes[self._end - 2]]
        return max(self._end_ticks - ticks[last], ticks[last] - before)
