"""How long the film takes: the segment engine, the specification's command, and encoding alone.

    python -m benchmarks.render --frames 1500 --repeats 3

Makes real footage in a temporary folder and renders it at several speeds, the contestants taking
turns. The table gives medians of wall seconds and of CPU seconds of all processes together.
"""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from upvs_tasks.media import ffmpeg
from upvs_tasks.media.concat import ENCODER_THREADS, ConcatRender, concat_command
from upvs_tasks.media.join import (
    FilmTags,
    Join,
    check_joined,
    join_command,
    segment_list,
    tags_text,
)
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.media.segment import SegmentJob, Shot
from upvs_tasks.media.segment_worker import render_apart
from upvs_tasks.model.concat import concat_text
from upvs_tasks.model.film_format import FilmFormat
from upvs_tasks.model.footage import SampleTable
from upvs_tasks.model.plan import Plan, plan_film
from upvs_tasks.model.source import Source, SourceClip
from upvs_tasks.model.speed import Speed

_DISTINCT_CLIPS = 4
_CAMERA_FPS = 30
_ENCODERS = {"h264": "libx264", "hevc": "libx265"}


@dataclass(frozen=True, slots=True)
class Arena:
    """Footage of a kind, and what is to be made of it."""

    folder: Path
    clips: tuple[Path, ...]
    plan: Plan
    speed: Speed
    film: FilmFormat
    processes: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one contestant."""

    wall_secs: float
    cpu_secs: float
    size_bytes: int


def main() -> None:
    """Measure what the flags say, and print a table."""
    flags = _flags().parse_args()
    print(_HEAD)
    with tempfile.TemporaryDirectory(prefix="upvs-render-", dir=flags.folder) as name:
        for gop_secs in flags.gop_secs:
            made = _make_clips(Path(name), flags, gop_secs)
            for factor in flags.speeds:
                arena = _arena(Path(name), made, flags, factor)
                _print_row(gop_secs, factor, arena, _measured(arena, flags.repeats))


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--speeds", type=float, nargs="+", default=[2, 12, 48, 150, 600])
    parser.add_argument("--gop-secs", type=int, nargs="+", default=[5, 1])
    parser.add_argument("--frames", type=int, default=1500, help="frames of the film")
    parser.add_argument("--most-footage-secs", type=int, default=7200, help="fewer frames instead")
    parser.add_argument("--clip-secs", type=int, default=15)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--codec", choices=_ENCODERS, default="h264")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--crf", type=int, default=23)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where to work; in memory the disk has no part in it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser


def _make_clips(folder: Path, flags: argparse.Namespace, gop_secs: int) -> list[Path]:
    """A few clips as a camera makes them: 3 Mbit/s at 1080p, noise, no B frames."""
    width, height = map(int, flags.size.split("x"))
    gop = gop_secs * _CAMERA_FPS
    bit_rate = 3_000_000 * width * height // (1920 * 1080)
    made = []
    for number in range(_DISTINCT_CLIPS):
        path = folder / f"camera_{gop_secs}_{number}.mp4"
        picture = (
            f"testsrc2=size={flags.size}:rate={_CAMERA_FPS},noise=alls=4:allf=t:all_seed={number}"
        )
        encoder = ["-c:v", _ENCODERS[flags.codec], "-preset", "veryfast", "-bf", "0"]
        rate = ["-b:v", str(bit_rate), "-maxrate", str(bit_rate * 2), "-bufsize", str(bit_rate * 2)]
        groups = ["-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0"]
        source = ["-f", "lavfi", "-ss", str(number * 60), "-i", picture, "-t", str(flags.clip_secs)]
        _run([*source, *encoder, *rate, *groups, "-pix_fmt", "yuv420p", str(path)])
        made.append(path)
    return made


def _arena(folder: Path, made: Sequence[Path], flags: argparse.Namespace, factor: float) -> Arena:
    width, height = map(int, flags.size.split("x"))
    film = FilmFormat(width, height, 30, flags.crf, flags.preset)
    footage_secs = min(flags.frames * factor / film.fps, flags.most_footage_secs)
    count = max(1, round(footage_secs / flags.clip_secs))
    clips = tuple(made[number % len(made)] for number in range(count))
    tables = {path: read_sample_table(path) for path in made}
    source = Source.of(_source_clip(place, path, tables) for place, path in enumerate(clips))
    frames = round(source.duration_ms * film.fps / 1000 / factor)
    speed = Speed(source.duration_ms, 600, factor, film.fps, frames)
    return Arena(folder, clips, plan_film(source, speed), speed, film, flags.processes)


def _source_clip(place: int, path: Path, tables: dict[Path, SampleTable]) -> SourceClip:
    start_ms, table = place * 3_600_000, tables[path]
    return SourceClip(path.stem, path.stem, start_ms, start_ms + table.duration_ms, table)


def _measured(arena: Arena, repeats: int) -> dict[str, list[Measure]]:
    """Every contestant, in turns."""
    raw = _raw_frames(arena)
    contestants: dict[str, Callable[[], Path]] = {
        "reference": lambda: _reference(arena),
        "ours": lambda: _ours(arena),
        "encode": lambda: _encode_only(arena, raw),
    }
    measures: dict[str, list[Measure]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            measures[name].append(_timed(contestant))
    raw.unlink()
    return measures


def _timed(contestant: Callable[[], Path]) -> Measure:
    cpu_secs, started_secs = _cpu_secs(), time.perf_counter()
    path = contestant()
    return Measure(time.perf_counter() - started_secs, _cpu_secs() - cpu_secs, path.stat().st_size)


def _cpu_secs() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _ours(arena: Arena) -> Path:
    plan = plan_film(arena.plan.source, arena.speed)
    jobs = list(_jobs(arena, plan))
    with ThreadPoolExecutor(arena.processes) as pool:
        lengths = [result.frames for result in pool.map(render_apart, jobs)]
    folder = arena.folder
    join = Join(folder / "list.txt", folder / "tags.txt", folder / "ours.mp4", arena.film.fps)
    parts = zip((job.output_path for job in jobs), lengths, strict=True)
    join.list_path.write_text(segment_list(parts, arena.film.fps), encoding="utf-8")
    tags = FilmTags("Benchmark", "2024-01-15", "Camera")
    join.tags_path.write_text(tags_text(tags, arena.film.fps), encoding="utf-8")
    ffmpeg.run(join_command(ffmpeg.find_ffmpeg(), join), partial=join.output_path)
    check_joined(join.output_path, frames=arena.speed.output_frames, fps=arena.film.fps)
    return join.output_path


def _jobs(arena: Arena, plan: Plan) -> Iterator[SegmentJob]:
    for segment in plan.segments:
        shots = tuple(
            Shot.of(
                plan.source.clips[run.clip].name,
                arena.clips[run.clip],
                rotation=0,
                table=plan.source.clips[run.clip].table,
                frames=run.frames,
            )
            for run in segment.runs
        )
        yield SegmentJob(arena.film, arena.folder / f"segment{segment.number}.mp4", shots)


def _reference(arena: Arena) -> Path:
    path = arena.folder / "reference.mp4"
    ffmpeg.run(_reference_command(arena, path), partial=path)
    return path


def _reference_command(arena: Arena, path: Path) -> tuple[str, ...]:
    list_path = arena.folder / "concat.txt"
    list_path.write_text(concat_text(arena.clips), encoding="utf-8")
    film = arena.film
    render = ConcatRender(
        concat_path=list_path,
        output_path=path,
        speed_factor=arena.speed.speed_factor,
        output_fps=film.fps,
        crf=film.crf,
        preset=film.preset,
        output_frames=arena.speed.output_frames,
    )
    return concat_command(ffmpeg.find_ffmpeg(), render)


def _raw_frames(arena: Arena) -> Path:
    """The reference's pictures, not compressed: 3 MB each at 1080p."""
    path, film = arena.folder / "frames.yuv", arena.film
    faster = f"setpts=PTS/{arena.speed.speed_factor},fps={film.fps}"
    (arena.folder / "concat.txt").write_text(concat_text(arena.clips), encoding="utf-8")
    source = ["-f", "concat", "-safe", "0", "-i", str(arena.folder / "concat.txt")]
    _run([*source, "-vf", faster, "-frames:v", str(arena.speed.output_frames), str(path)])
    return path


