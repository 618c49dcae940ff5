"""Which frame of which clip each frame of the film shows.

Frame k of the film shows what is on screen at (k + 1/2) * step of the footage. All arithmetic is in
integers: the speed counts as the exact fraction that its float is, so nothing drifts, and every
machine plans the same film.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import groupby
from json import dumps

from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.grid import Grid, grids_by_clock, one_grid
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import Part, StitchedFootage

# x264's own distance between keyframes, so that cutting here costs no bytes.
FRAMES_PER_SEGMENT = 250

# To be raised when the same plan and format come to give other pictures or bytes.
_ENGINE = 1
# Groups of pictures up to so many steps long are "about a step": 150x at 30 fps with 5 s groups
# that are really 5.005 s long.
_SNAPPED_STEPS = Fraction(10, 9)

_Pick = tuple[int, int]  # place of the clip in the footage, place of the frame in its table


@dataclass(frozen=True, slots=True)
class FrameRun:
    """Frames of one clip: its place in the footage, and theirs in its table, in film order."""

    clip: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames of the film that are encoded together and apart from all others."""

    number: int
    runs: tuple[FrameRun, ...]

    @property
    def frame_count(self) -> int:
        """How many frames of the film it holds."""
        return sum(len(run.frames) for run in self.runs)

    def first(self, count: int) -> "Segment":
        """The segment without all but its first ``count`` frames."""
        runs: list[FrameRun] = []
        for run in self.runs:
            runs.append(FrameRun(run.clip, run.frames[:count]))
            count -= len(runs[-1].frames)
            if count == 0:
                break
        return Segment(self.number, tuple(runs))


