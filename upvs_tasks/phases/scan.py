"""Ask the console for the camera and the day's events, and write the clip index."""

import logging
from dataclasses import replace

from upvs_tasks import durable
from upvs_tasks.errors import ImplausibleListError
from upvs_tasks.model.camera import Camera, Recording
from upvs_tasks.model.clip import Clip, FilmedSource, Padding, clips_of, slices_of
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES, Event, events_of_day
from upvs_tasks.model.plural import counted
from upvs_tasks.phases import day_folder
from upvs_tasks.phases.context import Context

log = logging.getLogger(__name__)

# What a camera has just seen need not be an event yet.
_LISTED_AFTER_MS = 600_000
_ONLY_DETECTIONS = "detections"


def has_index(context: Context) -> bool:
    """Whether the day was listed before."""
    return context.clips.known_index() is not None


def need_index(context: Context) -> None:
    """Raise UpvsError unless the day was listed before."""
    context.index()


def run(context: Context) -> str:
    """List the day anew; files that hold the same already are not touched. Returns the summary."""
    bootstrap = context.connection.bootstrap()
    camera, day = day_folder.confirmed(context.folder, context.settings, bootstrap, context.clock)
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
    now_ms = round(context.clock.unix_secs() * 1000)
    match context.settings.source:
        case FilmedSource.EVENTS:
            clips, ongoing = _event_clips(context, camera, day)
        case FilmedSource.CONTINUOUS:
            start_ms, end_ms = day.span(context.settings.start, context.settings.end)
            slices = slices_of(start_ms, end_ms, camera.camera_id)
            clips = tuple(piece for piece in slices if piece.end_ms < now_ms)
            ongoing = ()
    is_over = now_ms > day.end_ms
    clips = tuple(replace(clip, channel=context.settings.channel) for clip in clips)
    index = ClipIndex.of(camera, day, clips, ongoing, is_over=is_over)
    return index.with_standings(context.clips.standing_of)


def _event_clips(
    context: Context, camera: Camera, day: Day
) -> tuple[tuple[Clip, ...], tuple[Event, ...]]:
    settings = context.settings
    listed = context.connection.console().events(
        camera.camera_id,
        start_ms=day.start_ms,
        end_ms=day.end_ms,
        event_types=settings.event_types,
    )
    events = events_of_day(
        listed,
        day=day,
        camera_id=camera.camera_id,
        event_types=settings.event_types,
        smart_types=settings.smart_types,
    )
    if not events.ended and not events.ongoing and not settings.smart_types:
        _doubt_silence(context, camera, day)
    clips = clips_of(
        events.ended,
        overlaps=settings.overlaps,
        merge_gap_ms=round(settings.merge_gap_secs * 1000),
        padding=_padding(settings.padding_secs, camera.recording),
    )
    return clips, events.ongoing


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
    found = events_of_day(listed, day=day, camera_id=camera.camera_id, event_types=wanted)
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
    events, clips = counted(index.event_count, "event"), counted(len(index.entries), "clip")
    return f"{head}: {events} in {clips}, {asked_mins:.1f} min{_running(index)}"


def _left_edge(index: ClipIndex, recording: Recording) -> str:
    """Since when there is footage, where that is not all of the day."""
    first_ms = recording.first_ms
    if not index.entries or first_ms is None or first_ms <= index.day.start_ms:
        return ""
    return f"; the console holds footage of {index.day.clock(first_ms):%Y-%m-%d %H:%M} and later"


def _running(index: ClipIndex) -> str:
    return f"; {len(index.ongoing)} still under way" if index.ongoing else ""
