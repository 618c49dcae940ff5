"""Estimate how large the film gets, how long that takes, and whether the disk has room."""

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from upvs_tasks import durable
from upvs_tasks.errors import StorageError, quoted
from upvs_tasks.model.estimate import Estimate, Trial, in_words
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases import render
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlan

log = logging.getLogger(__name__)

_TRIED_FRAMES = 24


def run(context: Context) -> str | None:
    """Tell size and time; None where there is no film to make. Raises StorageError.

    Raises UsageError where the engine cannot make it.
    """
    film = context.film()
    if not film.footage.spans:
        return None
    engine = engine_of(context.settings.engine)
    engine.check(film)
    estimate = _of_segments(context.layout, film) or _of_trials(context, film)
    memory = _memory_in_words(context, film)
    if not engine.follows_plan:  # no segments, and all is decoded
        memory, estimate = "", replace(estimate, missing_bytes=0, render_secs=None)
    out_dir = context.layout.out_dir
    free_bytes = _free_bytes(out_dir)
    if free_bytes is not None and estimate.needed_bytes > free_bytes:
        raise StorageError(
            f"the film takes about {_megabytes(estimate.needed_bytes)} of free space in "
            f"{quoted(out_dir)}, its segments included, and there are {_megabytes(free_bytes)}: "
            "free some, or choose a smaller height or a higher crf, then run again"
        )
    return "; ".join(filter(None, (in_words(estimate), memory)))


def _memory_in_words(context: Context, film: FilmPlan) -> str:
    """Why fewer segments are rendered at once than there are cores; empty where it is not so."""
    return context.places.memory(film.worker_bytes).sentence(context.places.most)


def _of_segments(layout: Layout, film: FilmPlan) -> Estimate | None:
    """Estimate from the segments that are there already; None where there are none."""
    rendered = [each for each in film.plan.segments if render.is_rendered(layout, film, each)]
    paths = [(each, render.segment_path(layout, film, each)) for each in rendered]
    there = [(each.frame_count, path.stat().st_size) for each, path in paths]
    if not there:
        return None
    return Estimate.of_segments(
        frames=sum(frames for frames, _ in there),
        all_frames=film.plan.frame_count,
        size_bytes=sum(size_bytes for _, size_bytes in there),
    )


def _of_trials(context: Context, film: FilmPlan) -> Estimate:
    """Estimate from places spread over the film, one a core, rendered for nothing else."""
    segments = film.plan.segments
    memory = context.places.memory(film.worker_bytes)
    count = min(memory.at_once(context.places.most), len(segments))
    places = [segments[(2 * number + 1) * len(segments) // (2 * count)] for number in range(count)]
    with ThreadPoolExecutor(count) as pool:
        # The first frame of each, which also starts the processes and so does not count as time.
        firsts = [place.first(1) for place in places]
        key_bytes = list(pool.map(lambda place: _tried(context, film, place), firsts))
        started_secs = context.clock.monotonic_secs()
        excerpts = [place.first(_TRIED_FRAMES) for place in places]
        all_bytes = list(pool.map(lambda place: _tried(context, film, place), excerpts))
        secs = context.clock.monotonic_secs() - started_secs
    frames = [excerpt.frame_count for excerpt in excerpts]
    return Estimate.of_trials(
        tuple(map(Trial, frames, key_bytes, all_bytes)),
        segments=len(segments),
        all_frames=film.plan.frame_count,
        secs=secs,
    )


def _tried(context: Context, film: FilmPlan, excerpt: Segment) -> int:
    """Size of a few frames, in bytes; nothing of them stays."""
    path = durable.prepared(context.layout.segments / f"trial_{excerpt.number:03}.mp4")
    try:
        render.render_at(context, film, excerpt, path)
        return path.stat().st_size
    finally:
        durable.forget(path)


def _free_bytes(folder: Path) -> int | None:
    """How much room the disk has; None where it does not say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        log.warning("free space not known", extra={"reason": error.strerror})
        return None


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
