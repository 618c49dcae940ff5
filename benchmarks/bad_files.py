"""What one odd file in the middle of a day costs: the others whole, and the bad one named?

    python -m benchmarks.bad_files

A day has 20 small clips whose every frame shows its number; the middle one is another each time.
Three ways to make the film are read back frame by frame: the segment engine, the concat engine (the
list holds what was found whole, with where each clip's picture begins and ends; a film of another
length than planned is refused) and the specification's letter (the command as it is written, over
all files, whatever comes of it).
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import av
from av.video.frame import VideoFrame

from samples.clips import Recipe, frame_number, make_clip
from samples.odd_files import ODDITIES, Oddity
from upvs_tasks.errors import BrokenFootageError, RenderError
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.concat_engine import ConcatRender, concat_command
from upvs_tasks.media.options import REPORTED
from upvs_tasks.media.probe import measure, survey
from upvs_tasks.media.segment import SegmentJob, Shot, render_segment
from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.plan import Plan, plan_film
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage
from upvs_tasks.model.verification import film_findings

_CLIPS, _MIDDLE = 20, 10
_FRAMES, _CLIP_NUMBERS = 40, 1_000
_FILM = Encoding(width=160, height=90, fps=30, crf=20, preset="ultrafast")
_FACTOR = 4.0
_PLAIN = Recipe(frames=_FRAMES, first_number=_MIDDLE * _CLIP_NUMBERS)
_LONGEST = 70
_HEAD = (
    "| odd file | engine | film frames | frames of the other 19 | of these the very ones planned "
    "| its own | named |\n|--|--|--|--|--|--|--|"
)


@dataclass(frozen=True, slots=True)
class Day:
    """The clips, what was found of each that is whole, and the film that is planned of these."""

    folder: Path
    paths: tuple[Path, ...]
    found: dict[Path, tuple[Footage, SampleTable]]
    plan: Plan
    speed: Speed

    @property
    def middle(self) -> Path:
        """The odd one."""
        return self.paths[_MIDDLE]

    @property
    def list_path(self) -> Path:
        """Where ffmpeg finds the list of clips."""
        return self.folder / "concat.txt"

    @property
    def film_path(self) -> Path:
        """Where ffmpeg writes the film."""
        return self.folder / "film.video"

    @property
    def wanted(self) -> tuple[int, ...]:
        """Number that each frame of the film is to show, of clips that were made as numbered."""
        names = [int(clip.name) for clip in self.plan.footage.clips]
        return tuple(names[clip] * _CLIP_NUMBERS + frame for clip, frame in self.plan.picks())


@dataclass(frozen=True, slots=True)
class Film:
    """What came of a day: the frames of the film, and what is said of the odd clip."""

    frames: tuple[frozenset[int], ...]
    named: str


def main() -> None:
    """Make every day, film it in three ways, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.parse_args()
    makers = {"segments": _segments, "concat": _concat, "the letter": _letter}
    print(_HEAD)
    with tempfile.TemporaryDirectory(prefix="upvs-bad-") as name:
        good = _good_clips(Path(name))
        for oddity in ODDITIES:
            for engine, maker in makers.items():
                day = _day(Path(name), good, oddity)
                oddity.after(day.middle)
                _print_row(oddity, engine, day, maker(day))


def _good_clips(folder: Path) -> tuple[Path, ...]:
    return tuple(
        make_clip(
            folder / f"{place:02}.mp4",
            replace(_PLAIN, first_number=place * _CLIP_NUMBERS),
        )
        for place in range(_CLIPS)
    )


def _day(folder: Path, good: Sequence[Path], oddity: Oddity) -> Day:
    odd = make_clip(good[_MIDDLE], oddity.recipe(_PLAIN))
    oddity.before(odd)
    found = {}
    for path in good:
        with suppress(BrokenFootageError):
            found[path] = survey(path)
    footage = StitchedFootage.of(
        StitchedClip(path.stem, path.stem, int(path.stem) * 10**6, int(path.stem) * 10**6, table)
        for path, (_, table) in found.items()
    )
    total_secs = footage.duration_ms / 1000
    speed = Speed.of(
        total_duration_ms=footage.duration_ms,
        target_secs=total_secs / _FACTOR,
        output_fps=_FILM.fps,
    )
    return Day(folder, tuple(good), found, plan_film(footage, speed), speed)


def _segments(day: Day) -> Film:
    frames, named = [], _refusal(day)
    by_name = {path.stem: path for path in day.found}
    for segment in day.plan.segments:
        path = day.folder / f"segment{segment.number}.video"
        shots = []
        for run in segment.runs:
            clip = day.plan.footage.clips[run.clip]
            footage, table = day.found[by_name[clip.name]]
            shot = Shot.of(
                clip.name,
                by_name[clip.name],
                footage=footage,
                table=table,
                frames=run.frames,
            )
            shots.append(shot)
        for damage in render_segment(SegmentJob(_FILM, path, tuple(shots))).damages:
            named = f"{damage.clip_name}: {damage.damaged_frames} of {damage.wanted_frames} frames"
        frames += _numbers(path)
    return Film(tuple(frames), named)


