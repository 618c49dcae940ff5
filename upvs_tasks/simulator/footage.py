"""Recorded pictures, which follow from camera and instant, encoded one group of pictures at a time.

Each group comes from a new encoder. So it depends on its own instant alone, and has the same bytes
in every export.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Literal, cast
from zoneinfo import ZoneInfo

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from upvs_tasks.simulator.cameras import FootageFormat, SimulatedCamera, VideoCodec
from upvs_tasks.simulator.picture import Picture
from upvs_tasks.simulator.prng import Prng
from upvs_tasks.simulator.scene import still_scene
from upvs_tasks.simulator.timestamp import draw_blocks, draw_caption
from upvs_tasks.simulator.traffic import draw_traffic

_MS_PER_SEC = 1000
_GROUPS_KEPT = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHARED_OPTIONS = "scenecut=0:bframes=0:rc-lookahead=0"
ENCODER_OPTIONS = {
    VideoCodec.H264: {
        "preset": "ultrafast",
        "crf": "28",
        "x264-params": f"{_SHARED_OPTIONS}:keyint=100000:threads=1:sync-lookahead=0:mbtree=0",
    },
    VideoCodec.HEVC: {
        "preset": "ultrafast",
        "crf": "30",
        "x265-params": (
            f"{_SHARED_OPTIONS}:keyint=10000:pools=none:frame-threads=1:log-level=none:info=0"
        ),
    },
}


@dataclass(frozen=True, slots=True)
class CameraView:
    """What a group of pictures depends on besides its instant; ``camera_id`` selects the scene."""

    name: str
    camera_id: str
    footage: FootageFormat
    timezone: str


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One encoded picture and the instant that it shows."""

    instant_ms: int
    data: bytes
    is_keyframe: bool


def camera_view(camera: SimulatedCamera, footage: FootageFormat, timezone: str) -> CameraView:
    """Return what the pictures of a camera in this format depend on."""
    return CameraView(camera.name or camera.camera_id, camera.camera_id, footage, timezone)


def group_start_ms(camera: SimulatedCamera, footage: FootageFormat, instant_ms: int) -> int:
    """Return the instant of the keyframe at or before ``instant_ms``."""
    period_ms = footage.keyframe_secs * _MS_PER_SEC
    return instant_ms - (instant_ms - camera.keyframe_phase_ms) % period_ms


def frame_instants(footage: FootageFormat, start_ms: int) -> tuple[int, ...]:
    """Return the instants of all frames of the group that starts at ``start_ms``."""
    count = footage.fps * footage.keyframe_secs
    spacing_ms = _MS_PER_SEC / footage.fps
    prng = Prng("uneven", start_ms)
    largest_ms = int(spacing_ms / 3) if footage.uneven else 0
    shifts = [0] + [prng.integer(-largest_ms, largest_ms) for _ in range(count - 1)]
    return tuple(
        start_ms + round(number * spacing_ms) + shift for number, shift in enumerate(shifts)
    )


def frames_between(
    camera: SimulatedCamera, view: CameraView, start_ms: int, end_ms: int
) -> Iterator[EncodedFrame]:
    """Yield the recorded frames from the keyframe at or before start until before end."""
    period_ms = view.footage.keyframe_secs * _MS_PER_SEC
    first_ms = group_start_ms(camera, view.footage, start_ms)
    for group_ms in range(first_ms, end_ms, period_ms):
        if camera.is_recorded_at(group_ms):
            for frame in encoded_group(view, group_ms):
                if frame.instant_ms < end_ms:
                    yield frame


