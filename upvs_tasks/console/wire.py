"""The console's JSON as records, or an error that names the field.

Fields that we do not know are passed over; unknown event types are data like any other. One row or
one camera that is not as it should be costs nothing but itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import orjson

from upvs_tasks.errors import ConsoleError, TransientError
from upvs_tasks.model.camera import Camera, Channel, Recording
from upvs_tasks.model.event import Event

Value = TypeVar("Value")

# One console was seen to hand out 1,862 rows at once; a larger page is no kindness to any.
MOST_ROWS = 10_000
_LARGEST_NUMBER = 1 << 53  # beyond it, a number of JSON need not be exact
_YEAR_10000_MS = 253_402_300_800_000
_LONGEST_EVENT_MS = 7 * 86_400_000
_LONGEST_PADDING_SECS = 3_600
_MOST_VALUES = 1_000_000
_MOST_CAMERAS = 1_000
_MOST_CHANNELS = 16
_LONGEST_TEXT = 1_000
_LONGEST_WORD = 100  # an id, a type, what was recognised
_MOST_SMART_TYPES = 32
_UNREADABLE: dict[str, Any] = {"camera": [], "type": []}


@dataclass(frozen=True, slots=True)
class Nvr:
    """The recorder; ``timezone`` is an IANA name, or empty where the console names none."""

    timezone: str
    version: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a console says of itself: its recorder and its cameras, those with a name or an id."""

    nvr: Nvr
    cameras: tuple[Camera, ...]


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row of a list of events that is no event, and why.

    Of the fields it has what can be read: ``event_id`` is empty, the others are None where that is
    not so. ``camera_id`` is empty for what concerns no camera. ``content`` is its digest.
    """

    event_id: str
    reason: str
    camera_id: str | None
    event_type: str | None
    start_ms: int | None
    content: bytes

    def may_be(
        self, camera_id: str, event_types: Sequence[str], window_ms: tuple[int, int]
    ) -> bool:
        """Whether this may be an event of that camera, of one of these types, in that window."""
        first_ms, last_ms = window_ms
        return (
            self.camera_id in (None, camera_id)
            and (not self.event_type or self.event_type in event_types)
            and (self.start_ms is None or first_ms <= self.start_ms <= last_ms)
        )


@dataclass(frozen=True, slots=True)
class EventPage:
    """All rows of a page of events, those that concern no camera included, in their order."""

    events: tuple[Event, ...]
    odd_rows: tuple[OddRow, ...] = ()

    @property
    def row_count(self) -> int:
        """How many rows the console has sent: by this number a page is full."""
        return len(self.events) + len(self.odd_rows)


class _UnfitError(ConsoleError):
    """A field is not what it should be."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"the console's answer is not understood: {place}{what}")
        self.what = what


