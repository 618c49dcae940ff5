"""How long the film takes: the segment engine, the specification's command, and the least possible.

    python -m benchmarks.render --frames 1500 --repeats 3

Makes real footage in a temporary folder and renders it at several speeds, the contestants taking
turns. The least possible is to encode the planned pictures, which lie ready, with the
specification's encoder, and to decode no more than the plan needs. The table gives medians of wall
seconds and of CPU seconds of all processes together. Size and SSIM, against the planned pictures,
are compared with those of the specification's encoder for the very same pictures.
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
from itertools import groupby, pairwise
from pathlib import Path
from statistics import fmean, median

from av.video.frame import VideoFrame

from upvs_tasks.media import ffmpeg
from upvs_tasks.media.concat import (
    ENCODER_THREADS,
    X264_ALIKE,
    ConcatRender,
    concat_command,
)
from upvs_tasks.media.decode import decoded_frames
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
from upvs_tasks.media.segment_worker import render_apart, stop_all
from upvs_tasks.model.concat import concat_text
from upvs_tasks.model.film_format import FilmFormat
from upvs_tasks.model.footage import SampleTable
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT, Plan, Run, Segment, plan_film
from upvs_tasks.model.source import Source, SourceClip
from upvs_tasks.model.speed import Speed

_DISTINCT_CLIPS = 4
_CAMERA_FPS = 30
_ENCODERS = {"h264": "libx264", "hevc": "libx265"}

# Where one input claims a matrix and the other none, ffmpeg would convert its colours.
_SAME_COLOURS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True, slots=True)
class Arena:
    """Footage of a kind, and what is to be made of it."""

    folder: Path
    clips: tuple[Path, ...]
    plan: Plan
    speed: Speed
    film: FilmFormat
    processes: int

    @property
    def raw(self) -> Path:
        """The planned pictures, not compressed: 3 MB each at 1080p."""
        return self.folder / "frames.yuv"


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
                _write_raw(arena)
                measures = _measured(arena, flags.repeats)
                _print_row((gop_secs, factor), arena, measures, _likenesses(arena))


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
    plan = _evenly_cut(plan_film(source, speed), flags.processes)
    return Arena(folder, clips, plan, speed, film, flags.processes)


def _evenly_cut(plan: Plan, processes: int) -> Plan:
    """The plan in as many segments for each process.

    A film of the usual length has dozens, so that all are busy to its end; with two or three, one
    would wait for the other half of the time.
    """
    picks = list(plan.picks())
    rounds = -(-len(picks) // (FRAMES_PER_SEGMENT * processes))
    count = min(rounds * processes, len(picks))
    borders = [len(picks) * number // count for number in range(count + 1)]
    return Plan(
        plan.source,
        tuple(
            Segment(number, _runs(picks[start:end]))
            for number, (start, end) in enumerate(pairwise(borders))
        ),
    )


def _runs(picks: Sequence[tuple[int, int]]) -> tuple[Run, ...]:
    return tuple(
        Run(clip, tuple(frame for _, frame in shown))
        for clip, shown in groupby(picks, lambda pick: pick[0])
    )


def _source_clip(place: int, path: Path, tables: dict[Path, SampleTable]) -> SourceClip:
    start_ms, table = place * 3_600_000, tables[path]
    return SourceClip(path.stem, path.stem, start_ms, start_ms + table.duration_ms, table)


def _measured(arena: Arena, repeats: int) -> dict[str, list[Measure]]:
    """Every contestant, in turns."""
    contestants: dict[str, Callable[[], Path]] = {
        "reference": lambda: _reference(arena),
        "ours": lambda: _ours(arena),
        "encode": lambda: _encode_only(arena),
        "decode": lambda: _decode_only(arena),
    }
    measures: dict[str, list[Measure]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            measures[name].append(_timed(contestant))
    return measures


def _timed(contestant: Callable[[], Path]) -> Measure:
    cpu_secs, started_secs = _cpu_secs(), time.perf_counter()
    path = contestant()
    return Measure(time.perf_counter() - started_secs, _cpu_secs() - cpu_secs, path.stat().st_size)


def _cpu_secs() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _ours(arena: Arena) -> Path:
    plan_film(arena.plan.source, arena.speed)
    jobs = list(_jobs(arena))
    with ThreadPoolExecutor(arena.processes) as pool:
        lengths = [result.frames for result in pool.map(render_apart, jobs)]
    stop_all()  # only of processes that have ended the CPU time is known
    folder = arena.folder
    join = Join(folder / "list.txt", folder / "tags.txt", folder / "ours.mp4", arena.film.fps)
    parts = zip((job.output_path for job in jobs), lengths, strict=True)
    join.list_path.write_text(segment_list(parts, arena.film.fps), encoding="utf-8")
    tags = FilmTags("Benchmark", "2024-01-15", "Camera")
    join.tags_path.write_text(tags_text(tags, arena.film.fps), encoding="utf-8")
    ffmpeg.run(join_command(ffmpeg.find_ffmpeg(), join), partial=join.output_path)
    check_joined(join.output_path, frames=arena.speed.output_frames, fps=arena.film.fps)
    return join.output_path


def _jobs(arena: Arena) -> Iterator[SegmentJob]:
    plan = arena.plan
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


def _write_raw(arena: Arena) -> None:
    with arena.raw.open("wb") as raw:
        for job in _jobs(arena):
            for shot in job.shots:
                for frame in decoded_frames(shot.path, shot.wanted):
                    if frame is None:
                        raise AssertionError("footage made here cannot be decoded")
                    raw.writelines(_rows(frame))


def _rows(frame: VideoFrame) -> Iterator[bytes]:
    for plane in frame.planes:
        content = bytes(plane)
        for row in range(plane.height):
            start = row * plane.line_size
            yield content[start : start + plane.width]


def _decode_only(arena: Arena) -> Path:
    """What the plan needs, in as many threads as there are processes; libav needs no GIL."""

    def decode(job: SegmentJob) -> None:
        for shot in job.shots:
            for _ in decoded_frames(shot.path, shot.wanted):
                pass

    with ThreadPoolExecutor(arena.processes) as pool:
        list(pool.map(decode, _jobs(arena)))
    return arena.raw


def _encode_only(arena: Arena) -> Path:
    path, film = arena.folder / "encode.mp4", arena.film
    encoder = ["-c:v", "libx264", "-preset", film.preset, "-crf", str(film.crf)]
    alike = ["-x264-params", X264_ALIKE, "-threads", str(ENCODER_THREADS)]
    _run([*_raw_input(arena), *encoder, *alike, str(path)])
    return path


def _raw_input(arena: Arena) -> list[str]:
    film = arena.film
    size = f"{film.width}x{film.height}"
    return ["-f", "rawvideo", "-s", size, "-r", str(film.fps), "-i", str(arena.raw)]


def _likenesses(arena: Arena) -> tuple[float, float]:
    """Mean SSIM of our film, and of the specification's encoder, to the planned pictures."""
    stats = arena.folder / "ssim.txt"
    means = []
    for name in ("ours.mp4", "encode.mp4"):
        film = ["-i", str(arena.folder / name)]
        alike = f"settb=1/{arena.film.fps},setpts=N,{_SAME_COLOURS}"
        compared = f"[0:v]{alike}[film];[1:v]{alike}[raw];[film][raw]ssim=stats_file={stats}"
        _run([*film, *_raw_input(arena), "-lavfi", compared, "-f", "null", "-"])
        words = stats.read_text(encoding="utf-8").split()
        shares = [float(word[4:]) for word in words if word.startswith("All:")]
        if len(shares) != arena.speed.output_frames:
            raise AssertionError(f"{name} has {len(shares)} frames")
        means.append(fmean(shares))
    arena.raw.unlink()
    return means[0], means[1]


