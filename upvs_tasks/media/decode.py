"""Chosen frames of a clip, decoding no more than what they need."""

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

log = logging.getLogger(__name__)

# On opening a file libav decodes its first pictures, to learn what the index says anyway.
_OPEN_OPTIONS = {"analyzeduration": "0", "probesize": "32", "skip_frame": "all"}
_REPLACEABLE = frozenset({"h264"})
_NEVER, _ALWAYS = -1 << 63, 1 << 63


@dataclass(frozen=True, slots=True)
class Wanted:
    """A frame by its time stamp, and that of the keyframe from which it is decoded."""

    ticks: int
    keyframe_ticks: int


def decoded_frames(
    path: Path, wanted: Sequence[Wanted], *, device: str | None = None
) -> Iterator[VideoFrame | None]:
    """Each wanted frame, in the order of their times; None for one that cannot be had whole.

    A frame is whole when neither it nor any frame that it is built on is damaged. A picture is
    good until the next is asked for. What ``device`` (see `hardware`) cannot decode, software
    does. Raises BrokenFootageError when the file cannot be opened at all.
    """
    given = 0
    if device is not None:
        for frame in _given_by(device, path, wanted):
            yield frame
            given += 1
    if given < len(wanted):
        yield from _decoded(path, wanted[given:], None)


def _given_by(device: str, path: Path, wanted: Sequence[Wanted]) -> Iterator[VideoFrame]:
    """Wanted frames up to the first with which the device has trouble of any kind."""
    given = 0
    try:
        for frame in _decoded(path, wanted, device):
            if frame is None:
                break
            yield frame
            given += 1
    except BrokenFootageError as error:
        reason = str(error)
    else:
        reason = "a picture did not come"
    if given < len(wanted):
        log.info("software decodes what hardware does not", extra={"reason": reason})


def _decoded(
    path: Path, wanted: Sequence[Wanted], device: str | None
) -> Iterator[VideoFrame | None]:
    with open_quickly(path, device=device) as container:
        stream = video_of(container, path)
        for keyframe_ticks, group in groupby(wanted, lambda frame: frame.keyframe_ticks):
            ticks = [frame.ticks for frame in group]
            frames = _group_frames(container, stream, keyframe_ticks, set(ticks))
            yield from _in_order(frames, ticks)


def open_quickly(path: Path, *, device: str | None = None) -> InputContainer:
    """Open an MP4 without decoding any of it. Raises BrokenFootageError where libav refuses it."""
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
    """First video track, the only one to be read. Raises BrokenFootageError where there is none."""
    video = next(iter(container.streams.video), None)
    if video is None or video.codec_context is None:
        raise BrokenFootageError(f"{path.name} has no video track that can be decoded")
    for stream in container.streams:
        if stream is not video:
            stream.discard = Discard.all
    video.thread_count = 1
    return video


def _in_order(frames: Iterator[VideoFrame], ticks: Sequence[int]) -> Iterator[VideoFrame | None]:
    """The frame of each of the ascending ``ticks``, or None where it does not come."""
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
    """Whole frames of one group of pictures in the order of their times, the missing among them.

    Ends where the last missing one comes out, or with the first damage: what follows that is built
    on it, up to the next keyframe.
    """
    context = stream.codec_context
    try:
        for packet in _packets(container, stream, keyframe_ticks, min(missing)):
            _skip_if_replaceable(context, packet, missing)
            missing.discard(packet.pts or 0)
            for frame in context.decode(packet):
                if _time_of(frame) < keyframe_ticks:
                    continue  # leading pictures of a group before, which we did not decode
                if frame.is_corrupt:
                    return
                yield frame
            if not missing:
                break
    except (av.FFmpegError, ValueError):
        pass  # what the decoder still holds was whole before the damage
    yield from _drained(context, keyframe_ticks)


def _packets(
    container: InputContainer, stream: VideoStream, keyframe_ticks: int, first_ticks: int
) -> Iterator["Packet[VideoStream]"]:
    """Packets from the keyframe on, in the order in which they are stored.

    libav seeks by decoding times, so that with B frames and tiny groups it may land too late.
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


def _skip_if_replaceable(
    context: VideoCodecContext, packet: "Packet[VideoStream]", missing: set[int]
) -> None:
    """Spare the decoder a picture that is not wanted, if no other picture is built on it.

    In HEVC a picture that is none to its own layer may still be one to the next.
    """
    if context.name in _REPLACEABLE:
        context.skip_frame = "DEFAULT" if packet.pts in missing else "NONREF"


def _drained(context: VideoCodecContext, keyframe_ticks: int) -> Iterator[VideoFrame]:
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
