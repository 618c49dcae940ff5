"""Frames of a clip, by their time stamps; nothing is decoded that they do not need."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media.hwaccel import accelerated_by
from upvs_tasks.media.tracks import video_track

log = logging.getLogger(__name__)

# When it opens a file, libav decodes the first frames to learn what the index says anyway.
_OPEN_OPTIONS = {"analyzeduration": "0", "probesize": "32", "skip_frame": "all"}
_SKIPPABLE_CODECS = frozenset({"h264"})
_NEVER, _ALWAYS = -1 << 63, 1 << 63


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """A frame that is asked for: its time stamp, and that of the keyframe where decoding begins."""

    ticks: int
    keyframe_ticks: int


def decoded_frames(
    path: Path, requests: Sequence[FrameRequest], *, device: str | None = None
) -> Iterator[VideoFrame | None]:
    """One frame for each request; None where the frame is damaged or absent.

    Requests are in the order of time. A frame is damaged if it, or a frame that it refers to, is.
    Use a frame before you take the next one. ``device`` (see `hwaccel`) decodes; software decodes
    the rest as soon as the device fails. Raises BrokenFootageError when the file cannot be opened.
    """
    done = 0
    if device is not None:
        for frame in _decoded_by_device(device, path, requests):
            yield frame
            done += 1
    if done < len(requests):
        yield from _decoded(path, requests[done:], None)


def _decoded_by_device(
    device: str, path: Path, requests: Sequence[FrameRequest]
) -> Iterator[VideoFrame]:
    """Frames in the order of the requests; ends at the first one that the device does not give."""
    done = 0
    try:
        for frame in _decoded(path, requests, device):
            if frame is None:
                break
            yield frame
            done += 1
    except BrokenFootageError as error:
        reason = str(error)
    else:
        reason = "the device gave no frame"
    if done < len(requests):
        log.info("software decodes what hardware does not", extra={"reason": reason})


def _decoded(
    path: Path, requests: Sequence[FrameRequest], device: str | None
) -> Iterator[VideoFrame | None]:
    with open_quickly(path, device=device) as container:
        stream = video_of(container, path)
        for keyframe_ticks, group in groupby(requests, lambda request: request.keyframe_ticks):
            ticks = [request.ticks for request in group]
            frames = _group_frames(container, stream, keyframe_ticks, set(ticks))
            yield from _frames_at(ticks, frames)


def open_quickly(path: Path, *, device: str | None = None) -> InputContainer:
    """Open an MP4 without decoding anything. Raises BrokenFootageError where libav cannot."""
    try:
        return av.open(
            f"file:{path}",
            "r",
            format="mp4",
            metadata_errors="replace",
            options=_OPEN_OPTIONS,
            hwaccel=accelerated_by(device),
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BrokenFootageError(f"{path.name} cannot be opened: {reason}") from error


def video_of(container: InputContainer, path: Path) -> VideoStream:
    """The video track; no other track is read. Raises BrokenFootageError where there is none."""
    video = video_track(container, path)
    if video is None or video.codec_context is None:
        raise BrokenFootageError(f"{path.name} has no video track that can be decoded")
    for stream in container.streams:
        if stream is not video:
            stream.discard = Discard.all
    video.thread_count = 1
    return video


def _frames_at(ticks: Sequence[int], frames: Iterator[VideoFrame]) -> Iterator[VideoFrame | None]:
    """The frame at each time of the ascending ``ticks``; None where there is none."""
    shown_at, frame = _NEVER, None
    for tick in ticks:
        while shown_at < tick:
            frame = next(frames, None)
            shown_at = _ALWAYS if frame is None else _time_of(frame)
        yield frame if shown_at == tick else None


def _time_of(frame: VideoFrame) -> int:
    return _NEVER if frame.pts is None else frame.pts


def _group_frames(
    container: InputContainer, stream: VideoStream, keyframe_ticks: int, missing: set[int]
) -> Iterator[VideoFrame]:
    """Good frames of one group of pictures, in the order of time, until none is missing.

    Ends at the first damaged frame: the frames after it, up to the next keyframe, refer to it.
    """
    context = stream.codec_context
    try:
        for packet in _packets(container, stream, keyframe_ticks, min(missing)):
            _skip_if_not_needed(context, packet, missing)
            missing.discard(packet.pts or 0)
            for frame in context.decode(packet):
                if _time_of(frame) < keyframe_ticks:
                    continue  # it belongs to the group before, which was not decoded
                if frame.is_corrupt:
                    return
                yield frame
            if not missing:
                break
    except (av.FFmpegError, ValueError):
        pass  # frames that the decoder still holds come before the damage
    yield from _drained(context, keyframe_ticks)


def _packets(
    container: InputContainer, stream: VideoStream, keyframe_ticks: int, first_ticks: int
) -> Iterator["Packet[VideoStream]"]:
    """Packets from the keyframe on, in the order in which they are stored.

    libav seeks by decoding time, so with B frames and very short groups it may land too late. Then
    all packets of the file come.
    """
    container.seek(keyframe_ticks, stream=stream)
    is_checked = False
    for packet in container.demux(stream):
        if packet.dts is None and packet.pts is None:
            return
        if not is_checked and (packet.pts or 0) > first_ticks:
            break
        is_checked = True
        yield packet
    if not is_checked:
        container.seek(-1 << 40, stream=stream)
        yield from (packet for packet in container.demux(stream) if packet.size)


def _skip_if_not_needed(
    context: VideoCodecContext, packet: "Packet[VideoStream]", missing: set[int]
) -> None:
    """Let the decoder skip a frame that is not missing and to which no other frame refers.

    Not in HEVC: there a frame to which no frame of its own layer refers may have some in the next.
    """
    if context.name in _SKIPPABLE_CODECS:
        context.skip_frame = "DEFAULT" if packet.pts in missing else "NONREF"


def _drained(context: VideoCodecContext, keyframe_ticks: int) -> Iterator[VideoFrame]:
    """Good frames that the decoder still holds; afterwards it is ready for another group."""
    try:
        for frame in context.decode(None):
            if frame.is_corrupt:
                return
            if _time_of(frame) >= keyframe_ticks:
                yield frame
    except (av.FFmpegError, ValueError):
        return
    finally:
        context.flush_buffers()
