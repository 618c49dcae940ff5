"""How long the film takes: the segment engine, the specification's command, and the least possible.

    python -m benchmarks.render --footage h264-5s --speeds 12 --rounds 3 --results measured.jsonl
    python -m benchmarks.render --results measured.jsonl --table

The contestants take turns, each a program of its own. Every run is appended to the results, so that
a table can be put together from runs of some minutes; its figures are medians, and its ratios those
of the ratios within a turn. CPU seconds are those of all processes together.

The reference is what ``engine = "concat"`` runs. The least possible is to encode the planned
frames, which lie ready, with the specification's encoder, and to decode no more than the plan
needs. Size, and SSIM to the planned frames, are compared with those of the specification's
encoder for the very same frames.

Films are shorter than a real one, and longest at 12x: at 600x a minute of film takes ten hours of
footage. For the times, a film that would not keep every process busy to its end is cut evenly among
them; for its size and SSIM it is made once more of the segments that a user would get.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from pathlib import Path
from statistics import fmean

from av.video.frame import VideoFrame

from benchmarks.footage import CLIP_SECS, KINDS, clips_of, run_ffmpeg
from benchmarks.render_table import Measure, print_tables
from upvs_tasks.media import ffmpeg, probe
from upvs_tasks.media.concat_engine import (
    ENCODER_THREADS,
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
from upvs_tasks.media.options import X264_REPEATABLE
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.media.segment import SegmentJob, Shot
from upvs_tasks.media.worker_pool import render_in_worker, stop_all
from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT, FrameRun, Plan, Segment, plan_film
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage

_FILM_FRAMES = {2: 500, 12: 1500, 48: 500, 150: 200, 600: 80}
_FILM_FPS = 30
# Where one input claims a matrix and the other none, ffmpeg would convert its colours.
_SAME_COLOURS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of which footage, in which folder."""

    folder: str
    footage: str
    speed: int
    film_frames: int
    processes: int
    crf: int
    preset: str


class Arena:
    """Footage, the plan of a film of it, and where the films lie."""

    def __init__(self, order: Order) -> None:
        kind = KINDS[order.footage]
        self.order, self.folder = order, Path(order.folder)
        self.encoding = Encoding(kind.width, kind.height, _FILM_FPS, order.crf, order.preset)
        made = clips_of(kind)
        count = max(1, round(order.film_frames * order.speed / _FILM_FPS / CLIP_SECS))
        self.clips = tuple(made[place % len(made)] for place in range(count))
        # The pipeline has read the tables before it renders, while it was still downloading.
        tables = {path: read_sample_table(path) for path in made}
        footage = StitchedFootage.of(
            _source_clip(place, path, tables[path]) for place, path in enumerate(self.clips)
        )
        self.frames = round(footage.duration_ms * _FILM_FPS / 1000 / order.speed)
        self.speed = Speed(footage.duration_ms, 600, order.speed, _FILM_FPS, self.frames)
        self.plan = plan_film(footage, self.speed)

    @property
    def raw(self) -> Path:
        """The planned frames, not compressed: 3 MB each at 1080p."""
        return self.folder / "frames.yuv"

    def film_path(self, contestant: str) -> Path:
        """Where a contestant leaves its film."""
        return self.folder / f"{contestant}.mp4"

    @property
    def judged(self) -> str:
        """Whose film stands for ours in size and SSIM."""
        is_even = _evenly_cut(self.plan, self.order.processes) == self.plan
        return "ours" if is_even else "planned"

    def even_jobs(self) -> Iterator[SegmentJob]:
        """The film in segments that keep all processes busy to its end."""
        return self.jobs(_evenly_cut(self.plan, self.order.processes))

    def jobs(self, plan: Plan) -> Iterator[SegmentJob]:
        """The segments of a plan."""
        clips = plan.footage.clips
        for segment in plan.segments:
            shots = tuple(
                Shot.of(
                    clips[run.clip].name,
                    self.clips[run.clip],
                    footage=probe.measure(self.clips[run.clip]),
                    table=clips[run.clip].table,
                    frames=run.frames,
                )
                for run in segment.runs
            )
            yield SegmentJob(self.encoding, self.folder / f"segment{segment.number}.mp4", shots)


