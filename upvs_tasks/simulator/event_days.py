"""The events of each day. They follow from rules, so they are the same on every machine.

Each camera has some events of its own on every date. Some dates have a special purpose: a moderate,
a busy, a quiet and an empty day, a day on which exports fail, two clock changes, and a day with
thousands of events.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from upvs_tasks.simulator.behaviour import EventIds
from upvs_tasks.simulator.event_groups import (
    SEC_MS,
    EventDraft,
    close_motions,
    equal_starts,
    long_detection,
    motion,
    motion_and_detection,
    other_types,
)
from upvs_tasks.simulator.events import SMART_AUDIO, SMART_ZONE, SimulatedEvent, event_id
from upvs_tasks.simulator.prng import Prng

EMPTY_DAY = date(2024, 1, 14)
MODERATE_DAY = date(2024, 1, 15)
BUSY_DAY = date(2024, 1, 16)
QUIET_DAY = date(2024, 1, 17)
UNRELIABLE_DAY = date(2024, 1, 18)
CROWDED_DAY = date(2024, 1, 19)
SPRING_DAY = date(2024, 3, 10)
AUTUMN_DAY = date(2024, 11, 3)

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _CameraDay:
    """A date as one camera sees it."""

    camera_id: str
    date: date
    zone: ZoneInfo

    @property
    def start_ms(self) -> int:
        """When the day begins."""
        return self.at_ms(0, 0)

    @property
    def end_ms(self) -> int:
        """When the next day begins."""
        return _CameraDay(self.camera_id, self.date + _ONE_DAY, self.zone).start_ms

    def at_ms(self, hour: int, minute: int, second: int = 0, *, fold: int = 0) -> int:
        """Return the instant of a wall time of this day."""
        day = self.date
        wall = datetime(
            day.year, day.month, day.day, hour, minute, second, tzinfo=self.zone, fold=fold
        )
        return int(wall.timestamp()) * SEC_MS

    def prng(self, purpose: str) -> Prng:
        """Return a generator whose seed is this purpose, camera and date."""
        return Prng(purpose, self.camera_id, self.date.isoformat())


_Rule = Callable[[_CameraDay], Iterator[EventDraft]]


@lru_cache(maxsize=4096)
def events_of_day(
    camera_id: str, day: date, timezone: str, id_format: EventIds, *, has_crowded_day: bool
) -> tuple[SimulatedEvent, ...]:
    """Return all events that begin on a camera's local date, in no particular order.

    ``has_crowded_day`` marks the camera that has thousands of events on one day.
    """
    camera_day = _CameraDay(camera_id, day, ZoneInfo(timezone))
    is_crowded = has_crowded_day and day == CROWDED_DAY
    rule = _crowded if is_crowded else _RULES.get(day, _ordinary)
    return tuple(
        SimulatedEvent(
            event_id(id_format, camera_id, day.isoformat(), number),
            draft.kind,
            camera_id if draft.has_camera else None,
            draft.start_ms,
            draft.end_ms,
            draft.score,
            draft.smart_types,
            draft.extra,
        )
        for number, draft in enumerate(rule(camera_day))
    )


def local_date(instant_ms: int, timezone: str) -> date:
    """Return the local date of an instant."""
    return datetime.fromtimestamp(instant_ms / SEC_MS, ZoneInfo(timezone)).date()


def _ordinary(day: _CameraDay) -> Iterator[EventDraft]:
    prng = day.prng("small")
    for start_ms in _starts(day, prng, prng.integer(6, 9)):
        yield from motion_and_detection(prng, start_ms)
    yield from _other_types(day, prng)


def _moderate(day: _CameraDay) -> Iterator[EventDraft]:
    prng = day.prng("moderate")
    for start_ms in _starts(day, prng, 43):
        yield from motion_and_detection(prng, start_ms, longest_ms=108_000)
    yield from _other_types(day, prng)


def _busy(day: _CameraDay) -> Iterator[EventDraft]:
    prng = day.prng("busy")
    for number, start_ms in enumerate(_starts(day, prng, 157)):
        if number % 40 == 0:
            yield from long_detection(prng, start_ms)
        elif number % 7 == 0:
            yield from close_motions(prng, start_ms)
        elif number % 11 == 0:
            yield from equal_starts(prng, start_ms)
        else:
            yield from motion_and_detection(prng, start_ms, smart_percent=80)
    yield from _other_types(day, prng)


def _quiet(day: _CameraDay) -> Iterator[EventDraft]:
    prng = day.prng("quiet")
    for hour in (7, 8, 12, 16, 17, 21):
        yield motion(prng, day.at_ms(hour, prng.integer(0, 59), prng.integer(0, 59)))


def _empty(day: _CameraDay) -> Iterator[EventDraft]:
    yield EventDraft(day.at_ms(11, 4), day.at_ms(11, 4), "adminActivity", has_camera=False)


def _unreliable(day: _CameraDay) -> Iterator[EventDraft]:
    """Also yield events without an end, and types and fields that no client knows."""
    prng = day.prng("rough")
    for number, start_ms in enumerate(_starts(day, prng, 40)):
        group = equal_starts if number % 9 == 0 else motion_and_detection
        yield from group(prng, start_ms)
        if number % 5 == 0:
            yield EventDraft(start_ms, start_ms + 9 * SEC_MS, "access", has_camera=False)
    yield EventDraft(day.at_ms(14, 30), None, SMART_ZONE, ("vehicle",), 70)
    yield EventDraft(day.at_ms(15, 0), None, "disconnect")
    unknown_fields = (("holograms", [{"depth": 3}]), ("category", "unheardOf"))
    for hour in (9, 13, 18):
        start_ms = day.at_ms(hour, 10)
        yield EventDraft(start_ms, start_ms + 7 * SEC_MS, SMART_AUDIO, ("alrmBark",))
        end_ms = start_ms + 12 * SEC_MS
        yield EventDraft(start_ms, end_ms, "smartDetectHologram", extra=unknown_fields)
    yield from _other_types(day, prng)


def _crowded(day: _CameraDay) -> Iterator[EventDraft]:
    """Yield thousands of events, so far apart that no two can be exported as one clip."""
    prng = day.prng("flock")
    for start_ms in range(day.start_ms + 3 * SEC_MS, day.end_ms - 20 * SEC_MS, 30 * SEC_MS):
        end_ms = start_ms + prng.integer(8, 12) * SEC_MS
        yield EventDraft(start_ms, end_ms, score=prng.integer(0, 99))


def _spring(day: _CameraDay) -> Iterator[EventDraft]:
    yield from _near_midnight(day)
    prng = day.prng("spring")
    for wall in ((1, 58, 30), (1, 59, 45), (3, 0, 0), (3, 1, 20), (9, 30, 0), (18, 15, 0)):
        yield motion(prng, day.at_ms(*wall))


def _autumn(day: _CameraDay) -> Iterator[EventDraft]:
    yield from _near_midnight(day)
    prng = day.prng("autumn")
    for fold in (0, 1):
        yield motion(prng, day.at_ms(1, 30, fold=fold))
        yield motion(prng, day.at_ms(1, 59, 40, fold=fold))
    for wall in ((0, 59, 30), (2, 0, 10), (10, 30, 0), (17, 15, 0)):
        yield motion(prng, day.at_ms(*wall))


def _day_before(day: _CameraDay) -> Iterator[EventDraft]:
    """Yield the day before a clock change: one event just before midnight, one across it."""
    yield from _ordinary(day)
    yield EventDraft(day.end_ms - 90 * SEC_MS, day.end_ms - 60 * SEC_MS, score=51)
    yield EventDraft(day.end_ms - 20 * SEC_MS, day.end_ms + 15 * SEC_MS, score=52)


def _day_after(day: _CameraDay) -> Iterator[EventDraft]:
    """Yield the day after a clock change: one event just after midnight."""
    yield from _ordinary(day)
    yield EventDraft(day.start_ms + 60 * SEC_MS, day.start_ms + 90 * SEC_MS, score=53)


def _near_midnight(day: _CameraDay) -> Iterator[EventDraft]:
    yield EventDraft(day.start_ms + 60 * SEC_MS, day.start_ms + 85 * SEC_MS, score=54)
    yield EventDraft(day.end_ms - 100 * SEC_MS, day.end_ms - 60 * SEC_MS, score=55)
    yield EventDraft(day.end_ms - 25 * SEC_MS, day.end_ms + 12 * SEC_MS, score=56)


def _starts(day: _CameraDay, prng: Prng, count: int) -> list[int]:
    """Return start instants over the day, most of them in daylight, in order."""
    starts_ms = []
    for _ in range(count):
        hour = prng.integer(0, 22) if prng.chance(15) else prng.integer(7, 20)
        starts_ms.append(day.at_ms(hour, prng.integer(0, 59)) + prng.integer(0, 59_999))
    return sorted(starts_ms)


def _other_types(day: _CameraDay, prng: Prng) -> Iterator[EventDraft]:
    return other_types(prng, day.at_ms(12, prng.integer(0, 59), prng.integer(0, 59)))


_RULES: dict[date, _Rule] = {
    EMPTY_DAY: _empty,
    MODERATE_DAY: _moderate,
    BUSY_DAY: _busy,
    QUIET_DAY: _quiet,
    UNRELIABLE_DAY: _unreliable,
    SPRING_DAY - _ONE_DAY: _day_before,
    SPRING_DAY: _spring,
    SPRING_DAY + _ONE_DAY: _day_after,
    AUTUMN_DAY - _ONE_DAY: _day_before,
    AUTUMN_DAY: _autumn,
    AUTUMN_DAY + _ONE_DAY: _day_after,
}
