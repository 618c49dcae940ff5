"""Judges films by what the ffmpeg program shows of the same files: ``python -m tests.media.judge``.

A file is surveyed, planned and rendered by our code, up to the encoder, at three speeds. Each frame
is compared with a decode by ffmpeg, from the first packet to the last: its pictures, its times, its
way of turning them. Nothing that our code says of the file is believed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import av

from tests.media.decodes import group_by_group, packed, pictures
from tests.media.made_files import MadeFile, Maker
from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media.ffmpeg import find_ffmpeg
from upvs_tasks.media.probe import survey
from upvs_tasks.media.segment import SegmentJob, Shot, film_frames
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.encoding import Encoding, film_size
from upvs_tasks.model.plan import plan_film
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage

FACTORS = (1.0, 4.0, 30.0)
_FPS = 30
# Mean error of a frame that is the same but for its conversion, of 255 levels.
_SAME_LEVELS = 0.8
_EVERY = 7  # of the pixels that differ, so many are not looked at
# Times are compared in whole milliseconds of the footage.
_SLACK_SECS = Fraction(1, 1000)
# No group of pictures of the made files is shorter: only from here on a keyframe may stand in.
_SNAPPED_SECS = Fraction(1, 10)
_SHAPE_TOLERANCE = 0.03
_FRAME = re.compile(rb"\[info\] n: *\d+ pts: *(\S+) .* fmt:(\w+) .*sar:(\d+)/(\d+) s:(\d+)x(\d+)")
_TIME_BASE = re.compile(rb"config in time_base: (\d+)/(\d+)")
_PACKET = re.compile(r"^0, *(-?\d+), *(-?\d+), *(-?\d+), ", re.MULTILINE)
_ERROR = re.compile(rb"^.*\[(?:error|fatal)\] (.*)$", re.MULTILINE)
_OF_THE_OUTPUT = "to muxer"


class Verdict(StrEnum):
    """What a film of a file is worth, beside ffmpeg's decode."""

    EXACT = "exact"
    NAMED = "damaged, and named"
    REFUSED = "rightly refused"
    LOST = "LOST: ffmpeg shows it"
    WRONG = "WRONG, and not named"

    @property
    def is_fault(self) -> bool:
        """Whether the code has to be mended."""
        return self in {Verdict.LOST, Verdict.WRONG}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one film of a file, and why."""

    made: MadeFile
    factor: float
    verdict: Verdict
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.made.name} at {self.factor:g}x: {self.verdict}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What ffmpeg shows of a file: when, in seconds from the first picture, and its complaints.

    ``shape`` is width to height of a picture on a screen. ``is_plain``: the film needs no other
    pixels than the file has. ``undefined`` are the times at which the picture depends on what a
    decoder had in its memory before, as that of a spoilt file may.
    """

    errors: tuple[str, ...]
    times: tuple[Fraction, ...] = ()
    end: Fraction = Fraction(0)
    pictures: tuple[bytes, ...] = ()
    is_plain: bool = False
    undefined: frozenset[Fraction] = frozenset()
    shape: Fraction = Fraction(1)

    @property
    def is_whole(self) -> bool:
        """Whether ffmpeg decodes the file from end to end."""
        return bool(self.pictures) and not self.errors


@dataclass(frozen=True, slots=True)
class Film:
    """A film before it is encoded: its size, its pictures, and what was said of the file."""

    size: tuple[int, int]
    pictures: tuple[bytes, ...]
    damages: tuple[Damage, ...]

    @property
    def named(self) -> int:
        """How many pictures are said to be damaged."""
        return sum(damage.damaged_frames for damage in self.damages)


def judge(made: MadeFile, factors: Sequence[float] = FACTORS) -> Iterator[Judgement]:
    """Film a file at some speeds, and compare each film with ffmpeg's decode."""
    reference: Reference | None = None
    for factor in factors:
        try:
            film = filmed(made.path, factor)
        except BrokenFootageError as refusal:
            reference = reference or shown_by_ffmpeg(made, (160, 90))
            yield Judgement(made, factor, _of_refusal(made, reference), str(refusal))
            continue
        if reference is None:
            reference = shown_by_ffmpeg(made, film.size)
            if made.is_spoilt:
                reference = replace(reference, undefined=frozenset(_undefined(made, reference)))
        yield _compared(made, factor, film, reference)


def filmed(path: Path, factor: float) -> Film:
    """The file through our survey, plan and render. Raises BrokenFootageError where we refuse."""
    damages: list[Damage] = []
    pictures: list[bytes] = []
    jobs = list(segment_jobs(path, factor))
    for job in jobs:
        pictures += [packed(frame) for frame in film_frames(job, damages)]
    encoding = jobs[0].encoding
    return Film((encoding.width, encoding.height), tuple(pictures), tuple(damages))


