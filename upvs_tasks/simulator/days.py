"""The events of each day, written once by rule: the same on every machine and in every run.

Each camera has a small day of its own on every date, and on some dates a day made for a purpose:
a moderate, a busy, a quiet, an empty and a rough one, two clock changes, and a day of sparrows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from upvs_tasks.simulator.behaviour import EventIds
from upvs_tasks.simulator.dice import Dice
from upvs_tasks.simulator.events import (
    MOTION,
    RING,
    SMART_AUDIO,
    SMART_LINE,
    SMART_LOITER,
    SMART_ZONE,
    VIDEO_EXPORTED,
    SimulatedEvent,
    event_id,
)

EMPTY_DAY = date(2024, 1, 14)
MODERATE_DAY = date(2024, 1, 15)
BUSY_DAY = date(2024, 1, 16)
QUIET_DAY = date(2024, 1, 17)
ROUGH_DAY = date(2024, 1, 18)
FLOCK_DAY = date(2024, 1, 19)
SPRING_DAY = date(2024, 3, 10)
AUTUMN_DAY = date(2024, 11, 3)

_SEC = 1000
_MINUTE = 60 * _SEC
_HOUR = 60 * _MINUTE
_ONE_DAY = timedelta(days=1)
_SMART = ("person", "person", "vehicle", "vehicle", "animal", "package")
_SOUNDS = ("alrmSpeak", "alrmBark", "alrmCarHorn")


@dataclass(frozen=True, slots=True)
class _Sketch:
    """An event without its id."""

    start_ms: int
    end_ms: int | None
    kind: str = MOTION
    smart_types: tuple[str, ...] = ()
    score: int = 0
    has_camera: bool = True
    extra: tuple[tuple[str, object], ...] = ()


_Recipe = Callable[["_Day"], Iterator[_Sketch]]


@dataclass(frozen=True, slots=True)
class _Day:
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
        return _Day(self.camera_id, self.date + _ONE_DAY, self.zone).start_ms

    def at_ms(self, hour: int, minute: int, second: int = 0, *, fold: int = 0) -> int:
        """Return the instant of a wall time of this day."""
        day = self.date
        wall = datetime(
            day.year, day.month, day.day, hour, minute, second, tzinfo=self.zone, fold=fold
        )
        return int(wall.timestamp()) * _SEC

    def dice(self, purpose: str) -> Dice:
        """Return dice of this day's own."""
        return Dice(purpose, self.camera_id, self.date.isoformat())


@lru_cache(maxsize=4096)
def events_of_day(
    camera_id: str, day: date, timezone: str, shape: EventIds, *, is_small_bird: bool
) -> tuple[SimulatedEvent, ...]:
    """Return all rows that begin on a camera's local date, in no particular order.

    ``is_small_bird`` marks the camera whose day of sparrows has thousands of events.
    """
    here = _Day(camera_id, day, ZoneInfo(timezone))
    recipe = _flock if is_small_bird and day == FLOCK_DAY else _RECIPES.get(day, _small)
    return tuple(
        SimulatedEvent(
            event_id(shape, camera_id, day.isoformat(), number),
            sketch.kind,
            camera_id if sketch.has_camera else None,
            sketch.start_ms,
            sketch.end_ms,
            sketch.score,
            sketch.smart_types,
            sketch.extra,
        )
        for number, sketch in enumerate(recipe(here))
    )


def local_date(instant_ms: int, timezone: str) -> date:
    """Return the date on the wall at an instant."""
    return datetime.fromtimestamp(instant_ms / _SEC, ZoneInfo(timezone)).date()


def _small(day: _Day) -> Iterator[_Sketch]:
    dice = day.dice("small")
    for start_ms in _spread(day, dice, dice.between(6, 9)):
        yield from _visit(dice, start_ms)
    yield from _rest(day, dice)


def _moderate(day: _Day) -> Iterator[_Sketch]:
    dice = day.dice("moderate")
    for start_ms in _spread(day, dice, 43):
        yield from _visit(dice, start_ms, longest_ms=108_000)
    yield from _rest(day, dice)


def _busy(day: _Day) -> Iterator[_Sketch]:
    dice = day.dice("busy")
    for number, start_ms in enumerate(_spread(day, dice, 157)):
        if number % 40 == 0:
            yield from _party(dice, start_ms)
        elif number % 7 == 0:
            yield from _chain(dice, start_ms)
        elif number % 11 == 0:
            yield from _tie(dice, start_ms)
        else:
            yield from _visit(dice, start_ms, smart_percent=80)
    yield from _rest(day, dice)


def _quiet(day: _Day) -> Iterator[_Sketch]:
    dice = day.dice("quiet")
    for hour in (7, 8, 12, 16, 17, 21):
        yield _motion(dice, day.at_ms(hour, dice.between(0, 59), dice.between(0, 59)))


def _empty(day: _Day) -> Iterator[_Sketch]:
    yield _Sketch(day.at_ms(11, 4), day.at_ms(11, 4), "adminActivity", has_camera=False)


def _rough(day: _Day) -> Iterator[_Sketch]:
    dice = day.dice("rough")
    for number, start_ms in enumerate(_spread(day, dice, 40)):
        yield from _tie(dice, start_ms) if number % 9 == 0 else _visit(dice, start_ms)
        if number % 5 == 0:
            yield _Sketch(start_ms, start_ms + 9 * _SEC, "access", has_camera=False)
    yield _Sketch(day.at_ms(14, 30), None, SMART_ZONE, ("vehicle",), 70)
    yield _Sketch(day.at_ms(15, 0), None, "disconnect")
    for hour in (9, 13, 18):
        start_ms = day.at_ms(hour, 10)
        yield _Sketch(start_ms, start_ms + 7 * _SEC, SMART_AUDIO, ("alrmBark",))
        novelty = (("holograms", [{"depth": 3}]), ("category", "unheardOf"))
        yield _Sketch(start_ms, start_ms + 12 * _SEC, "smartDetectHologram", extra=novelty)
    yield from _rest(day, dice)


def _flock(day: _Day) -> Iterator[_Sketch]:
    """Thousands of events so far apart that none can be joined with its neighbour."""
    dice = day.dice("flock")
    for start_ms in range(day.start_ms + 3 * _SEC, day.end_ms - 20 * _SEC, 30 * _SEC):
        yield _Sketch(start_ms, start_ms + dice.between(8, 12) * _SEC, score=dice.between(0, 99))


def _spring(day: _Day) -> Iterator[_Sketch]:
    yield from _edges(day)
    dice = day.dice("spring")
    for wall in ((1, 58, 30), (1, 59, 45), (3, 0, 0), (3, 1, 20), (9, 30, 0), (18, 15, 0)):
        yield _motion(dice, day.at_ms(*wall))


def _autumn(day: _Day) -> Iterator[_Sketch]:
    yield from _edges(day)
    dice = day.dice("autumn")
    for fold in (0, 1):
        yield _motion(dice, day.at_ms(1, 30, fold=fold))
        yield _motion(dice, day.at_ms(1, 59, 40, fold=fold))
    for wall in ((0, 59, 30), (2, 0, 10), (10, 30, 0), (17, 15, 0)):
        yield _motion(dice, day.at_ms(*wall))


def _before(day: _Day) -> Iterator[_Sketch]:
    """Fill the day before a clock change: an event a minute outside, one across midnight."""
    yield from _small(day)
    yield _Sketch(day.end_ms - 90 * _SEC, day.end_ms - 60 * _SEC, score=51)
    yield _Sketch(day.end_ms - 20 * _SEC, day.end_ms + 15 * _SEC, score=52)


def _after(day: _Day) -> Iterator[_Sketch]:
    """Fill the day after a clock change: an event a minute outside."""
    yield from _small(day)
    yield _Sketch(day.start_ms + 60 * _SEC, day.start_ms + 90 * _SEC, score=53)


def _edges(day: _Day) -> Iterator[_Sketch]:
    yield _Sketch(day.start_ms + 60 * _SEC, day.start_ms + 85 * _SEC, score=54)
    yield _Sketch(day.end_ms - 100 * _SEC, day.end_ms - 60 * _SEC, score=55)
    yield _Sketch(day.end_ms - 25 * _SEC, day.end_ms + 12 * _SEC, score=56)


