"""Measures a clip from its table of frames; no frame is decoded, but by `decode_check`."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from operator import attrgetter
from pathlib import Path

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media.mp4_boxes import Structure, check_boxes
from upvs_tasks.media.samples import samples_of
from upvs_tasks.media.tracks import video_track
from upvs_tasks.model.footage import Display, Footage
from upvs_tasks.model.recorded_time import gaps_of, recorded_ms
from upvs_tasks.model.sample_table import SampleTable

_LONGEST_MS = 25 * 3_600_000  # the longest day there is

_BEFORE_ALL_TICKS = -1 << 40
# B frames show within a few frames whether their times are right.
_INSPECTED_FRAMES = 40


def read_sample_table(path: Path) -> SampleTable:
    """Table of all frames of an MP4's video track; all of them lie inside the file.

    Raises BrokenFootageError, which names the file and what is wrong, when it is not a whole video.
    """
    structure = check_boxes(path)
    with opened_clip(path) as (container, stream):
        return _table(path, structure, container, stream)


def measure(path: Path) -> Footage:
    """What a clip holds. Raises BrokenFootageError as `read_sample_table` does."""
    return survey(path)[0]


def survey(path: Path) -> tuple[Footage, SampleTable]:
    """What a clip holds, and its table. Raises BrokenFootageError as `read_sample_table` does."""
    found = _survey(path)
    # Libav keeps to itself what the disk refuses while it looks for the kind of the pictures.
    return found if found[0].pixel_format else _survey(path)


def _survey(path: Path) -> tuple[Footage, SampleTable]:
    structure = check_boxes(path)
    with opened_clip(path) as (container, stream):
        table = _table(path, structure, container, stream)
        context = stream.codec_context
        footage = Footage(
            duration_ms=recorded_ms(table),
            frames=len(table.ticks),
            codec=context.name,
            width=context.width,
            height=context.height,
            pixel_format=context.pix_fmt or "",
            track=stream.index,
            has_b_frames=context.has_b_frames,
            has_audio=structure.has_audio,
            display=_display(structure, stream),
            first_frame_ms=table.ms_of(table.ticks[0]),
            gaps=gaps_of(table),
        )
        return footage, table


def _display(structure: Structure, stream: VideoStream) -> Display:
    pixel = stream.sample_aspect_ratio or Fraction(1)
    return Display(structure.rotation, structure.is_mirrored, pixel.numerator, pixel.denominator)


def decode_check(path: Path) -> None:
    """Decode the first frame, and the last with the frames that it refers to.

    Raises BrokenFootageError when one of the two cannot be decoded.
    """
    table = read_sample_table(path)
    with opened_clip(path) as (container, stream):
        stream.codec_context.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        if next(iter(container.decode(stream)), None) is None:
            raise BrokenFootageError(f"{path.name} holds no frame that can be decoded")
        start_ticks = table.seek_ticks(len(table.ticks) - 1)
        container.seek(_BEFORE_ALL_TICKS if start_ticks is None else start_ticks, stream=stream)
        shown = [frame.pts for frame in container.decode(stream) if frame.pts is not None]
        if not shown or max(shown) < table.ticks[-1]:
            raise BrokenFootageError(f"{path.name} cannot be decoded up to its end")


@contextmanager
def opened_clip(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open an MP4 with its video track; a file of another format is refused.

    An error of libav in the block becomes a BrokenFootageError that names the file.
    """
    try:
        with av.open(f"file:{path}", "r", format="mp4", metadata_errors="replace") as container:
            yield container, _video_stream(path, container)
    except av.FFmpegError as error:
        message = f"{path.name} cannot be read as a video: {error.strerror}"
        raise BrokenFootageError(message) from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = video_track(container, path)
    if stream is None:
        raise BrokenFootageError(f"{path.name} has no video track")
    context = _decoder_of(stream)
    if context is None or not stream.time_base:
        raise BrokenFootageError(f"{path.name} has a video track of a kind that cannot be decoded")
    if not (context.width and context.height):
        raise BrokenFootageError(f"{path.name} has a video track without a size")
    context.thread_count = 1
    return stream


def _decoder_of(stream: VideoStream) -> VideoCodecContext | None:
    """Decoder of a track; None for a codec that libav does not know. PyAV declares it otherwise."""
    return stream.codec_context


def _table(
    path: Path, structure: Structure, container: InputContainer, stream: VideoStream
) -> SampleTable:
    stored = samples_of(path, structure, container, stream)
    samples = sorted(stored, key=attrgetter("ticks"))
    if not samples:
        raise BrokenFootageError(f"{path.name} holds no frame")
    tick_secs = Fraction(stream.time_base or 1)
    ticks = tuple(sample.ticks for sample in samples)
    end_ticks = ticks[-1] + _last_ticks(ticks, samples[-1].duration_ticks, tick_secs)
    by_place = len(set(ticks)) < len(ticks) or _are_mistimed(container, stream)
    # From the start, no frame is nearer than another.
    shown = [] if by_place else enumerate(samples)
    keyframes = tuple(place for place, sample in shown if sample.is_keyframe)
    table = SampleTable(ticks, end_ticks, tick_secs, keyframes, by_place)
    duration_ms = recorded_ms(table)
    if not 0 < duration_ms <= _LONGEST_MS:
        raise BrokenFootageError(f"{path.name} claims to last {duration_ms / 1000:.0f} s")
    return table


def _are_mistimed(container: InputContainer, stream: VideoStream) -> bool:
    """Whether a decoder gives the first pictures in another order than that of their times.

    Where they are damaged, that means nothing.
    """
    context = stream.codec_context
    if not context.reorder_depth:
        return False
    shown: list[VideoFrame] = []
    container.seek(_BEFORE_ALL_TICKS, stream=stream)
    try:
        for packet in islice(container.demux(stream), _INSPECTED_FRAMES):
            shown += context.decode(packet)
    except (av.FFmpegError, ValueError):
        return False
    finally:
        context.flush_buffers()
    times = [frame.pts for frame in shown if frame.pts is not None]
    return times != sorted(times) and not any(frame.is_corrupt for frame in shown)


def _last_ticks(ticks: tuple[int, ...], stated_ticks: int, tick_secs: Fraction) -> int:
    """How long the last frame lasts: as stated, or as the frame before it if that is impossible."""
    if len(ticks) == 1 or 0 < stated_ticks * tick_secs <= 1:
        return stated_ticks
    return ticks[-1] - ticks[-2]