@lru_cache(maxsize=_GROUPS_KEPT)
def encoded_group(view: CameraView, start_ms: int) -> tuple[EncodedFrame, ...]:
    """Return the encoded pictures of one group; the first of them is a keyframe."""
    instants = frame_instants(view.footage, start_ms)
    encoder = _new_encoder(view.footage)
    packets: list[bytes] = []
    for number, picture in enumerate(pictures(view, instants)):
        frame = _video_frame(picture, view.footage)
        frame.pts = number
        packets.extend(bytes(packet) for packet in encoder.encode(frame))
    packets.extend(bytes(packet) for packet in encoder.encode(None))
    return tuple(
        EncodedFrame(instant_ms, data, instant_ms == start_ms)
        for instant_ms, data in zip(instants, packets, strict=True)
    )


def pictures(view: CameraView, instants: tuple[int, ...]) -> Iterator[Picture]:
    """Yield the raw, upright picture of each instant."""
    zone = ZoneInfo(view.timezone)
    width, height = upright_size(view.footage)
    # A group has the light of its first minute, so that its background does not change.
    first = _local_time(instants[0], zone)
    still = still_scene(view.camera_id, width, height, first.hour * 60 + first.minute)
    for instant_ms in instants:
        picture = still.copy()
        draw_traffic(picture, view.camera_id, instant_ms)
        text = _local_time(instant_ms, zone).isoformat(" ", "milliseconds")[:23]
        draw_caption(picture.luma, width, text, view.name)
        draw_blocks(picture.luma, width, height, instant_ms)
        yield picture


def upright_size(footage: FootageFormat) -> tuple[int, int]:
    """Return width and height as a player shows them."""
    if footage.rotation_degrees in (90, 270):
        return footage.height, footage.width
    return footage.width, footage.height


def pixel_format(footage: FootageFormat) -> str:
    """Return ffmpeg's name of the pixel format."""
    return "yuvj420p" if footage.full_range else "yuv420p"


def encoder_of(codec: VideoCodec) -> Literal["libx264", "libx265"]:
    """Return the name of the encoder for a codec."""
    return "libx265" if codec is VideoCodec.HEVC else "libx264"


def _local_time(instant_ms: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)


def _new_encoder(footage: FootageFormat) -> VideoCodecContext:
    encoder = VideoCodecContext.create(encoder_of(footage.codec), "w")
    encoder.width, encoder.height = footage.width, footage.height
    encoder.pix_fmt = pixel_format(footage)
    encoder.time_base = Fraction(1, footage.fps)
    encoder.framerate = Fraction(footage.fps)
    encoder.thread_count = 1
    encoder.flags |= Flags.bitexact | Flags.global_header
    options = ENCODER_OPTIONS[footage.codec]
    encoder.options = options | {"crf": str(int(options["crf"]) + footage.quality_loss)}
    return encoder


def _video_frame(picture: Picture, footage: FootageFormat) -> av.VideoFrame:
    frame = av.VideoFrame(footage.width, footage.height, pixel_format(footage))
    for plane, content in zip(frame.planes, (picture.luma, picture.blue, picture.red), strict=True):
        turned = _turned_back(content, plane.width, footage.rotation_degrees)
        # Any buffer is accepted, whatever the annotation says. A copy takes a tenth of the time.
        plane.update(cast("bytes", _padded(turned, plane.width, plane.line_size)))
    return frame


def _turned_back(content: bytearray, coded_width: int, degrees: int) -> bytes | bytearray:
    """Turn an upright plane counterclockwise; a player turns it back."""
    upright_width = len(content) // coded_width  # when the plane is turned by 90 or 270 degrees
    match degrees:
        case 90:
            columns = range(upright_width - 1, -1, -1)
            return b"".join(content[column::upright_width] for column in columns)
        case 180:
            return content[::-1]
        case 270:
            columns = range(upright_width)
            return b"".join(content[column::upright_width][::-1] for column in columns)
        case _:
            return content


def _padded(content: bytes | bytearray, width: int, line_size: int) -> bytes | bytearray:
    if width == line_size:
        return content
    padding = bytes(line_size - width)
    return b"".join(
        content[start : start + width] + padding for start in range(0, len(content), width)
    )
