"""Footage for benchmarks, like that of a real camera; made once, and kept in the temp folder.

A still scene with detail at every scale, like foliage and walls; things that cross it and one that
sways, each as detailed; and on all of it the noise of a sensor, new in every frame. The bit rate is
held, there are no B frames, a frame refers to the one before, and entropy coding is CABAC: what
cameras send, and hence what it costs to decode and to encode again.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks.media import ffmpeg

CAMERA_FPS = 30
CLIP_SECS = 15
_DISTINCT_CLIPS = 3
# To be raised when the recipe changes, so that no footage of another recipe is measured.
_EDITION = 1
_OCTAVES = (1, 2, 4, 8, 16, 32, 64, 128)
_HD_WIDTH = 1920


@dataclass(frozen=True, slots=True)
class Footage:
    """A kind of camera. ``film_share`` makes films shorter where each frame takes long."""

    name: str
    codec: str
    width: int
    height: int
    gop_secs: int
    bit_rate: int
    film_share: float = 1.0


KINDS = {
    kind.name: kind
    for kind in (
        Footage("h264-5s", "libx264", 1920, 1080, 5, 6_000_000),
        Footage("h264-1s", "libx264", 1920, 1080, 1, 6_000_000),
        Footage("hevc-5s", "libx265", 1920, 1080, 5, 4_000_000),
        Footage("4k-5s", "libx264", 3840, 2160, 5, 16_000_000, 0.2),
    )
}


def clips_of(kind: Footage) -> tuple[Path, ...]:
    """A few distinct clips of a kind, each of `CLIP_SECS`."""
    folder = Path(tempfile.gettempdir()) / f"upvs-benchmark-footage-{_EDITION}"
    folder.mkdir(exist_ok=True)
    return tuple(_clip(folder, kind, number) for number in range(_DISTINCT_CLIPS))


def run_ffmpeg(arguments: Sequence[str]) -> None:
    """Run ffmpeg, which is expected to have nothing to complain of."""
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*program, *arguments], check=True)  # noqa: S603  built here, without a shell


def _clip(folder: Path, kind: Footage, number: int) -> Path:
    path = folder / f"{kind.name}-{number}.mp4"
    if not path.exists():
        partial = path.with_suffix(".partial")
        scene, thing = (_texture(folder, kind, seed) for seed in (1, 2))
        run_ffmpeg([*_moving(kind, scene, thing, number), *_camera(kind), str(partial)])
        partial.rename(path)
    return path


def _texture(folder: Path, kind: Footage, seed: int) -> Path:
    """A picture as rough at every scale as nature is: noise of each size, one on another."""
    path = folder / f"texture-{kind.width}-{seed}.png"
    inputs, layers = [], []
    for place, octave in enumerate(_OCTAVES):
        width, height = max(2, kind.width // octave), max(2, kind.height // octave)
        inputs += ["-f", "lavfi", "-i", f"color=c=gray:s={width}x{height}:d=1:r=1,format=yuv444p"]
        noise = f"noise=alls=100:all_seed={seed * 100 + place}"
        layers.append(f"[{place}]{noise},scale={kind.width}:{kind.height}:flags=bicubic[l{place}]")
    weights = " ".join(str(octave**0.7) for octave in _OCTAVES)
    names = "".join(f"[l{place}]" for place in range(len(_OCTAVES)))
    mixed = f"{names}mix=inputs={len(_OCTAVES)}:weights={weights}"
    stretched = "eq=contrast=3.5:saturation=0.6"
    graph = ";".join([*layers, f"{mixed},{stretched}"])
    run_ffmpeg([*inputs, "-filter_complex", graph, "-frames:v", "1", str(path)])
    return path


def _moving(kind: Footage, scene: Path, thing: Path, number: int) -> list[str]:
    """Input and filters: somebody walks by, a car drives, a tree sways."""
    scale = kind.width / _HD_WIDTH
    person, car, tree = (
        f"{round(width * scale)}:{round(height * scale)}"
        for width, height in ((140, 380), (520, 240), (600, 420))
    )
    still = f"format=yuva420p,loop=loop=-1:size=1,setpts=N/({CAMERA_FPS}*TB),fps={CAMERA_FPS}"
    step, way = 97 * scale * (number + 1), kind.width
    graph = (
        f"[0]{still}[scene];[1]{still},split=3[p][c][t];"
        f"[p]crop={person}:0:0[person];[c]crop={car}:{200 * scale:.0f}:100[car];"
        f"[t]crop={tree}:{800 * scale:.0f}:{300 * scale:.0f}[tree];"
        f"[scene][tree]overlay=x='{1200 * scale}+{9 * scale}*sin(1.7*t)':"
        f"y='{4 * scale}*sin(2.3*t)'[a];"
        f"[a][person]overlay=x='mod({step}+{110 * scale}*t,{way})':"
        f"y='{480 * scale}+{6 * scale}*sin(9*t)'[b];"
        f"[b][car]overlay=x='{way}-mod({step}+{420 * scale}*t,2*{way})':y={760 * scale},"
        f"noise=c0s=7:c0f=t+u:c1s=3:c1f=t:c2s=3:c2f=t:all_seed={number},format=yuv420p"
    )
    return ["-i", str(scene), "-i", str(thing), "-filter_complex", graph, "-t", str(CLIP_SECS)]


def _camera(kind: Footage) -> list[str]:
    gop = kind.gop_secs * CAMERA_FPS
    rates = ["-b:v", str(kind.bit_rate), "-maxrate", str(kind.bit_rate * 3 // 2)]
    codec = ["-c:v", kind.codec, "-preset", "superfast", *rates, "-bufsize", str(kind.bit_rate)]
    groups = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:ref=1"
    if kind.codec == "libx265":
        return [*codec, "-x265-params", f"{groups}:log-level=error", "-tag:v", "hvc1", "-f", "mp4"]
    return [*codec, "-x264-params", f"{groups}:weightp=0:cabac=1", "-f", "mp4"]
