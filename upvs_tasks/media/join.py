"""Joins the segments into the film, without touching a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath

import ffmpeg as ffmpeg_python

from upvs_tasks.errors import RenderError
from upvs_tasks.media.encode import TICKS_PER_FRAME
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.timeline import Chapter

_TAGS = {Codec.H264: "avc1", Codec.HEVC: "hvc1", Codec.AV1: "av01"}
_ESCAPE = "\\"
_SPECIAL = str.maketrans({character: _ESCAPE + character for character in "=;#\\\n"})


@dataclass(frozen=True, slots=True)
class FilmTags:
    """What the film says of itself; ``date`` as players show it, 2024-01-15."""

    title: str
    date: str
    camera: str
    chapters: tuple[Chapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Segments to join; the texts of `segment_list` and `tags_text` lie at the first two paths."""

    list_path: Path
    tags_path: Path
    output_path: Path
    encoding: Encoding


def segment_list(segments: Iterable[tuple[PurePath, int]], fps: int) -> str:
    """List of segments, each an absolute path and its number of frames, for `Join.list_path`.

    What an MP4 says of its own length is rounded to milliseconds, and would add up.
    """
    return "".join(
        f"{concat_text([path])}duration {frames / fps:.6f}\n" for path, frames in segments
    )


def tags_text(tags: FilmTags, fps: int) -> str:
    """Tags and chapters as ffmpeg's FFMETADATA, for `Join.tags_path`.

    MP4 has no tag for a camera; as ``artist`` every player shows it.
    """
    pairs = [("title", tags.title), ("date", tags.date), ("artist", tags.camera)]
    lines = [";FFMETADATA1", *(_line(name, value) for name, value in pairs if value)]
    for chapter in tags.chapters:
        lines += ["[CHAPTER]", f"TIMEBASE=1/{fps}", f"START={chapter.start_frame}"]
        lines += [f"END={chapter.end_frame}", _line("title", chapter.title)]
    return "\n".join(lines) + "\n"


def join_command(ffmpeg: str, join: Join) -> tuple[str, ...]:
    """Command line that joins segments of one format by copying their packets.

    The concat demuxer counts in microseconds, so that after a hundred segments a frame would come a
    tick too late: ``setts`` brings each to its place. Nothing of ffmpeg's build goes into the file.
    """
    segments = ffmpeg_python.input(str(join.list_path), format="concat", safe=0)
    place = f"round({{}}/{TICKS_PER_FRAME})*{TICKS_PER_FRAME}"
    settled = (
        f"setts=pts={place.format('PTS')}:dts={place.format('DTS')}:duration={TICKS_PER_FRAME}"
    )
    options: dict[str, object] = {
        "c": "copy",
        "bsf:v": settled,
        "tag:v": _TAGS[join.encoding.codec],
        "map_metadata": 0,
        "map_chapters": 0,
        "video_track_timescale": join.encoding.fps * TICKS_PER_FRAME,
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "format": "mp4",
    }
    watched = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"]
    # ffmpeg-python knows no input without a stream, so the tags go before what it builds.
    program = [ffmpeg, *watched, "-progress", "pipe:1", "-f", "ffmetadata", "-i", join.tags_path]
    return tuple(
        segments.output(str(join.output_path), **options).compile(
            cmd=[str(word) for word in program], overwrite_output=True
        )
    )


def check_joined(path: Path, *, frames: int, fps: int) -> None:
    """Raise RenderError unless a film has so many frames, each at its very time."""
    table = read_sample_table(path)
    if len(table.ticks) != frames:
        raise RenderError(f"{path.name} has {len(table.ticks)} frames instead of {frames}")
    frame_ticks = 1 / (table.tick_secs * fps)
    if any(after - at != frame_ticks for at, after in pairwise((*table.ticks, table.end_ticks))):
        raise RenderError(f"{path.name} does not show its frames at even distances")


def _line(name: str, value: str) -> str:
    """A tag. One that ends with a backslash, however escaped, would swallow the line after it."""
    return f"{name}={value.rstrip(_ESCAPE).translate(_SPECIAL)}"
