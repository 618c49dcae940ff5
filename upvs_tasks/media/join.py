"""Joins the segments into the film by copying; nothing is encoded again."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath

import ffmpeg as ffmpeg_python

from upvs_tasks.errors import RenderError
from upvs_tasks.escaping import one_line
from upvs_tasks.media.encode import CODEC_TAGS, TICKS_PER_FRAME, timescale
from upvs_tasks.media.options import REPORTED
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.timeline import Chapter

_ESCAPE = "\\"
_SPECIAL = str.maketrans({character: _ESCAPE + character for character in "=;#\\"})


@dataclass(frozen=True, slots=True)
class FilmTags:
    """The film's metadata; ``date`` is YYYY-MM-DD, as players show it."""

    title: str
    date: str
    camera: str
    chapters: tuple[Chapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Segments to join. The first two files hold what `segment_list` and `tags_text` return."""

    list_path: Path
    tags_path: Path
    output_path: Path
    encoding: Encoding


def segment_list(segments: Iterable[tuple[PurePath, int]], fps: int) -> str:
    """List of segments for ffmpeg's concat demuxer, each an absolute path and its number of frames.

    The list gives the durations, because those in the MP4s are rounded to milliseconds: hundreds of
    them would add up.
    """
    return "".join(
        f"{concat_text([path])}duration {frames / fps:.6f}\n" for path, frames in segments
    )


def tags_text(tags: FilmTags, fps: int) -> str:
    """Metadata and chapters in ffmpeg's FFMETADATA format.

    MP4 has no tag for a camera. The camera is the ``artist``, which every player shows.
    """
    pairs = [("title", tags.title), ("date", tags.date), ("artist", tags.camera)]
    lines = [";FFMETADATA1", *(_line(name, value) for name, value in pairs if value)]
    for chapter in tags.chapters:
        lines += ["[CHAPTER]", f"TIMEBASE=1/{fps}", f"START={chapter.start_frame}"]
        lines += [f"END={chapter.end_frame}", _line("title", chapter.title)]
    return "\n".join(lines) + "\n"


def join_command(ffmpeg: str, join: Join) -> tuple[str, ...]:
    """Command line that joins segments of one encoding by copying their packets.

    The concat demuxer counts in microseconds, so after a hundred segments a frame would come a tick
    too late: ``setts`` rounds each time to whole frames. Nothing of ffmpeg's build goes into the
    file.
    """
    segments = ffmpeg_python.input(str(join.list_path), format="concat", safe=0)
    place = f"round({{}}/{TICKS_PER_FRAME})*{TICKS_PER_FRAME}"
    bitstream_filter = (
        f"setts=pts={place.format('PTS')}:dts={place.format('DTS')}:duration={TICKS_PER_FRAME}"
    )
    options: dict[str, object] = {
        "c": "copy",
        "bsf:v": bitstream_filter,
        "tag:v": CODEC_TAGS[join.encoding.codec],
        "map_metadata": 0,
        "map_chapters": 0,
        "video_track_timescale": timescale(join.encoding),
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "format": "mp4",
    }
    # ffmpeg-python has no inputs without streams, so the tags go before the command that it builds.
    program = [ffmpeg, *REPORTED, "-f", "ffmetadata", "-i", join.tags_path]
    return tuple(
        segments.output(str(join.output_path), **options).compile(
            cmd=[str(word) for word in program], overwrite_output=True
        )
    )


def check_joined(path: Path, *, frames: int, fps: int) -> None:
    """Raise RenderError unless the film has so many frames, each exactly at its time."""
    table = read_sample_table(path)
    if len(table.ticks) != frames:
        raise RenderError(f"{path.name} has {len(table.ticks)} frames instead of {frames}")
    frame_ticks = 1 / (table.tick_secs * fps)
    if any(after - at != frame_ticks for at, after in pairwise((*table.ticks, table.end_ticks))):
        raise RenderError(f"{path.name} does not show its frames at even distances")


def _line(name: str, value: str) -> str:
    """A tag, without backslashes at its end: even escaped, ffmpeg would add the next line to it."""
    return f"{name}={one_line(value).rstrip(_ESCAPE).translate(_SPECIAL)}"
