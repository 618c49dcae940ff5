from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.console.adaptive_limit import AdaptiveLimit, Export, Strain

MEGABYTE = 1_000_000


def after(
    pace: AdaptiveLimit, successes: int, *, secs: float = 2.0, size_bytes: int = MEGABYTE
) -> AdaptiveLimit:
    """The pace after successes with all places taken."""
    for _ in range(successes):
        pace = pace.succeeded(Export(pace.width, size_bytes, secs))
    return pace


def at_width(pace: AdaptiveLimit, width: int, *, secs: float = 2.0) -> AdaptiveLimit:
    """The pace once successes have brought it to a width."""
    for _ in range(2_000):
        if pace.width == width:
            return pace
        pace = after(pace, 1, secs=secs)
    raise AssertionError(pace)


@pytest.mark.parametrize(("ceiling", "width"), [(1, 1), (2, 2), (4, 2), (16, 2)])
def test_two_run_at_once_to_begin_with_and_one_where_no_more_may(ceiling: int, width: int) -> None:
    """What most clients of a console dare."""
    assert AdaptiveLimit.of(ceiling).width == width


def test_a_run_of_successes_widens_by_one_up_to_the_ceiling() -> None:
    """Three to each place are a run."""
    pace, widths = AdaptiveLimit.of(4), []
    for _ in range(40):
        pace = after(pace, 1)
        widths.append(pace.width)
    assert widths[:5] == [2] * 5
    assert widths[5:14] == [3] * 9
    assert set(widths[14:]) == {4}


def test_successes_with_places_left_free_tell_nothing() -> None:
    """Whether the console bears two at once is not seen from one."""
    pace = AdaptiveLimit.of(4)
    for _ in range(100):
        pace = pace.succeeded(Export(running=1, size_bytes=MEGABYTE, secs=1.0))
    assert pace.width == 2


@pytest.mark.parametrize("strain", list(Strain))
def test_a_strain_halves(strain: Strain) -> None:
    """Whatever kind it is of."""
    pace = at_width(AdaptiveLimit.of(8), 8)
    assert pace.strained(8, strain).width == 4
    assert pace.strained(8, strain).strained(4, strain).width == 2


def test_one_at_once_is_the_least() -> None:
    """Somebody has to go on."""
    pace = AdaptiveLimit.of(4)
    for _ in range(5):
        pace = pace.strained(pace.width, Strain.REFUSED)
    assert pace.width == 1


def test_a_console_that_bears_two_is_asked_for_two() -> None:
    """The way back is short, and three are tried again only after ever more successes."""
    pace, widths, refused = AdaptiveLimit.of(4), [], 0
    for _ in range(600):
        if pace.width > 2:
            pace, refused = pace.strained(3, Strain.REFUSED), refused + 1
        else:
            pace = after(pace, 1)
        widths.append(pace.width)
    assert widths.count(2) > 580
    assert refused == 5


def test_a_width_that_failed_by_chance_is_taken_up_again() -> None:
    """Once it has seen a whole run, the former failure is forgotten."""
    pace = at_width(AdaptiveLimit.of(4), 3).strained(3, Strain.REFUSED)
    assert pace.failed_width == 3
    assert at_width(pace, 4).failed_width == 0


def test_a_proven_width_that_fails_once_is_not_held_to_be_too_wide() -> None:
    """It is back after one run; failing again before that, it is not."""
    pace = after(AdaptiveLimit.of(2), 6).strained(2, Strain.BROKEN)
    assert pace.width == 1
    assert after(pace, 3).width == 2
    again = after(pace, 3).strained(2, Strain.BROKEN)
    assert after(again, 31).width == 1
    assert after(again, 33).width == 2


def test_a_width_that_is_slower_altogether_is_given_up() -> None:
    """Three that take twice as long as two did bring less."""
    pace = at_width(AdaptiveLimit.of(4), 3, secs=1.0)
    assert after(pace, 9, secs=2.0).width == 2
    assert after(pace, 9, secs=1.5).width == 4


def test_slowing_down_halves() -> None:
    """A third of what the same width has brought before is a struggle."""
    pace = after(at_width(AdaptiveLimit.of(4), 4, secs=1.0), 12, secs=1.0)
    assert after(pace, 12, secs=2.5).width == 4
    assert after(pace, 12, secs=3.5).width == 2


def test_short_clips_are_not_slow_ones() -> None:
    """To ask costs the console something, too."""
    pace = after(at_width(AdaptiveLimit.of(4), 4), 12, secs=2.0, size_bytes=34 * MEGABYTE)
    assert after(pace, 12, secs=0.6, size_bytes=MEGABYTE).width == 4


def test_answers_within_half_a_second_are_never_too_slow() -> None:
    """Differences among them are the network's or ours."""
    pace = after(at_width(AdaptiveLimit.of(4), 4, secs=0.01), 12, secs=0.01)
    assert after(pace, 12, secs=0.4).width == 4


def test_refusals_in_a_row_cool_down_longer_up_to_half_a_minute() -> None:
    """A success ends the row; other failures have none."""
    pace, waits_secs = AdaptiveLimit.of(4), []
    for _ in range(7):
        pace = pace.strained(1, Strain.REFUSED)
        waits_secs.append(pace.cool_down_secs(0.5))
    assert waits_secs == [1, 2, 4, 8, 16, 30, 30]
    assert after(pace, 1).strained(1, Strain.REFUSED).cool_down_secs(0.5) == 1
    assert pace.strained(1, Strain.BROKEN).cool_down_secs(0.5) == 1


@pytest.mark.parametrize(("roll", "secs"), [(0.0, 0.75), (1.0, 1.25)])
def test_cool_downs_differ_by_a_quarter(roll: float, secs: float) -> None:
    """So that several runs do not come back at once."""
    assert AdaptiveLimit.of(2).strained(2, Strain.BROKEN).cool_down_secs(roll) == secs


@given(
    ceiling=st.integers(1, 16),
    happenings=st.lists(
        st.tuples(st.sampled_from([None, *Strain]), st.integers(1, 16), st.floats(0.001, 100.0)),
        max_size=200,
    ),
)
def test_the_width_stays_between_one_and_the_ceiling(
    ceiling: int, happenings: list[tuple[Strain | None, int, float]]
) -> None:
    """Whatever happens; and it never grows by more than one."""
    pace = AdaptiveLimit.of(ceiling)
    for strain, running, secs in happenings:
        former = pace
        if strain is None:
            pace = pace.succeeded(Export(min(running, ceiling), MEGABYTE, secs))
        else:
            pace = pace.strained(min(running, ceiling), strain)
            assert pace.width <= former.width
        assert 1 <= pace.width <= min(ceiling, former.width + 1)


def test_a_pace_is_a_value() -> None:
    """What is learnt is in the new one."""
    pace = AdaptiveLimit.of(4)
    pace.strained(2, Strain.REFUSED)
    assert pace == replace(AdaptiveLimit.of(4))
