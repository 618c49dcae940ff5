"""Ask the console for the camera and the day's events, and write the clip index."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from upvs_tasks import durable
from upvs_tasks.errors import ImplausibleListError
from upvs_tasks.model.camera import Camera, Recording
from upvs_tasks.model.clip import (
    CONTINUOUS,
    Clip,
    FilmedSource,
    Padding,
    clips_of,
    forgotten_apart,
    slices_of,
)
from upvs_tasks.model.clip_index import ClipIndex, IndexEntry, remembered_events
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import (
    DEFAULT_EVENT_TYPES,
    DayEvents,
    Event,
    EventChoice,
    UnreadableEvent,
    events_of_day,
)
from upvs_tasks.model.plural import counted
from upvs_tasks.phases import day_folder
from upvs_tasks.phases.context import Context

log = logging.getLogger(__name__)

# What a camera has just seen need not be an event yet.
_LISTED_AFTER_MS = 600_000
_ONLY_DETECTIONS = "detections"
# An event may go on after midnight. One that has no end so long after the day gets none.
_STILL_GOING_ON_MS = 3_600_000


def has_index(context: Context) -> bool:
    """Whether the day was listed before."""
    return context.clips.known_index() is not None


def need_index(context: Context) -> None:
    """Raise UpvsError unless the day was listed before."""
    context.index()


def run(context: Context) -> str:
    """List the day anew; files that hold the same already are not touched. Returns the summary."""
    bootstrap = context.connection.bootstrap()
    camera, day = day_folder.camera_and_day(
        context.folder, context.settings, bootstrap, context.clock
    )
    index = _listed(context, camera, day)
    camera_json = durable.encode_json(_camera_document(camera, bootstrap.nvr.version))
    durable.write_if_changed(context.layout.camera_json, camera_json)
    context.clips.note_index(index)
    log.info(
        "day scanned",
        extra={
            "camera": camera.name,
            "date": day.text,
            "events": index.event_count,
            "clips": len(index.entries),
            "ongoing": len(index.ongoing),
        },
    )
    return _summary(index) + _left_edge(index, camera.recording)


def _listed(context: Context, camera: Camera, day: Day) -> ClipIndex:
    """The day as it is listed now, and all that is remembered of it."""
    now_ms = round(context.clock.unix_secs() * 1000)
    before = _before(context, camera, day)
    match context.settings.source:
        case FilmedSource.EVENTS:
            remembered = remembered_events(before.index, before.found_clips)
            events = _events(context, camera, day, remembered, now_ms=now_ms)
            clips = _clips_of(context, camera, events, before.entries)
        case FilmedSource.CONTINUOUS:
            events = _not_asked_for(before)
            clips = _slices(context, camera, day, now_ms=now_ms)
    clips = tuple(replace(clip, channel=context.settings.channel) for clip in clips)
    index = ClipIndex.of(camera, day, clips, events.ongoing, is_over=now_ms > day.end_ms)
    index = replace(
        index,
        unwanted=events.unwanted,
        forgotten=events.forgotten,
        unreadable=events.unreadable,
    )
    index = index.after(before.entries, is_on_disk=context.clips.has_file)
    return index.with_standings(context.clips.standing_of)


@dataclass(frozen=True, slots=True)
class _Before:
    """What earlier runs have left of a day: the index, and clips that it does not name."""

    index: ClipIndex | None
    found: tuple[IndexEntry, ...]

    @property
    def found_clips(self) -> tuple[Clip, ...]:
        return tuple(entry.clip for entry in self.found)

    @property
    def entries(self) -> tuple[IndexEntry, ...]:
        named = (*self.index.entries, *self.index.earlier) if self.index else ()
        return (*named, *self.found)


def _before(context: Context, camera: Camera, day: Day) -> _Before:
    index = context.clips.known_index()
    named = (*index.entries, *index.earlier) if index else ()
    names = {entry.name for entry in named}
    return _Before(index, context.clips.unlisted(camera.folder_name, day.text, names))


def _not_asked_for(before: _Before) -> DayEvents:
    """The events that are remembered, where all footage is filmed and none is asked for."""
    events = before.index.events if before.index else ()
    forgotten = before.index.forgotten if before.index else frozenset()
    return DayEvents((), (), unwanted=events, forgotten=forgotten)


def _slices(context: Context, camera: Camera, day: Day, *, now_ms: int) -> tuple[Clip, ...]:
    start_ms, end_ms = day.span(context.settings.start, context.settings.end)
    slices = slices_of(start_ms, end_ms, camera.camera_id)
    return tuple(piece for piece in slices if piece.end_ms < now_ms)


def _events(
    context: Context, camera: Camera, day: Day, remembered: tuple[Event, ...], *, now_ms: int
) -> DayEvents:
    settings = context.settings
    listed = context.connection.console().events(
        camera.camera_id,
        start_ms=day.start_ms,
        end_ms=day.end_ms,
        event_types=settings.event_types,
    )
    choice = EventChoice(day, camera.camera_id, settings.event_types, settings.smart_types)
    is_silent = not listed.unreadable and not any(
        event.camera_id == camera.camera_id and choice.is_asked_for(event)
        for event in listed.events
    )
    if is_silent:
        _doubt_silence(context, camera, day)
    is_long_over = now_ms > day.end_ms + _STILL_GOING_ON_MS
    events = events_of_day(listed.events, choice, remembered=remembered, is_long_over=is_long_over)
    return _with_unreadable(events, listed.unreadable, {event.event_id for event in remembered})


def _with_unreadable(
    events: DayEvents, unreadable: tuple[UnreadableEvent, ...], remembered: set[str]
) -> DayEvents:
    """An event that is listed oddly now, but was read once, is neither unreadable nor forgotten."""
    return replace(
        events,
        forgotten=events.forgotten - {odd.event_id for odd in unreadable},
        unreadable=tuple(odd for odd in unreadable if odd.event_id not in remembered),
    )


def _clips_of(
    context: Context, camera: Camera, events: DayEvents, before: Iterable[IndexEntry]
) -> tuple[Clip, ...]:
    settings = context.settings
    cut = partial(
        clips_of,
        overlaps=settings.overlaps,
        merge_gap_ms=round(settings.merge_gap_secs * 1000),
        padding=_padding(settings.padding_secs, camera.recording),
    )
    kept = (
        replace(entry.clip, channel=0)
        for entry in before
        if entry.clip.channel == settings.channel and context.clips.has_file(entry)
    )
    return forgotten_apart(cut, events.filmed, forgotten=events.forgotten, kept=kept)


def _padding(padding_secs: float | None, recording: Recording) -> Padding:
    if padding_secs is None:
        return Padding(recording.padding_before_ms, recording.padding_after_ms)
    padding_ms = round(padding_secs * 1000)
    return Padding(padding_ms, padding_ms)


def _doubt_silence(context: Context, camera: Camera, day: Day) -> None:
    """Raise ImplausibleListError where the console says elsewhere that something happened.

    An empty list looks like a quiet day, but may be a query that a new version does not understand.
    """
    contradiction = _contradicted_by_camera(context, camera, day) or _contradicted_by_list(
        context, camera, day
    )
    if contradiction:
        raise ImplausibleListError(
            f"the console lists no events of {camera.name} on {day.text}, but {contradiction}: "
            "its list is not to be trusted; look at the day in Protect itself, then run again"
        )


def _contradicted_by_camera(context: Context, camera: Camera, day: Day) -> str:
    """What the camera's last motion, or its recordings, say against an empty list."""
    wanted, recording = set(context.settings.event_types), camera.recording
    moved_ms, recorded_ms = camera.last_motion_ms or 0, recording.last_ms or 0
    listed_before_ms = context.clock.unix_secs() * 1000 - _LISTED_AFTER_MS
    if "motion" in wanted and day.contains(moved_ms) and moved_ms < listed_before_ms:
        return f"the camera says that it saw motion at {day.clock(moved_ms):%H:%M:%S}"
    records_what_is_wanted = recording.mode == _ONLY_DETECTIONS and wanted.issuperset(
        DEFAULT_EVENT_TYPES
    )
    if records_what_is_wanted and day.contains(recorded_ms) and recorded_ms < listed_before_ms:
        clock = day.clock(recorded_ms)
        return f"the camera records nothing but detections, and did until {clock:%H:%M:%S}"
    return ""


