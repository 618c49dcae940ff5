"""What of a clip was recorded: its frames, without the gaps between them.

A time stamp says when a frame comes on screen, and so how long the one before it stands there.
Where nothing was recorded, or a time stamp is wrong, that would be minutes or hours of one still.
So no frame stands for more than `LONGEST_FRAME_MS`. What is longer is a gap: the frame before it
stands for as long as the frames of its clip usually do, and the gap is no footage.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from operator import sub
from statistics import median_low

from upvs_tasks.model.sample_table import SampleTable

# The longest of all known recorders.
_KEYFRAME_INTERVAL_MS = 5_000
# No camera takes as long for a single frame.
LONGEST_FRAME_MS = 2 * _KEYFRAME_INTERVAL_MS


@dataclass(frozen=True, slots=True)
class Part:
    """Frames of a table without a gap, from the first to the one after the last.

    ``end_ticks`` is the end of the last one.
    """

    first_frame: int
    end_frame: int
    end_ticks: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Time stamps between two frames of a clip, from which there is no footage."""

    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        """How much later the next frame comes than the one before it ends."""
        return self.end_ms - self.start_ms


def parts_of(table: SampleTable) -> tuple[Part, ...]:
    """All frames of a table, cut at its gaps."""
    ticks, last = table.ticks, len(table.ticks) - 1
    steps = tuple(map(sub, islice(ticks, 1, None), ticks))
    longest = LONGEST_FRAME_MS * table.tick_secs.denominator // (1000 * table.tick_secs.numerator)
    last_step = table.end_ticks - ticks[last]
    if max(steps, default=0) <= longest and last_step <= longest:
        return (Part(0, len(ticks), table.end_ticks),)
    usual = median_low([step for step in steps if 0 < step <= longest] or [longest])
    ends = [place for place, step in enumerate(steps) if step > longest]
    parts = [Part(first + 1, end + 1, ticks[end] + usual) for first, end in pairwise([-1, *ends])]
    first_frame = parts[-1].end_frame if parts else 0
    end_ticks = table.end_ticks if last_step <= longest else ticks[last] + usual
    return (*parts, Part(first_frame, len(ticks), end_ticks))


def recorded_ms(table: SampleTable) -> int:
    """How much footage a table holds; gaps do not count."""
    return sum(_lengths_ms(table, parts_of(table)))


def gaps_of(table: SampleTable) -> tuple[Gap, ...]:
    """The gaps of a table, in the time stamps of its file."""
    return tuple(
        Gap(table.ms_of(before.end_ticks), table.ms_of(table.ticks[after.first_frame]))
        for before, after in pairwise(parts_of(table))
    )


@dataclass(frozen=True, slots=True)
class RecordedTime:
    """The frames of a clip as they were recorded within the span that was asked for.

    An export is cut at keyframes, so it may be somewhat longer than the span. A gap for which there
    is no room within the span is a wrong time stamp: what comes after it follows at once. A clip
    that has more frames than there is room for is shown so much faster that it takes no longer than
    it should: ``counted_ms`` of its ``recorded_ms`` count. So neither can change the speed of the
    film. ``starts_ms`` says of each part when it begins by the clock, counted from the first,
    and then when the last one ends.
    """

    parts: tuple[Part, ...]
    starts_ms: tuple[int, ...]
    recorded_ms: int
    counted_ms: int

    @classmethod
    def of(cls, table: SampleTable, *, asked_ms: int) -> "RecordedTime":
        """What of a clip was recorded, from the table of its file."""
        parts = parts_of(table)
        lengths_ms = list(_lengths_ms(table, parts))
        total_ms, room_ms = sum(lengths_ms), asked_ms + _most_beyond_ms(table, parts[0])
        counted_ms = min(total_ms, room_ms)
        starts = _starts_ms(table, parts, lengths_ms, room_ms=room_ms - total_ms)
        return cls(parts, tuple(starts), total_ms, counted_ms)

    @property
    def is_longer_than_asked(self) -> bool:
        """Whether there is more footage than an export of the span can have."""
        return self.counted_ms < self.recorded_ms

    @property
    def is_sure(self) -> bool:
        """Whether the time stamps alone tell when each frame was recorded."""
        return len(self.parts) == 1 and not self.is_longer_than_asked

    @property
    def clock_ms(self) -> int:
        """From the start of the first frame to the end of the last, by the clock."""
        return int(self.starts_ms[-1] * self.counted_share)

    @property
    def counted_share(self) -> Fraction:
        """Length that counts, as a share of what was recorded."""
        return Fraction(self.counted_ms, self.recorded_ms) if self.recorded_ms else Fraction(1)

    def part_of(self, frame: int) -> int:
        """Place of the part in which a frame lies."""
        return bisect_right(self.parts, frame, key=lambda part: part.first_frame) - 1

    def elapsed_ms(self, table: SampleTable, frame: int) -> int:
        """How long after the first frame a frame was recorded."""
        place = self.part_of(frame)
        first_tick = table.ticks[self.parts[place].first_frame]
        since_ms = table.ms_of(table.ticks[frame] - first_tick)
        return int((self.starts_ms[place] + since_ms) * self.counted_share)


def _lengths_ms(table: SampleTable, parts: Sequence[Part]) -> Iterator[int]:
    for part in parts:
        yield table.ms_of(part.end_ticks - table.ticks[part.first_frame])


def _starts_ms(
    table: SampleTable, parts: Sequence[Part], lengths_ms: Sequence[int], *, room_ms: int
) -> Iterator[int]:
    """When each part begins; ``room_ms`` is how long all gaps together can be."""
    start_ms = 0
    yield start_ms
    for (before, after), length_ms in zip(pairwise(parts), lengths_ms, strict=False):
        start_ms += length_ms
        gap_ms = table.ms_of(table.ticks[after.first_frame] - before.end_ticks)
        if gap_ms <= room_ms:
            start_ms, room_ms = start_ms + gap_ms, room_ms - gap_ms
        yield start_ms
    yield start_ms + lengths_ms[-1]


def _most_beyond_ms(table: SampleTable, first: Part) -> int:
    """How much longer than asked an export can be: a group of pictures at each end, and a third.

    The third is there because groups differ, and clocks.
    """
    return 3 * max(_KEYFRAME_INTERVAL_MS, first_group_ms(table, first) or 0)


def first_group_ms(table: SampleTable, first: Part) -> int | None:
    """Length of the first group of pictures; None where no second one follows without a gap."""
    if len(table.keyframes) < 2 or table.keyframes[0] != 0:  # noqa: PLR2004  a first and a second
        return None
    if table.keyframes[1] >= first.end_frame:
        return None
    return table.ms_of(table.ticks[table.keyframes[1]] - table.ticks[0])
