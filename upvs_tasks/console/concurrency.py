"""How many exports run at once: what a console bears is found out by asking for it.

Additive increase, multiplicative decrease: a streak of successes raises the limit by one, any sign
of overload halves it at once. A limit that failed is remembered and tried again only after ever
more successes. A limit that has proved itself is not held to be too high for a single failure.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition
from typing import TypeVar

import requests

from upvs_tasks.clock import Clock
from upvs_tasks.console.export import Download
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.request import ApiRequest, Sender
from upvs_tasks.console.retry import NOTICED_SECS, OnWait
from upvs_tasks.console.usage import ConcurrencyFigures, UsageCounter

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_LIMIT = 2
# So many exports for each slot before a limit counts as proven.
_STREAK_PER_SLOT = 3
# Successes before a limit that failed is tried again; doubled each time that it fails again.
_FIRST_HOLD = 32
_LONGEST_HOLD = 512
# A UDM Pro was seen to take 250 ms before the first byte, and then to send 19 MB a second: a short
# clip is not a slow one.
_BYTES_PER_REQUEST = 4_000_000
# A console that answers faster than this is not overloaded, whatever the comparison says.
_QUICK_SECS = 0.5
_SLOWER_IN_ALL = 0.8
_SLOWER_EACH = 1 / 3
_FIRST_PAUSE_SECS = 1.0
_LONGEST_PAUSE_SECS = 30.0
# An export that is refused so often beside others is not refused because of them.
_MOST_REFUSALS = 10


@dataclass(frozen=True, slots=True)
class AdaptiveLimit:
    """How many exports may run at once, and what is known of the limits tried so far.

    ``proven`` is the highest limit that saw a whole streak of successes and no failure since,
    ``failed`` the lowest that is taken for too high, 0 for none. ``speeds`` holds the best speed
    of one export under each limit, from 1 up; 0 where it is not known. ``streak`` is the successes
    in a row under this limit, ``streak_bytes`` and ``streak_secs`` what they cost.
    """

    ceiling: int
    limit: int
    proven: int = 0
    failed: int = 0
    hold: int = _FIRST_HOLD
    hold_left: int = 0
    refusals_in_a_row: int = 0
    streak: int = 0
    streak_bytes: int = 0
    streak_secs: float = 0.0
    speeds: tuple[float, ...] = ()

    @classmethod
    def of(cls, ceiling: int) -> "AdaptiveLimit":
        """The limit to begin with; it never goes above ``ceiling``."""
        return cls(ceiling=ceiling, limit=min(FIRST_LIMIT, ceiling))

    def after_success(self, running: int, *, size_bytes: int, secs: float) -> "AdaptiveLimit":
        """The limit after an export beside which at most ``running`` ran, itself included.

        It says something about the limit only if all slots were taken.
        """
        limit = replace(self, refusals_in_a_row=0)
        if running < self.limit:
            return limit
        limit = replace(
            limit,
            streak=self.streak + 1,
            streak_bytes=self.streak_bytes + size_bytes + _BYTES_PER_REQUEST,
            streak_secs=self.streak_secs + secs,
            hold_left=max(0, self.hold_left - 1),
        )
        return limit if limit.streak < _whole_streak(limit) else _judged(limit)

    def after_overload(self, running: int, *, is_stated: bool) -> "AdaptiveLimit":
        """The limit after a failure that load may have caused, with so many running.

        ``is_stated``: the console says that it has too much to do.
        """
        limit = replace(
            _without_streak(self),
            limit=max(1, min(self.limit, running) // 2),
            refusals_in_a_row=self.refusals_in_a_row + 1 if is_stated else 0,
        )
        if running <= 1:
            return limit
        if running <= self.proven:
            return replace(limit, proven=running - 1)
        return _held_below(limit, running)

    def pause_secs(self, share: float) -> float:
        """How long no export should start after an overload; ``share`` is in [0, 1)."""
        doublings = min(max(0, self.refusals_in_a_row - 1), 32)
        plain_secs = min(_LONGEST_PAUSE_SECS, _FIRST_PAUSE_SECS * 2.0**doublings)
        return plain_secs * (0.75 + 0.5 * share)

    @property
    def speed(self) -> float:
        """Of one export in this streak; 0 where they are too quick to compare."""
        is_quick = self.streak_secs < _QUICK_SECS * self.streak
        return 0.0 if is_quick or not self.streak else self.streak_bytes / self.streak_secs


class Slot:
    """The place of one export among those that run at once."""

    def __init__(self, *, began_secs: float, decreases: int, running: int) -> None:
        self.began_secs = began_secs
        self.decreases = decreases
        self.running = running


class ConcurrencyLimiter:
    """Lets no more exports through at once than the console bears; all threads share it."""

    def __init__(
        self, inner: Sender, ceiling: int, *, clock: Clock, usage: UsageCounter, on_wait: OnWait
    ) -> None:
        self._inner = inner
        self._on_wait = on_wait
        self._clock = clock
        self._usage = usage
        self._changed = Condition()
        self._limit = AdaptiveLimit.of(ceiling)
        self._slots: set[Slot] = set()
        self._decreases = 0
        self._paused_until_secs = 0.0
        self._busy_since_secs = 0.0
        self._fewest = self._most = 0
        self._exporting_secs = self._paused_secs = 0.0

    @property
    def figures(self) -> ConcurrencyFigures:
        """What the limit has been so far."""
        with self._changed:
            return ConcurrencyFigures(
                self._fewest, self._most, self._exporting_secs, self._paused_secs
            )

    def send(self, request: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """See `Sender`; waits for a slot.

        An export that the console refuses because of others of ours is sent again in a new slot,
        without costing it an attempt.
        """
        for refusals in range(_MOST_REFUSALS + 1):
            slot = self._take_slot()
            try:
                result = self._inner.send(request, use)
            except FailedRequestError as failure:
                may_be, is_stated = failure.may_be_overload, failure.says_overload
                if may_be:
                    self._learn_overload(slot, failure.retry_after_secs, is_stated=is_stated)
                if not is_stated or slot.running == 1 or refusals == _MOST_REFUSALS:
                    raise
            else:
                self._learn_success(slot, result)
                return result
            finally:
                self._give_back(slot)
            with self._usage.lock:
                self._usage.retries += 1
        raise AssertionError("the last refusal is raised")

    def _learn_success(self, slot: Slot, result: object) -> None:
        with self._changed:
            secs = self._clock.monotonic_secs() - slot.began_secs
            size_bytes = result.size_bytes if isinstance(result, Download) else 0
            if slot.decreases == self._decreases:
                self._adopt(
                    self._limit.after_success(slot.running, size_bytes=size_bytes, secs=secs)
                )

    def _learn_overload(
        self, slot: Slot, retry_after_secs: float | None, *, is_stated: bool
    ) -> None:
        """An export that began before the last decrease does not decrease the limit again."""
        with self._changed:
            secs = retry_after_secs or 0.0
            if slot.decreases == self._decreases:
                self._adopt(self._limit.after_overload(slot.running, is_stated=is_stated))
                secs = secs or self._limit.pause_secs(self._clock.random())
            self._pause(secs)

    def _take_slot(self) -> Slot:
        while True:
            with self._changed:
                now_secs = self._clock.monotonic_secs()
                pause_secs = self._paused_until_secs - now_secs
                if pause_secs <= 0:
                    if len(self._slots) < self._limit.limit:
                        return self._new_slot(now_secs)
                    self._changed.wait()
                    continue
            if pause_secs >= NOTICED_SECS:
                self._on_wait("the console has too much to do", pause_secs)
            self._clock.sleep(pause_secs)

    def _new_slot(self, now_secs: float) -> Slot:
        running = len(self._slots) + 1
        if running == 1:
            self._busy_since_secs = now_secs
        slot = Slot(began_secs=now_secs, decreases=self._decreases, running=running)
        self._slots.add(slot)
        for other in self._slots:
            other.running = max(other.running, running)
        limit = self._limit.limit
        self._fewest, self._most = min(self._fewest or limit, limit), max(self._most, limit)
        return slot

    def _give_back(self, slot: Slot) -> None:
        with self._changed:
            self._slots.discard(slot)
            if not self._slots:
                self._exporting_secs += self._clock.monotonic_secs() - self._busy_since_secs
            self._changed.notify_all()

    def _adopt(self, limit: AdaptiveLimit) -> None:
        if limit.limit != self._limit.limit:
            facts = {"limit": limit.limit, "former_limit": self._limit.limit}
            log.debug("limit of exports changed", extra=facts)
        self._decreases += limit.limit < self._limit.limit
        self._limit = limit
        self._changed.notify_all()

    def _pause(self, secs: float) -> None:
        now_secs = self._clock.monotonic_secs()
        added_secs = now_secs + secs - max(now_secs, self._paused_until_secs)
        if added_secs > 0:
            self._paused_until_secs = now_secs + secs
            self._paused_secs += added_secs


def _whole_streak(limit: AdaptiveLimit) -> int:
    """Successes that a limit needs; one on the way back to a proven one needs fewer."""
    return limit.limit * (1 if limit.limit < limit.proven else _STREAK_PER_SLOT)


def _without_streak(limit: AdaptiveLimit) -> AdaptiveLimit:
    return replace(limit, streak=0, streak_bytes=0, streak_secs=0.0)


def _judged(limit: AdaptiveLimit) -> AdaptiveLimit:
    """The limit after a whole streak of successes."""
    speed, best = limit.speed, _speed_under(limit, limit.limit)
    fresh = _without_streak(limit)
    if limit.limit > 1 and 0 < speed < best * _SLOWER_EACH:
        lower = limit.limit // 2
        return replace(fresh, limit=lower, proven=lower, speeds=())
    if speed and not best and _is_slower_in_all(limit, speed):
        return replace(_held_below(fresh, limit.limit), limit=limit.limit - 1)
    proven = max(limit.proven, limit.limit)
    return _raised(replace(fresh, proven=proven, speeds=_speeds_with(limit, max(speed, best))))


def _is_slower_in_all(limit: AdaptiveLimit, speed: float) -> bool:
    """Whether all exports together are slower than under a limit that is lower by one."""
    former = _speed_under(limit, limit.limit - 1) * (limit.limit - 1)
    return speed * limit.limit < former * _SLOWER_IN_ALL


def _raised(limit: AdaptiveLimit) -> AdaptiveLimit:
    if 0 < limit.failed <= limit.limit:
        limit = replace(limit, failed=0, hold=_FIRST_HOLD, hold_left=0)
    is_held = limit.limit + 1 == limit.failed and limit.hold_left > 0
    return limit if is_held else replace(limit, limit=min(limit.ceiling, limit.limit + 1))


def _held_below(limit: AdaptiveLimit, failed: int) -> AdaptiveLimit:
    is_known = failed == limit.failed
    hold = min(_LONGEST_HOLD, 2 * limit.hold) if is_known else _FIRST_HOLD
    return replace(limit, failed=failed, hold=hold, hold_left=hold)


def _speed_under(limit: AdaptiveLimit, number: int) -> float:
    return limit.speeds[number - 1] if 0 < number <= len(limit.speeds) else 0.0


def _speeds_with(limit: AdaptiveLimit, speed: float) -> tuple[float, ...]:
    """All known speeds, with this one under the present limit."""
    known = limit.speeds + (0.0,) * (limit.limit - len(limit.speeds))
    return (*known[: limit.limit - 1], speed, *known[limit.limit :])
