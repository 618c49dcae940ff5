"""The only retry loop, the policies that it follows, and the layer that retries requests."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from upvs_tasks.clock import Clock
from upvs_tasks.console.request import ApiRequest, Sender
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import MaxAttemptsExceeded, TransientError

log = logging.getLogger(__name__)

T = TypeVar("T")
Accepted = TypeVar("Accepted")
# Is given why there is a wait that somebody may wonder about, and about how long it is at most.
OnWait = Callable[[str, float], None]

NOTICED_SECS = 5.0

_LEAST_JITTER = 0.75
_JITTER_SPREAD = 0.5
# A console that asks for a longer wait is better asked again by a later run.
_LONGEST_RETRY_AFTER_SECS = 300.0
_MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How many attempts, and how long to wait between them.

    The defaults are the specification's (§6 B): 1 s, doubled each time, 30 s at most, and then
    75 % to 125 % of that. ``attempts`` counts the first one; None sets no limit.
    ``longest_secs`` limits the time from the first failure to the last attempt.
    """

    attempts: int | None = 3
    base_secs: float = 1.0
    ceiling_secs: float = 30.0
    longest_secs: float | None = None

    def wait_secs(self, error: TransientError, failures: int, share: float) -> float:
        """Seconds to wait after so many failures; ``share`` is uniform in [0, 1).

        What the console asks for goes before our own wait.
        """
        if error.retry_after_secs:
            return error.retry_after_secs
        doublings = min(failures - 1, _MOST_DOUBLINGS)
        plain_secs = min(self.ceiling_secs, self.base_secs * 2.0**doublings)
        return plain_secs * (_LEAST_JITTER + _JITTER_SPREAD * share)

    def left_secs(self, failures: int, spent_secs: float, wait_secs: float) -> float:
        """About how long the attempts that are left may take, if each is as long as those so far.

        ``spent_secs`` is the time since the first attempt began.
        """
        if self.longest_secs is not None or self.attempts is None:
            return max(wait_secs, (self.longest_secs or 0.0) - spent_secs)
        left = self.attempts - failures
        later = range(failures + 1, self.attempts)
        waits = (min(self.ceiling_secs, self.base_secs * 2.0 ** min(n - 1, 64)) for n in later)
        return wait_secs + sum(waits) + left * spent_secs / failures

    def within_limit(self, error: TransientError, wait_secs: float, spent_secs: float) -> float:
        """The wait cut to the time that is left; 0 where the console asks for more than that."""
        if self.longest_secs is None:
            return wait_secs
        left_secs = max(0.0, self.longest_secs - spent_secs)
        if error.retry_after_secs and wait_secs > left_secs:
            return 0.0
        return min(wait_secs, left_secs)


def retry(  # noqa: PLR0913  what to do, how often, and whom to tell
    attempt: Callable[[], T],
    policy: RetryPolicy,
    *,
    what: str,
    clock: Clock,
    retry_on: type[TransientError] = TransientError,
    on_retry: Callable[[TransientError, float], None] = lambda _error, _wait_secs: None,
    on_wait: OnWait = lambda _reason, _longest_secs: None,
) -> T:
    """Result of the first attempt that succeeds; only a failure of ``retry_on`` has another one.

    ``on_retry`` gets each failure and the seconds of the wait after it. ``on_wait`` is called once,
    when the whole takes longer than one expects. Raises MaxAttemptsExceeded, which says what was
    tried, how often, and why the last attempt failed.
    """
    failures, first_failed_secs = 0, 0.0
    began_secs, is_noticed = clock.monotonic_secs(), False
    while True:
        try:
            return attempt()
        except retry_on as error:
            failures += 1
            now_secs = clock.monotonic_secs()
            first_failed_secs = first_failed_secs if failures > 1 else now_secs
            wait_secs = policy.wait_secs(error, failures, clock.random())
            wait_secs = policy.within_limit(error, wait_secs, now_secs - first_failed_secs)
            if failures == policy.attempts or wait_secs <= 0:
                raise _given_up(what, failures, error) from error
            on_retry(error, wait_secs)
            spent_secs = now_secs - began_secs
            if not is_noticed and spent_secs + wait_secs >= NOTICED_SECS:
                is_noticed = True
                on_wait(str(error), policy.left_secs(failures, spent_secs, wait_secs))
        clock.sleep(wait_secs)


def retry_after_secs(header: str) -> float | None:
    """Seconds that a Retry-After header asks for, at most 300; None where it makes no sense."""
    try:
        return min(Retry().parse_retry_after(header), _LONGEST_RETRY_AFTER_SECS)
    except (InvalidHeader, ValueError, OverflowError):
        return None


class RetryingSender:
    """Sends a request again after a failure that may heal by itself."""

    def __init__(
        self,
        inner: Sender,
        policy: RetryPolicy,
        *,
        clock: Clock,
        usage: UsageCounter,
        on_wait: OnWait,
    ) -> None:
        self._inner = inner
        self._on_wait = on_wait
        self._policy = policy
        self._clock = clock
        self._usage = usage

    def send(self, request: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """See `Sender`. Raises MaxAttemptsExceeded after the last attempt of the policy."""
        return self._retry(request, lambda: self._inner.send(request, use))

    def send_accepted(
        self,
        request: ApiRequest,
        use: Callable[[requests.Response], T],
        accept: Callable[[T], Accepted],
    ) -> Accepted:
        """What ``accept`` makes of a result; where it raises TransientError, there is a retry.

        The answer is over by then, and others may use its connection and its slot.
        """
        return self._retry(request, lambda: accept(self._inner.send(request, use)))

    def _retry(self, request: ApiRequest, attempt: Callable[[], T]) -> T:
        return retry(
            attempt,
            self._policy,
            what=request.what,
            clock=self._clock,
            on_retry=self._note,
            on_wait=self._on_wait,
        )

    def _note(self, error: TransientError, wait_secs: float) -> None:
        with self._usage.lock:
            self._usage.retries += 1
        facts = {"reason": str(error), "wait_secs": round(wait_secs, 3)}
        log.warning("request will be retried", extra=facts)


def _given_up(what: str, failures: int, error: TransientError) -> MaxAttemptsExceeded:
    times = "attempt" if failures == 1 else "attempts"
    reason = str(error).removeprefix(f"{what}: ")
    return MaxAttemptsExceeded(
        f"{what}: given up after {failures} {times}; the last one failed: {reason}"
    )
