"""Renders segments of made-up clips for tests, and reads back which frames they show."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
from av.video.frame import VideoFrame

from samples.clips import Recipe, make_clip
from upvs_tasks.media.probe import survey
from upvs_tasks.media.segment import SegmentJob, SegmentResult, Shot, render_segment
from upvs_tasks.model.encoding import Encoding

FILM = Encoding(width=160, height=90, fps=10, crf=20, preset="ultrafast")
_BARS = 16

Point = tuple[float, float]


def shot_of(path: Path, frames: Sequence[int]) -> Shot:
    """Shot of some frames of a clip, by its own table."""
    footage, table = survey(path)
    return Shot.of(path.stem, path, footage=footage, table=table, frames=frames)


def numbered_clip(folder: Path, name: str, recipe: Recipe, first_number: int = 0) -> Path:
    """Clip whose frames show their numbers, counted from ``first_number`` on."""
    return make_clip(folder / f"{name}.mp4", replace(recipe, first_number=first_number))


def endless_job(folder: Path) -> SegmentJob:
    """A job that takes far longer than any test."""
    clip = numbered_clip(folder, "clip", Recipe(frames=20))
    encoding = replace(FILM, width=1920, height=1080, preset="veryslow")
    return SegmentJob(encoding, folder / "segment.mp4", (shot_of(clip, [*range(20)] * 500),))


def rendered(folder: Path, *shots: Shot, encoding: Encoding = FILM) -> tuple[Path, SegmentResult]:
    """Segment of some shots, rendered in this process."""
    path = folder / "segment.mp4"
    return path, render_segment(SegmentJob(encoding, path, tuple(shots)))


def frames_of(path: Path) -> Iterator[VideoFrame]:
    """The frames of a video."""
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def number_along(frame: VideoFrame, start: Point, end: Point) -> int:
    """Number whose bars lie along a line, the highest bit first; points are shares of it."""
    luma = frame.reformat(format="gray").planes[0]
    pixels = bytes(luma)
    number = 0
    for bar in range(_BARS):
        way = (bar + 0.5) / _BARS
        across, down = (start[axis] + way * (end[axis] - start[axis]) for axis in (0, 1))
        at = int(down * luma.height) * luma.line_size + int(across * luma.width)
        number = number << 1 | (pixels[at] > 127)
    return number