def _encode_only(arena: Arena, raw: Path) -> Path:
    path, film = arena.folder / "encode.mp4", arena.film
    size = f"{film.width}x{film.height}"
    source = ["-f", "rawvideo", "-s", size, "-r", str(film.fps), "-i", str(raw)]
    encoder = ["-c:v", "libx264", "-preset", film.preset, "-crf", str(film.crf)]
    _run([*source, *encoder, "-threads", str(ENCODER_THREADS), str(path)])
    return path


def _run(arguments: Sequence[str]) -> None:
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*program, *arguments], check=True)  # noqa: S603  built here, without a shell


_HEAD = (
    "| group | speed | film frames | reference wall / cpu s | ours | encode only "
    "| ours / reference: wall, cpu | ours / encode: wall, cpu | size, ours / reference |\n"
    "|--|--|--|--|--|--|--|--|--|"
)


def _print_row(
    gop_secs: int, factor: float, arena: Arena, measures: dict[str, list[Measure]]
) -> None:
    wall = {name: median(run.wall_secs for run in runs) for name, runs in measures.items()}
    cpu = {name: median(run.cpu_secs for run in runs) for name, runs in measures.items()}
    times = " | ".join(f"{wall[name]:.2f} / {cpu[name]:.2f}" for name in measures)
    size = measures["ours"][0].size_bytes / measures["reference"][0].size_bytes
    ratios = " | ".join(
        f"{wall['ours'] / wall[other]:.2f}, {cpu['ours'] / cpu[other]:.2f}"
        for other in ("reference", "encode")
    )
    frames = arena.speed.output_frames
    print(f"| {gop_secs} s | {factor:g} | {frames} | {times} | {ratios} | {size:.3f} |", flush=True)


if __name__ == "__main__":
    main()
