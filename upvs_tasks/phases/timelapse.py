"""Render the film, and put it under its name once it is what was planned."""

import logging
import time
from pathlib import Path
from typing import Any

from upvs_tasks import durable
from upvs_tasks.errors import RenderFailed
from upvs_tasks.model.index import ClipIndex
from upvs_tasks.model.recipe import ClipIdentity, FilmRecipe
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.verification import film_findings
from upvs_tasks.phases.inventory import Recorded
from upvs_tasks.phases.job import Job
from upvs_tasks.phases.measuring import measure
from upvs_tasks.phases.speed import speed_of

log = logging.getLogger(__name__)


def film_path(job: Job, index: ClipIndex) -> Path:
    """Where the film of this camera and day lies."""
    return job.layout.film(index.camera_folder, index.day.text)


def is_current(job: Job) -> bool:
    """Whether the film on the disk is made from just these clips and settings.

    A day without footage has no film, and needs none.
    """
    index = job.inventory.known_index()
    if index is None:
        return False
    recorded = job.inventory.recorded(index)
    if not recorded:
        return not index.entries
    stamp = _stamp(_recipe(job, recorded), film_path(job, index))
    return stamp is not None and durable.read_json(job.layout.film_stamp) == stamp


def run(job: Job) -> str:
    """Render, count, rename, stamp. Returns the story.

    The stamp goes first and comes last, so that a film without one is never taken for finished.
    """
    index = job.index()
    recorded = job.inventory.recorded(index)
    if not recorded:
        return "nothing to film"
    path, recipe = film_path(job, index), _recipe(job, recorded)
    job.layout.film_stamp.unlink(missing_ok=True)
    started_secs = time.monotonic()
    _render(job, path, speed_of(job, recorded))
    durable.write_if_changed(job.layout.film_stamp, durable.encode_json(_stamp(recipe, path)))
    took_secs = time.monotonic() - started_secs
    size_mb = path.stat().st_size / 1e6
    log.info("film rendered", extra={"path": str(path), "secs": round(took_secs, 1)})
    return f"{recipe.output_frames} frames in {took_secs:.0f} s, {size_mb:.1f} MB: {path}"


def _render(job: Job, path: Path, speed: Speed) -> None:
    from upvs_tasks.media import ffmpeg  # noqa: PLC0415  only where there is work
    from upvs_tasks.media.concat import ConcatRender, concat_command  # noqa: PLC0415  likewise

    partial = durable.partial_of(path)
    partial.parent.mkdir(parents=True, exist_ok=True)
    render = ConcatRender(
        concat_path=job.layout.concat_text,
        output_path=partial,
        speed_factor=speed.speed_factor,
        output_fps=job.settings.output_fps,
        output_frames=speed.output_frames,
        crf=job.settings.crf,
        preset=job.settings.preset,
    )
    try:
        ffmpeg.run(
            concat_command(ffmpeg.find_ffmpeg(), render),
            on_frame=lambda frame: job.progress.frames_rendered(frame, speed.output_frames),
            partial=partial,
        )
        _check(partial, speed)
        durable.sync_file(partial)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    durable.promote(partial, path)


def _check(film: Path, speed: Speed) -> None:
    findings = film_findings(measure(film), speed)
    if findings:
        raise RenderFailed(f"the film is not what was planned: {'; '.join(findings)}")


def _recipe(job: Job, recorded: Recorded) -> FilmRecipe:
    settings, speed = job.settings, speed_of(job, recorded)
    return FilmRecipe(
        clips=tuple(ClipIdentity(entry.name, record.sha256) for entry, record in recorded),
        engine=settings.engine,
        speed_factor=speed.speed_factor,
        output_frames=speed.output_frames,
        output_fps=settings.output_fps,
        crf=settings.crf,
        preset=settings.preset,
    )


def _stamp(recipe: FilmRecipe, path: Path) -> Any | None:  # noqa: ANN401  a JSON document
    """What proves the film current: its recipe, and that it still has the size it had."""
    try:
        return {"recipe": recipe.digest(), "size_bytes": path.stat().st_size}
    except FileNotFoundError:
        return None