def main() -> None:
    """Measure what the flags say, and print a table of all results."""
    flags = _flags().parse_args()
    if flags.contestant:
        _contest(Arena(Order(**json.loads(flags.order))), flags.contestant)
        return
    if not flags.table:
        with tempfile.TemporaryDirectory(prefix="upvs-render-", dir=flags.folder) as folder:
            for order in _orders(flags, folder):
                _measure(order, flags.rounds, flags.results)
    lines = flags.results.read_text(encoding="utf-8").splitlines()
    print_tables([Measure(**json.loads(line)) for line in lines])


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--footage", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--speeds", type=int, nargs="+", default=list(_FILM_FRAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--film-frames", type=int, help=f"instead of {_FILM_FRAMES}")
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir(), "render.jsonl"))
    parser.add_argument("--table", action="store_true", help="only print what the results say")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--crf", type=int, default=23)
    parser.add_argument("--folder", help="where to work; in memory the disk has no part in it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--order", help=argparse.SUPPRESS)
    return parser


def _orders(flags: argparse.Namespace, folder: str) -> Iterator[Order]:
    for name in flags.footage:
        for speed in flags.speeds:
            usual = round(_FILM_FRAMES.get(speed, 250) * KINDS[name].film_share)
            frames = flags.film_frames or usual
            yield Order(folder, name, speed, frames, flags.processes, flags.crf, flags.preset)


def _source_clip(place: int, path: Path, table: SampleTable) -> StitchedClip:
    start_ms = place * 3_600_000
    return StitchedClip(path.stem, path.stem, start_ms, start_ms + table.duration_ms, table)


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
        plan.footage,
        tuple(
            Segment(number, _runs(picks[start:end]))
            for number, (start, end) in enumerate(pairwise(borders))
        ),
    )


def _runs(picks: Sequence[tuple[int, int]]) -> tuple[FrameRun, ...]:
    return tuple(
        FrameRun(clip, tuple(frame for _, frame in shown))
        for clip, shown in groupby(picks, lambda pick: pick[0])
    )


def _measure(order: Order, rounds: int, results: Path) -> None:
    """Let the contestants take turns, and append what each did to the results."""
    arena = Arena(order)
    _write_raw(arena)
    for number in range(rounds):
        turn = f"{os.getpid()}-{number}"
        for contestant, start in _contestants(arena, is_first=number == 0).items():
            wall_secs, cpu_secs = _timed(start)
            path = arena.film_path(contestant)
            measure = Measure(
                footage=order.footage,
                speed=order.speed,
                film_frames=arena.frames,
                turn=turn,
                contestant=contestant,
                wall_secs=wall_secs,
                cpu_secs=cpu_secs,
                size_bytes=path.stat().st_size if path.exists() else 0,
                likeness=_likeness(arena, path) if number == 0 else None,
            )
            with results.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(measure)) + "\n")
    for path in arena.folder.iterdir():
        path.unlink()


def _contestants(arena: Arena, *, is_first: bool) -> dict[str, Callable[[], None]]:
    contestants: dict[str, Callable[[], None]] = {
        "reference": lambda: _reference(arena),
        "ours": lambda: _apart(arena, "ours"),
        "encode": lambda: _encode_only(arena),
        "decode": lambda: _decode_only(arena),
    }
    if is_first and arena.judged == "planned":
        contestants["planned"] = lambda: _apart(arena, "planned")
    return contestants


def _timed(start: Callable[[], None]) -> tuple[float, float]:
    cpu_secs, started_secs = _cpu_secs(), time.perf_counter()
    start()
    return time.perf_counter() - started_secs, _cpu_secs() - cpu_secs


def _cpu_secs() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _apart(arena: Arena, contestant: str) -> None:
    program = [sys.executable, "-m", "benchmarks.render", "--contestant", contestant]
    order = ["--order", json.dumps(asdict(arena.order))]
    subprocess.run([*program, *order], check=True)  # noqa: S603  ourselves, without a shell


