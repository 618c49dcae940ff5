"""How many exports to ask for at once: what a console bears is found out by asking for it.

A run of successes widens by one, any sign of strain halves at once. The width that failed is
remembered and tried again only after ever more successes; one that has proved itself is not held
to be too wide for a single failure.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

FIRST_WIDTH = 2
# So many exports to each place before a width is thought to be borne.
_RUN_FOR_EACH_PLACE = 3
# Successes before a width that failed is tried again; doubled each time that it fails anew.
_FIRST_HOLD = 32
_LONGEST_HOLD = 512
# A UDM Pro was seen to take 250 ms before the first byte, and then to send 19 MB a second: a short
# clip is not a slow one.
_COST_OF_ASKING_BYTES = 4_000_000
# Nobody who answers faster than this is struggling, whatever the comparison says.
_UNHURRIED_SECS = 0.5
_SUFFERING_SHARE = 0.8
_SLOWED_SHARE = 1 / 3
_FIRST_COOL_DOWN_SECS = 1.0
_LONGEST_COOL_DOWN_SECS = 30.0


class Strain(Enum):
    """How a console shows that it has too much to do, or might have."""

    REFUSED = auto()  # it says so
    BROKEN = auto()  # it fails, falls silent, or breaks off


@dataclass(frozen=True, slots=True)
class Export:
    """One export that succeeded; ``running`` is how many ran beside it at most, itself included."""

    running: int
    size_bytes: int
    secs: float


@dataclass(frozen=True, slots=True)
class Run:
    """Successes in a row at one width."""

    exports: int = 0
    cost_bytes: int = 0
    secs: float = 0.0

    def with_export(self, export: Export) -> "Run":
        """The run, one longer."""
        cost_bytes = self.cost_bytes + export.size_bytes + _COST_OF_ASKING_BYTES
        return Run(self.exports + 1, cost_bytes, self.secs + export.secs)

    @property
    def speed(self) -> float:
        """Of one export among the others; 0 where they are too quick to compare."""
        return self.cost_bytes / self.secs if self.secs >= _UNHURRIED_SECS * self.exports else 0.0


@dataclass(frozen=True, slots=True)
class AdaptiveLimit:
    """How many exports may run at once, and what is known of the widths tried so far.

    ``sound_width`` is the widest that saw a whole run of successes and no failure since,
    ``failed_width`` the narrowest that is taken for too wide, 0 for none. ``speeds`` holds each
    width's best, from 1 up; 0 where it is not known.
    """

    ceiling: int
    width: int
    sound_width: int = 0
    failed_width: int = 0
    hold: int = _FIRST_HOLD
    hold_left: int = 0
    refusals_in_a_row: int = 0
    run: Run = Run()
    speeds: tuple[float, ...] = ()

    @classmethod
    def of(cls, ceiling: int) -> "AdaptiveLimit":
        """The pace to begin with; never more than ``ceiling`` at once."""
        return cls(ceiling=ceiling, width=min(FIRST_WIDTH, ceiling))

    def succeeded(self, export: Export) -> "AdaptiveLimit":
        """The pace after a success; only with all places taken does it tell of the width."""
        pace = replace(self, refusals_in_a_row=0)
        if export.running < self.width:
            return pace
        run = self.run.with_export(export)
        pace = replace(pace, run=run, hold_left=max(0, self.hold_left - 1))
        return pace if run.exports < _whole_run(pace) else _judged(pace)

    def strained(self, running: int, strain: Strain) -> "AdaptiveLimit":
        """The pace after a failure that load may have caused, with so many running."""
        is_refusal = strain is Strain.REFUSED
        pace = replace(
            self,
            width=max(1, min(self.width, running) // 2),
            run=Run(),
            refusals_in_a_row=self.refusals_in_a_row + 1 if is_refusal else 0,
        )
        if running <= 1:
            return pace
        if running <= self.sound_width:
            return replace(pace, sound_width=running - 1)
        return _kept_below(pace, running)

    def cool_down_secs(self, roll: float) -> float:
        """How long nobody should start an export after a strain; ``roll`` is in [0, 1)."""
        doublings = min(max(0, self.refusals_in_a_row - 1), 32)
        plain_secs = min(_LONGEST_COOL_DOWN_SECS, _FIRST_COOL_DOWN_SECS * 2.0**doublings)
        return plain_secs * (0.75 + 0.5 * roll)


def _whole_run(pace: AdaptiveLimit) -> int:
    """Successes that a width needs; one on the way back to where it was needs fewer."""
    return pace.width * (1 if pace.width < pace.sound_width else _RUN_FOR_EACH_PLACE)


def _judged(pace: AdaptiveLimit) -> AdaptiveLimit:
    """The pace after a whole run at its width."""
    speed, best = pace.run.speed, _speed_at(pace, pace.width)
    fresh = replace(pace, run=Run())
    if pace.width > 1 and 0 < speed < best * _SLOWED_SHARE:
        narrower = pace.width // 2
        return replace(fresh, width=narrower, sound_width=narrower, speeds=())
    if speed and not best and _suffers(pace, speed):
        return replace(_kept_below(fresh, pace.width), width=pace.width - 1)
    sound_width = max(pace.sound_width, pace.width)
    speeds = _speeds_with(pace, max(speed, best))
    return _widened(replace(fresh, sound_width=sound_width, speeds=speeds))


def _suffers(pace: AdaptiveLimit, speed: float) -> bool:
    """Whether all together are slower than one fewer were."""
    narrower = _speed_at(pace, pace.width - 1) * (pace.width - 1)
    return speed * pace.width < narrower * _SUFFERING_SHARE


def _widened(pace: AdaptiveLimit) -> AdaptiveLimit:
    if 0 < pace.failed_width <= pace.width:
        pace = replace(pace, failed_width=0, hold=_FIRST_HOLD, hold_left=0)
    is_held = pace.width + 1 == pace.failed_width and pace.hold_left > 0
    return pace if is_held else replace(pace, width=min(pace.ceiling, pace.width + 1))


def _kept_below(pace: AdaptiveLimit, width: int) -> AdaptiveLimit:
    is_known = width == pace.failed_width
    hold = min(_LONGEST_HOLD, 2 * pace.hold) if is_known else _FIRST_HOLD
    return replace(pace, failed_width=width, hold=hold, hold_left=hold)


def _speed_at(pace: AdaptiveLimit, width: int) -> float:
    return pace.speeds[width - 1] if 0 < width <= len(pace.speeds) else 0.0


def _speeds_with(pace: AdaptiveLimit, speed: float) -> tuple[float, ...]:
    """All known speeds, with this one at the present width."""
    known = pace.speeds + (0.0,) * (pace.width - len(pace.speeds))
    return (*known[: pace.width - 1], speed, *known[pace.width :])
