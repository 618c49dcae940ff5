from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.console.concurrency import AdaptiveLimit

MEGABYTE = 1_000_000


def after(
    limit: AdaptiveLimit, successes: int, *, secs: float = 2.0, size_bytes: int = MEGABYTE
) -> AdaptiveLimit:
    """The limit after successes with all slots taken."""
    for _ in range(successes):
        limit = limit.after_success(limit.limit, size_bytes=size_bytes, secs=secs)
    return limit


def at_limit(limit: AdaptiveLimit, number: int, *, secs: float = 2.0) -> AdaptiveLimit:
    """The limit once successes have raised it so far."""
    for _ in range(2_000):
        if limit.limit == number:
            return limit
        limit = after(limit, 1, secs=secs)
    raise AssertionError(limit)


@pytest.mark.parametrize(("ceiling", "first"), [(1, 1), (2, 2), (4, 2), (16, 2)])
def test_two_run_at_once_to_begin_with_and_one_where_no_more_may(ceiling: int, first: int) -> None:
    """What most clients of a console dare."""
    assert AdaptiveLimit.of(ceiling).limit == first


def test_a_streak_of_successes_raises_by_one_up_to_the_ceiling() -> None:
    """Three for each slot are a streak."""
    limit, limits = AdaptiveLimit.of(4), []
    for _ in range(40):
        limit = after(limit, 1)
        limits.append(limit.limit)
    assert limits[:5] == [2] * 5
    assert limits[5:14] == [3] * 9
    assert set(limits[14:]) == {4}


def test_successes_with_slots_left_free_tell_nothing() -> None:
    """Whether the console bears two at once is not seen from one."""
    limit = AdaptiveLimit.of(4)
    for _ in range(100):
        limit = limit.after_success(1, size_bytes=MEGABYTE, secs=1.0)
    assert limit.limit == 2


@pytest.mark.parametrize("is_stated", [False, True])
def test_an_overload_halves(*, is_stated: bool) -> None:
    """Whatever kind it is of."""
    limit = at_limit(AdaptiveLimit.of(8), 8)
    assert limit.after_overload(8, is_stated=is_stated).limit == 4
    assert (
        limit.after_overload(8, is_stated=is_stated).after_overload(4, is_stated=is_stated).limit
        == 2
    )


def test_one_at_once_is_the_least() -> None:
    """Somebody has to go on."""
    limit = AdaptiveLimit.of(4)
    for _ in range(5):
        limit = limit.after_overload(limit.limit, is_stated=True)
    assert limit.limit == 1


def test_a_console_that_bears_two_is_asked_for_two() -> None:
    """The way back is short, and three are tried again only after ever more successes."""
    limit, limits, refused = AdaptiveLimit.of(4), [], 0
    for _ in range(600):
        if limit.limit > 2:
            limit, refused = limit.after_overload(3, is_stated=True), refused + 1
        else:
            limit = after(limit, 1)
        limits.append(limit.limit)
    assert limits.count(2) > 580
    assert refused == 5


def test_a_limit_that_failed_by_chance_is_taken_up_again() -> None:
    """Once it has seen a whole streak, the former failure is forgotten."""
    limit = at_limit(AdaptiveLimit.of(4), 3).after_overload(3, is_stated=True)
    assert limit.failed == 3
    assert at_limit(limit, 4).failed == 0


def test_a_proven_limit_that_fails_once_is_not_held_to_be_too_high() -> None:
    """It is back after one streak; failing again before that, it is not."""
    limit = after(AdaptiveLimit.of(2), 6).after_overload(2, is_stated=False)
    assert limit.limit == 1
    assert after(limit, 3).limit == 2
    again = after(limit, 3).after_overload(2, is_stated=False)
    assert after(again, 31).limit == 1
    assert after(again, 33).limit == 2


def test_a_limit_that_is_slower_altogether_is_given_up() -> None:
    """Three that take twice as long as two did bring less."""
    limit = at_limit(AdaptiveLimit.of(4), 3, secs=1.0)
    assert after(limit, 9, secs=2.0).limit == 2
    assert after(limit, 9, secs=1.5).limit == 4


def test_slowing_down_halves() -> None:
    """A third of what the same limit has brought before is an overload."""
    limit = after(at_limit(AdaptiveLimit.of(4), 4, secs=1.0), 12, secs=1.0)
    assert after(limit, 12, secs=2.5).limit == 4
    assert after(limit, 12, secs=3.5).limit == 2


def test_short_clips_are_not_slow_ones() -> None:
    """To ask costs the console something, too."""
    limit = after(at_limit(AdaptiveLimit.of(4), 4), 12, secs=2.0, size_bytes=34 * MEGABYTE)
    assert after(limit, 12, secs=0.6, size_bytes=MEGABYTE).limit == 4


def test_answers_within_half_a_second_are_never_too_slow() -> None:
    """Differences among them are the network's or ours."""
    limit = after(at_limit(AdaptiveLimit.of(4), 4, secs=0.01), 12, secs=0.01)
    assert after(limit, 12, secs=0.4).limit == 4


def test_refusals_in_a_row_pause_longer_up_to_half_a_minute() -> None:
    """A success ends the row; other failures have none."""
    limit, waits_secs = AdaptiveLimit.of(4), []
    for _ in range(7):
        limit = limit.after_overload(1, is_stated=True)
        waits_secs.append(limit.pause_secs(0.5))
    assert waits_secs == [1, 2, 4, 8, 16, 30, 30]
    assert after(limit, 1).after_overload(1, is_stated=True).pause_secs(0.5) == 1
    assert limit.after_overload(1, is_stated=False).pause_secs(0.5) == 1


@pytest.mark.parametrize(("share", "secs"), [(0.0, 0.75), (1.0, 1.25)])
def test_pauses_differ_by_a_quarter(share: float, secs: float) -> None:
    """So that several runs do not come back at once."""
    assert AdaptiveLimit.of(2).after_overload(2, is_stated=False).pause_secs(share) == secs


@given(
    ceiling=st.integers(1, 16),
    happenings=st.lists(
        st.tuples(
            st.sampled_from([None, False, True]), st.integers(1, 16), st.floats(0.001, 100.0)
        ),
        max_size=200,
    ),
)
def test_the_limit_stays_between_one_and_the_ceiling(
    ceiling: int, happenings: list[tuple[bool | None, int, float]]
) -> None:
    """Whatever happens; and it never grows by more than one."""
    limit = AdaptiveLimit.of(ceiling)
    for is_stated, running, secs in happenings:
        former = limit
        if is_stated is None:
            limit = limit.after_success(min(running, ceiling), size_bytes=MEGABYTE, secs=secs)
        else:
            limit = limit.after_overload(min(running, ceiling), is_stated=is_stated)
            assert limit.limit <= former.limit
        assert 1 <= limit.limit <= min(ceiling, former.limit + 1)


def test_a_limit_is_a_value() -> None:
    """What is learnt is in the new one."""
    limit = AdaptiveLimit.of(4)
    limit.after_overload(2, is_stated=True)
    assert limit == replace(AdaptiveLimit.of(4))
