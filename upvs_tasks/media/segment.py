"""Renders one segment of the film: decode what its plan names, fit, encode."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.video.frame import VideoFrame

from upvs_tasks.errors import BrokenFootageError, RenderError, StorageError, UpvsError
from upvs_tasks.media.decode import Wanted, decoded_frames
from upvs_tasks.media.encode import SegmentWriter
from upvs_tasks.media.frame_converter import FrameConverter
from upvs_tasks.media.hwaccel import decoding_device
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.encoding import Encoding, HardwareAcceleration
from upvs_tasks.model.plan import seek_ticks
from upvs_tasks.model.sample_table import SampleTable

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_LUMA_BLACK, _CHROMA_GREY = 16, 128


@dataclass(frozen=True, slots=True)
class Shot:
    """What is shown of one clip; the picture is to be turned clockwise by ``rotation`` degrees."""

    name: str
    path: Path
    rotation: int
    wanted: tuple[Wanted, ...]

    @classmethod
    def of(
        cls, name: str, path: Path, *, rotation: int, table: SampleTable, frames: Sequence[int]
    ) -> "Shot":
        """Shot of the frames at some places of a clip's table."""
        wanted = tuple(Wanted(table.ticks[place], seek_ticks(table, place)) for place in frames)
        return cls(name, path, rotation, wanted)


@dataclass(frozen=True, slots=True)
class SegmentJob:
    """A segment to render; ``output_path`` is absolute and written in place.

    ``hwaccel`` says whether hardware may decode.
    """

    encoding: Encoding
    output_path: Path
    shots: tuple[Shot, ...]
    hwaccel: HardwareAcceleration = HardwareAcceleration.OFF


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What became of a segment: how many frames it has, and which clips were damaged."""

    frames: int
    damages: tuple[Damage, ...] = ()

    @property
    def replaced(self) -> int:
        """How many frames show a neighbour instead."""
        return sum(damage.replaced_frames for damage in self.damages)


def render_segment(
    job: SegmentJob, on_frame: Callable[[int], None] = lambda _: None
) -> SegmentResult:
    """Render a segment in this process; ``on_frame`` is told how many frames are encoded.

    There are as many frames as the job wants, whatever the clips are like: one that is damaged is
    replaced by the whole one nearest to it in the film, or by black where the segment has none.
    What was written is the caller's to remove when this raises: StorageError when the disk refuses,
    RenderError when the encoder does.
    """
    damages: list[Damage] = []
    try:
        with SegmentWriter(job.output_path, job.encoding) as writer:
            for frame in _without_holes(_pictures(job, damages), job.encoding):
                writer.write(frame)
                on_frame(writer.frame_count)
    except (av.FFmpegError, OSError) as error:
        raise _failure(job.output_path, error) from error
    wanted = sum(len(shot.wanted) for shot in job.shots)
    if writer.frame_count != wanted:
        raise RenderError(f"a segment has {writer.frame_count} frames instead of {wanted}")
    return SegmentResult(writer.frame_count, tuple(damages))


def _failure(path: Path, error: Exception) -> UpvsError:
    reason = getattr(error, "strerror", None) or error
    if getattr(error, "errno", None) in _DISK_FULL:
        return StorageError(
            f"the disk is full while writing {path}: free some space, then run again"
        )
    if isinstance(error, PermissionError | FileNotFoundError):
        return StorageError(f"{path} may not be written ({reason}): check the folder")
    return RenderError(f"{path.name} cannot be encoded: {reason}")


def _pictures(job: SegmentJob, damages: list[Damage]) -> Iterator[VideoFrame | None]:
    """Fitted picture of every wanted frame, None for one that is damaged."""
    fitter, device = FrameConverter(job.encoding), decoding_device(job.hwaccel)
    for shot in job.shots:
        given = whole = 0
        reason = "damaged frames"
        try:
            for frame in decoded_frames(shot.path, shot.wanted, device=device):
                picture = _fitted(fitter, frame, shot.rotation)
                given += 1
                whole += picture is not None
                yield picture
        except BrokenFootageError as error:
            reason = str(error)
        yield from [None] * (len(shot.wanted) - given)
        if whole < len(shot.wanted):
            count = len(shot.wanted)
            damages.append(Damage(shot.name, count, count - whole, reason))


def _fitted(fitter: FrameConverter, frame: VideoFrame | None, rotation: int) -> VideoFrame | None:
    """The picture in the film's format; None where libav knows no way from its own to that."""
    if frame is None:
        return None
    try:
        return fitter.fitted(frame, rotation)
    except (av.FFmpegError, ValueError):
        return None


def _without_holes(
    pictures: Iterator[VideoFrame | None], encoding: Encoding
) -> Iterator[VideoFrame]:
    """The pictures, with the nearest one in place of each that is missing; of two, the earlier."""
    before: VideoFrame | None = None
    missing = 0
    for picture in pictures:
        if picture is None:
            missing += 1
            continue
        for place in range(missing):
            is_nearer_to_before = before is not None and place < (missing + 1) // 2
            yield before if is_nearer_to_before and before is not None else picture
        yield picture
        before, missing = picture, 0
    last = before or _black(encoding)
    yield from [last] * missing


def _black(encoding: Encoding) -> VideoFrame:
    frame = VideoFrame(encoding.width, encoding.height, "yuv420p")
    for plane, level in zip(frame.planes, (_LUMA_BLACK, _CHROMA_GREY, _CHROMA_GREY), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame
