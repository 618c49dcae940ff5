"""What was not recorded is no footage, and cannot change the speed of the film."""

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.plan import Plan, plan_film
from upvs_tasks.model.recorded_time import LONGEST_FRAME_MS, gaps_of, recorded_ms
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage

HOUR_MS = 3_600_000


def table_of(*steps_ms: int, gop: int = 50) -> SampleTable:
    """Table of frames that come on screen so many ms after each other; the last step is its own."""
    ticks = tuple(accumulate(steps_ms, initial=0))
    keyframes = tuple(range(0, len(steps_ms), gop))
    return SampleTable(ticks[:-1], ticks[-1], Fraction(1, 1000), keyframes)


def clip_of(table: SampleTable, asked_ms: int, number: int = 0) -> StitchedClip:
    """Clip of an hour of the day."""
    start_ms = number * HOUR_MS
    return StitchedClip(f"clip{number}", f"{number:064x}", start_ms, start_ms + asked_ms, table)


def film_of(*clips: StitchedClip, target_secs: float = 20) -> tuple[Speed, Plan]:
    """Speed and plan of a film of 25 frames a second."""
    footage = StitchedFootage.of(clips)
    speed = Speed.of(total_duration_ms=footage.duration_ms, target_secs=target_secs, output_fps=25)
    return speed, plan_film(footage, speed)


def test_a_frame_before_a_gap_stands_for_as_long_as_frames_usually_do() -> None:
    table = table_of(*[100] * 9, 20_000, *[100] * 10)
    assert recorded_ms(table) == 2_000
    (gap,) = gaps_of(table)
    assert (gap.start_ms, gap.end_ms) == (1_000, 20_900)


@pytest.mark.parametrize(("step_ms", "counts_ms"), [(9_999, 9_999), (10_000, 10_000), (10_001, 50)])
def test_up_to_ten_seconds_a_frame_stands_for_what_its_time_stamp_says(
    step_ms: int, counts_ms: int
) -> None:
    assert recorded_ms(table_of(50, 50, step_ms, 50, 50)) == 200 + counts_ms


def test_frames_that_are_always_far_apart_stand_for_the_longest_time() -> None:
    """No camera records so slowly; still each frame is shown."""
    table = table_of(*[15_000] * 4)
    assert recorded_ms(table) == 4 * LONGEST_FRAME_MS
    _, plan = film_of(clip_of(table, 60_000))
    assert {frame for _, frame in plan.picks()} == {0, 1, 2, 3}


@given(
    steps_ms=st.lists(st.integers(20, 9_000), min_size=4, max_size=60),
    place=st.integers(0, 1 << 30),
    gaps_ms=st.tuples(st.integers(11_000, 1 << 40), st.integers(11_000, 1 << 40)),
    target_secs=st.floats(0.1, 100),
)
def test_how_long_a_gap_is_changes_no_frame_of_the_film(
    steps_ms: list[int], place: int, gaps_ms: tuple[int, int], target_secs: float
) -> None:
    """Nor does a time stamp that is wrong by hours, or by years."""
    films = []
    for gap_ms in gaps_ms:
        steps = list(steps_ms)
        steps[place % (len(steps) - 1)] = gap_ms
        asked_ms = sum(steps_ms)
        clips = (clip_of(table_of(*steps, gop=7), asked_ms), clip_of(table_of(*steps_ms), 0, 1))
        speed, plan = film_of(*clips, target_secs=target_secs)
        films.append((speed, list(plan.picks())))
    assert films[0] == films[1]


def test_one_wrong_time_stamp_leaves_all_clips_in_the_film() -> None:
    """Three hours too far, in one of six clips of 8 s: it was shown for 599 of 600 frames."""
    steps = [40] * 200
    wrong = [*steps[:99], 10_800_000, *steps[100:]]
    clips = [clip_of(table_of(*(wrong if n == 2 else steps)), 8_000, n) for n in range(6)]
    speed, plan = film_of(*clips)
    assert speed.total_duration_ms == 48_000
    shares = [sum(place == clip for place, _ in plan.picks()) for clip in range(6)]
    assert min(shares) >= 80
    assert max(shares) <= 85


def test_after_a_gap_the_clock_is_right() -> None:
    """Asked for a minute, of which 20 s were not recorded."""
    clip = clip_of(table_of(*[100] * 199, 20_100, *[100] * 200), 60_000)
    assert clip.recorded.recorded_ms == 40_000
    assert clip.wall_ms(199) == 19_900
    assert clip.wall_ms(200) == 40_000
    (gap,) = clip.gaps
    assert (gap.start_ms, gap.duration_ms, gap.is_wrong) == (19_900, 20_000, False)


def test_a_gap_that_has_no_room_in_the_clip_takes_no_time() -> None:
    """Asked for a minute, all of it came, but half of its time stamps are two hours too high."""
    clip = clip_of(table_of(*[100] * 299, 7_200_000, *[100] * 300), 60_000)
    assert clip.wall_ms(300) == 30_000
    assert clip.wall_ms(599) == 59_900
    (gap,) = clip.gaps
    assert gap.is_wrong
    assert gap.duration_ms == 7_199_900


def test_gaps_take_no_more_room_together_than_there_is() -> None:
    """Two of a minute each, where one of them can be true."""
    steps = [*[100] * 99, 60_000, *[100] * 99, 60_000, *[100] * 100]
    clip = clip_of(table_of(*steps), 100_000)
    assert [gap.is_wrong for gap in clip.gaps] == [False, True]
    assert clip.wall_ms(299) <= clip.end_ms + 15_000


def test_a_clip_that_is_longer_than_asked_does_not_change_the_speed() -> None:
    """An hour came for 8 s: all of it is shown, in the time of 8 s and three keyframe intervals."""
    odd, other = clip_of(table_of(*[100] * 36_000), 8_000), clip_of(table_of(*[100] * 80), 8_000, 1)
    speed, plan = film_of(odd, other, target_secs=2)
    assert odd.recorded.is_longer_than_asked
    assert speed.total_duration_ms == 31_000
    shown = [frame for place, frame in plan.picks() if place == 0]
    assert shown[0] < 1_000
    assert shown[-1] > 35_000
    assert odd.wall_ms(35_999) <= odd.end_ms + 15_000


def test_an_export_that_is_cut_at_keyframes_is_not_longer_than_asked() -> None:
    """5 s more at each end, or 10 s where keyframes are so far apart; and groups differ."""
    assert not clip_of(table_of(*[100] * 185), 8_000).recorded.is_longer_than_asked
    far = table_of(*[100] * 285, gop=100)
    assert not clip_of(far, 8_000).recorded.is_longer_than_asked


def test_a_clip_with_a_gap_hides_no_other() -> None:
    """By its time stamps it reaches far into the next clips, whose footage it does not hold."""
    odd = clip_of(table_of(*[100] * 100, 7_200_000, *[100] * 500), 60_000)
    others = [replace(clip_of(table_of(*[100] * 600), 60_000, n), start_ms=n * 90_000,
                      end_ms=n * 90_000 + 60_000) for n in range(1, 4)]  # fmt: skip
    footage = StitchedFootage.of([odd, *others])
    assert {span.clip for span in footage.spans} == {0, 1, 2, 3}
    assert all(span.first_frame == 0 for span in footage.spans if span.clip)