def segment_jobs(path: Path, factor: float) -> Iterator[SegmentJob]:
    """The segments of a film of one file, as well as can be; each would lie beside the file."""
    footage, table = survey(path)
    clip = StitchedClip(path.stem, path.stem, 0, table.duration_ms, table)
    stitched = StitchedFootage.of([clip])
    total_ms = stitched.duration_ms
    speed = Speed.of(
        total_duration_ms=total_ms, target_secs=total_ms / 1000 / factor, output_fps=_FPS
    )
    width, height = film_size({footage.shown_size: 1})
    encoding = Encoding(width=width, height=height, fps=_FPS, crf=1, preset="ultrafast")
    for segment in plan_film(stitched, speed).segments:
        shots = tuple(
            Shot.of(path.stem, path, footage=footage, table=table, frames=run.frames)
            for run in segment.runs
        )
        output_path = path.with_name(f"{path.stem}-{factor:g}-{segment.number}.film")
        yield SegmentJob(encoding, output_path, shots)


def shown_by_ffmpeg(made: MadeFile, size: tuple[int, int]) -> Reference:
    """All pictures of a file, as the ffmpeg program decodes, turns and scales them."""
    width, height = size
    colours = "out_color_matrix=bt709:out_range=tv"
    scaler = f"scale={width}:{height}:flags=bicubic+accurate_rnd+full_chroma_int:{colours}"
    with tempfile.TemporaryDirectory() as folder:
        raw, packets = Path(folder, "raw"), Path(folder, "packets")
        track = ("-map", f"0:v:{made.track}")
        program = (find_ffmpeg(), "-hide_banner", "-nostdin", "-v", "level+info", "-copyts")
        shown = (
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "1/1000000",
            "-vf",
            f"showinfo=checksum=0,{scaler}",
        )
        pixels = ("-pix_fmt", "yuv420p", "-f", "rawvideo", str(raw))
        stored = (*track, "-c", "copy", "-f", "framecrc", str(packets))
        decoded = ("-threads", "1", "-i", str(made.path), *track, *shown, *pixels)
        run = subprocess.run([*program, *decoded, *stored], check=False, capture_output=True)
        content = raw.read_bytes() if raw.exists() else b""
        listed = packets.read_text() if packets.exists() else ""
    return _reference(made, run, content, listed, size)


def _reference(
    made: MadeFile,
    run: "subprocess.CompletedProcess[bytes]",
    content: bytes,
    listed: str,
    size: tuple[int, int],
) -> Reference:
    frames = [match.groups() for match in _FRAME.finditer(run.stderr)]
    said = [match.decode("utf-8", "replace") for match in _ERROR.findall(run.stderr)]
    errors = [sentence for sentence in said if _OF_THE_OUTPUT not in sentence]
    if run.returncode:
        errors.append(f"exit code {run.returncode}")
    base = _TIME_BASE.search(run.stderr)
    if not frames or base is None:
        return Reference(errors=tuple(errors))
    tick = Fraction(int(base[1]), int(base[2]))
    ticks = [int(frame[0]) for frame in frames]
    stored = [tuple(map(int, row)) for row in _PACKET.findall(listed)]
    if made.in_order:  # an edit list may hide the first of them
        ticks = sorted(presented for _, presented, _ in stored)[-len(ticks) :]
    last_ticks = stored[-1][2] if stored else 0
    across, down, width, height = (int(number) for number in frames[0][2:6])
    is_plain = (
        frames[0][1] == b"yuv420p"
        and (width, height) == size
        and made.matrix is None
        and b"color_space:bt709" in run.stderr
    )
    whole = size[0] * size[1] * 3 // 2
    return Reference(
        times=tuple((at - ticks[0]) * tick for at in ticks),
        end=(ticks[-1] - ticks[0] + last_ticks) * tick,
        pictures=tuple(content[at : at + whole] for at in range(0, len(content), whole)),
        is_plain=is_plain,
        shape=Fraction(width, height) * (Fraction(across, down) if across and down else 1),
        errors=tuple(errors),
    )


def _undefined(made: MadeFile, reference: Reference) -> Iterator[Fraction]:
    """Times of the pictures that are not the same whichever way a decoder is driven."""
    decodes = [*pictures(made.path), group_by_group(made.path)]
    with av.open(str(made.path)) as container:
        tick = Fraction(container.streams.video[0].time_base or 1)
    first = min(decodes[0])
    shown = dict(zip(reference.times, reference.pictures, strict=False))
    for ticks in decodes[0]:
        at = (ticks - first) * tick
        if len({shown.get(at), *(decode.get(ticks) for decode in decodes)}) > 1:
            yield max((time for time in reference.times if time <= at), default=at)


def _of_refusal(made: MadeFile, reference: Reference) -> Verdict:
    is_right = made.is_cut or made.is_locked or not reference.is_whole
    return Verdict.REFUSED if is_right else Verdict.LOST


