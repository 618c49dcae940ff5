"""All footage of a day end to end, each second of it once.

An export begins at the keyframe at or before the instant that was asked for. So two clips can hold
the same frames: the last of the one and the first of the next. How many is known in two ways:

* The caller has compared the two files (`StitchedClip.repeated_frames`). This is exact.
* The tables alone. The asked start lies within the clip's first group of pictures, and the next
  clip begins with a keyframe that the first clip holds as well. That leaves one or two candidates.
  The latest counts, so at most one group is shown twice, and nothing is lost. This holds for
  recordings with gaps, too: a gap makes the footage between two instants shorter, never longer.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from upvs_tasks.model.clip import Clip
from upvs_tasks.model.sample_table import SampleTable

# A recorder's clock and the time stamps of its footage may differ by this much.
_CLOCK_SLACK_MS = 500
# An export is cut at keyframes on both sides; on all known recorders they are at most 5 s apart.
_NEAR_MS = 10_000


@dataclass(frozen=True, slots=True)
class StitchedClip:
    """A clip: the span that was asked for (Unix ms), and the frames of its file.

    The first ``repeated_frames`` are also the last ones of the clip before.
    """

    name: str
    sha256: str
    start_ms: int
    end_ms: int
    table: SampleTable
    repeated_frames: int = 0

    @property
    def overhang_ms(self) -> int:
        """How much earlier than asked the footage begins, judged from its length.

        At most the first group of pictures: more than that was added at the end.
        """
        surplus_ms = self.table.duration_ms - (self.end_ms - self.start_ms)
        return max(0, min(surplus_ms, _first_group_ms(self.table) or surplus_ms))

    def wall_ms(self, frame: int) -> int:
        """Unix ms of a frame, exact to about a keyframe interval: the file does not hold it."""
        since_first_ms = self.table.ms_of(self.table.ticks[frame] - self.table.ticks[0])
        return self.start_ms - self.overhang_ms + since_first_ms


def may_share(earlier: Clip, later: Clip) -> bool:
    """Whether the later clip may begin with the last frames of the earlier one."""
    return later.start_ms - earlier.end_ms <= _NEAR_MS


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """The frames of one clip that are shown, and where in the footage they lie.

    They go from ``first_frame`` to the end of the clip. Times are ms from the start of the footage.
    """

    clip: int
    first_frame: int
    start_ms: int
    duration_ms: int

    @property
    def end_ms(self) -> int:
        """Where the next span begins."""
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class StitchedFootage:
    """The clips in the order of the film, and the span of each that is shown.

    A clip has no span where the clips before it show all of it.
    """

    clips: tuple[StitchedClip, ...]
    spans: tuple[ShownSpan, ...]

    @classmethod
    def of(cls, clips: Iterable[StitchedClip]) -> "StitchedFootage":
        """Footage of these clips, which are in the order of the film."""
        ordered = tuple(clips)
        return cls(ordered, tuple(_spans(ordered)))

    @property
    def duration_ms(self) -> int:
        """Length of all footage, each second counted once."""
        return self.spans[-1].end_ms if self.spans else 0


def _spans(clips: Sequence[StitchedClip]) -> Iterator[ShownSpan]:
    start_ms = 0
    longest: StitchedClip | None = None
    for place, clip in enumerate(clips):
        table = clip.table
        certain = _repeated_frames(longest, clip) if longest else 0
        first_frame = max(certain, clip.repeated_frames)
        if first_frame < len(table.ticks):
            duration_ms = table.ms_of(table.end_ticks - table.ticks[first_frame])
            if duration_ms:
                yield ShownSpan(place, first_frame, start_ms, duration_ms)
                start_ms += duration_ms
        if longest is None or _reach_ms(clip) > _reach_ms(longest):
            longest = clip


def _repeated_frames(earlier: StitchedClip, later: StitchedClip) -> int:
    """How many of the later clip's first frames the earlier clip certainly holds."""
    first_group_ms = _first_group_ms(earlier.table)
    if first_group_ms is None:
        return 0
    ticks = earlier.table.ticks
    latest_ms = later.start_ms - earlier.start_ms + first_group_ms + _CLOCK_SLACK_MS
    if latest_ms > earlier.table.duration_ms:
        return 0
    scale = 1000 * earlier.table.tick_secs
    latest_ticks = ticks[0] + latest_ms * scale.denominator // scale.numerator
    starts = [ticks[place] for place in earlier.table.keyframes]
    begins_ticks = starts[bisect_right(starts, latest_ticks) - 1]
    shared_secs = (earlier.table.end_ticks - begins_ticks) * earlier.table.tick_secs
    return _whole_frames(later.table, shared_secs)


def _whole_frames(table: SampleTable, secs: Fraction) -> int:
    """How many frames are over ``secs`` after the start of the first one.

    The frame on screen at that instant does not count. Its start is rounded in each time base, so
    it is not certain that the other clip holds it.
    """
    last_tick = table.ticks[0] + secs // table.tick_secs
    if table.end_ticks <= last_tick:
        return len(table.ticks)
    return bisect_right(table.ticks, last_tick) - 1


def _reach_ms(clip: StitchedClip) -> int:
    """Instant up to which the clip certainly holds all that was recorded."""
    first_group_ms = _first_group_ms(clip.table)
    if first_group_ms is None:
        return clip.start_ms
    return clip.start_ms - first_group_ms + clip.table.duration_ms


def _first_group_ms(table: SampleTable) -> int | None:
    """Length of the first group of pictures; None where the table does not hold a second one."""
    if len(table.keyframes) < 2 or table.keyframes[0] != 0:  # noqa: PLR2004  a first and a second
        return None
    return table.ms_of(table.ticks[table.keyframes[1]] - table.ticks[0])