class _TooMuchError(ConsoleError):
    """An answer holds more than any console has to say."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} holds more than {what}: no console has as much to say")


def parse_bootstrap(body: bytes) -> Bootstrap:
    """Recorder and cameras. Raises ConsoleError, or TransientError when it is no such document."""
    document = _document(body, "bootstrap")
    if not isinstance(document, dict) or not isinstance(document.get("cameras"), list):
        raise TransientError("bootstrap is not an object with a list of cameras")
    if len(document["cameras"]) > _MOST_CAMERAS:
        raise _TooMuchError("bootstrap", f"{_MOST_CAMERAS} cameras")
    nvr = _object(document.get("nvr"), "nvr")
    cameras = (
        _camera_or_remains(camera, f"cameras[{index}]")
        for index, camera in enumerate(document["cameras"])
        if isinstance(camera, dict)
    )
    named = (camera for camera in cameras if camera.camera_id or camera.name)
    return Bootstrap(nvr=_nvr(nvr), cameras=tuple(named))


def parse_events(body: bytes) -> EventPage:
    """A page of events. Raises TransientError when it is no list, ConsoleError when too long."""
    document = _document(body, "the list of events")
    if not isinstance(document, list):
        raise TransientError("the list of events is not a list")
    if len(document) > MOST_ROWS:
        raise _TooMuchError("the list of events", f"{MOST_ROWS} events on one page")
    events: list[Event] = []
    odd_rows: list[OddRow] = []
    for row in document:
        try:
            events.append(_event(_object(row, "the row")))
        except _UnfitError as unfit:
            odd_rows.append(_odd_row(row, unfit.what))
    return EventPage(tuple(events), tuple(odd_rows))


def _document(body: bytes, name: str) -> Any:  # noqa: ANN401  parsed JSON
    # A value of three bytes takes twenty times as much as an object of Python.
    if sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise _TooMuchError(name, f"{_MOST_VALUES} values")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise TransientError(f"{name} is not JSON") from error


def _nvr(nvr: dict[str, Any]) -> Nvr:
    return Nvr(
        timezone=_text(nvr, "timezone", "nvr"),
        version=_text(nvr, "version", "nvr"),
    )


def _camera_or_remains(camera: dict[str, Any], place: str) -> Camera:
    """The camera, or what can be read of it, and why the rest cannot."""
    try:
        return _camera(camera, place)
    except ConsoleError as error:
        return Camera(
            camera_id=_if_readable(lambda: _text(camera, "id", place, _LONGEST_WORD)) or "",
            name=_if_readable(lambda: _text(camera, "name", place)) or "",
            fault=str(error),
        )


def _camera(camera: dict[str, Any], place: str) -> Camera:
    channels = camera.get("channels")
    return Camera(
        camera_id=_required_text(camera, "id", place, _LONGEST_WORD),
        name=_text(camera, "name", place),
        type=_text(camera, "type", place),
        state=_text(camera, "state", place),
        is_connected=camera.get("isConnected") is not False,
        host=_text(camera, "host", place),
        mac=_text(camera, "mac", place),
        model_key=_text(camera, "modelKey", place) or "camera",
        channels=tuple(
            _channel(_object(channel, f"{place}.channels[{index}]"), f"{place}.channels[{index}]")
            for index, channel in enumerate(
                channels[:_MOST_CHANNELS] if isinstance(channels, list) else ()
            )
        ),
        last_motion_ms=_instant(camera, "lastMotion", place),
        recording=_recording(camera, place),
    )


def _recording(camera: dict[str, Any], place: str) -> Recording:
    """What ``recordingSettings`` and ``stats.video`` say; older builds lack parts of both.

    There is padding of motion and, on newer builds, of smart detections: the longer one counts.
    """
    settings = _object(camera.get("recordingSettings") or {}, f"{place}.recordingSettings")
    stats = _object(camera.get("stats") or {}, f"{place}.stats")
    video = _object(stats.get("video") or {}, f"{place}.stats.video")

    def padding_ms(*names: str) -> int:
        in_settings = f"{place}.recordingSettings"
        return 1000 * max(_seconds(settings, name, in_settings) for name in names)

    def first_known(*names: str) -> int | None:
        known = (_instant(video, name, f"{place}.stats.video") for name in names)
        return next((instant_ms for instant_ms in known if instant_ms), None)

    return Recording(
        mode=_text(settings, "mode", f"{place}.recordingSettings"),
        first_ms=first_known("recordingStartLQ", "recordingStart"),
        last_ms=first_known("recordingEnd", "recordingEndLQ"),
        padding_before_ms=padding_ms("prePaddingSecs", "smartDetectPrePaddingSecs"),
        padding_after_ms=padding_ms("postPaddingSecs", "smartDetectPostPaddingSecs"),
    )


def _channel(channel: dict[str, Any], place: str) -> Channel:
    return Channel(
        channel_id=_required_number(channel, "id", place),
        name=_text(channel, "name", place),
        enabled=channel.get("enabled") is not False,
        width=_number(channel, "width", place) or 0,
        height=_number(channel, "height", place) or 0,
        fps=_number(channel, "fps", place) or 0,
    )


def _event(row: dict[str, Any]) -> Event:
    smart_types = row.get("smartDetectTypes")
    start_ms, end_ms = _instant(row, "start", ""), _instant(row, "end", "")
    if start_ms is None:
        raise _unfit("", "start", "an instant")
    if end_ms is not None and end_ms - start_ms > _LONGEST_EVENT_MS:
        raise _unfit("", "end", "within a week of its start")
    return Event(
        event_id=_required_text(row, "id", "", _LONGEST_WORD),
        event_type=_text(row, "type", "", _LONGEST_WORD),
        start_ms=start_ms,
        end_ms=end_ms,
        camera_id=_text(row, "camera", "", _LONGEST_WORD) or None,
        smart_types=tuple(
            sorted(
                {
                    name
                    for name in (smart_types if isinstance(smart_types, list) else ())
                    if isinstance(name, str) and len(name) <= _LONGEST_WORD
                }
            )[:_MOST_SMART_TYPES]
        ),
        score=_number(row, "score", "") or 0,
    )


def _odd_row(row: object, reason: str) -> OddRow:
    fields: dict[str, Any] = row if isinstance(row, dict) else _UNREADABLE
    return OddRow(
        event_id=_if_readable(lambda: _text(fields, "id", "", _LONGEST_WORD)) or "",
        reason=reason,
        camera_id=_if_readable(lambda: _text(fields, "camera", "", _LONGEST_WORD)),
        event_type=_if_readable(lambda: _text(fields, "type", "", _LONGEST_WORD)),
        start_ms=_if_readable(lambda: _instant(fields, "start", "")),
        content=sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest(),
    )


def _if_readable(read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except _UnfitError:
        return None


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _UnfitError("", f"{place} is not an object")
    return value


def _text(fields: dict[str, Any], name: str, place: str, longest: int = _LONGEST_TEXT) -> str:
    match fields.get(name):
        case None:
            return ""
        case str(value) if len(value) <= longest:
            return value
        case str():
            raise _unfit(place, name, f"text of {longest} characters at most")
    raise _unfit(place, name, "text")


def _required_text(
    fields: dict[str, Any], name: str, place: str, longest: int = _LONGEST_TEXT
) -> str:
    value = _text(fields, name, place, longest)
    if not value:
        raise _unfit(place, name, "text")
    return value


def _number(fields: dict[str, Any], name: str, place: str) -> int | None:
    match fields.get(name):
        case None:
            return None
        case bool():
            pass
        case int(value) | float(value) if abs(value) <= _LARGEST_NUMBER:
            return round(value)
    raise _unfit(place, name, "a number")


def _required_number(fields: dict[str, Any], name: str, place: str) -> int:
    value = _number(fields, name, place)
    if value is None:
        raise _unfit(place, name, "a number")
    return value


def _instant(fields: dict[str, Any], name: str, place: str) -> int | None:
    value = _number(fields, name, place)
    if value is not None and not 0 <= value < _YEAR_10000_MS:
        raise _unfit(place, name, "an instant")
    return value


def _seconds(fields: dict[str, Any], name: str, place: str) -> int:
    value = _number(fields, name, place) or 0
    if not 0 <= value <= _LONGEST_PADDING_SECS:
        raise _unfit(place, name, "a number of seconds up to an hour")
    return value


def _unfit(place: str, name: str, wanted: str) -> _UnfitError:
    return _UnfitError(f"{place}." if place else "", f"{name} is not {wanted}")