def _contradicted_by_list(context: Context, camera: Camera, day: Day) -> str:
    """What the same list, asked for in another way, says against being empty."""
    wanted = context.settings.event_types
    listed = context.connection.console().events_in_other_spelling(
        camera.camera_id, start_ms=day.start_ms, end_ms=day.end_ms, event_types=wanted
    )
    found = events_of_day(listed, EventChoice(day, camera.camera_id, wanted))
    count = len(found.ended) + len(found.ongoing)
    return f"asked in another way, it lists {count}" if count else ""


def _camera_document(camera: Camera, console_version: str) -> dict[str, object]:
    """The fields of the bootstrap's camera that the specification names (§5.1)."""
    return {
        "id": camera.camera_id,
        "name": camera.name,
        "type": camera.type,
        "state": camera.state,
        "isConnected": camera.is_connected,
        "host": camera.host,
        "mac": camera.mac,
        "modelKey": camera.model_key,
        "channels": [
            {
                "id": channel.channel_id,
                "name": channel.name,
                "width": channel.width,
                "height": channel.height,
                "enabled": channel.enabled,
                "fps": channel.fps,
            }
            for channel in camera.channels
        ],
        "consoleVersion": console_version,
    }


def _summary(index: ClipIndex) -> str:
    head = f"{index.camera_name}, {index.day.text} ({index.day.timezone})"
    if not index.entries:
        return f"{head}: nothing to fetch{_running(index)}"
    asked_mins = sum(entry.clip.duration_ms for entry in index.entries) / 60_000
    clips = counted(len(index.entries), "clip")
    is_all = index.entries[0].clip.events[0].event_type == CONTINUOUS
    what = "all footage" if is_all else counted(index.event_count, "event")
    return f"{head}: {what} in {clips}, {asked_mins:.1f} min{_running(index)}"


def _left_edge(index: ClipIndex, recording: Recording) -> str:
    """Since when there is footage, where that is not all of the day."""
    first_ms = recording.first_ms
    if not index.entries or first_ms is None or first_ms <= index.day.start_ms:
        return ""
    return f"; the console holds footage of {index.day.clock(first_ms):%Y-%m-%d %H:%M} and later"


def _running(index: ClipIndex) -> str:
    return f"; {len(index.ongoing)} still under way" if index.ongoing else ""