@dataclass(frozen=True, slots=True)
class Plan:
    """The film, segment by segment."""

    footage: StitchedFootage
    segments: tuple[Segment, ...]

    @property
    def frame_count(self) -> int:
        """How many frames the film has."""
        return sum(segment.frame_count for segment in self.segments)

    def picks(self) -> Iterator[_Pick]:
        """Clip and frame that each frame of the film shows."""
        for segment in self.segments:
            for run in segment.runs:
                yield from ((run.clip, frame) for frame in run.frames)

    def digest(self, segment: Segment, encoding: Encoding) -> str:
        """Digest of exactly what the segment's bytes depend on, besides the build of the codecs.

        Neither its number nor any clip that it does not show has a part in it.
        """
        shown = [[self.footage.clips[run.clip].sha256, run.frames] for run in segment.runs]
        facts = {"engine": _ENGINE, "encoding": asdict(encoding), "shown": shown}
        return sha256(dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def plan_film(footage: StitchedFootage, speed: Speed, *, by_clock: bool = False) -> Plan:
    """Plan of a film of ``speed.output_frames`` frames.

    ``by_clock``: the clock decides where segments are cut, and no frame's instant depends on the
    footage of another one. As long as the speed stays, a late clip then alters little more than
    the segments that show it. Otherwise it moves all that comes after it.
    """
    step_ms = Fraction(speed.speed_factor) * 1000 / speed.output_fps
    if by_clock:
        grids = grids_by_clock(
            footage, step_ms, speed.output_frames, longest_frames=FRAMES_PER_SEGMENT
        )
    else:
        grids = one_grid(footage, step_ms, speed.output_frames)
    return Plan(footage, tuple(_segments(footage, grids)))


def _segments(footage: StitchedFootage, grids: Sequence[Grid]) -> Iterator[Segment]:
    number = 0
    for grid in grids:
        picks = list(_grid_picks(footage, grid))
        for start in range(0, len(picks), FRAMES_PER_SEGMENT):
            yield Segment(number, _runs(picks[start : start + FRAMES_PER_SEGMENT]))
            number += 1


def _runs(picks: Sequence[_Pick]) -> tuple[FrameRun, ...]:
    return tuple(
        FrameRun(clip, tuple(frame for _, frame in shown))
        for clip, shown in groupby(picks, lambda pick: pick[0])
    )


def _grid_picks(footage: StitchedFootage, grid: Grid) -> Iterator[_Pick]:
    over, under = grid.step_ms.numerator, 2 * grid.step_ms.denominator
    origin_ms, after_last = grid.parts[0].start_ms, 0
    for part in grid.parts:
        first, is_last = after_last, part is grid.parts[-1]
        # Film frames k with (2k + 1) * over / under < the part's end, from the grid's start on.
        end = (part.end_ms - origin_ms) * under
        after_last = grid.frame_count if is_last else max(first, -(-(end - over) // (2 * over)))
        after_last = min(after_last, grid.frame_count)
        table = footage.clips[part.clip].table
        offset = (part.start_ms - origin_ms) * under
        for frame in _part_frames(table, part, range(first, after_last), (over, under, offset)):
            yield part.clip, frame


def _part_frames(
    table: SampleTable, part: Part, film_frames: range, grid: tuple[int, int, int]
) -> Iterator[int]:
    """Frame of the part that each of the film's frames shows.

    Times are integers in units of 1 / (under * q) ms from the part's start, a tick of the table
    being p / q ms: in these everything is whole.
    """
    over, under, offset = grid
    scale = 1000 * table.tick_secs
    tick_units, q = scale.numerator * under, scale.denominator
    ticks, origin = table.ticks, table.ticks[part.first_frame]
    groups = _Groups(table, part.first_frame, 2 * over * q * _SNAPPED_STEPS // tick_units)
    for k in film_frames:
        middle = ((2 * k + 1) * over - offset) * q
        shown = bisect_right(ticks, origin + middle // tick_units, lo=part.first_frame) - 1
        # The middle in half ticks, rounded up: what is compared with it is a whole number of them.
        near = groups.nearest_keyframe(shown, 2 * origin - (-2 * middle // tick_units))
        if near is not None:
            distance = (ticks[near] - origin) * tick_units - middle
            following = ticks[near + 1] if near + 1 < len(ticks) else table.end_ticks
            is_alone = (following - origin) * tick_units <= middle + 2 * over * q
            if -over * q <= distance < over * q and (distance <= 0 or is_alone):
                shown = near
        yield shown


class _Groups:
    """The groups of pictures of a table that are short enough to be stood for by a keyframe."""

    def __init__(self, table: SampleTable, first_frame: int, longest_ticks: int) -> None:
        self._table = table
        self._keyframes = table.keyframes
        self._first = bisect_left(table.keyframes, first_frame)
        self._longest_ticks = longest_ticks

    def nearest_keyframe(self, frame: int, half_ticks: int) -> int | None:
        """Keyframe next to an instant, before or after; None where the group of ``frame`` is long.

        The instant is given in half ticks, so that the middle of a group is a whole number.
        """
        group = bisect_right(self._keyframes, frame) - 1
        if group < self._first:
            return None
        ticks, at = self._table.ticks, self._keyframes[group]
        if group + 1 == len(self._keyframes):
            return at if self._last_group_ticks() <= self._longest_ticks else None
        after = self._keyframes[group + 1]
        if ticks[after] - ticks[at] > self._longest_ticks:
            return None
        return at if half_ticks <= ticks[at] + ticks[after] else after

    def _last_group_ticks(self) -> int:
        """Length of the last group; where the clip's end cuts it, the one before tells more."""
        ticks, last = self._table.ticks, self._keyframes[-1]
        before = ticks[self._keyframes[-2]] if len(self._keyframes) > 1 else ticks[last]
        return max(self._table.end_ticks - ticks[last], ticks[last] - before)


def seek_ticks(table: SampleTable, frame: int) -> int:
    """Time stamp from which on a clip has to be decoded to get at a frame."""
    group = bisect_right(table.keyframes, frame) - 1
    return table.ticks[table.keyframes[group] if group >= 0 else 0]
