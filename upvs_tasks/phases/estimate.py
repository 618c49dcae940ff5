"""Foresee how large the film gets, how long that takes, and whether the disk has room for it."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from upvs_tasks import durable
from upvs_tasks.errors import StorageError
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.estimate import Estimate, Trial, in_words
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases import render
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.render import FilmPlan

_TRIED_FRAMES = 24


def run(job: Context) -> str | None:
    """Tell size and time; None where there is no film to make. Raises StorageError."""
    index = job.index()
    if not job.inventory.source(job.inventory.recorded(index)).parts:
        return None
    drawing = render.film_plan(job, index)
    estimate = _of_parts(job, drawing) or _of_trials(job, drawing)
    if job.settings.engine is Engine.CONCAT:  # no parts, and decodes all that there is
        estimate = replace(estimate, missing_bytes=0, render_secs=None)
    free_bytes = shutil.disk_usage(job.layout.out_dir).free
    if estimate.needed_bytes > free_bytes:
        raise StorageError(
            f"the film takes about {_megabytes(estimate.needed_bytes)} of free space in "
            f"{job.layout.out_dir}, its parts included, and there are {_megabytes(free_bytes)}: "
            "free some, or choose a smaller height or a higher crf, then run again"
        )
    return in_words(estimate)


def _of_parts(job: Context, drawing: FilmPlan) -> Estimate | None:
    """Estimate from the parts that are there already; None where there are none."""
    there = [
        (segment.frame_count, job.layout.segment(drawing.digest(segment)).stat().st_size)
        for segment in drawing.plan.segments
        if render.is_current(job, drawing, segment)
    ]
    if not there:
        return None
    return Estimate.of_parts(
        frames=sum(frames for frames, _ in there),
        all_frames=drawing.plan.frame_count,
        size_bytes=sum(size_bytes for _, size_bytes in there),
    )


def _of_trials(job: Context, drawing: FilmPlan) -> Estimate:
    """Estimate from places spread over the film, one a core, rendered for nothing else."""
    segments = drawing.plan.segments
    count = min(job.settings.renders_at_once, len(segments))
    places = [segments[(2 * number + 1) * len(segments) // (2 * count)] for number in range(count)]
    with ThreadPoolExecutor(count) as pool:
        # The first frame of each, which also starts the processes and so does not count as time.
        key_bytes = list(pool.map(lambda place: _tried(job, drawing, place.first(1)), places))
        started_secs = time.monotonic()
        excerpts = [place.first(_TRIED_FRAMES) for place in places]
        all_bytes = list(pool.map(lambda place: _tried(job, drawing, place), excerpts))
        secs = time.monotonic() - started_secs
    frames = [excerpt.frame_count for excerpt in excerpts]
    return Estimate.of_trials(
        tuple(map(Trial, frames, key_bytes, all_bytes)),
        segments=len(segments),
        all_frames=drawing.plan.frame_count,
        secs=secs,
    )


def _tried(job: Context, drawing: FilmPlan, excerpt: Segment) -> int:
    """Size of a few frames, in bytes; nothing of them stays."""
    path = durable.partial_of(job.layout.segments / f"trial_{excerpt.number:03}.mp4")
    try:
        render.render_at(job, drawing, excerpt, path)
        return path.stat().st_size
    finally:
        path.unlink(missing_ok=True)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
