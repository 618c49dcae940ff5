"""Renders one segment of the film: decodes the planned frames, converts them, encodes them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.video.frame import VideoFrame

from upvs_tasks.errors import (
    BrokenFootageError,
    RenderError,
    UpvsError,
)
from upvs_tasks.media.decode import FrameRequest, decoded_frames
from upvs_tasks.media.encode import SegmentWriter, storage_error
from upvs_tasks.media.frame_converter import FrameConverter
from upvs_tasks.media.hwaccel import decoding_device
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.encoding import Encoding, HardwareAcceleration
from upvs_tasks.model.footage import Display, Footage
from upvs_tasks.model.sample_table import SampleTable

_LUMA_BLACK, _CHROMA_GREY = 16, 128


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames of one clip that follow each other in the film."""

    clip_name: str
    path: Path
    display: Display
    requests: tuple[FrameRequest, ...]

    @classmethod
    def of(
        cls,
        clip_name: str,
        path: Path,
        *,
        footage: Footage,
        table: SampleTable,
        frames: Sequence[int],
    ) -> "Shot":
        """Shot of the frames at these places of the clip's table."""
        requests = tuple(
            FrameRequest(
                table.ticks[place], table.seek_ticks(place), place if table.by_place else None
            )
            for place in frames
        )
        return cls(clip_name, path, footage.display, requests)


@dataclass(frozen=True, slots=True)
class SegmentJob:
    """A segment to render into the file at ``output_path``, which is absolute."""

    encoding: Encoding
    output_path: Path
    shots: tuple[Shot, ...]
    hwaccel: HardwareAcceleration = HardwareAcceleration.OFF


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """How many frames a rendered segment has, and which clips were damaged."""

    frames: int
    damages: tuple[Damage, ...] = ()


def render_segment(
    job: SegmentJob, on_frame: Callable[[int], None] = lambda _: None
) -> SegmentResult:
    """Render a segment in this process.

    ``on_frame`` is called with the number of frames that are encoded. The segment always has as
    many frames as the job asks for: a damaged one shows what the decoder makes of it. Where that is
    nothing, it shows the nearest frame of the segment, or black. When this raises, the caller
    removes the output. Raises StorageError for a failure of the disk, and RenderError for one of
    the encoder.
    """
    damages: list[Damage] = []
    try:
        with SegmentWriter(job.output_path, job.encoding) as writer:
            for frame in film_frames(job, damages):
                writer.write(frame)
                on_frame(writer.frame_count)
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise _failure(job.output_path, error) from error
    planned = sum(len(shot.requests) for shot in job.shots)
    if writer.frame_count != planned:
        raise RenderError(f"a segment has {writer.frame_count} frames instead of {planned}")
    return SegmentResult(writer.frame_count, tuple(damages))


def film_frames(job: SegmentJob, damages: list[Damage]) -> Iterator[VideoFrame]:
    """The frames of the segment as they go to the encoder; what is damaged comes to ``damages``.

    Use a frame before you take the next one.
    """
    return _without_gaps(_converted_frames(job, damages), job.encoding)


def _failure(path: Path, error: Exception) -> UpvsError:
    if isinstance(error, MemoryError):
        return RenderError.out_of_memory(path, str(error) or type(error).__name__)
    refused = storage_error(path, error)
    if refused is not None:
        return refused
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, av.ExternalError):  # all that x264 and x265 say when they get no memory
        return RenderError.out_of_memory(path, f"the encoder gave up: {reason}")
    return RenderError(f"{path.name} cannot be encoded: {reason}")


def _converted_frames(job: SegmentJob, damages: list[Damage]) -> Iterator[VideoFrame | None]:
    """All planned frames, ready to be encoded; None for a lost one. Adds to ``damages``."""
    converter, device = FrameConverter(job.encoding), decoding_device(job.hwaccel)
    for shot in job.shots:
        wanted = len(shot.requests)
        decoded = whole = 0
        reason = "they do not decode without errors"
        try:
            for frame in decoded_frames(shot.path, shot.requests, device=device):
                converted = _converted(converter, frame.picture, shot)
                decoded += 1
                whole += frame.is_whole and converted is not None
                yield converted
        except BrokenFootageError as error:
            reason = str(error)
        yield from [None] * (wanted - decoded)
        if whole < wanted:
            damages.append(Damage(shot.clip_name, wanted, wanted - whole, reason))


def _converted(
    converter: FrameConverter, frame: VideoFrame | None, shot: Shot
) -> VideoFrame | None:
    """The frame as the film needs it; None where libav cannot convert it."""
    if frame is None:
        return None
    try:
        return converter.converted(frame, shot.display)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError):
        return None


def _without_gaps(frames: Iterator[VideoFrame | None], encoding: Encoding) -> Iterator[VideoFrame]:
    """The frames, with the nearest one in place of each that is None; of two, the earlier."""
    before: VideoFrame | None = None
    missing = 0
    for frame in frames:
        if frame is None:
            missing += 1
            continue
        for place in range(missing):
            is_nearer_to_before = before is not None and place < (missing + 1) // 2
            yield before if is_nearer_to_before and before is not None else frame
        yield frame
        before, missing = frame, 0
    last = before or _black(encoding)
    yield from [last] * missing


def _black(encoding: Encoding) -> VideoFrame:
    frame = VideoFrame(encoding.width, encoding.height, "yuv420p")
    for plane, level in zip(frame.planes, (_LUMA_BLACK, _CHROMA_GREY, _CHROMA_GREY), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame
