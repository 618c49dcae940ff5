"""Events in every state that an account knows, and how a day comes to have one.

A day has three events. The second one, at noon, is in the state; the others are in the film.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from tests.pipeline.project import Project
from upvs_tasks.simulator import (
    SPARROW,
    Fault,
    FaultKind,
    FootageFormat,
    SimulatedConsole,
    SimulatedEvent,
)

CAMERA = replace(SPARROW, footage=FootageFormat(width=96, height=54, fps=2, keyframe_secs=2))
LONG_OVER = datetime(2024, 2, 1, tzinfo=timezone(timedelta(hours=-5)))  # in New York
NOON_ID = f"{2:024x}"

_MORNING, _NOON, _EVENING = (timedelta(hours=hours) for hours in (8, 10, 11))
_LASTS = timedelta(seconds=6)
_LONGEST = timedelta(minutes=5)  # what is asked for of an event that never ended


@dataclass
class Day:
    """A day of a console, and the folder in which it is filmed.

    ``settings`` are those that every command is given.
    """

    project: Project
    console: SimulatedConsole
    midnight: datetime
    settings: tuple[str, ...] = ("target_duration=10", "output_fps=5")
    _events: tuple[SimulatedEvent, ...] = ()
    _noon_lasts: timedelta = _LASTS

    @property
    def noon_ms(self) -> int:
        """Start of the event that the state is about."""
        return _ms(self.midnight + _NOON)

    def list_others(self, *, lasts: timedelta = _LASTS) -> None:
        """Let the console list what is in the film in any case."""
        for number, start in ((1, _MORNING), (3, _EVENING)):
            self._list(number, start, start + lasts, ("person",))

    def list_noon(self, *, lasts: timedelta | None = _LASTS, kinds: tuple[str, ...] = ()) -> None:
        """Let the console list the event that the state is about; without an end for None."""
        self._noon_lasts = lasts or _LONGEST
        self._list(2, _NOON, None if lasts is None else _NOON + lasts, kinds)

    def list_odd_noon(self) -> None:
        """Let the console list a row that is no event."""
        start_ms, extra = self.noon_ms, (("start", "noon"),)
        self.put(
            SimulatedEvent(NOON_ID, "motion", CAMERA.camera_id, start_ms, start_ms, 0, (), extra)
        )

    def put(self, event: SimulatedEvent) -> None:
        """Add an event, or replace the one with its id."""
        there = (one for one in self._events if one.event_id != event.event_id)
        self._events = (*there, event)
        self.console.set_events(self._events, camera_id=CAMERA.camera_id)

    def forget_noon(self) -> None:
        """Let the console delete the event and its footage."""
        self._events = tuple(one for one in self._events if one.event_id != NOON_ID)
        self.console.set_events(self._events, camera_id=CAMERA.camera_id)
        self.lose_noon()

    def lose_noon(self) -> None:
        """Let the console have no footage of the event."""
        self.lose(self.noon_ms)

    def lose(self, *starts_ms: int) -> None:
        """Let the console have no footage of these minutes."""
        gaps = tuple((start_ms - 30_000, start_ms + 30_000) for start_ms in starts_ms)
        self.console.add_camera(replace(CAMERA, gaps=gaps))

    def fail_at_noon(self, fault: Fault) -> None:
        """Let every export of the event fail."""
        self.console.cancel_orders()
        self.console.order(replace(fault, at_ms=self.noon_ms, times=None))

    def run(self, *words: str) -> None:
        """Run a command, whatever comes of it."""
        self.project.doit("run", *words, *self.settings)

    @property
    def noon_clip(self) -> Path:
        """The clip of the event."""
        [path] = (path for path in self.project.clips if NOON_ID in path.name)
        return path

    @property
    def noon_clip_name(self) -> str:
        """Name of the clip of the event, and of its task."""
        lasts_ms = round(self._noon_lasts.total_seconds() * 1000)
        return f"clip_{self.noon_ms}_{self.noon_ms + lasts_ms}_{NOON_ID}"

    def damage_noon(self) -> None:
        """Let the pictures of the clip decay, but not its table."""
        content = bytearray(self.noon_clip.read_bytes())
        middle = (content.index(b"mdat") + len(content)) // 2
        content[middle : middle + 200] = bytes(200)
        status = self.noon_clip.stat()
        self.noon_clip.write_bytes(content)
        os.utime(self.noon_clip, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _list(
        self, number: int, start: timedelta, end: timedelta | None, kinds: tuple[str, ...]
    ) -> None:
        start_ms, end_ms = _ms(self.midnight + start), None
        if end is not None:
            end_ms = _ms(self.midnight + end)
        kind = "smartDetectZone" if kinds else "motion"
        identity = f"{number:024x}"
        self.put(SimulatedEvent(identity, kind, CAMERA.camera_id, start_ms, end_ms, 50, kinds))


@dataclass(frozen=True)
class State:
    """A state of an event: in words, and how a day gets there. ``is_today``: it is not over."""

    name: str
    words: str
    arrange: Callable[[Day], None]
    is_today: bool = False


def _filmed(day: Day) -> None:
    day.list_others()
    day.list_noon()
    day.run("timelapse")


def _listed(day: Day) -> None:
    day.list_others()
    day.run("timelapse")
    day.list_noon()
    day.run("scan")


def _forgotten(day: Day) -> None:
    _filmed(day)
    day.forget_noon()


def _lost(day: Day) -> None:
    _forgotten(day)
    day.noon_clip.unlink()


def _lost_twice(day: Day) -> None:
    _lost(day)
    day.run("timelapse")
    day.run("timelapse")


def _ongoing(day: Day) -> None:
    day.list_others()
    day.list_noon(lasts=None)
    day.run("timelapse")


def _too_short(day: Day) -> None:
    day.settings = ("target_duration=2", "output_fps=1")
    day.list_others(lasts=timedelta(minutes=1))
    day.list_noon(lasts=timedelta(seconds=1))
    day.run("timelapse")


def _not_recorded(day: Day) -> None:
    day.list_others()
    day.list_noon()
    day.lose_noon()


def _not_recorded_once(day: Day) -> None:
    _not_recorded(day)
    day.run("timelapse")


def _not_recorded_twice(day: Day) -> None:
    _not_recorded_once(day)
    day.run("timelapse")


def _refused_once(day: Day) -> None:
    day.list_others()
    day.list_noon()
    day.fail_at_noon(
        Fault(FaultKind.STATUS, status=500, body='{"error":"Track information is not valid"}')
    )
    day.run("timelapse")


def _refused_twice(day: Day) -> None:
    _refused_once(day)
    day.run("timelapse")


def _failed(day: Day) -> None:
    day.settings += ("retry_limit=1",)
    day.list_others()
    day.list_noon()
    day.fail_at_noon(Fault(FaultKind.CUT_BODY))
    day.run("timelapse")


def _damaged(day: Day) -> None:
    _filmed(day)
    day.damage_noon()
    day.run("verify")


def _damaged_last_copy(day: Day) -> None:
    _forgotten(day)
    day.damage_noon()
    day.run("verify")


def _unreadable(day: Day) -> None:
    day.list_others()
    day.list_odd_noon()
    day.run("timelapse")


def _excluded(day: Day) -> None:
    day.settings += ("smart_types=person",)
    day.list_others()
    day.list_noon(kinds=("vehicle",))
    day.run("timelapse")


def _nothing_recorded(day: Day) -> None:
    _not_recorded(day)
    day.lose(*(_ms(day.midnight + start) for start in (_MORNING, _NOON, _EVENING)))
    day.run("timelapse")
    day.run("timelapse")


STATES = (
    State("in the film", "The film shows the event.", _filmed),
    State("listed", "The console lists the event. A run of `scan` has noted it.", _listed),
    State("ongoing", "The event has no end yet. Its day is not over.", _ongoing, is_today=True),
    State("day not over", "The film shows the event. Its day is not over.", _filmed, is_today=True),
    State("never ended", "The event has no end. Its day is long over.", _ongoing),
    State("too short", "The event lies between two frames of the film.", _too_short),
    State("not recorded", "The console has no footage, and said so once.", _not_recorded_once),
    State("not recorded, settled", "The console said so in two runs.", _not_recorded_twice),
    State("refused", "The console cannot export the footage, and said so once.", _refused_once),
    State("refused, settled", "The console said so in two runs.", _refused_twice),
    State("failed", "Each download of the clip breaks off.", _failed),
    State("damaged", "The clip has decayed. The console still has the footage.", _damaged),
    State(
        "damaged, last copy",
        "The clip has decayed. The console has deleted the event and its footage.",
        _damaged_last_copy,
    ),
    State(
        "forgotten",
        "The film shows the event. The console has deleted it and its footage.",
        _forgotten,
    ),
    State("forgotten, lost", "The same, and the clip is gone from the disk.", _lost),
    State("forgotten, lost, settled", "The same after two more runs.", _lost_twice),
    State("unreadable", "The console lists a row that is no event.", _unreadable),
    State(
        "excluded by settings",
        "It is no event of a person, and `smart_types` asks for one.",
        _excluded,
    ),
    State("no event had", "The console has no footage of any event of the day.", _nothing_recorded),
)


def midnight_of_today() -> tuple[datetime, str]:
    """Midnight where it is past noon now, and the name of that time zone."""
    hours = 12 - datetime.now(UTC).hour
    here = timezone(timedelta(hours=hours))
    midnight = datetime.now(here).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight, f"Etc/GMT{-hours:+d}"


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
