import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.harness import clock_without_waits
from upvs_tasks.clock import Clock
from upvs_tasks.console.retry import RetryPolicy, retry, retry_after_secs
from upvs_tasks.errors import MaxAttemptsExceeded, NoFootageError, TransientError


def failing(times: int, error: Exception) -> Callable[[], str]:
    """An attempt that fails so many times before it succeeds."""
    failures = [error] * times

    def attempt() -> str:
        if failures:
            raise failures.pop()
        return "done"

    return attempt


def waits_of(times: int, *, attempts: int, share: float = 0.5) -> list[float]:
    waits_secs: list[float] = []
    retry(
        failing(times, TransientError("struck")),
        policy=RetryPolicy(attempts=attempts),
        what="the task",
        clock=Clock(sleep=waits_secs.append, random=lambda: share),
    )
    return waits_secs


def test_waits_double_from_one_second_to_thirty() -> None:
    """The specification's numbers, in the middle of the jitter."""
    assert waits_of(7, attempts=8) == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("share", "part"), [(0.0, 0.75), (1.0, 1.25)])
def test_jitter_is_a_quarter_to_either_side(share: float, part: float) -> None:
    """75 % to 125 % of each wait."""
    assert waits_of(2, attempts=3, share=share) == [part * 1, part * 2]


def test_a_success_at_once_waits_for_nothing() -> None:
    """No sleep before the first attempt."""
    assert waits_of(0, attempts=3) == []


@given(attempts=st.integers(1, 20))
def test_there_are_as_many_attempts_as_allowed_and_no_wait_after_the_last(attempts: int) -> None:
    """The limit counts the first attempt, too."""
    tried, waits_secs = [], list[float]()

    def attempt() -> None:
        tried.append(1)
        raise TransientError("struck")

    with pytest.raises(MaxAttemptsExceeded):
        retry(
            attempt,
            policy=RetryPolicy(attempts=attempts),
            what="the task",
            clock=clock_without_waits(waits_secs),
        )
    assert len(tried) == attempts
    assert len(waits_secs) == attempts - 1


def test_giving_up_names_what_how_often_and_the_last_reason() -> None:
    """And keeps the last failure as its cause."""
    last = TransientError("the task: struck by lightning")
    with pytest.raises(MaxAttemptsExceeded) as caught:
        retry(
            failing(9, last),
            policy=RetryPolicy(attempts=3),
            what="the task",
            clock=clock_without_waits(),
        )
    assert str(caught.value) == (
        "the task: given up after 3 attempts; the last one failed: struck by lightning"
    )
    assert caught.value.__cause__ is last


def test_what_will_not_heal_is_tried_once() -> None:
    """Only a TransientError failure is worth another attempt."""
    waits_secs: list[float] = []
    with pytest.raises(NoFootageError):
        retry(
            failing(1, NoFootageError("nothing")),
            policy=RetryPolicy(attempts=3),
            what="the task",
            clock=clock_without_waits(waits_secs),
        )
    assert waits_secs == []


def test_what_the_console_asks_for_goes_before_our_own_wait() -> None:
    """Without jitter: it is an answer, not a guess."""
    waits_secs: list[float] = []
    retry(
        failing(1, TransientError("busy", retry_after_secs=17.0)),
        policy=RetryPolicy(attempts=3),
        what="the task",
        clock=clock_without_waits(waits_secs),
    )
    assert waits_secs == [17.0]


def test_asking_for_no_wait_at_all_does_not_make_a_tight_loop() -> None:
    """Retry-After: 0 leaves our own wait in force."""
    waits_secs: list[float] = []
    retry(
        failing(2, TransientError("busy", retry_after_secs=0.0)),
        policy=RetryPolicy(attempts=3),
        what="the task",
        clock=clock_without_waits(waits_secs),
    )
    assert waits_secs == [1, 2]


def test_retries_are_told_with_their_reason_and_wait() -> None:
    """For those who show progress."""
    told: list[tuple[str, float]] = []
    retry(
        failing(1, TransientError("struck")),
        policy=RetryPolicy(attempts=3),
        what="the task",
        clock=clock_without_waits(),
        on_retry=lambda error, wait_secs: told.append((str(error), wait_secs)),
    )
    assert told == [("struck", 1.0)]


def test_retry_after_is_read_in_both_spellings() -> None:
    """Seconds, and a date."""
    in_a_minute = retry_after_secs(formatdate(time.time() + 60, usegmt=True))
    assert retry_after_secs("7") == 7
    assert in_a_minute is not None
    assert 50 < in_a_minute <= 60


@pytest.mark.parametrize("header", ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_nobody_is_waited_for_longer_than_five_minutes(header: str) -> None:
    """A console that wants more is better asked by a later run."""
    assert retry_after_secs(header) == 300


@pytest.mark.parametrize("header", ["soon", "", "-5", "1e9", "99 Foo 2024"])
def test_a_retry_after_without_sense_is_none(header: str) -> None:
    """It does not end the run."""
    assert retry_after_secs(header) is None


def test_a_policy_may_limit_the_time_in_place_of_the_attempts() -> None:
    """The last wait is as long as the time allows, and after it comes the last attempt."""
    waits_secs: list[float] = []
    with pytest.raises(MaxAttemptsExceeded, match="given up after 6 attempts"):
        retry(
            failing(99, TransientError("struck")),
            policy=RetryPolicy(attempts=None, longest_secs=20),
            what="the task",
            clock=clock_without_waits(waits_secs),
        )
    assert waits_secs == [1, 2, 4, 8, pytest.approx(5, abs=0.5)]


def test_only_the_kind_of_failure_that_was_named_is_retried() -> None:
    """Another layer retries the others, by its own policy."""

    class NarrowError(TransientError):
        pass

    waits_secs: list[float] = []
    with pytest.raises(TransientError, match="struck"):
        retry(
            failing(1, TransientError("struck")),
            policy=RetryPolicy(),
            what="the task",
            clock=clock_without_waits(waits_secs),
            retry_on=NarrowError,
        )
    assert waits_secs == []
