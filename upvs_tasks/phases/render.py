"""Plan the film, and render it segment by segment, each in a process of its own."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upvs_tasks import documents, durable
from upvs_tasks.model.clip_index import ClipIndex, IndexEntry
from upvs_tasks.model.encoding import Encoding, film_size
from upvs_tasks.model.plan import Plan, Segment, plan_film
from upvs_tasks.phases.clip_store import FootageRecord, Recorded
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.speed import speed_of

if TYPE_CHECKING:
    from upvs_tasks.media.segment import SegmentResult, Shot

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A film before it is made: which frames, in which encoding, from which clips."""

    plan: Plan
    encoding: Encoding
    recorded: dict[str, tuple[IndexEntry, FootageRecord]]

    def digest(self, segment: Segment) -> str:
        """Under which the segment is kept."""
        return self.plan.digest(segment, self.encoding)


def film_plan(job: Context, index: ClipIndex) -> FilmPlan:
    """FilmPlan of the film of all clips that are on the disk; there has to be one."""
    recorded = job.inventory.recorded(index)
    footage, speed = job.inventory.source(recorded), speed_of(job, recorded)
    plan = plan_film(footage, speed, by_clock=job.settings.speed_step > 0)
    return FilmPlan(plan, encoding_of(job, recorded), {pair[0].name: pair for pair in recorded})


def encoding_of(job: Context, recorded: Recorded) -> Encoding:
    """How the film of these clips is encoded; there has to be one."""
    settings = job.settings
    shown_ms: dict[tuple[int, int], int] = {}
    for _, record in recorded:
        size = record.footage.shown_size
        shown_ms[size] = shown_ms.get(size, 0) + record.footage.duration_ms
    width, height = film_size(shown_ms, settings.height or None)
    return Encoding(
        width, height, settings.output_fps, settings.crf, settings.preset, settings.codec
    )


def is_current(job: Context, drawing: FilmPlan, segment: Segment) -> bool:
    """Whether the segment is there; it is only ever there whole."""
    return job.layout.segment(drawing.digest(segment)).exists()


def run(job: Context, drawing: FilmPlan, segment: Segment) -> None:
    """Render the segment, and note beside it what of it is damaged."""
    path = job.layout.segment(drawing.digest(segment))
    partial = durable.partial_of(path)
    with job.rendering:
        result = render_at(job, drawing, segment, partial)
    if result.damages:
        log.warning("segment damaged", extra={"segment": segment.number, "result": str(result)})
        durable.write_if_changed(damage_record(path), documents.encode(result.damages))
    durable.sync_file(partial)
    durable.promote(partial, path)


def render_at(job: Context, drawing: FilmPlan, segment: Segment, path: Path) -> "SegmentResult":
    """Render the segment into a file, in a process of its own, and say what became of it."""
    from upvs_tasks.media.segment import SegmentJob  # noqa: PLC0415  only where there is work
    from upvs_tasks.media.worker_pool import render_in_worker  # noqa: PLC0415  likewise

    with durable.storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    shots = tuple(_shots(job, drawing, segment))
    segment_job = SegmentJob(drawing.encoding, path, shots, job.settings.hwaccel)
    return render_in_worker(segment_job, nice=job.settings.nice)


def damage_record(segment_path: Path) -> Path:
    """Where it is noted what of a segment is damaged; absent where nothing is."""
    return segment_path.with_suffix(".json")


def _shots(job: Context, drawing: FilmPlan, segment: Segment) -> "list[Shot]":
    from upvs_tasks.media.segment import Shot  # noqa: PLC0415  see render_at

    shots = []
    for run_of_frames in segment.runs:
        clip = drawing.plan.footage.clips[run_of_frames.clip]
        entry, record = drawing.recorded[clip.name]
        shot = Shot.of(
            clip.name,
            job.layout.at(entry.file_path),
            rotation=record.footage.rotation,
            table=clip.table,
            frames=run_of_frames.frames,
        )
        shots.append(shot)
    return shots
