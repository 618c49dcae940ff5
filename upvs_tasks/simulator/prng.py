"""Pseudo-random numbers that follow from a seed alone, the same on every machine and version."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

Option = TypeVar("Option")

_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407
_STATE_BITS = 64


class Prng:
    """A linear congruential generator; any values make its seed."""

    def __init__(self, *seed: object) -> None:
        self._state = int.from_bytes(sha256(repr(seed).encode()).digest()[:8])

    def integer(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included."""
        return low + self._next() % (high - low + 1)

    def choice(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """Return True in this percentage of calls, on average."""
        return self.integer(1, 100) <= percent

    def _next(self) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) % (1 << _STATE_BITS)
        return self._state >> 33
