"""Frames of a clip, by their time stamps; nothing is decoded that they do not need."""

import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media.packets import drained, open_quickly, packets_from, video_of

log = logging.getLogger(__name__)

_SKIPPABLE_CODECS = frozenset({"h264"})
_NEVER, _ALWAYS = -1 << 63, 1 << 63


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """A frame that is asked for: its time stamp, and that of the keyframe where decoding begins.

    Without a keyframe, decoding begins with the track. With a ``place`` the frame is the picture of
    that number, and its time stamp is not looked at.
    """

    ticks: int
    keyframe_ticks: int | None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """What came of a request: a picture, or None where a decoder gives none.

    It ``is_whole`` unless it, or a frame that it refers to, is known to be damaged.
    """

    picture: VideoFrame | None
    is_whole: bool


def decoded_frames(
    path: Path, requests: Sequence[FrameRequest], *, device: str | None = None
) -> Iterator[DecodedFrame]:
    """One frame for each request, as a decode from the first packet to the last shows it.

    Requests are in the order of time. Use a frame before you take the next one. ``device`` (see
    `hwaccel`) decodes; software decodes the rest as soon as the device fails. Raises
    BrokenFootageError when the file cannot be opened.
    """
    done = 0
    if device is not None and requests and requests[0].place is None:
        for frame in _decoded_by_device(device, path, requests):
            yield frame
            done += 1
    if done < len(requests):
        yield from _decoded(path, requests[done:])


def _decoded_by_device(
    device: str, path: Path, requests: Sequence[FrameRequest]
) -> Iterator[DecodedFrame]:
    """Frames in the order of the requests; ends at the first one that the device does not give."""
    done = 0
    try:
        for picture in _from_keyframes(path, requests, device):
            if picture is None:
                break
            yield DecodedFrame(picture, is_whole=True)
            done += 1
    except BrokenFootageError as error:
        reason = str(error)
    else:
        reason = "the device gave no frame"
    if done < len(requests):
        log.info("software decodes what hardware does not", extra={"reason": reason})


def _decoded(path: Path, requests: Sequence[FrameRequest]) -> Iterator[DecodedFrame]:
    """Frames from their keyframes; from the first one on that cannot be had so, from the start.

    That one is damaged, or a keyframe of the table is none. Either way only a decode from the start
    shows what the file gives: damaged frames depend on what was decoded before.
    """
    quickly = _from_keyframes(path, requests, None)
    from_start = _FromStart(path) if requests[0].place is not None else None
    for request in requests:
        picture = None if from_start else next(quickly)
        if picture is not None:
            yield DecodedFrame(picture, is_whole=True)
            continue
        if from_start is None:
            quickly.close()  # two decoders at once would take twice the memory
            from_start = _FromStart(path)
        yield from_start.frame_of(request)


def _from_keyframes(
    path: Path, requests: Sequence[FrameRequest], device: str | None
) -> Generator[VideoFrame | None]:
    """The picture of each request, decoded from its keyframe; None where that does not give it."""
    with open_quickly(path, device=device) as container:
        stream = video_of(container, path)
        for keyframe_ticks, group in groupby(requests, lambda request: request.keyframe_ticks):
            ticks = [request.ticks for request in group]
            frames = _group_frames(container, stream, keyframe_ticks, set(ticks))
            yield from _frames_at(ticks, frames)


class _FromStart:
    """All pictures of a clip, in the order in which a decoder gives them, each decoded once."""

    def __init__(self, path: Path) -> None:
        self._frames = _all_frames(path)
        self._shown = DecodedFrame(None, is_whole=False)
        self._place, self._ticks = -1, _NEVER

    def frame_of(self, request: FrameRequest) -> DecodedFrame:
        """The frame that is asked for. Its place, or its time, is not before that of the last."""
        while not self._has_reached(request):
            frame = next(self._frames, None)
            if frame is None or frame.picture is None:
                self._place = self._ticks = _ALWAYS
            else:
                self._shown = frame
                self._place, self._ticks = self._place + 1, _time_of(frame.picture)
        is_asked_for = (
            self._ticks == request.ticks if request.place is None else self._place == request.place
        )
        return self._shown if is_asked_for else DecodedFrame(None, is_whole=False)

    def _has_reached(self, request: FrameRequest) -> bool:
        if request.place is None:
            return self._ticks >= request.ticks
        return self._place >= request.place


def _all_frames(path: Path) -> Iterator[DecodedFrame]:
    """All frames of a clip; from a damaged one on they are damaged, up to the next keyframe."""
    is_whole = True
    with open_quickly(path) as container:
        stream = video_of(container, path)
        for packet in packets_from(container, stream, None, _ALWAYS):
            try:
                pictures = stream.codec_context.decode(packet)
            except (av.FFmpegError, ValueError):
                is_whole = False
                continue
            for picture in pictures:
                is_whole = not picture.is_corrupt and (is_whole or picture.key_frame)
                yield DecodedFrame(picture, is_whole)
        for picture in drained(stream.codec_context):
            is_whole = not picture.is_corrupt and (is_whole or picture.key_frame)
            yield DecodedFrame(picture, is_whole)


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
    container: InputContainer, stream: VideoStream, keyframe_ticks: int | None, missing: set[int]
) -> Iterator[VideoFrame]:
    """Whole frames of one group of pictures, in the order of time, until none is missing.

    Ends at the first damaged frame: the frames after it, up to the next keyframe, refer to it.
    """
    start_ticks = _NEVER if keyframe_ticks is None else keyframe_ticks
    packets = packets_from(container, stream, keyframe_ticks, min(missing))
    for frame in _until_none_is_missing(stream.codec_context, packets, missing):
        if _time_of(frame) < start_ticks:
            continue  # it belongs to the group before, which was not decoded
        if frame.is_corrupt:
            return
        yield frame


def _until_none_is_missing(
    context: VideoCodecContext, packets: Iterator["Packet[VideoStream]"], missing: set[int]
) -> Iterator[VideoFrame]:
    try:
        for packet in packets:
            _skip_if_not_needed(context, packet, missing)
            if not packet.is_discard:
                missing.discard(packet.pts or 0)
            yield from context.decode(packet)
            if not missing:
                break
    except (av.FFmpegError, ValueError):
        pass  # frames that the decoder still holds come before the damage
    yield from drained(context)


def _skip_if_not_needed(
    context: VideoCodecContext, packet: "Packet[VideoStream]", missing: set[int]
) -> None:
    """Let the decoder skip a frame that is not missing and to which no other frame refers.

    Not in HEVC: there a frame to which no frame of its own layer refers may have some in the next.
    """
    if context.name in _SKIPPABLE_CODECS:
        context.skip_frame = "DEFAULT" if packet.pts in missing else "NONREF"
