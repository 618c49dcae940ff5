"""Spans of time, in Unix milliseconds, from the first instant to the one after the last."""

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

Span = tuple[int, int]


class Spans:
    """Many spans, among which those of a time are found soon."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._ordered = sorted(spans)

    @cached_property
    def _longest_ms(self) -> int:
        return max((end_ms - start_ms for start_ms, end_ms in self._ordered), default=0)

    def overlapping(self, span: Span) -> list[Span]:
        """Those that share an instant with a span, in the order of time."""
        start_ms, end_ms = span
        first = bisect_left(self._ordered, (start_ms - self._longest_ms,))
        after = bisect_left(self._ordered, (end_ms,))
        return [each for each in self._ordered[first:after] if each[1] > start_ms]

    def uncovered(self, span: Span) -> tuple[Span, ...]:
        """The parts of a span that none of these covers, in the order of time."""
        left = []
        start_ms, end_ms = span
        for covering_start_ms, covering_end_ms in self.overlapping(span):
            if start_ms < covering_start_ms:
                left.append((start_ms, covering_start_ms))
            start_ms = max(start_ms, covering_end_ms)
        if start_ms < end_ms:
            left.append((start_ms, end_ms))
        return tuple(left)
