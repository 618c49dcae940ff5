"""The specification's own way to render: one ffmpeg over the list of all clips (§6, phase E)."""

from dataclasses import dataclass
from pathlib import Path

import ffmpeg as ffmpeg_python

from upvs_tasks.media.options import REPORTED, X264_REPEATABLE, encoder_crf
from upvs_tasks.model.encoding import Encoding

# x264 writes other bytes for another number of threads. Eight keep as many cores busy; where there
# are but two they cost no time, 0.15 % in size, and some 20 MB of memory a thread at 1080p.
ENCODER_THREADS = 8


@dataclass(frozen=True, slots=True)
class ConcatRender:
    """What to render from the list at ``concat_path``, and how; both paths are absolute.

    Of the encoding only ``fps``, ``crf`` and ``preset`` count: the specification's command keeps
    the size of the first clip, and its codec is H.264. The film has at most ``output_frames``.
    ``track`` is the place of the video among the tracks: a preview beside it may be larger.
    """

    concat_path: Path
    output_path: Path
    speed_factor: float
    encoding: Encoding
    output_frames: int
    track: int = 0


def concat_command(ffmpeg: str, render: ConcatRender) -> tuple[str, ...]:
    """The specification's command line, with options that make its film right and repeatable.

    A fixed number of encoder threads, the same algorithms of x264 on every processor, no metadata
    and bit-exact muxing: with the same build of ffmpeg every machine writes the same bytes.
    ``-f mp4`` is there because a partial file has no suffix of its own, ``+faststart`` for players
    that read from the start. The options before ``-f concat`` only make ffmpeg report its progress.
    """
    options: dict[str, object] = {
        "map": f"0:{render.track}",
        "vf": _filter(render),
        "r": render.encoding.fps,
        "c:v": "libx264",
        "crf": encoder_crf(render.encoding),
        "preset": render.encoding.preset,
        "pix_fmt": "yuv420p",
        "an": None,
        "threads": ENCODER_THREADS,
        "x264-params": X264_REPEATABLE,
        "map_metadata": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "movflags": "+faststart",
        "format": "mp4",
        "frames:v": render.output_frames,
    }
    clips = ffmpeg_python.input(str(render.concat_path), format="concat", safe=0)
    return tuple(
        clips.output(str(render.output_path), **options).compile(
            cmd=[ffmpeg, *REPORTED], overwrite_output=True
        )
    )


def _filter(render: ConcatRender) -> str:
    """``setpts`` divides the times of the frames, and the fps filter picks the film's frames.

    The specification has ``-r`` alone, which goes by the durations of the frames, and ``setpts``
    leaves those as they were: a frame before a gap of 3 s stands for 3 s of film, and whole clips
    after it are dropped to catch up.
    """
    factor = repr(render.speed_factor).removesuffix(".0")
    return f"setpts=PTS/{factor},fps={render.encoding.fps}"
