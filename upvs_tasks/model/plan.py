"""Which frame of which clip each frame of the film shows, and which are encoded together."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import groupby
from json import dumps

from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.sampling import Grid, Pick, grids_by_clock, one_grid, picks_on
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedFootage

# x264 places its keyframes so far apart by default, so cutting here costs no bytes.
FRAMES_PER_SEGMENT = 250

# Raise this when the same plan and encoding give other frames or bytes than before.
_RENDERER_VERSION = 2


@dataclass(frozen=True, slots=True)
class FrameRun:
    """Frames of one clip: its place in the footage, and theirs in its table, in film order."""

    clip: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring frames of the film that are encoded together, without any others."""

    number: int
    runs: tuple[FrameRun, ...]

    @property
    def frame_count(self) -> int:
        """How many frames of the film it holds."""
        return sum(len(run.frames) for run in self.runs)

    def first(self, count: int) -> "Segment":
        """The first ``count`` frames of the segment."""
        runs: list[FrameRun] = []
        for run in self.runs:
            runs.append(FrameRun(run.clip, run.frames[:count]))
            count -= len(runs[-1].frames)
            if count == 0:
                break
        return Segment(self.number, tuple(runs))


@dataclass(frozen=True, slots=True)
class Plan:
    """The film, segment by segment."""

    footage: StitchedFootage
    segments: tuple[Segment, ...]

    @property
    def frame_count(self) -> int:
        """How many frames the film has."""
        return sum(segment.frame_count for segment in self.segments)

    def picks(self) -> Iterator[Pick]:
        """Clip and frame that each frame of the film shows."""
        for segment in self.segments:
            for run in segment.runs:
                yield from ((run.clip, frame) for frame in run.frames)

    def digest(self, segment: Segment, encoding: Encoding) -> str:
        """Digest of all that the segment's bytes depend on, besides the build of the codecs.

        Its number, and clips that it does not show, make no difference.
        """
        shown = [[self.footage.clips[run.clip].sha256, run.frames] for run in segment.runs]
        facts = {"renderer": _RENDERER_VERSION, "encoding": asdict(encoding), "shown": shown}
        return sha256(dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def plan_film(footage: StitchedFootage, speed: Speed, *, by_clock: bool = False) -> Plan:
    """Plan of a film of ``speed.output_frames`` frames.

    With ``by_clock`` segments are cut at fixed times of the clock: as long as the speed stays the
    same, a late clip changes little more than the segments that show it. Without, it changes all
    segments after it.
    """
    step_ms = Fraction(speed.speed_factor) * 1000 / speed.output_fps
    if by_clock:
        grids = grids_by_clock(
            footage, step_ms, speed.output_frames, longest_frames=FRAMES_PER_SEGMENT
        )
    else:
        grids = one_grid(footage, step_ms, speed.output_frames)
    return Plan(footage, tuple(_segments(footage, grids)))


def _segments(footage: StitchedFootage, grids: Sequence[Grid]) -> Iterator[Segment]:
    number = 0
    for grid in grids:
        picks = list(picks_on(footage, grid))
        for start in range(0, len(picks), FRAMES_PER_SEGMENT):
            yield Segment(number, _runs(picks[start : start + FRAMES_PER_SEGMENT]))
            number += 1


def _runs(picks: Sequence[Pick]) -> tuple[FrameRun, ...]:
    return tuple(
        FrameRun(clip, tuple(frame for _, frame in shown))
        for clip, shown in groupby(picks, lambda pick: pick[0])
    )
