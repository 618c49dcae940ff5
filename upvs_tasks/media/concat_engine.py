"""The specification's own way to render: one ffmpeg over the list of all clips (§6, phase E)."""

from dataclasses import dataclass
from pathlib import Path

import ffmpeg as ffmpeg_python

from upvs_tasks.model.encoding import Encoding

# x264 writes other bytes for another number of threads. Eight keep as many cores busy; where there
# are but two they cost no time, 0.15 % in size, and some 20 MB of memory a thread at 1080p.
ENCODER_THREADS = 8
# Left to itself x264 takes other algorithms on other processors. Those for AVX-512 even read memory
# that nobody wrote, at widths such as 480, so that no two films need be the same.
X264_ALIKE = "cpu-independent=1"


@dataclass(frozen=True, slots=True)
class ConcatRender:
    """What to render, from the list at ``concat_path``, and how; both paths are absolute.

    Of the encoding only ``fps``, ``crf`` and ``preset`` count: the specification's command keeps
    the size of the first clip, and its codec is H.264. ``output_frames`` is where the film ends at
    the latest. ``is_resampled`` False gives the specification's letter, as a yardstick.
    """

    concat_path: Path
    output_path: Path
    speed_factor: float
    encoding: Encoding
    output_frames: int | None = None
    is_resampled: bool = True


def concat_command(ffmpeg: str, render: ConcatRender) -> tuple[str, ...]:
    """The specification's command line, and what it takes to get the film that it means.

    A fixed number of encoder threads, algorithms of x264 that are alike on every processor, no
    metadata and bit-exact muxing make the bytes the same on every machine with the same build of
    ffmpeg, whatever its memory held before. ``-f mp4`` is for the suffix of a partial file,
    ``+faststart`` for players that read from the start. Options before ``-f concat`` only let us
    follow the program.
    """
    options: dict[str, object] = {
        "vf": _filter(render),
        "r": render.encoding.fps,
        "c:v": "libx264",
        "crf": render.encoding.crf,
        "preset": render.encoding.preset,
        "pix_fmt": "yuv420p",
        "an": None,
        "threads": ENCODER_THREADS,
        "x264-params": X264_ALIKE,
        "map_metadata": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "movflags": "+faststart",
        "format": "mp4",
    }
    if render.output_frames is not None:
        options["frames:v"] = render.output_frames
    clips = ffmpeg_python.input(str(render.concat_path), format="concat", safe=0)
    watched = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"]
    return tuple(
        clips.output(str(render.output_path), **options).compile(
            cmd=[ffmpeg, *watched, "-progress", "pipe:1"], overwrite_output=True
        )
    )


def _filter(render: ConcatRender) -> str:
    """``setpts`` shortens the times of the frames, but not how long each says it lasts.

    With ``-r`` alone ffmpeg still honours the latter: a frame before a gap of 3 s stands for 3 s
    of film, and whole clips after it are dropped to catch up. The fps filter goes by the times.
    """
    faster = f"setpts=PTS/{repr(render.speed_factor).removesuffix('.0')}"
    return f"{faster},fps={render.encoding.fps}" if render.is_resampled else faster
