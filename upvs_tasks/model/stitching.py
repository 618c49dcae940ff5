"""All footage of a day end to end, each second of it once.

An export begins at the keyframe at or before the instant that was asked for. So two clips can hold
the same frames: the last of the one and the first of the next. How many is known in two ways:

* The caller has compared the two files (`StitchedClip.repeated_frames`). This is exact.
* The tables alone. The asked start lies within the clip's first group of pictures, and the next
  clip begins with a keyframe that the first clip holds as well. That leaves one or two candidates.
  The latest counts, so at most one group is shown twice, and nothing is lost. This holds where a
  file does not tell of a gap, too: the footage between two instants is then shorter, never longer.
  A clip whose time stamps tell of a gap, or that is longer than asked, shares nothing for certain.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from upvs_tasks.model.clip import Clip
from upvs_tasks.model.recorded_time import Part, RecordedTime, first_group_ms, gaps_of
from upvs_tasks.model.sample_table import SampleTable

# A recorder's clock and the time stamps of its footage may differ by this much.
_CLOCK_SLACK_MS = 500
# An export is cut at keyframes on both sides; on all known recorders they are at most 5 s apart.
_NEAR_MS = 10_000


@dataclass(frozen=True, slots=True)
class ClipGap:
    """A gap in a clip: the Unix ms where it begins, and how long it is by the time stamps.

    ``is_wrong``: a clip of the span that was asked for has no room for it, so nothing is missing.
    """

    start_ms: int
    duration_ms: int
    is_wrong: bool


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
    recorded: RecordedTime = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Find the gaps, once."""
        recorded = RecordedTime.of(self.table, asked_ms=self.end_ms - self.start_ms)
        object.__setattr__(self, "recorded", recorded)  # what the frozen fields imply

    @property
    def first_group_ms(self) -> int | None:
        """Length of the first group of pictures; None where there is no second one."""
        return first_group_ms(self.table, self.recorded.parts[0])

    @property
    def overhang_ms(self) -> int:
        """How much earlier than asked the footage begins, judged from its length.

        At most the first group of pictures: more than that was added at the end.
        """
        surplus_ms = self.recorded.clock_ms - (self.end_ms - self.start_ms)
        return max(0, min(surplus_ms, self.first_group_ms or surplus_ms))

    def wall_ms(self, frame: int) -> int:
        """Unix ms of a frame, exact to about a keyframe interval: the file does not hold it."""
        since_first_ms = self.recorded.elapsed_ms(self.table, frame)
        return self.start_ms - self.overhang_ms + since_first_ms

    @property
    def gaps(self) -> Iterator[ClipGap]:
        """Its gaps, in the order of time."""
        parts = self.recorded.parts
        for gap, part, after in zip(gaps_of(self.table), parts, parts[1:], strict=False):
            before_ms = self.wall_ms(part.end_frame - 1)
            took_ms = self.wall_ms(after.first_frame) - before_ms
            yield ClipGap(before_ms, gap.duration_ms, is_wrong=took_ms < gap.duration_ms)


def may_share(earlier: Clip, later: Clip) -> bool:
    """Whether the later clip may begin with the last frames of the earlier one."""
    return later.start_ms - earlier.end_ms <= _NEAR_MS


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """Frames of one clip that are shown, without a gap, and where in the footage they lie.

    Times are ms from the start of the footage. A tick of the clip's table counts as ``tick_secs``.
    """

    clip: int
    frames: Part
    start_ms: int
    duration_ms: int
    tick_secs: Fraction

    @property
    def first_frame(self) -> int:
        """Place of the first of them in the clip's table."""
        return self.frames.first_frame

    @property
    def end_ms(self) -> int:
        """Where the next span begins."""
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class StitchedFootage:
    """The clips in the order of the film, and the spans of each that are shown.

    A clip has a span for each part, and none where the clips before it show all of it.
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
        certain = _repeated_frames(longest, clip) if longest else 0
        for part in _shown_parts(clip, max(certain, clip.repeated_frames)):
            length_ms = clip.table.ms_of(part.end_ticks - clip.table.ticks[part.first_frame])
            duration_ms = int(length_ms * clip.recorded.counted_share)
            if duration_ms:
                tick_secs = clip.table.tick_secs * clip.recorded.counted_share
                yield ShownSpan(place, part, start_ms, duration_ms, tick_secs)
                start_ms += duration_ms
        if longest is None or _reach_ms(clip) > _reach_ms(longest):
            longest = clip


def _shown_parts(clip: StitchedClip, first_frame: int) -> Iterator[Part]:
    """What of the clip's parts is left from a frame on."""
    for part in clip.recorded.parts:
        if first_frame < part.end_frame:
            yield replace(part, first_frame=max(part.first_frame, first_frame))


def _repeated_frames(earlier: StitchedClip, later: StitchedClip) -> int:
    """How many of the later clip's first frames the earlier clip certainly holds."""
    first_group_ms = earlier.first_group_ms
    if first_group_ms is None or not earlier.recorded.is_sure:
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
    first_group_ms = clip.first_group_ms
    if first_group_ms is None or not clip.recorded.is_sure:
        return clip.start_ms
    return clip.start_ms - first_group_ms + clip.table.duration_ms
