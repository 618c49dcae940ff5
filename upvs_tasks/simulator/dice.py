"""Numbers that look thrown but follow from a seed alone, the same on every machine and version."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

Choice = TypeVar("Choice")

_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407
_STATE_BITS = 64


class Dice:
    """A linear congruential generator seeded by text."""

    def __init__(self, *seed: object) -> None:
        self._state = int.from_bytes(sha256(repr(seed).encode()).digest()[:8])

    def between(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included."""
        return low + self._next() % (high - low + 1)

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        """Return one of the choices."""
        return choices[self.between(0, len(choices) - 1)]

    def hits(self, percent: int) -> bool:
        """Say yes in so many of a hundred throws."""
        return self.between(1, 100) <= percent

    def _next(self) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) % (1 << _STATE_BITS)
        return self._state >> 33