def _contest(arena: Arena, contestant: str) -> None:
    jobs = list(arena.even_jobs() if contestant == "ours" else arena.jobs(arena.plan))
    with ThreadPoolExecutor(arena.order.processes) as pool:
        lengths = [result.frames for result in pool.map(render_in_worker, jobs)]
    stop_all()  # only of processes that have ended the CPU time is known
    folder, encoding, path = arena.folder, arena.encoding, arena.film_path(contestant)
    join = Join(folder / "list.txt", folder / "tags.txt", path, encoding)
    parts = zip((job.output_path for job in jobs), lengths, strict=True)
    join.list_path.write_text(segment_list(parts, encoding.fps), encoding="utf-8")
    tags = FilmTags("Benchmark", "2024-01-15", "Camera")
    join.tags_path.write_text(tags_text(tags, encoding.fps), encoding="utf-8")
    ffmpeg.run(join_command(ffmpeg.find_ffmpeg(), join), partial=join.output_path)
    check_joined(join.output_path, frames=arena.frames, fps=encoding.fps)


def _reference(arena: Arena) -> None:
    path = arena.film_path("reference")
    list_path = arena.folder / "concat.txt"
    list_path.write_text(concat_text(arena.clips), encoding="utf-8")
    render = ConcatRender(
        concat_path=list_path,
        output_path=path,
        speed_factor=arena.speed.speed_factor,
        encoding=arena.encoding,
        output_frames=arena.frames,
    )
    ffmpeg.run(concat_command(ffmpeg.find_ffmpeg(), render), partial=path)


def _write_raw(arena: Arena) -> None:
    with arena.raw.open("wb") as raw:
        for job in arena.jobs(arena.plan):
            for shot in job.shots:
                for frame in decoded_frames(shot.path, shot.requests):
                    if frame.picture is None:
                        raise AssertionError("footage made here cannot be decoded")
                    raw.writelines(_rows(frame.picture))


def _rows(frame: VideoFrame) -> Iterator[bytes]:
    for plane in frame.planes:
        content = bytes(plane)
        for row in range(plane.height):
            start = row * plane.line_size
            yield content[start : start + plane.width]


def _decode_only(arena: Arena) -> None:
    """What the plan needs, in as many threads as there are processes; libav needs no GIL."""

    def decode(job: SegmentJob) -> None:
        for shot in job.shots:
            for _ in decoded_frames(shot.path, shot.requests):
                pass

    with ThreadPoolExecutor(arena.order.processes) as pool:
        list(pool.map(decode, arena.even_jobs()))


def _encode_only(arena: Arena) -> None:
    encoding = arena.encoding
    encoder = ["-c:v", "libx264", "-preset", encoding.preset, "-crf", str(encoding.crf)]
    alike = ["-x264-params", X264_REPEATABLE, "-threads", str(ENCODER_THREADS)]
    run_ffmpeg([*_raw_input(arena), *encoder, *alike, str(arena.film_path("encode"))])


def _raw_input(arena: Arena) -> list[str]:
    size = f"{arena.encoding.width}x{arena.encoding.height}"
    return ["-f", "rawvideo", "-s", size, "-r", str(_FILM_FPS), "-i", str(arena.raw)]


def _likeness(arena: Arena, path: Path) -> float | None:
    """Mean SSIM to the planned frames; None for a film that shows others."""
    if path not in {arena.film_path(arena.judged), arena.film_path("encode")}:
        return None
    stats = arena.folder / "ssim.txt"
    alike = f"settb=1/{_FILM_FPS},setpts=N,{_SAME_COLOURS}"
    compared = f"[0:v]{alike}[film];[1:v]{alike}[raw];[film][raw]ssim=stats_file={stats}"
    run_ffmpeg(["-i", str(path), *_raw_input(arena), "-lavfi", compared, "-f", "null", "-"])
    words = stats.read_text(encoding="utf-8").split()
    shares = [float(word[4:]) for word in words if word.startswith("All:")]
    if len(shares) != arena.frames:
        raise AssertionError(f"{path.name} has {len(shares)} frames")
    return fmean(shares)


if __name__ == "__main__":
    main()
