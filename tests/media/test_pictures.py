"""The film's pictures beside those that the ffmpeg program shows of the same clip."""

import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.media.segments import rendered, shot_of
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.probe import measure
from upvs_tasks.model.encoding import Encoding, film_size

FRAMES = 12
# Of 255 levels. Two conversions of eight bits each, and 4:2:0 in place of 4:4:4.
MOST_MEAN_ERROR = 0.8
# The film is cut into segments, and a picture for each of their borders costs a little.
MOST_LOSS_DB = 0.5

_SCALED = "scale={size}:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"


@dataclass(frozen=True)
class Colours:
    """How a clip stores its colours: its filter, its encoder, and what it is tagged with."""

    filter: str
    encoder: Sequence[str] = ("-c:v", "libx264")
    size: str = "320x180"


def _tagged(matrix: str, levels: str = "tv", pixels: str = "yuv420p") -> str:
    by = {"smpte170m": "bt601", "bt470bg": "bt601", "bt2020nc": "bt2020"}.get(matrix, matrix)
    tags = f"setparams=colorspace={matrix}:range={levels}"
    return f"scale=out_color_matrix={by}:out_range={levels},format={pixels},{tags}"


_HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none")
KINDS = {
    "BT.709": Colours(_tagged("bt709")),
    "full range": Colours(_tagged("bt709", "pc")),
    "4:4:4": Colours(_tagged("bt709", pixels="yuv444p")),
    "ten bits": Colours(_tagged("bt709", pixels="yuv420p10le"), _HEVC),
    "BT.601": Colours(_tagged("smpte170m")),
    "BT.601 for 50 Hz": Colours(_tagged("bt470bg")),
    "BT.601, full range": Colours(_tagged("smpte170m", "pc")),
    "FCC": Colours(_tagged("fcc")),
    "SMPTE 240M": Colours(_tagged("smpte240m")),
    "BT.2020": Colours(_tagged("bt2020nc")),
    "BT.601 that is not tagged": Colours("scale=out_color_matrix=bt601:out_range=tv,format=yuv420p,"
                                         "setparams=colorspace=unknown:range=unknown"),
    "grey, full range": Colours("scale=out_range=pc,format=gray", _HEVC),
}  # fmt: skip


def run_ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg; returns what it writes to its standard output."""
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-y", *arguments]
    return subprocess.run(program, check=True, capture_output=True).stdout


def clip_of(folder: Path, colours: Colours) -> Path:
    """Clip of a picture with all colours, soft as those of a camera, that moves."""
    path = folder / "clip.mp4"
    source = f"mandelbrot=size={colours.size}:rate=10:start_scale=0.4,gblur=sigma=2"
    drawn = ("-f", "lavfi", "-i", source, "-vf", colours.filter)
    run_ffmpeg(*drawn, "-frames:v", str(FRAMES), *colours.encoder, "-crf", "4", str(path))
    return path


def filmed(clip: Path, *, crf: int = 1, height: int | None = None) -> Path:
    """Film of each frame of a clip."""
    width, tall = film_size({measure(clip).shown_size: 1}, height)
    encoding = Encoding(width, tall, fps=10, crf=crf, preset="medium")
    film, result = rendered(clip.parent, shot_of(clip, range(FRAMES)), encoding=encoding)
    assert not result.damages
    return film


def raw(path: Path, pixels: str, size: str) -> bytes:
    """All frames of a video as ffmpeg shows them."""
    scaled = ("-vf", _SCALED.format(size=size), "-pix_fmt", pixels)
    return run_ffmpeg("-i", str(path), *scaled, "-f", "rawvideo", "-")


def mean_error(one: bytes, other: bytes) -> float:
    """Mean difference of two films' samples, of every seventh of them."""
    assert len(one) == len(other)
    pairs = list(zip(one[::7], other[::7], strict=True))
    return sum(abs(a - b) for a, b in pairs) / len(pairs)


def psnr(one: bytes, other: bytes) -> float:
    """Peak signal-to-noise ratio in dB."""
    pairs = list(zip(one[::7], other[::7], strict=True))
    return 10 * math.log10(255**2 * len(pairs) / sum((a - b) ** 2 for a, b in pairs))


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_that_ffmpeg_shows(tmp_path: Path, kind: str) -> None:
    """Compared as people see them, in red, green and blue."""
    clip = clip_of(tmp_path, KINDS[kind])
    shown = raw(clip, "rgb24", KINDS[kind].size)
    assert mean_error(raw(filmed(clip), "rgb24", KINDS[kind].size), shown) <= MOST_MEAN_ERROR


@pytest.mark.parametrize("size", ["1280x720", "1024x768"])
def test_high_definition_that_is_not_tagged_counts_as_bt709(tmp_path: Path, size: str) -> None:
    """As players take it; the program ffmpeg takes BT.601 for everything."""
    untagged = _tagged("bt709").replace("colorspace=bt709", "colorspace=unknown")
    clip = clip_of(tmp_path, Colours(untagged, size=size))
    told = ("-bsf:v", "h264_metadata=matrix_coefficients=1")
    run_ffmpeg("-i", str(clip), "-c", "copy", *told, str(tmp_path / "tagged.mp4"))
    shown = raw(tmp_path / "tagged.mp4", "rgb24", size)
    assert mean_error(raw(filmed(clip), "rgb24", size), shown) <= MOST_MEAN_ERROR


def test_grey_in_limited_range_keeps_its_levels(tmp_path: Path) -> None:
    """As of a thermal camera. The program ffmpeg takes it for full range, and shows no black."""
    limited = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,extractplanes=y"
    clip = clip_of(
        tmp_path, Colours(f"{limited},setparams=range=tv", (*_HEVC, "-color_range", "tv"))
    )
    stored = run_ffmpeg("-i", str(clip), "-f", "rawvideo", "-pix_fmt", "gray", "-")
    luma = run_ffmpeg("-i", str(filmed(clip)), "-vf", "extractplanes=y", "-f", "rawvideo", "-")
    assert mean_error(luma, stored) <= MOST_MEAN_ERROR


@pytest.mark.parametrize("height", [None, 90])
def test_sharpness_is_that_of_a_film_that_ffmpeg_makes(tmp_path: Path, height: int | None) -> None:
    """At the usual quality, in the size of the clip and in half of it."""
    clip = clip_of(tmp_path, Colours(_tagged("bt709")))
    size = "320x180" if height is None else "160x90"
    truth = raw(clip, "yuv420p", size)
    theirs = tmp_path / "theirs.mp4"
    options = ("-c:v", "libx264", "-crf", "23", "-preset", "medium", "-bf", "3")
    run_ffmpeg("-i", str(clip), "-vf", _SCALED.format(size=size), *options, str(theirs))
    ours = filmed(clip, crf=23, height=height)
    quality = psnr(raw(ours, "yuv420p", size), truth)
    assert quality >= psnr(raw(theirs, "yuv420p", size), truth) - MOST_LOSS_DB
