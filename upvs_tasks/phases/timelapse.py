"""Make the film, and put it under its name once it is what was planned."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks import documents, durable, media
from upvs_tasks.errors import RenderError
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.timeline import captions, timeline_document
from upvs_tasks.model.verification import film_findings
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlan
from upvs_tasks.phases.render import damage_record, segment_path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilmStamp:
    """What the film on the disk was made from, its size, and what of it is damaged."""

    fingerprint: str
    size_bytes: int | None
    damages: tuple[Damage, ...]


def film_path(layout: Layout, index: ClipIndex) -> Path:
    """Where the film of this camera and day lies."""
    return layout.film(index.camera_folder, index.day.text)


def targets(context: Context) -> list[Path]:
    """The film, once it is known of which camera."""
    index = context.clips.known_index()
    return [] if index is None else [film_path(context.layout, index)]


def leavings(context: Context) -> list[Path]:
    """The film and all that goes with it; each of them can be made again from the clips."""
    layout = context.layout
    beside = [film.with_suffix(".vtt") for film in targets(context)]
    records = [layout.timeline_json, layout.film_stamp, layout.join_list, layout.join_tags]
    return [*targets(context), *beside, *records]


def is_current(context: Context) -> bool:
    """Whether the film on the disk is made from just these clips and settings.

    A day without footage has no film, and needs none.
    """
    film = context.planner.film()
    if film is None:
        return False
    if not film.recorded:
        return not film.index.entries
    stamp = documents.read(context.layout.film_stamp, FilmStamp)
    if stamp is None or stamp.size_bytes != _size(film_path(context.layout, film.index)):
        return False
    return stamp.fingerprint == film.fingerprint.digest()


def damages(layout: Layout) -> tuple[Damage, ...]:
    """What of the film on the disk is damaged, clip by clip."""
    stamp = documents.read(layout.film_stamp, FilmStamp)
    return stamp.damages if stamp else ()


def run(context: Context) -> str:
    """Make, count, rename, stamp. Returns the summary.

    The stamp goes first and comes last, so that a film without one is never taken for finished.
    """
    film, layout = context.film(), context.layout
    if not film.recorded:
        return "nothing to film"
    path, engine = film_path(layout, film.index), engine_of(context.settings.engine)
    layout.film_stamp.unlink(missing_ok=True)
    started_secs = context.clock.monotonic_secs()
    with _replacing(path, film.speed) as partial:
        damaged = engine.make(context, film, partial)
    if engine.follows_plan:
        _write_timeline(layout, film, path)
        _drop_other_segments(layout, film)
    stamp = FilmStamp(film.fingerprint.digest(), _size(path), damaged)
    durable.write_if_changed(layout.film_stamp, documents.encode(stamp))
    took_secs = context.clock.monotonic_secs() - started_secs
    size_bytes = path.stat().st_size
    log.info("film made", extra={"path": str(path), "bytes": size_bytes, "secs": took_secs})
    return f"{film.speed.output_frames} frames, {size_bytes / 1e6:.1f} MB: {path}"


@contextmanager
def _replacing(path: Path, speed: Speed) -> Iterator[Path]:
    """Yield where to write the film, which gets its name once it is what was planned."""
    partial = durable.partial_of(path)
    with durable.storing(path):
        partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        _check(partial, speed)
        durable.sync_file(partial)
        durable.promote(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _check(film: Path, speed: Speed) -> None:
    findings = film_findings(media.probe.measure(film), speed)
    if findings:
        raise RenderError(f"the film is not what was planned: {'; '.join(findings)}")


def _write_timeline(layout: Layout, film: FilmPlan, path: Path) -> None:
    day, fps = film.index.day, film.encoding.fps
    document = timeline_document(film.scenes, day=day, fps=fps)
    durable.write_if_changed(layout.timeline_json, durable.encode_json(document))
    text = captions(film.scenes, day=day, fps=fps)
    durable.write_if_changed(path.with_suffix(".vtt"), text.encode())


def _drop_other_segments(layout: Layout, film: FilmPlan) -> None:
    """Delete segments of films that the day no longer has."""
    wanted = {segment_path(layout, film, segment) for segment in film.segments}
    wanted |= {damage_record(path) for path in wanted}
    for path in layout.segments.iterdir():
        if path not in wanted:
            path.unlink()


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
