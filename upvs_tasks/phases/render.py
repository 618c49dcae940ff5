"""Render the film's segments, each in a process of its own."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from upvs_tasks import documents, durable, media
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.film_plan import FilmPlan

if TYPE_CHECKING:
    from upvs_tasks.media.segment import SegmentResult, Shot

log = logging.getLogger(__name__)


def segment_name(segment: Segment) -> str:
    """Name of the segment's task."""
    return f"{segment.number:03}"


def segment_path(layout: Layout, film: FilmPlan, segment: Segment) -> Path:
    """Where the segment is kept; it is only ever there whole."""
    return layout.segment(film.digest_of(segment))


def damage_record(segment_path: Path) -> Path:
    """Where it is noted what of a segment is damaged; absent where nothing is."""
    return segment_path.with_suffix(".json")


def all_rendered(layout: Layout, film: FilmPlan) -> bool:
    """Whether the film has segments, and all of them are there."""
    return bool(film.segments) and all(
        segment_path(layout, film, segment).exists() for segment in film.segments
    )


def leavings(context: Context) -> list[Path]:
    """All segments of all films of the day, with what is noted of them."""
    folder = context.layout.segments
    return sorted(folder.iterdir()) if folder.is_dir() else []


def leavings_of(context: Context, film: FilmPlan, segment: Segment) -> tuple[Path, Path]:
    """The segment, with what is noted of it."""
    path = segment_path(context.layout, film, segment)
    return path, damage_record(path)


def run(context: Context, film: FilmPlan, segment: Segment) -> None:
    """Render the segment, and note beside it what of it is damaged."""
    path = segment_path(context.layout, film, segment)
    partial = durable.partial_of(path)
    name = segment_name(segment)
    with context.rendering:
        result = render_at(
            context,
            film,
            segment,
            partial,
            on_frame=lambda frames: context.progress.show_segment(name, frames),
        )
    if result.damages:
        log.warning("segment damaged", extra={"segment": segment.number, "result": str(result)})
        durable.write_if_changed(damage_record(path), documents.encode(result.damages))
    durable.sync_file(partial)
    durable.promote(partial, path)


def render_at(
    context: Context,
    film: FilmPlan,
    segment: Segment,
    path: Path,
    *,
    on_frame: Callable[[int], None] = lambda _: None,
) -> "SegmentResult":
    """Render the segment into a file, in a process of its own, and say what became of it."""
    with durable.storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    shots = tuple(_shots(context.layout, film, segment))
    job = media.segment.SegmentJob(film.encoding, path, shots, context.settings.hwaccel)
    return media.worker_pool.render_in_worker(job, nice=context.settings.nice, on_frame=on_frame)


def _shots(layout: Layout, film: FilmPlan, segment: Segment) -> "Iterator[Shot]":
    for frame_run in segment.runs:
        clip = film.plan.footage.clips[frame_run.clip]
        entry, record = film.clip_of(clip.name)
        yield media.segment.Shot.of(
            clip.name,
            layout.at(entry.file_path),
            rotation=record.footage.rotation,
            table=clip.table,
            frames=frame_run.frames,
        )
