"""The only retry loop, and the policy that it follows."""

import random
import time
from collections.abc import Callable
from typing import Self, TypeVar

from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from upvs_tasks.errors import MaxAttemptsExceeded, TransientError

T = TypeVar("T")

# Specification §6: base 1 s, doubled each time, 30 s at most, then 75 % to 125 % of that.
_BASE_SECS = 1.0
_FACTOR = 2.0
_CEILING_SECS = 30.0
_LEAST_SHARE = 0.75
_SHARE_SPREAD = 0.5
# A console that asks for more than this is better asked again by a later run.
_LONGEST_REQUESTED_SECS = 300.0


class RetryPolicy(Retry):
    """How often to try, and how long to wait in between: urllib3's policy, with our waits.

    Like its parent it is a value: `increment` gives the policy after one more failure, and raises
    MaxRetryError when there is none.
    """

    @classmethod
    def of(cls, attempts: int) -> Self:
        """Policy of so many attempts, the first one included."""
        return cls(total=attempts - 1, backoff_factor=_BASE_SECS, backoff_max=_CEILING_SECS)

    def get_backoff_time(self) -> float:
        """Seconds to wait after the failures so far, before jitter; urllib3's first wait is 0."""
        if not self.history:
            return 0.0
        doublings = min(len(self.history) - 1, 64)
        return float(min(self.backoff_max, self.backoff_factor * _FACTOR**doublings))

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds that a Retry-After header asks for, in either of its spellings, at most 300."""
        return min(super().parse_retry_after(retry_after), _LONGEST_REQUESTED_SECS)

    def requested_secs(self, header: str | None) -> float | None:
        """Like `parse_retry_after`; None for a header that is absent or makes no sense."""
        if header is None:
            return None
        try:
            return self.parse_retry_after(header)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def wait_secs(self, error: TransientError, roll: float) -> float:
        """Seconds to wait now; ``roll`` is uniform in [0, 1). The console's own wish goes first."""
        if error.retry_after_secs:
            return error.retry_after_secs
        return self.get_backoff_time() * self.share(roll)

    @staticmethod
    def share(roll: float) -> float:
        """Which part of a wait to wait, 75 % to 125 %, so that not everybody comes at once."""
        return _LEAST_SHARE + _SHARE_SPREAD * roll


def retry(  # noqa: PLR0913  the last three are for tests and for those who show progress
    attempt: Callable[[], T],
    *,
    patience: RetryPolicy,
    what: str,
    sleep: Callable[[float], object] = time.sleep,
    roll: Callable[[], float] = random.random,
    on_retry: Callable[[TransientError, float], None] | None = None,
) -> T:
    """Result of the first attempt that succeeds; only a TransientError failure is worth another.

    Before each further attempt ``on_retry`` is told the failure and the seconds of the wait.
    Raises MaxAttemptsExceeded, which says what was tried, how often, and why the last one failed.
    """
    while True:
        try:
            return attempt()
        except TransientError as error:
            patience = _after(error, patience, what)
            wait_secs = patience.wait_secs(error, roll())
            if on_retry is not None:
                on_retry(error, wait_secs)
        sleep(wait_secs)


def _after(error: TransientError, patience: RetryPolicy, what: str) -> RetryPolicy:
    try:
        return patience.increment(url=what, error=error)
    except MaxRetryError:
        attempts = len(patience.history) + 1
        times = "attempt" if attempts == 1 else "attempts"
        reason = str(error).removeprefix(f"{what}: ")
        raise MaxAttemptsExceeded(
            f"{what}: given up after {attempts} {times}; the last one failed: {reason}"
        ) from error
