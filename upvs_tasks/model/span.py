"""Spans of time, in Unix milliseconds, from the first instant to the one after the last."""

from collections.abc import Iterable

Span = tuple[int, int]


def uncovered(span: Span, covering: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of a span that none of the others covers, in the order of time."""
    left = []
    start_ms, end_ms = span
    for covering_start_ms, covering_end_ms in sorted(covering):
        if start_ms < min(covering_start_ms, end_ms):
            left.append((start_ms, min(covering_start_ms, end_ms)))
        start_ms = max(start_ms, covering_end_ms)
    if start_ms < end_ms:
        left.append((start_ms, end_ms))
    return tuple(left)


def overlap(one: Span, other: Span) -> bool:
    """Whether the two share an instant."""
    return one[0] < other[1] and other[0] < one[1]