def _compared(made: MadeFile, factor: float, film: Film, reference: Reference) -> Judgement:
    judgement = Judgement(made, factor, Verdict.EXACT)
    wrong = _wrong_form(factor, film, reference)
    if wrong is not None:
        return replace(judgement, verdict=Verdict.WRONG, reason=wrong)
    differing = [
        place
        for place, picture in enumerate(film.pictures)
        if not _is_shown(picture, place, factor, reference)
    ]
    counts = f"{len(differing)} of {len(film.pictures)} differ, {film.named} are named"
    if differing:
        counts += f", the first is {differing[0]}"
    counts += f"; ffmpeg: {reference.errors[0] if reference.errors else 'no complaint'}"
    if len(differing) > film.named:
        return replace(judgement, verdict=Verdict.WRONG, reason=counts)
    if film.named and reference.is_whole and not made.is_spoilt:
        return replace(judgement, verdict=Verdict.LOST, reason=counts)
    if film.named:
        return replace(judgement, verdict=Verdict.NAMED, reason=counts)
    return judgement


def _wrong_form(factor: float, film: Film, reference: Reference) -> str | None:
    """What is wrong with the film's length or shape; None where both are right."""
    if not reference.pictures:
        return None if film.named == len(film.pictures) else "ffmpeg shows nothing"
    frames = max(1, round(reference.end * _FPS / Fraction(factor)))
    if reference.is_whole and abs(len(film.pictures) - frames) > 1:
        return f"{len(film.pictures)} frames instead of {frames}"
    width, height = film.size
    if abs(width / height / float(reference.shape) - 1) > _SHAPE_TOLERANCE:
        return f"{width}x{height} instead of {float(reference.shape):.3f} times as wide as high"
    return None


def _is_shown(picture: bytes, place: int, factor: float, reference: Reference) -> bool:
    """Whether ffmpeg shows this picture then; where steps are long, within half a step of it."""
    step = Fraction(factor) / _FPS
    instant = step * (2 * place + 1) / 2
    times = reference.times
    first, last = (
        bisect_right(times, at) - 1 for at in (instant - _SLACK_SECS, instant + _SLACK_SECS)
    )
    if reference.undefined.intersection(times[max(first, 0) : last + 1]):
        return True
    if _is_among(picture, reference, first, last):
        return True
    if step < _SNAPPED_SECS:
        return False
    first, last = (bisect_right(times, at) - 1 for at in (instant - step / 2, instant + step / 2))
    return _is_among(picture, reference, first, last)


def _is_among(picture: bytes, reference: Reference, first: int, last: int) -> bool:
    shown = reference.pictures[max(first, 0) : last + 1]
    return picture in shown or (
        not reference.is_plain and any(is_alike(picture, other) for other in shown)
    )


def is_alike(ours: bytes, theirs: bytes) -> bool:
    """Whether two pictures are the same, but for a conversion or a very good encoder."""
    if len(ours) != len(theirs):
        return False
    pairs = zip(ours[::_EVERY], theirs[::_EVERY], strict=True)
    return sum(abs(one - other) for one, other in pairs) * _EVERY <= _SAME_LEVELS * len(ours)


def table_of(judgements: Iterable[Judgement]) -> str:
    """How many films of each group of files got which verdict, as a table in Markdown."""
    counted: dict[str, Counter[Verdict]] = {}
    files: dict[str, set[str]] = {}
    for judgement in judgements:
        counted.setdefault(judgement.made.group, Counter())[judgement.verdict] += 1
        files.setdefault(judgement.made.group, set()).add(judgement.made.name)
    lines = ["| files | | " + " | ".join(Verdict) + " |", "|--|--|" + "--|" * len(Verdict)]
    for group, counts in counted.items():
        numbers = " | ".join(str(counts[verdict]) for verdict in Verdict)
        lines.append(f"| {group} | {len(files[group])} | {numbers} |")
    total = sum(counted.values(), Counter[Verdict]())
    numbers = " | ".join(str(total[verdict]) for verdict in Verdict)
    lines.append(f"| all | {sum(map(len, files.values()))} | {numbers} |")
    return "\n".join(lines)


def main() -> int:
    """Make all files, judge them, print the table; 1 where a verdict is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="judge files whose names contain one of these")
    wanted = parser.parse_args().only
    judgements: list[Judgement] = []
    with tempfile.TemporaryDirectory(prefix="upvs-judge-") as folder:
        for made in Maker(Path(folder)).files():
            if not wanted or any(part in made.name for part in wanted):
                judgements += judge(made)
    for judgement in judgements:
        if judgement.verdict.is_fault or wanted:
            print(judgement)  # noqa: T201  it is a program
    print(table_of(judgements))  # noqa: T201  likewise
    return int(any(judgement.verdict.is_fault for judgement in judgements))


if __name__ == "__main__":
    sys.exit(main())
