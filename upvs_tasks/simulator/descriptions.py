"""The JSON objects by which the console describes itself, its users and its cameras.

What never changes is in ``descriptions.json``; the functions here add what depends on the cameras,
the users and the clock. Together they have the keys that genuine clients read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from upvs_tasks.simulator.accounts import UserAccount
from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.cameras import Audio, FootageFormat, SimulatedCamera, VideoCodec

_TEMPLATE_FILE = "descriptions.json"
_UP_SINCE_MS = 1_701_400_000_000
_CHANNEL_NAMES = ("High", "Medium", "Low")
_BITS_PER_SEC = 2_000_000


@dataclass(frozen=True, slots=True)
class CameraState:
    """What changes about a camera from one request to the next."""

    last_motion_ms: int | None
    last_ring_ms: int | None
    is_motion_detected: bool
    now_ms: int


def bootstrap_description(
    cameras: list[Mapping[str, object]],
    nvr: Mapping[str, object],
    accounts: Iterable[UserAccount],
    account: UserAccount,
) -> Mapping[str, object]:
    """Return what the console's web page asks for first; ``account`` is the one that asks."""
    return _filled(
        "bootstrap",
        authUserId=account.user_id,
        accessKey=sha256(account.user_id.encode()).hexdigest()[:16],
        cameras=cameras,
        users=[_user(one) for one in accounts],
        nvr=nvr,
    )


def nvr_description(behaviour: Behaviour, now_ms: int, host: str) -> Mapping[str, object]:
    """Return the network video recorder, which is the console itself."""
    return _filled(
        "nvr",
        host=host,
        hosts=[host],
        timezone=behaviour.timezone,
        version=behaviour.version,
        upSince=_UP_SINCE_MS,
        uptime=max(0, now_ms - _UP_SINCE_MS),
        lastSeen=now_ms,
    )


def camera_description(camera: SimulatedCamera, state: CameraState) -> Mapping[str, object]:
    """Return one camera, as it is in the bootstrap and in the list of cameras."""
    footage = camera.footage
    has_audio = footage.audio is not Audio.NONE
    return _filled(
        "camera",
        id=camera.camera_id,
        mac=camera.mac,
        name=camera.name,
        displayName=camera.name or camera.kind,
        host=f"192.168.100.{int(camera.mac[-2:], 16)}",
        type=camera.kind,
        marketName=camera.kind.removeprefix("UVC "),
        isMicEnabled=has_audio,
        videoCodec="h265" if footage.codec is VideoCodec.HEVC else "h264",
        channels=[_channel(footage, number) for number in range(len(_CHANNEL_NAMES))],
        recordingSettings=_recording_settings(camera) | {"recordAudio": has_audio},
        featureFlags={"hasMic": has_audio},
        stats={"video": _recorded_range(camera, state.now_ms)},
        **_connection(camera, state.now_ms),
        isMotionDetected=state.is_motion_detected,
        lastMotion=state.last_motion_ms,
        lastRing=state.last_ring_ms,
    ) | dict(camera.extra)


def _user(account: UserAccount) -> Mapping[str, object]:
    name = account.username.title()
    return _filled(
        "user",
        id=account.user_id,
        allPermissions=list(account.permissions),
        firstName=name,
        name=name,
        localUsername=account.username,
    )


def _channel(footage: FootageFormat, number: int) -> Mapping[str, object]:
    divisor = 1 << number
    return _filled(
        "channel",
        id=number,
        videoId=f"video{number + 1}",
        name=_CHANNEL_NAMES[number],
        width=footage.width // divisor,
        height=footage.height // divisor,
        fps=footage.fps,
        bitrate=_BITS_PER_SEC // divisor,
        idrInterval=footage.keyframe_secs,
    )


def _recording_settings(camera: SimulatedCamera) -> dict[str, object]:
    before, after = camera.padding_secs
    return {
        "mode": camera.recording_mode,
        "prePaddingSecs": before,
        "postPaddingSecs": after,
        "smartDetectPrePaddingSecs": before,
        "smartDetectPostPaddingSecs": after,
    }


def _connection(camera: SimulatedCamera, now_ms: int) -> dict[str, object]:
    is_adopted = camera.is_adopted
    return {
        "state": "CONNECTED" if is_adopted else "DISCONNECTED",
        "isAdopted": is_adopted,
        "isConnected": is_adopted,
        "isRecording": is_adopted,
        "lastSeen": now_ms if is_adopted else _UP_SINCE_MS,
        "connectedSince": _UP_SINCE_MS if is_adopted else None,
        "upSince": _UP_SINCE_MS,
        "uptime": max(0, now_ms - _UP_SINCE_MS),
    }


def _recorded_range(camera: SimulatedCamera, now_ms: int) -> Mapping[str, object]:
    start_ms = camera.recording_start_ms if camera.is_adopted else None
    end_ms = (camera.recording_end_ms or now_ms) if camera.is_adopted else None
    return {
        f"{kind}{end}{quality}": instant_ms
        for kind in ("recording", "timelapse")
        for quality in ("", "LQ")
        for end, instant_ms in (("Start", start_ms), ("End", end_ms))
    }


def _filled(name: str, /, **values: object) -> dict[str, object]:
    """Return the named part of the template with the values added to it."""
    return _merged(_template()[name], values)


def _merged(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, object]:
    """Return both in one object; where both have an object, these are merged as well."""
    merged = dict(template)
    for key, value in values.items():
        former = template.get(key)
        if isinstance(former, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(former, value)
        else:
            merged[key] = value
    return merged


@cache
def _template() -> dict[str, dict[str, Any]]:
    """Read the constant parts. They are shared, so callers copy what they change."""
    content: dict[str, dict[str, Any]] = orjson.loads(
        Path(__file__).with_name(_TEMPLATE_FILE).read_bytes()
    )
    return content
