"""Writes one segment of the film: one thread, the same bytes for the same pictures."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT

# Ticks of a segment's time base for a frame: with a whole number of them nothing is ever rounded.
TICKS_PER_FRAME = 512

# x264 and x265 spend less on pictures that few others refer to, and so on a segment's last ones:
# quality would sink and leap at each border. Before keyframes of their own they look beyond them,
# so the last picture is shown to them so many times more, and dropped. Four came closest to the
# quality within a film encoded in one piece, at 2x and at 12x; sixteen cost 3 to 5 % in size.
_FRAMES_BEYOND = {Codec.H264: 4, Codec.HEVC: 4, Codec.AV1: 0}
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
_BT709 = 1  # its number as primaries, transfer characteristic and matrix
_ENCODERS = {Codec.H264: "libx264", Codec.HEVC: "libx265", Codec.AV1: "libsvtav1"}
_TAGS = {Codec.H264: "avc1", Codec.HEVC: "hvc1", Codec.AV1: "av01"}
# Encoders write their name, version and settings into the stream: nothing that a film needs.
_CLEANERS = {
    Codec.H264: "filter_units=remove_types=6",
    Codec.HEVC: "filter_units=remove_types=39-40",
}
_SVT_PRESETS = {
    "ultrafast": 12,
    "superfast": 11,
    "veryfast": 10,
    "faster": 9,
    "fast": 8,
    "medium": 7,
    "slow": 5,
    "slower": 4,
    "veryslow": 2,
}


def timescale(encoding: Encoding) -> int:
    """Ticks a second of a segment's time base."""
    return encoding.fps * TICKS_PER_FRAME


class SegmentWriter:
    """Encodes pictures of the film's format into an MP4 at a path that the caller promotes.

    As a context it finishes the file when the block ends well. The first picture is a keyframe, and
    nothing refers beyond the file, so that segments of the same format join by copying.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._frames = 0
        self._last: VideoFrame | None = None
        self._fps = encoding.fps
        self._frames_beyond = _FRAMES_BEYOND[encoding.codec]
        options = {"video_track_timescale": str(timescale(encoding)), "fflags": "+bitexact"}
        self._container: OutputContainer = av.open(f"file:{path}", "w", "mp4", options=options)
        self._stream = _new_stream(self._container, encoding)
        cleaner = _CLEANERS.get(encoding.codec)
        self._cleaner = BitStreamFilterContext(cleaner, encoding.codec) if cleaner else None

    @property
    def frame_count(self) -> int:
        """How many pictures were taken so far."""
        return self._frames

    def write(self, frame: VideoFrame) -> None:
        """Append a picture; it can be shown again afterwards, but not be drawn on."""
        # A keyframe of the source would otherwise become one of the film.
        packets = self._encode(frame, self._frames, PictureType.NONE)
        self._frames, self._last = self._frames + 1, frame
        self._mux(packets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._container.close()

    def _encode(
        self, frame: VideoFrame, place: int, picture_type: PictureType
    ) -> "list[Packet[VideoStream]]":
        frame.pts = place
        frame.time_base = Fraction(1, self._fps)
        frame.pict_type = picture_type
        return self._stream.encode(frame)

    def _finish(self) -> None:
        if self._last is not None:
            picture_type = PictureType.I  # so that nothing before it refers to it
            for place in range(self._frames, self._frames + self._frames_beyond):
                self._mux(self._encode(self._last, place, picture_type))
                picture_type = PictureType.NONE
        self._mux(self._stream.encode(None))

    def _mux(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            if packet.pts is not None and packet.pts >= self._frames:
                continue
            if self._cleaner is None:
                self._container.mux(packet)
                continue
            for cleaned in self._cleaner.filter(packet):
                cleaned.stream = self._stream
                self._container.mux(cleaned)


def _new_stream(container: OutputContainer, encoding: Encoding) -> VideoStream:
    stream = container.add_stream(_ENCODERS[encoding.codec], rate=encoding.fps)
    if not isinstance(stream, VideoStream):
        raise TypeError("an encoder of video makes a stream of something else")
    stream.width, stream.height = encoding.width, encoding.height
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, timescale(encoding))
    context = stream.codec_context
    context.time_base = Fraction(1, encoding.fps)
    context.thread_count = 1
    context.codec_tag = _TAGS[encoding.codec]
    context.color_range = _LIMITED_RANGE
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.flags |= Flags.bitexact
    context.gop_size = FRAMES_PER_SEGMENT
    context.options = _encoder_options(encoding)
    return stream


def _encoder_options(encoding: Encoding) -> dict[str, str]:
    match encoding.codec:
        case Codec.H264:
            # Left to itself x264 takes other algorithms on other processors; with those for AVX-512
            # the bytes even change with what the memory held before, at widths such as 720 or 480.
            alike = "threads=1:stitchable=1:cpu-independent=1"
            # x264 spends less on the first picture of all than on later keyframes, by its own
            # ratio of keyframes to others, 1.4; the first of each segment would stand out.
            first = "zones=0,0,b=1.4"
            own = {"preset": encoding.preset, "x264-params": f"{alike}:{first}", "forced-idr": "1"}
        case Codec.HEVC:
            quiet = "log-level=error:info=0"
            alike = f"pools=none:frame-threads=1:{quiet}"
            own = {"preset": encoding.preset, "x265-params": alike, "forced-idr": "1"}
        case Codec.AV1:
            own = {"preset": str(_SVT_PRESETS[encoding.preset]), "svtav1-params": "lp=1"}
    return own | {"crf": str(encoding.crf)}