def _spread(day: _Day, dice: Dice, count: int) -> list[int]:
    """Return start instants over the day, most of them in daylight, whole milliseconds."""
    starts = []
    for _ in range(count):
        hour = dice.between(0, 22) if dice.hits(15) else dice.between(7, 20)
        starts.append(day.at_ms(hour, dice.between(0, 59)) + dice.between(0, 59_999))
    return sorted(starts)


def _motion(dice: Dice, start_ms: int) -> _Sketch:
    lasts_ms = dice.between(21_000, 28_000) if dice.hits(70) else dice.between(28_000, 47_000)
    return _Sketch(start_ms, start_ms + lasts_ms, score=dice.between(0, 99))


def _smart(dice: Dice, start_ms: int, lasts_ms: int) -> _Sketch:
    kind = SMART_ZONE
    if dice.hits(12):
        kind = dice.one_of((SMART_LINE, SMART_LOITER))
    seen = {dice.one_of(_SMART)}
    if dice.hits(20):
        seen.add(dice.one_of(_SMART))
    return _Sketch(start_ms, start_ms + lasts_ms, kind, tuple(sorted(seen)), dice.between(40, 99))


def _visit(
    dice: Dice, start_ms: int, *, smart_percent: int = 65, longest_ms: int = 60_000
) -> Iterator[_Sketch]:
    """Yield a motion and often a smart detection that overlaps with it."""
    motion = _motion(dice, start_ms)
    yield motion
    if dice.hits(smart_percent):
        later_ms = dice.between(6_000, 18_000)
        yield _smart(dice, start_ms + later_ms, dice.between(16_700, longest_ms))


def _chain(dice: Dice, start_ms: int) -> Iterator[_Sketch]:
    """Yield motions whose padding makes neighbours overlap or touch."""
    for _ in range(dice.between(3, 4)):
        link = _motion(dice, start_ms)
        yield link
        start_ms += dice.between(17_000, 24_000)


def _tie(dice: Dice, start_ms: int) -> Iterator[_Sketch]:
    """Yield two events with the same start, one of which may end when the other does."""
    motion = _motion(dice, start_ms)
    yield _smart(dice, start_ms, dice.between(17_000, 30_000))
    yield motion


def _party(dice: Dice, start_ms: int) -> Iterator[_Sketch]:
    """Yield a long smart detection and several motions within it."""
    yield _smart(dice, start_ms, 222_000)
    for number in range(4):
        yield _motion(dice, start_ms + 8_000 + number * 45_000)


def _rest(day: _Day, dice: Dice) -> Iterator[_Sketch]:
    """Yield the rows that a client after motion and smart detections has to pass over."""
    noon_ms = day.at_ms(12, dice.between(0, 59), dice.between(0, 59))
    yield _Sketch(noon_ms, noon_ms + _SEC, RING)
    sound_ms = noon_ms - 2 * _HOUR
    yield _Sketch(sound_ms, sound_ms + 6 * _SEC, SMART_AUDIO, (dice.one_of(_SOUNDS),))
    yield _Sketch(noon_ms + _HOUR, noon_ms + _HOUR, "access", has_camera=False)
    yield _Sketch(noon_ms + 2 * _HOUR, noon_ms + 2 * _HOUR, "adminActivity", has_camera=False)
    yield _Sketch(noon_ms + 3 * _HOUR, noon_ms + 3 * _HOUR, VIDEO_EXPORTED)
    yield _Sketch(noon_ms + 4 * _HOUR, noon_ms + 4 * _HOUR + 5 * _SEC, "petFeederJammed")


_RECIPES: dict[date, _Recipe] = {
    EMPTY_DAY: _empty,
    MODERATE_DAY: _moderate,
    BUSY_DAY: _busy,
    QUIET_DAY: _quiet,
    ROUGH_DAY: _rough,
    SPRING_DAY - _ONE_DAY: _before,
    SPRING_DAY: _spring,
    SPRING_DAY + _ONE_DAY: _after,
    AUTUMN_DAY - _ONE_DAY: _before,
    AUTUMN_DAY: _autumn,
    AUTUMN_DAY + _ONE_DAY: _after,
}
