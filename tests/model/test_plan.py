"""The plan keeps its promises for any footage and any speed."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.frame_times import durations_ms
from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT, Plan, plan_film
from upvs_tasks.model.recorded_time import LONGEST_FRAME_MS
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import ShownSpan, StitchedClip, StitchedFootage

FILM = Encoding(width=640, height=360, fps=30, crf=23, preset="medium")
HOUR_MS = 3_600_000


def clip(  # noqa: PLR0913  what a test says of a clip, by name
    number: int,
    *,
    frames: int = 150,
    fps: int = 15,
    gop: int = 75,
    start_ms: int | None = None,
    asked_ms: int | None = None,
    offset: int = 0,
) -> StitchedClip:
    """Clip of evenly spaced frames; without ``start_ms`` they lie an hour apart."""
    step = 90_000 // fps
    ticks = tuple(range(offset, offset + frames * step, step))
    table = SampleTable(ticks, ticks[-1] + step, Fraction(1, 90_000), tuple(range(0, frames, gop)))
    start_ms = number * HOUR_MS if start_ms is None else start_ms
    end_ms = start_ms + (table.duration_ms if asked_ms is None else asked_ms)
    return StitchedClip(f"clip{number}", f"{number:064x}", start_ms, end_ms, table)


def speed_for(footage: StitchedFootage, factor: float, fps: int = 30) -> Speed:
    """Speed that runs footage so many times faster."""
    frames = max(1, round(footage.duration_ms * fps / 1000 / factor))
    return Speed(footage.duration_ms, 600.0, factor, fps, frames)


def footage_ms(plan: Plan) -> list[Fraction]:
    """Where in the footage each frame of the film is from, by the tables."""
    instants = []
    for place, frame in plan.picks():
        table, span = plan.footage.clips[place].table, span_of(plan.footage, place, frame)
        since = (table.ticks[frame] - table.ticks[span.first_frame]) * span.tick_secs * 1000
        instants.append(span.start_ms + since)
    return instants


def span_of(footage: StitchedFootage, place: int, frame: int) -> ShownSpan:
    """The span in which a frame of a clip is shown."""
    return next(
        span
        for span in footage.spans
        if span.clip == place and span.frames.first_frame <= frame < span.frames.end_frame
    )


@st.composite
def clips(draw: st.DrawFn) -> StitchedClip:
    """Any clip: uneven frames, gaps, another time base, an offset, irregular keyframes."""
    scale = draw(st.sampled_from([600, 1000, 15_360, 90_000]))
    steps = st.integers(scale // 60, scale)
    gaps = st.integers(10 * scale, 10_000 * scale)
    lasting = draw(st.lists(steps | steps | steps | gaps, min_size=1, max_size=40))
    ticks = [draw(st.integers(-scale, 10 * scale))]
    for step in lasting:
        ticks.append(ticks[-1] + step)
    keys = draw(st.sets(st.integers(0, len(lasting) - 1), max_size=6)) | {0}
    table = SampleTable(tuple(ticks[:-1]), ticks[-1], Fraction(1, scale), tuple(sorted(keys)))
    number = draw(st.integers(0, 1 << 30))
    return StitchedClip(f"clip{number}", f"{number:064x}", 0, table.duration_ms, table)


@st.composite
def footages(draw: st.DrawFn) -> StitchedFootage:
    """A few clips, far apart."""
    return StitchedFootage.of(_placed(draw(st.lists(clips(), min_size=1, max_size=6)), HOUR_MS))


@st.composite
def near_footages(draw: st.DrawFn) -> StitchedFootage:
    """A few clips, each asked for a little later than the one before: they share footage."""
    drawn = draw(st.lists(clips(), min_size=2, max_size=6))
    return StitchedFootage.of(_placed(drawn, draw(st.integers(0, 5_000))))


def _placed(drawn: list[StitchedClip], apart_ms: int) -> Iterator[StitchedClip]:
    for place, one in enumerate(drawn):
        start_ms = place * apart_ms
        yield replace(one, start_ms=start_ms, end_ms=start_ms + one.end_ms)


factors = st.floats(1.0, 2000.0)


@given(
    footage=footages(),
    factor=factors,
    fps=st.sampled_from([1, 24, 30, 60]),
    by_clock=st.booleans(),
)
def test_the_film_has_just_as_many_frames_as_the_speed_says(
    *, footage: StitchedFootage, factor: float, fps: int, by_clock: bool
) -> None:
    speed = speed_for(footage, factor, fps)
    assert plan_film(footage, speed, by_clock=by_clock).frame_count == speed.output_frames


@given(footage=footages(), factor=factors, by_clock=st.booleans())
def test_the_film_never_goes_back(
    *, footage: StitchedFootage, factor: float, by_clock: bool
) -> None:
    picks = list(plan_film(footage, speed_for(footage, factor), by_clock=by_clock).picks())
    assert picks == sorted(picks)


@given(footages(), factors)
def test_every_frame_is_the_one_on_screen_or_a_keyframe_within_half_a_step(
    footage: StitchedFootage, factor: float
) -> None:
    plan = plan_film(footage, speed_for(footage, factor))
    step_ms = Fraction(factor) * 1000 / 30
    shown_ms = footage_ms(plan)
    for k, ((place, frame), at_ms) in enumerate(zip(plan.picks(), shown_ms, strict=True)):
        middle_ms = (k + Fraction(1, 2)) * step_ms
        table, span = footage.clips[place].table, span_of(footage, place, frame)
        tick = table.ticks[span.first_frame] + (middle_ms - span.start_ms) / (1000 * span.tick_secs)
        on_screen = bisect_right(table.ticks, tick, hi=span.frames.end_frame) - 1
        is_near = -step_ms / 2 <= at_ms - middle_ms < step_ms / 2
        assert frame == on_screen or (frame in table.keyframes and is_near)


@given(footages(), factors)
def test_every_second_of_the_source_is_within_a_step_of_a_film_frame(
    footage: StitchedFootage, factor: float
) -> None:
    """Half a step as planned; a keyframe in its place doubles that, a long frame adds its time."""
    shown_ms = footage_ms(plan_film(footage, speed_for(footage, factor)))
    step_ms = Fraction(factor) * 1000 / 30
    longest_ms = max(max(durations_ms(one.table)) for one in footage.clips)
    borders = [Fraction(0), *shown_ms, Fraction(footage.duration_ms)]
    longest_ms = min(longest_ms, LONGEST_FRAME_MS)
    assert max(after - at for at, after in pairwise(borders)) <= 2 * step_ms + longest_ms + 1


def tabled(ticks: tuple[int, ...], scale: int, keyframes: tuple[int, ...]) -> SampleTable:
    """Table of frames at these ticks of 1/scale seconds; the last one is the end."""
    return SampleTable(ticks[:-1], ticks[-1], Fraction(1, scale), keyframes)


def alone(*tables: SampleTable, apart_ms: int = HOUR_MS) -> StitchedFootage:
    """Clips of these tables, asked for so far apart."""
    return StitchedFootage.of(
        StitchedClip(f"clip{place}", f"{place:064x}", place * apart_ms, place * apart_ms, table)
        for place, table in enumerate(tables)
    )


@given(
    footage=footages() | near_footages(),
    factor=factors,
    multipliers=st.lists(st.integers(1, 10_000), min_size=6, max_size=6),
    shift=st.integers(-10_000, 10_000),
    by_clock=st.booleans(),
)
# The middle of a step is less than a tick from the middle between two keyframes.
@example(
    footage=alone(tabled((0, 2, 5), 5, (0, 1))),
    factor=20.0,
    multipliers=[2],
    shift=0,
    by_clock=False,
)
# The first clip ends less than a tick of the second after one of the second's frames came.
@example(
    footage=alone(
        tabled((0, 1_000, 2_000, 5_001), 1_000, (0, 1)),
        tabled(tuple(range(0, 6_000, 60)), 600, (0, 50)),
        apart_ms=0,
    ),
    factor=1.0,
    multipliers=[7, 7],
    shift=0,
    by_clock=False,
)
def test_times_may_be_counted_in_any_unit(
    *, footage: StitchedFootage, factor: float, multipliers: list[int], shift: int, by_clock: bool
) -> None:
    """The same footage with finer ticks, or from another start, makes the same film."""
    other = StitchedFootage.of(
        replace(one, table=_rescaled(one.table, multiplier, shift))
        for one, multiplier in zip(footage.clips, multipliers, strict=False)
    )
    speed = speed_for(footage, factor)
    assert list(map(_in_ms, footage.spans)) == list(map(_in_ms, other.spans))
    assert (
        plan_film(footage, speed, by_clock=by_clock).segments
        == plan_film(other, speed, by_clock=by_clock).segments
    )


def _in_ms(span: ShownSpan) -> tuple[int, ...]:
    frames = span.frames
    return span.clip, frames.first_frame, frames.end_frame, span.start_ms, span.duration_ms


def _rescaled(table: SampleTable, multiplier: int, shift: int) -> SampleTable:
    return SampleTable(
        tuple(tick * multiplier + shift for tick in table.ticks),
        table.end_ticks * multiplier + shift,
        table.tick_secs / multiplier,
        table.keyframes,
    )


def test_a_hundred_thousand_frames_do_not_drift() -> None:
    """A factor that no float holds exactly: the last frame is as true as the first."""
    footage = StitchedFootage.of([clip(0, frames=1_010_000, fps=10, gop=50)])
    speed = speed_for(footage, 29.9)
    plan = plan_film(footage, speed)
    assert speed.output_frames > 100_000
    exact_step = Fraction(299, 300) * 1000
    errors = [
        (k + Fraction(1, 2)) * exact_step - at_ms
        for k, at_ms in enumerate(footage_ms(plan))
        if k % 997 == 0 or k > speed.output_frames - 3
    ]
    assert min(errors) > -1
    assert max(errors) < 101


def test_a_known_film_is_planned_frame_by_frame() -> None:
    """Two clips of 10 s at 4x and 1 frame a second: at 2, 6 | 0, 4, 8 s of the clips."""
    footage = StitchedFootage.of([clip(0, fps=10, frames=100), clip(1, fps=10, frames=100)])
    plan = plan_film(footage, speed_for(footage, 4.0, fps=1))
    assert list(plan.picks()) == [(0, 20), (0, 60), (1, 0), (1, 40), (1, 80)]


def test_keyframes_stand_for_groups_of_about_a_step() -> None:
    """150x at 30 frames a second is 5 s a step, and so is a group of pictures."""
    footage = StitchedFootage.of([clip(0, frames=15 * 61 + 7, gop=75)])
    plan = plan_film(footage, speed_for(footage, 150.0))
    shown = [frame for _, frame in plan.picks()]
    assert all(frame % 75 == 0 for frame in shown)
    assert len(set(shown)) == len(shown) == 12


def test_keyframes_of_long_groups_stand_for_nothing_else() -> None:
    """48x is 1.6 s a step: with groups of 5 s each frame is the exact one."""
    footage = StitchedFootage.of([clip(0, frames=150, fps=15)])
    shown = [frame for _, frame in plan_film(footage, speed_for(footage, 48.0)).picks()]
    assert shown == [int((k + Fraction(1, 2)) * Fraction(16, 10) * 15) for k in range(len(shown))]


@given(st.integers(1, 400), st.floats(150.0, 2000.0))
def test_no_frame_is_shown_twice_while_there_are_others(seconds: int, factor: float) -> None:
    footage = StitchedFootage.of([clip(0, frames=seconds * 15)])
    picks = list(plan_film(footage, speed_for(footage, factor)).picks())
    assert len(set(picks)) == len(picks)


def test_a_keyframe_before_a_long_gap_is_not_shown_twice_for_its_nearness() -> None:
    """A keyframe just after the middle of one step stays on screen into the next one."""
    ticks = (0, 100, 200, 550, 2000)
    table = SampleTable(ticks, 2100, Fraction(1, 1000), (0, 3, 4))
    footage = StitchedFootage.of([StitchedClip("clip0", "0" * 64, 0, 2100, table)])
    plan = plan_film(footage, speed_for(footage, 10.0, fps=10))
    shown = [frame for _, frame in plan.picks()]
    assert shown == [2, 3]


def test_segments_hold_250_frames_but_the_last() -> None:
    footage = StitchedFootage.of([clip(number, frames=9_000) for number in range(3)])
    plan = plan_film(footage, speed_for(footage, 12.0))
    counts = [segment.frame_count for segment in plan.segments]
    assert set(counts[:-1]) == {FRAMES_PER_SEGMENT}
    assert 0 < counts[-1] <= FRAMES_PER_SEGMENT
    assert [segment.number for segment in plan.segments] == list(range(len(counts)))


def digests(plan: Plan) -> list[str]:
    return [plan.digest(segment, FILM) for segment in plan.segments]


def test_a_late_clip_leaves_the_segments_before_it_as_they_are() -> None:
    day = [clip(number, frames=1500) for number in range(40)]
    without = StitchedFootage.of(day[:30] + day[31:])
    before = digests(plan_film(without, speed_for(without, 12.0)))
    after = digests(plan_film(StitchedFootage.of(day), speed_for(StitchedFootage.of(day), 12.0)))
    kept = 30 * 100_000 // 400 // FRAMES_PER_SEGMENT
    assert before[:kept] == after[:kept]
    assert before[kept] != after[kept]


def busy_day(seed: int) -> list[StitchedClip]:
    """Some 500 clips that make 60 segments at 12x, most of them in the evening."""
    dice = Random(seed)  # noqa: S311  no secret
    starts = sorted(
        round(dice.triangular(0, 24, 18) * HOUR_MS) // 30_000 * 30_000 for _ in range(520)
    )
    return [
        clip(number, frames=15 * dice.randint(4, 20), start_ms=start_ms)
        for number, start_ms in enumerate(dict.fromkeys(starts))
    ]


@pytest.mark.parametrize("seed", range(3))
def test_by_the_clock_a_late_clip_costs_a_tenth_of_a_day_of_60_segments_at_most(seed: int) -> None:
    """Whichever clip it is, and though the film becomes longer by it."""
    day = StitchedFootage.of(busy_day(seed))
    factor = day.duration_ms / (60 * FRAMES_PER_SEGMENT * 1000 / 30)
    whole = plan_film(day, speed_for(day, factor), by_clock=True)
    assert whole.frame_count in range(60 * FRAMES_PER_SEGMENT - 1, 60 * FRAMES_PER_SEGMENT + 2)
    for late in range(7 * seed, len(day.clips), 21):
        without = StitchedFootage.of(day.clips[:late] + day.clips[late + 1 :])
        before = plan_film(without, speed_for(without, factor), by_clock=True)
        known = set(digests(before))
        redone_frames = sum(
            segment.frame_count
            for segment in whole.segments
            if whole.digest(segment, FILM) not in known
        )
        assert 0 < redone_frames <= whole.frame_count / 10


def test_by_the_clock_few_more_segments_are_needed() -> None:
    """Each costs a keyframe: halves that are nearly empty would make the film larger."""
    day = StitchedFootage.of(busy_day(0))
    plan = plan_film(day, speed_for(day, 12.0), by_clock=True)
    assert len(plan.segments) < 2 * plan.frame_count / FRAMES_PER_SEGMENT
    assert max(segment.frame_count for segment in plan.segments) <= FRAMES_PER_SEGMENT + 10


def test_a_digest_depends_on_what_is_shown_and_how_alone() -> None:
    """Names, numbers and clips that are not in a segment do not alter its bytes."""
    footage = StitchedFootage.of([clip(0, frames=9_000), clip(1, frames=9_000)])
    plan = plan_film(footage, speed_for(footage, 12.0))
    renamed = replace(plan.footage.clips[0], name="other", start_ms=5)
    other = replace(plan, footage=replace(footage, clips=(renamed, clip(7))))
    first = plan.segments[0]
    assert other.digest(replace(first, number=9), FILM) == plan.digest(first, FILM)
    assert plan.digest(first, replace(FILM, crf=24)) != plan.digest(first, FILM)
    changed = replace(footage.clips[0], sha256="f" * 64)
    footage_of_other_bytes = replace(footage, clips=(changed, footage.clips[1]))
    assert replace(plan, footage=footage_of_other_bytes).digest(first, FILM) != plan.digest(
        first, FILM
    )


def test_what_two_clips_share_for_certain_is_shown_once() -> None:
    """Asked for 0-60 s and 30-60 s, both from keyframes every 5 s.

    The later one begins with the earlier one's keyframe at 25 or 30 s, for all that is known: it
    is all shown already.
    """
    earlier = clip(0, frames=60 * 15, start_ms=0)
    later = clip(1, frames=30 * 15, start_ms=30_000)
    footage = StitchedFootage.of([earlier, later])
    assert footage.duration_ms == 90_000 - 25_000
    assert [span.clip for span in footage.spans] == [0, 1]
    assert footage.spans[1].first_frame == 25 * 15


def test_neighbours_that_may_share_nothing_are_left_whole() -> None:
    """One clip ends where the next begins: how much they share only the files could tell."""
    first = clip(0, frames=64 * 15, start_ms=0, asked_ms=60_000)
    second = clip(1, frames=63 * 15, start_ms=60_000, asked_ms=60_000)
    assert StitchedFootage.of([first, second]).duration_ms == 127_000


def test_frames_that_the_files_show_to_be_repeated_are_left_out() -> None:
    first = clip(0, frames=900, start_ms=0)
    second = replace(clip(1, frames=900, start_ms=60_000), repeated_frames=45)
    footage = StitchedFootage.of([first, second])
    assert footage.duration_ms == 120_000 - 3_000
    assert plan_film(footage, speed_for(footage, 2.0)).footage.spans[1].first_frame == 45


def test_a_clip_within_another_has_no_part_of_its_own() -> None:
    around = clip(0, frames=300 * 15, start_ms=0)
    within = clip(1, frames=10 * 15, start_ms=60_000)
    footage = StitchedFootage.of([around, within])
    assert [span.clip for span in footage.spans] == [0]
    assert footage.duration_ms == 300_000


@given(
    st.integers(0, 4_999),
    st.integers(0, 4_999),
    st.integers(5_000, 60_000),
    st.integers(-20_000, 60_000),
    st.integers(5_000, 60_000),
)
def test_trimming_never_loses_a_recorded_instant(
    phase_ms: int, start_ms: int, length_ms: int, gap_ms: int, other_ms: int
) -> None:
    """Whatever two spans are asked for, all that either file shows is in the film."""
    later_ms = max(start_ms, start_ms + length_ms + gap_ms)
    one, one_ms = recorded(0, phase_ms, start_ms, start_ms + length_ms)
    two, two_ms = recorded(1, phase_ms, later_ms, later_ms + other_ms)
    footage = StitchedFootage.of([one, two])
    shown = set(one_ms)
    for span in footage.spans:
        if span.clip == 1:
            shown |= set(two_ms[span.first_frame :])
    assert shown == set(one_ms) | set(two_ms)


def recorded(
    number: int, phase_ms: int, start_ms: int, end_ms: int
) -> tuple[StitchedClip, list[int]]:
    """Clip of a recording at 10 frames a second with keyframes every 5 s, and its wall times."""
    first_ms = start_ms - (start_ms - phase_ms) % 5_000
    walls = list(range(first_ms, end_ms, 100))
    return clip(number, frames=len(walls), fps=10, gop=50, start_ms=start_ms,
                asked_ms=end_ms - start_ms), walls  # fmt: skip


def test_the_overhang_is_what_the_length_tells() -> None:
    """Asked for 10 s, got 12.2 s: the footage began 2.2 s before, up to one group of pictures."""
    given_clip = clip(0, frames=183, start_ms=100_000, asked_ms=10_000)
    assert given_clip.overhang_ms == 2_200
    assert given_clip.wall_ms(0) == 97_800
    assert clip(0, frames=1_000, start_ms=0, asked_ms=10_000).overhang_ms == 5_000


def test_no_footage_makes_no_film() -> None:
    footage = StitchedFootage.of([])
    assert footage.duration_ms == 0
    speed = Speed.of(total_duration_ms=0, target_secs=600, output_fps=30)
    assert plan_film(footage, speed) == Plan(footage, ())
