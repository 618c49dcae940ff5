"""Opens a clip, and gives the packets of its video track from a keyframe on."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media.hwaccel import accelerated_by
from upvs_tasks.media.tracks import video_track

# When it opens a file, libav decodes the first frames to learn what the index says anyway.
_OPEN_OPTIONS = {"analyzeduration": "0", "probesize": "32", "skip_frame": "all"}
_BEFORE_ALL_TICKS = -1 << 40


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
    # Else libav rounds what is cropped on the left, so that copies are quick.
    video.codec_context.flags |= Flags.unaligned
    return video


def packets_from(
    container: InputContainer, stream: VideoStream, keyframe_ticks: int | None, first_ticks: int
) -> Iterator["Packet[VideoStream]"]:
    """Packets from the keyframe on, in the order in which they are stored; or else all.

    libav seeks by decoding time, so with B frames and very short groups it may land too late. Then
    all packets of the file come.
    """
    if keyframe_ticks is not None:
        container.seek(keyframe_ticks, stream=stream)
        packets = _stored_packets(container, stream)
        first = next(packets, None)
        if first is not None and (first.pts or 0) <= first_ticks:
            yield first
            yield from packets
            return
    container.seek(_BEFORE_ALL_TICKS, stream=stream)
    yield from _stored_packets(container, stream)


def _stored_packets(
    container: InputContainer, stream: VideoStream
) -> Iterator["Packet[VideoStream]"]:
    return (packet for packet in container.demux(stream) if packet.size)


def drained(context: VideoCodecContext) -> Iterator[VideoFrame]:
    """Frames that the decoder still holds; afterwards it is ready for another group."""
    try:
        yield from context.decode(None)
    except (av.FFmpegError, ValueError):
        return
    finally:
        context.flush_buffers()
