"""A console that is away as a whole, told from one that is well and only refuses a question.

While it restarts, for five to seven minutes, a console answers 400, 404 or 503 to anything, or not
at all. Something that must exist is asked for then, once for all threads: if that is refused, too,
everybody waits together, and whatever was asked is asked again as if nothing had been.
"""

import logging
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from upvs_tasks.clock import Clock
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.errors import MaxAttemptsExceeded, TransientError

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_ABSENCE_SECS = 600.0
# How long one who gave up on the console speaks for all others.
_VERDICT_SECS = 30.0
# The page that tells that a console is back is there before its footage may be.
_SETTLING_SECS = 120.0
# A question that fails after each of so many returns of the console fails by itself.
_MOST_RETURNS = 10


class CircuitBreaker:
    """Whether the console is there; all threads share it.

    ``look`` asks for what must exist, and gives what went wrong or None. ``is_known`` says whether
    a console was ever met at that address: one that was not is waited for only if something there
    says that it will come.
    """

    def __init__(
        self,
        look: Callable[[], TransientError | None],
        *,
        is_known: Callable[[], bool],
        longest_secs: float,
        surroundings: Clock,
    ) -> None:
        self._look = look
        self._is_known = is_known
        self._longest_secs = longest_secs
        self._surroundings = surroundings
        self._lock = Lock()
        self._answered_secs = self._looked_secs = float("-inf")
        self._lost_secs = self._returned_secs = float("-inf")
        self._was_away = False
        self.away_secs = 0.0

    def ask(self, what: str, attempt: Callable[[], T]) -> T:
        """Result of an attempt; made again, at no cost, after the console was away.

        Raises what the attempt raises, or the fact behind it where the console is well and has been
        for a while, and MaxAttemptsExceeded when it stays away.
        """
        returns = 0
        while True:
            self._shelter(what)
            asked_secs = self._now()
            try:
                result = attempt()
            except FailedRequestError as trouble:
                if returns == _MOST_RETURNS:
                    raise
                if not self._has_been_away(trouble, asked_secs, what):
                    if trouble.fact is None or self._has_just_returned():
                        raise
                    raise trouble.fact from trouble
            else:
                self._answered_secs = self._now()
                return result
            returns += 1

    def _has_just_returned(self) -> bool:
        """Whether the console is so fresh that its refusals are no facts yet."""
        return self._now() - self._returned_secs < _SETTLING_SECS

    def _shelter(self, what: str) -> None:
        """Wait while somebody waits for the console; fail with one who has just given up."""
        with self._lock:
            if self._now() - self._lost_secs < _VERDICT_SECS:
                raise self._given_up(what)

    def _has_been_away(self, trouble: FailedRequestError, asked_secs: float, what: str) -> bool:
        """Whether the whole console was the cause; it is back then."""
        if not trouble.may_be_absence or not (trouble.is_breakdown or self._is_known()):
            return False
        if trouble.fact is None and self._answered_secs > asked_secs:
            return False
        failed_secs = self._now()
        with self._lock:
            if self._looked_secs < failed_secs:
                self._wait_for_it(what)
            return self._was_away

    def _wait_for_it(self, what: str) -> None:
        began_secs, patience = self._now(), RetryPolicy.of(1_000)
        self._was_away = False
        while (reason := self._looked()) is not None:
            absent_secs = self._now() - began_secs
            if self._lost_secs > self._answered_secs or absent_secs >= self._longest_secs:
                self._lost_secs = self._now()
                raise self._given_up(what) from reason
            if not self._was_away:
                log.warning("console is away, waiting for it", extra={"reason": str(reason)})
            self._was_away = True
            patience = patience.increment(error=reason)
            wait_secs = patience.wait_secs(reason, self._surroundings.roll())
            self._surroundings.sleep(min(wait_secs, self._longest_secs - absent_secs))
        self._answered_secs = self._now()
        if self._was_away:
            self._returned_secs = self._answered_secs
            self.away_secs += self._returned_secs - began_secs
            log.info("console is back", extra={"secs": round(self._returned_secs - began_secs, 1)})

    def _looked(self) -> TransientError | None:
        self._looked_secs = self._now()
        return self._look()

    def _given_up(self, what: str) -> MaxAttemptsExceeded:
        return MaxAttemptsExceeded(
            f"{what}: given up; the console was waited for {self._longest_secs:.0f} s and did not "
            "come back"
        )

    def _now(self) -> float:
        return self._surroundings.monotonic_secs()
