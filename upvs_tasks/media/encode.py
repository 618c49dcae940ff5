"""Encodes one segment of the film: in one thread, the same bytes for the same frames."""

import errno
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

from upvs_tasks.errors import StorageError
from upvs_tasks.media.frame_converter import BT709
from upvs_tasks.media.options import X264_REPEATABLE, encoder_crf
from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT

# A frame lasts so many ticks of a segment's time base: a whole number, so that nothing is rounded.
TICKS_PER_FRAME = 512

# x264 and x265 spend fewer bits on frames to which few others refer, and so on the last frames of a
# segment: the quality would drop and jump at each border. So the last frame is encoded so many
# times more, as a keyframe and what follows it, and these are dropped. Four came closest to the
# quality of a film encoded in one piece, at 2x and at 12x; sixteen cost 3 to 5 % in size.
_FRAMES_BEYOND = {Codec.H264: 4, Codec.HEVC: 4, Codec.AV1: 0}
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
_ENCODERS = {Codec.H264: "libx264", Codec.HEVC: "libx265", Codec.AV1: "libsvtav1"}
CODEC_TAGS = {Codec.H264: "avc1", Codec.HEVC: "hvc1", Codec.AV1: "av01"}
# Encoders write their name, version and settings into the stream. These filters remove that.
_METADATA_FILTERS = {
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


# Numbers of the system's errors, save those that encoders use for reasons of their own.
_OF_FILES = errno.errorcode.keys() - {errno.EINVAL, errno.ENOMEM, errno.EAGAIN}


def timescale(encoding: Encoding) -> int:
    """Ticks a second of a segment's time base."""
    return encoding.fps * TICKS_PER_FRAME


def write_blank(path: Path, encoding: Encoding, *, frames: int) -> None:
    """Write a segment whose frames are all of one colour. Raises StorageError."""
    try:
        with SegmentWriter(path, encoding) as writer:
            for _ in range(frames):
                writer.write(VideoFrame(encoding.width, encoding.height, "yuv420p"))
    except (av.FFmpegError, OSError) as error:
        refused = storage_error(path, error)
        if refused is None:
            raise
        raise refused from error


def storage_error(path: Path, error: Exception) -> StorageError | None:
    """What the disk has refused while a file was encoded; None where the encoder has failed."""
    number = getattr(error, "errno", None)  # of the system's errors, libav hands on the number
    return StorageError.of_number(number, path) if number in _OF_FILES else None


class SegmentWriter:
    """Encodes converted frames into an MP4. The caller gives the file its final name.

    A context manager: it finishes the file when the block ends without an error. The first frame is
    a keyframe and no frame refers to another file, so segments join by copying.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._frames = 0
        self._last: VideoFrame | None = None
        self._fps = encoding.fps
        self._frames_beyond = _FRAMES_BEYOND[encoding.codec]
        options = {"video_track_timescale": str(timescale(encoding)), "fflags": "+bitexact"}
        self._container: OutputContainer = av.open(f"file:{path}", "w", "mp4", options=options)
        self._stream = _new_stream(self._container, encoding)
        name = _METADATA_FILTERS.get(encoding.codec)
        self._metadata_filter = BitStreamFilterContext(name, encoding.codec) if name else None

    @property
    def frame_count(self) -> int:
        """How many frames were written so far."""
        return self._frames

    def write(self, frame: VideoFrame) -> None:
        """Append a frame. The caller may write it again, but not change its pixels."""
        # Without a type of its own, a keyframe of the clip would become one of the film.
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
            picture_type = PictureType.I  # so that no frame before it refers to it
            for place in range(self._frames, self._frames + self._frames_beyond):
                self._mux(self._encode(self._last, place, picture_type))
                picture_type = PictureType.NONE
        self._mux(self._stream.encode(None))

    def _mux(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            if packet.pts is not None and packet.pts >= self._frames:
                continue
            if self._metadata_filter is None:
                self._container.mux(packet)
                continue
            for filtered in self._metadata_filter.filter(packet):
                filtered.stream = self._stream
                self._container.mux(filtered)


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
    context.codec_tag = CODEC_TAGS[encoding.codec]
    context.color_range = _LIMITED_RANGE
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.flags |= Flags.bitexact
    context.gop_size = FRAMES_PER_SEGMENT
    context.options = _encoder_options(encoding)
    return stream


def _encoder_options(encoding: Encoding) -> dict[str, str]:
    match encoding.codec:
        case Codec.H264:
            repeatable = f"threads=1:stitchable=1:{X264_REPEATABLE}"
            # x264 spends fewer bits on its very first frame than on later keyframes, by its own
            # ratio of keyframes to others, 1.4: the first of each segment would stand out.
            first = "zones=0,0,b=1.4"
            parameters = f"{repeatable}:{first}"
            own = {"preset": encoding.preset, "x264-params": parameters, "forced-idr": "1"}
        case Codec.HEVC:
            quiet = "log-level=error:info=0"
            repeatable = f"pools=none:frame-threads=1:{quiet}"
            own = {"preset": encoding.preset, "x265-params": repeatable, "forced-idr": "1"}
        case Codec.AV1:
            own = {"preset": str(_SVT_PRESETS[encoding.preset]), "svtav1-params": "lp=1"}
    return own | {"crf": str(encoder_crf(encoding))}
