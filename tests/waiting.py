"""Waiting for what other threads and processes do, and never for ever."""

from collections.abc import Callable, Iterator
from time import monotonic, sleep

_PAUSE_SECS = 0.005


def deadline(secs: float = 60.0) -> Iterator[None]:
    """Yield again and again, with a short pause, and fail when the time is over."""
    end_secs = monotonic() + secs
    while monotonic() < end_secs:
        yield
        sleep(_PAUSE_SECS)
    raise AssertionError(f"this did not happen within {secs:.0f} s")


def wait_until(claim: Callable[[], bool]) -> None:
    """Return once the claim holds, and fail where it does not in time."""
    for _ in deadline():
        if claim():
            return
