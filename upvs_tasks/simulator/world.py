"""What the console knows: its cameras, their events and their footage."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from threading import Event, Lock

from upvs_tasks.simulator import event_days
from upvs_tasks.simulator.behaviour import Behaviour, ExportCut, RepeatedExport, TooYoung
from upvs_tasks.simulator.cameras import (
    SHIPPED_CAMERAS,
    SPARROW,
    FootageFormat,
    SimulatedCamera,
)
from upvs_tasks.simulator.clip_file import ClipFile
from upvs_tasks.simulator.descriptions import CameraState
from upvs_tasks.simulator.events import (
    MOTION,
    RING,
    VIDEO_EXPORTED,
    EventQuery,
    SimulatedEvent,
    event_id,
)
from upvs_tasks.simulator.footage import EncodedFrame, camera_view, frames_between, group_start_ms
from upvs_tasks.simulator.muxer import write_clip
from upvs_tasks.simulator.prng import Prng

NowMs = Callable[[], int]  # returns Unix ms

_SEC_MS = 1000
_DAY_MS = 86_400_000
_LAST_INSTANT_MS = 1 << 53
_RECENT_DAYS = 31
_LAST_MOTION_DAYS = 10
_MIN_WIDTH_WITH_CHANNELS = 640
_SHIPPED_DAYS = (
    event_days.EMPTY_DAY,
    event_days.MODERATE_DAY,
    event_days.BUSY_DAY,
    event_days.QUIET_DAY,
    event_days.UNRELIABLE_DAY,
    event_days.SPRING_DAY,
    event_days.AUTUMN_DAY,
)


class ConsoleClosingError(Exception):
    """The console closes while it writes a clip, so that the clip is not finished."""


class World:
    """Cameras and events. What tests add or remove takes precedence over what is shipped."""

    def __init__(self, behaviour: Behaviour, now_ms: NowMs) -> None:
        self.behaviour = behaviour
        self.now_ms = now_ms
        self.closing = Event()
        self._lock = Lock()
        self._numbers = count(1)
        self._cameras = {camera.camera_id: camera for camera in SHIPPED_CAMERAS}
        self._added: dict[str, SimulatedEvent] = {}
        self._listed: dict[str, SimulatedEvent] = {}
        self._removed: set[str] = set()
        self._forgotten: list[tuple[str | None, range]] = []
        self._exports: Counter[tuple[str, int, int, int]] = Counter()
        self._without_shipped: set[str] = set()

    @property
    def cameras(self) -> tuple[SimulatedCamera, ...]:
        """All cameras, in the order they were added."""
        with self._lock:
            return tuple(self._cameras.values())

    def camera(self, camera_id: str | None) -> SimulatedCamera | None:
        """Return a camera by id."""
        with self._lock:
            return self._cameras.get(camera_id or "")

    def add_camera(self, camera: SimulatedCamera) -> None:
        """Add a camera, or replace the one with its id."""
        with self._lock:
            self._cameras[camera.camera_id] = camera

    def put_event(self, event: SimulatedEvent) -> None:
        """Add an event, or replace the one with its id."""
        with self._lock:
            self._added[event.event_id] = event
            self._removed.discard(event.event_id)

    def remove_event(self, identity: str) -> None:
        """Remove one event, shipped or added."""
        with self._lock:
            self._added.pop(identity, None)
            self._removed.add(identity)

    def forget(self, camera_id: str, *, before_ms: int | None, after_ms: int | None) -> None:
        """Keep only what a camera saw between two instants: its events and its footage."""
        with self._lock:
            camera = self._cameras[camera_id]
            if before_ms is not None:
                self._forgotten.append((camera_id, range(before_ms)))
                kept_ms = max(camera.recording_start_ms, before_ms)
                camera = replace(camera, recording_start_ms=kept_ms)
            if after_ms is not None:
                self._forgotten.append((camera_id, range(after_ms + 1, _LAST_INSTANT_MS)))
                kept_ms = min(camera.recording_end_ms or after_ms, after_ms)
                camera = replace(camera, recording_end_ms=kept_ms)
            self._cameras[camera_id] = camera

    def forget_event(self, identity: str) -> None:
        """Remove one event and all groups of pictures that an export of it could hold."""
        event = self.event(identity)
        if event is None or event.camera_id is None:
            raise KeyError(identity)
        self.remove_event(identity)
        with self._lock:
            camera = self._cameras[event.camera_id]
            group_ms = camera.footage.keyframe_secs * _SEC_MS
            end_ms = event.end_ms if event.end_ms is not None else self.now_ms()
            gap = (event.start_ms - group_ms, end_ms + group_ms)
            self._cameras[event.camera_id] = replace(camera, gaps=(*camera.gaps, gap))

    def set_events(self, events: Iterable[SimulatedEvent], camera_id: str) -> None:
        """Replace all events of one camera, on all days."""
        with self._lock:
            self._without_shipped.add(camera_id)
            self._added = {
                key: event for key, event in self._added.items() if event.camera_id != camera_id
            }
            self._added.update((event.event_id, event) for event in events)

    def new_event_id(self) -> str:
        """Return an id that no other event has."""
        return event_id(self.behaviour.event_ids, "added", next(self._numbers))

    def note_export(self, camera_id: str) -> None:
        """Add the event that each finished export leaves in the event list."""
        now_ms = self.now_ms()
        self.put_event(
            SimulatedEvent(self.new_event_id(), VIDEO_EXPORTED, camera_id, now_ms, now_ms)
        )

    def event(self, identity: str) -> SimulatedEvent | None:
        """Return an event by id: added, listed before, or on a shipped or recent day."""
        known = {event.event_id: event for event in self.events(EventQuery())}
        with self._lock:
            listed = None if identity in self._removed else self._listed.get(identity)
        return known.get(identity) or listed

    def events(self, query: EventQuery) -> list[SimulatedEvent]:
        """Return all events that the query can match, and perhaps others."""
        with self._lock:
            added = dict(self._added)
            removed = frozenset(self._removed)
            without_shipped = frozenset(self._without_shipped)
            forgotten = tuple(self._forgotten)
            cameras = tuple(self._cameras.values())
        dates = self._dates(query)
        shipped = (
            event
            for camera in cameras
            if camera.is_adopted and camera.camera_id not in without_shipped
            for day in dates
            for event in self._shipped(camera, day)
        )
        shipped_by_id = {
            event.event_id: event for event in shipped if event.event_id not in removed
        }
        with self._lock:
            self._listed.update(shipped_by_id)
        return [
            event
            for event in (shipped_by_id | added).values()
            if not any(
                event.camera_id == camera_id and event.start_ms in instants
                for camera_id, instants in forgotten
            )
        ]

    def state_of(self, camera: SimulatedCamera) -> CameraState:
        """Return the current state of a camera."""
        now_ms = self.now_ms()
        query = EventQuery(now_ms - _LAST_MOTION_DAYS * _DAY_MS, now_ms, (MOTION, RING))
        begun = [
            event
            for event in self.events(query)
            if event.camera_id == camera.camera_id and event.start_ms <= now_ms
        ]
        motions = [event for event in begun if event.kind == MOTION]
        return CameraState(
            max((event.start_ms for event in motions), default=None),
            max((event.start_ms for event in begun if event.kind == RING), default=None),
            any(event.end_ms is None or event.end_ms > now_ms for event in motions),
            now_ms,
        )

    def clip(
        self, camera: SimulatedCamera, start_ms: int, end_ms: int, *, channel: int = 0
    ) -> ClipFile | None:
        """Return the clip of an export, or None when nothing was recorded then."""
        footage = _of_channel(camera.format_at(start_ms), channel)
        first_ms, until_ms = self._bounds(camera, footage, start_ms, end_ms)
        period_ms = footage.keyframe_secs * _SEC_MS
        first_group_ms = group_start_ms(camera, footage, first_ms)
        groups_ms = range(first_group_ms, min(end_ms, until_ms), period_ms)
        if not any(map(camera.is_recorded_at, groups_ms)):
            return None
        with self._lock:
            number = self._exports[camera.camera_id, start_ms, end_ms, channel]
            self._exports[camera.camera_id, start_ms, end_ms, channel] += 1
        if self.behaviour.repeated_export is RepeatedExport.ENCODED_ANEW:
            footage = replace(footage, quality_loss=number)
        view = camera_view(camera, footage, self.behaviour.timezone)
        frames = self._while_open(frames_between(camera, view, first_ms, until_ms))
        return write_clip(
            footage,
            frames,
            gaps_closed=self.behaviour.gaps_closed,
            min_bytes=self.behaviour.grow_exports_to_bytes,
            made_secs=number if self.behaviour.repeated_export is RepeatedExport.STAMPED else 0,
        )

    def is_too_young(self, end_ms: int) -> bool:
        """Return whether an export's end is too recent for a console to export all of it."""
        return end_ms > self.now_ms() - int(self.behaviour.export_min_age_secs * _SEC_MS)

    def _bounds(
        self, camera: SimulatedCamera, footage: FootageFormat, start_ms: int, end_ms: int
    ) -> tuple[int, int]:
        """Return the bounds of an export; it begins with the keyframe at or before the first."""
        period_ms = footage.keyframe_secs * _SEC_MS
        prng = Prng("tail", camera.camera_id, start_ms, end_ms)
        until_ms = end_ms
        match self.behaviour.export_cut:
            case ExportCut.TAIL:
                until_ms = end_ms + prng.integer(700, 2_200)
            case ExportCut.GROUP:
                until_ms = group_start_ms(camera, footage, end_ms - 1) + period_ms
            case ExportCut.TIGHT:
                until_ms = end_ms + _SEC_MS // footage.fps + 1
            case ExportCut.INSIDE:
                start_ms = group_start_ms(camera, footage, start_ms + period_ms - 1)
        recorded_ms = self.now_ms()
        if self.behaviour.too_young is TooYoung.SHORT:
            recorded_ms -= int(self.behaviour.export_min_age_secs * _SEC_MS)
        return start_ms, min(until_ms, recorded_ms)

    def _while_open(self, frames: Iterator[EncodedFrame]) -> Iterator[EncodedFrame]:
        for frame in frames:
            if self.closing.is_set():
                raise ConsoleClosingError
            yield frame

    def _shipped(self, camera: SimulatedCamera, day: date) -> tuple[SimulatedEvent, ...]:
        return event_days.events_of_day(
            camera.camera_id,
            day,
            self.behaviour.timezone,
            self.behaviour.event_ids,
            has_crowded_day=camera.camera_id == SPARROW.camera_id,
        )

    def _dates(self, query: EventQuery) -> tuple[date, ...]:
        """Return the dates whose events may match; a query without types looks at all of them."""
        now_ms = self.now_ms()
        today = self._date(now_ms)
        found: set[date] = set()
        if query.start_ms is not None and query.end_ms is not None:
            found |= set(self._dates_between(query.start_ms, min(query.end_ms, now_ms)))
        if not query.types:
            found |= set(_SHIPPED_DAYS)
            found |= {today - timedelta(days=back) for back in range(_RECENT_DAYS)}
        return tuple(sorted(day for day in found if day <= today))

    def _dates_between(self, start_ms: int, end_ms: int) -> Iterator[date]:
        oldest_ms = min(camera.recording_start_ms for camera in self.cameras)
        # An event that overlaps with the window may have begun on the day before.
        day = self._date(max(start_ms - _DAY_MS, oldest_ms))
        last = self._date(max(end_ms, 0))
        while day <= last:
            yield day
            day += timedelta(days=1)

    def _date(self, instant_ms: int) -> date:
        return event_days.local_date(instant_ms, self.behaviour.timezone)


def _of_channel(footage: FootageFormat, channel: int) -> FootageFormat:
    if channel == 0 or footage.width < _MIN_WIDTH_WITH_CHANNELS:
        return footage
    return replace(footage, width=footage.width >> channel, height=footage.height >> channel)
