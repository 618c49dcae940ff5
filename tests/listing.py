"""How many requests it may take to list a day: what `paging` promises, and proves."""

from bisect import bisect_right
from collections.abc import Iterable


def most_requests(
    starts_ms: Iterable[int], *, limit: int, largest_limit: int, keeps_an_end: bool = False
) -> int | None:
    """The most that a day of these events may take; None where too many start at one instant.

    ``limit`` is what was asked for at first, ``largest_limit`` at the end. ``keeps_an_end`` says
    that a full page always holds the oldest of its window, or always the newest.
    """
    starts = sorted(starts_ms)
    room = limit - limit // 10
    at_once = (bisect_right(starts, at + 2) - place for place, at in enumerate(starts))
    progress = (room - 1 if keeps_an_end else room // 2) - max(at_once, default=0)
    if progress < 1:
        return None
    doublings = (largest_limit // limit).bit_length() - 1
    return 2 * (len(starts) // progress) + 13 + doublings
