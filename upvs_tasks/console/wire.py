"""The console's JSON as records, or an error that names the field.

Fields that we do not know are passed over; unknown event types are data like any other.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

from upvs_tasks.errors import ConsoleError, TransientError
from upvs_tasks.model.camera import Camera, Channel, Recording
from upvs_tasks.model.event import Event


@dataclass(frozen=True, slots=True)
class Nvr:
    """The recorder; ``timezone`` is an IANA name, or empty where the console names none."""

    timezone: str
    version: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a console says of itself: its recorder and its cameras."""

    nvr: Nvr
    cameras: tuple[Camera, ...]


def parse_bootstrap(body: bytes) -> Bootstrap:
    """Recorder and cameras. Raises ConsoleError, or TransientError when it is no such document."""
    document = _document(body, "bootstrap")
    if not isinstance(document, dict) or not isinstance(document.get("cameras"), list):
        raise TransientError("bootstrap is not an object with a list of cameras")
    nvr = _object(document.get("nvr"), "nvr")
    cameras = (
        _camera(_object(camera, f"cameras[{index}]"), f"cameras[{index}]")
        for index, camera in enumerate(document["cameras"])
    )
    return Bootstrap(nvr=_nvr(nvr), cameras=tuple(cameras))


def parse_events(body: bytes) -> tuple[Event, ...]:
    """All rows of a page of events, those that concern no camera included, in their order.

    Raises ConsoleError, or TransientError when it is no list.
    """
    document = _document(body, "the list of events")
    if not isinstance(document, list):
        raise TransientError("the list of events is not a list")
    return tuple(
        _event(_object(row, f"events[{index}]"), f"events[{index}]")
        for index, row in enumerate(document)
    )


def _document(body: bytes, name: str) -> Any:  # noqa: ANN401  parsed JSON
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise TransientError(f"{name} is not JSON") from error


def _nvr(nvr: dict[str, Any]) -> Nvr:
    return Nvr(
        timezone=_text(nvr, "timezone", "nvr"),
        version=_text(nvr, "version", "nvr"),
    )


def _camera(camera: dict[str, Any], place: str) -> Camera:
    channels = camera.get("channels")
    return Camera(
        camera_id=_required_text(camera, "id", place),
        name=_text(camera, "name", place),
        type=_text(camera, "type", place),
        state=_text(camera, "state", place),
        is_connected=camera.get("isConnected") is not False,
        host=_text(camera, "host", place),
        mac=_text(camera, "mac", place),
        model_key=_text(camera, "modelKey", place) or "camera",
        channels=tuple(
            _channel(_object(channel, f"{place}.channels[{index}]"), f"{place}.channels[{index}]")
            for index, channel in enumerate(channels if isinstance(channels, list) else ())
        ),
        last_motion_ms=_number(camera, "lastMotion", place),
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
        return 1000 * max(_number(settings, name, in_settings) or 0 for name in names)

    def first_known(*names: str) -> int | None:
        known = (_number(video, name, f"{place}.stats.video") for name in names)
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


def _event(row: dict[str, Any], place: str) -> Event:
    smart_types = row.get("smartDetectTypes")
    return Event(
        event_id=_required_text(row, "id", place),
        event_type=_text(row, "type", place),
        start_ms=_required_number(row, "start", place),
        end_ms=_number(row, "end", place),
        camera_id=_text(row, "camera", place) or None,
        smart_types=tuple(
            sorted(
                {
                    name
                    for name in (smart_types if isinstance(smart_types, list) else ())
                    if isinstance(name, str)
                }
            )
        ),
        score=_number(row, "score", place) or 0,
    )


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConsoleError(f"the console's answer is not understood: {place} is not an object")
    return value


def _text(fields: dict[str, Any], name: str, place: str) -> str:
    match fields.get(name):
        case None:
            return ""
        case str(value):
            return value
    raise _unfit(place, name, "text")


def _required_text(fields: dict[str, Any], name: str, place: str) -> str:
    value = _text(fields, name, place)
    if not value:
        raise _unfit(place, name, "text")
    return value


def _number(fields: dict[str, Any], name: str, place: str) -> int | None:
    match fields.get(name):
        case None:
            return None
        case bool():
            pass
        case int(value):
            return value
        case float(value) if isfinite(value):
            return round(value)
    raise _unfit(place, name, "a number")


def _required_number(fields: dict[str, Any], name: str, place: str) -> int:
    value = _number(fields, name, place)
    if value is None:
        raise _unfit(place, name, "a number")
    return value


def _unfit(place: str, name: str, wanted: str) -> ConsoleError:
    return ConsoleError(f"the console's answer is not understood: {place}.{name} is not {wanted}")