def _run(arguments: Sequence[str]) -> None:
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*program, *arguments], check=True)  # noqa: S603  built here, without a shell


_HEAD = (
    "| group | speed | film frames | reference wall / cpu s | ours | encode only | decode only "
    "| ours / reference: wall, cpu | ours / encode | ours / (encode + decode) "
    "| size to encode's | SSIM: ours, encode |\n"
    "|--|--|--|--|--|--|--|--|--|--|--|--|"
)


def _print_row(
    footage: tuple[int, float],
    arena: Arena,
    measures: dict[str, list[Measure]],
    likenesses: tuple[float, float],
) -> None:
    wall = {name: median(run.wall_secs for run in runs) for name, runs in measures.items()}
    cpu = {name: median(run.cpu_secs for run in runs) for name, runs in measures.items()}
    size = measures["ours"][0].size_bytes / measures["encode"][0].size_bytes
    ratios = [
        f"{wall['ours'] / sum(wall[other] for other in others):.2f}, "
        f"{cpu['ours'] / sum(cpu[other] for other in others):.2f}"
        for others in (("reference",), ("encode",), ("encode", "decode"))
    ]
    cells = [
        f"{footage[0]} s",
        f"{footage[1]:g}",
        str(arena.speed.output_frames),
        *(f"{wall[name]:.2f} / {cpu[name]:.2f}" for name in measures),
        *ratios,
        f"{size:.3f}",
        ", ".join(f"{likeness:.4f}" for likeness in likenesses),
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