def _refusal(day: Day) -> str:
    """Why the middle clip is not in the plan."""
    if day.middle in day.found:
        return "-"
    try:
        survey(day.middle)
    except BrokenFootageError as refusal:
        return str(refusal)
    raise AssertionError("a clip is whole that was not")


def _concat(day: Day) -> Film:
    listed = concat_text(day.found, footage=[footage for footage, _ in day.found.values()])
    day.list_path.write_text(listed, encoding="utf-8")
    render = ConcatRender(
        concat_path=day.list_path,
        output_path=day.film_path,
        speed_factor=day.speed.speed_factor,
        encoding=_FILM,
        output_frames=day.speed.output_frames,
    )
    film = _by_ffmpeg(day, concat_command(ffmpeg.find_ffmpeg(), render), _refusal(day))
    if not day.film_path.exists():
        return film
    findings = film_findings(measure(day.film_path), day.speed)
    return replace(film, named=f"film refused: {findings[0]}") if findings else film


def _letter(day: Day) -> Film:
    """The specification's own command: its list names the clips, and its filter is setpts alone."""
    day.list_path.write_text(concat_text(day.paths), encoding="utf-8")
    clips = ["-f", "concat", "-safe", "0", "-i", str(day.list_path)]
    speed = ["-vf", f"setpts=PTS/{day.speed.speed_factor}", "-r", str(_FILM.fps)]
    encoder = ["-c:v", "libx264", "-crf", str(_FILM.crf), "-preset", _FILM.preset]
    output = ["-pix_fmt", "yuv420p", "-an", "-f", "mp4", "-y", str(day.film_path)]
    program = [ffmpeg.find_ffmpeg(), *REPORTED]
    return _by_ffmpeg(day, [*program, *clips, *speed, *encoder, *output], "-")


def _by_ffmpeg(day: Day, command: Sequence[str], named: str) -> Film:
    try:
        ffmpeg.run(command, partial=day.film_path)
    except RenderError as failure:
        return Film((), f"no film: {failure}")
    return Film(tuple(_numbers(day.film_path)), named)


def _numbers(path: Path) -> list[frozenset[int]]:
    """Of each frame of a film, the numbers that it may show."""
    with av.open(str(path)) as container:
        return [_readings(frame) for frame in container.decode(video=0)]


def _readings(frame: VideoFrame) -> frozenset[int]:
    """Numbers that a frame may show: read from left to right and, for the odd clip, downwards.

    And between black sides, where it may be a frame that is higher than wide.
    """
    luma = frame.reformat(format="gray").planes[0]
    pixels, middle = bytes(luma), luma.width // 2
    places = [int((bar + 0.5) * luma.height / 16) * luma.line_size + middle for bar in range(16)]
    bits = [str(int(pixels[place] > 127)) for place in places]  # noqa: PLR2004  half of white
    line, inner = luma.line_size * (luma.height // 2), luma.height * 0.6
    left = line + (luma.width - inner) / 2
    between = [int(pixels[int(left + (bar + 0.5) * inner / 16)] > 127) for bar in range(16)]  # noqa: PLR2004  likewise
    odd = {
        int("".join(bits), 2),
        int("".join(reversed(bits)), 2),
        int("".join(map(str, between)), 2),
    }
    return frozenset({frame_number(frame)} | set(filter(_is_odd, odd)))


def _print_row(oddity: Oddity, engine: str, day: Day, film: Film) -> None:
    planned = [number for number in day.wanted if not _is_odd(number)]
    shown = [number for numbers in film.frames for number in numbers if not _is_odd(number)]
    others = _common(map(_clip_of, planned), map(_clip_of, shown))
    own = sum(any(map(_is_odd, numbers)) for numbers in film.frames)
    counts = (
        f"{len(film.frames)} of {day.speed.output_frames} | {others} of {len(planned)} "
        f"| {_common(planned, shown)} | {own} of {len(day.wanted) - len(planned)}"
    )
    named = film.named if len(film.named) <= _LONGEST else f"{film.named[:_LONGEST]}..."
    print(f"| {oddity.name} | {engine} | {counts} | {named} |", flush=True)


def _clip_of(number: int) -> int:
    return number // _CLIP_NUMBERS


def _is_odd(number: int) -> bool:
    return _clip_of(number) == _MIDDLE


def _common(planned: Iterable[int], shown: Iterable[int]) -> int:
    """How much of what is planned is shown, each as often as planned at the most."""
    return (Counter(planned) & Counter(shown)).total()


if __name__ == "__main__":
    main()
