"""Make the film, and put it under its name once it is what was planned."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from upvs_tasks import documents, durable, media
from upvs_tasks.errors import RenderError, quoted
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plural import counted
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.verification import film_findings
from upvs_tasks.phases import manifest, speed
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlan
from upvs_tasks.phases.render import kept_segments, record_path, segment_path

log = logging.getLogger(__name__)

_MOST_PLANS = 5


@dataclass(frozen=True, slots=True)
class FilmStamp:
    """What the film on the disk was made from, its bytes, and what of it is damaged."""

    fingerprint: str
    sha256: str
    size_bytes: int
    damages: tuple[Damage, ...]


def film_path(layout: Layout, index: ClipIndex) -> Path:
    """Where the film of this camera and day lies."""
    return layout.film(index.camera_folder, index.day.text)


def captions_path(layout: Layout, index: ClipIndex) -> Path:
    """Where the film's subtitles lie."""
    return film_path(layout, index).with_suffix(".vtt")


def targets(context: Context) -> list[Path]:
    """The film and what tells what it shows, once it is known of which camera."""
    index, layout = context.clips.known_index(), context.layout
    if index is None:
        return []
    has_timeline = engine_of(context.settings.engine).follows_plan
    timeline = [captions_path(layout, index), layout.timeline_json] if has_timeline else []
    return [film_path(layout, index), *timeline]


def leavings(context: Context) -> list[Path]:
    """The film and all that goes with it; each of them can be made again from the clips."""
    index, layout = context.clips.known_index(), context.layout
    films = [] if index is None else [film_path(layout, index), captions_path(layout, index)]
    records = [layout.timeline_json, layout.film_stamp, layout.join_list, layout.join_tags]
    return [*films, *records]


def is_current(context: Context) -> bool:
    """Whether the film on the disk is made from just these clips and settings, timeline and all.

    A day without footage has no film, and needs none.
    """
    film = context.planner.film()
    if film is None:
        return False
    if not film.recorded:
        return not film.index.entries
    return is_made(context.layout, film) and has_timeline(context, film)


def is_made(layout: Layout, film: FilmPlan) -> bool:
    """Whether the film on the disk is this one; its bytes are not read."""
    stamp = stamp_of(layout)
    return (
        stamp is not None
        and bool(film.recorded)
        and stamp.size_bytes == _size(film_path(layout, film.index))
        and stamp.fingerprint == film.fingerprint_digest
    )


def has_timeline(context: Context, film: FilmPlan) -> bool:
    """Whether the files that tell what the film shows are those of this film."""
    return all(
        durable.read_bytes(path) == content for path, content in _timeline(context, film).items()
    )


def stamp_of(layout: Layout) -> FilmStamp | None:
    """What is noted of the film on the disk; None where there is none that is finished."""
    return documents.read(layout.film_stamp, FilmStamp)


def damages(context: Context) -> tuple[Damage, ...]:
    """What of the film on the disk is damaged, clip by clip.

    A clip that the disk has changed counts, too, whether or not its frames can still be decoded.
    """
    film, stamp = context.film(), stamp_of(context.layout)
    found = {damage.clip_name: damage for damage in (stamp.damages if stamp else ())}
    for entry, record in film.recorded:
        if not record.is_as_it_arrived:
            standing = context.clips.standing_of(entry)
            frames = film.frames_of(entry.name)
            known = found.get(entry.name, Damage(entry.name, frames, 0, ""))
            is_lost = standing.is_settled
            found[entry.name] = replace(known, reason=standing.reason, is_lost=is_lost)
    return tuple(found.values())


def run(context: Context, *, may_ask: bool) -> str:
    """Make, count, rename, stamp. Returns the summary.

    ``may_ask``: a clip whose bytes have changed may be fetched again.
    """
    film, layout = context.film(), context.layout
    if not is_made(layout, film):
        film = _proven_film(context, may_ask=may_ask)
        if not film.recorded:
            return "nothing to film"
        _make(context, film)
    _write_timeline(context, film)
    if engine_of(context.settings.engine).follows_plan:
        _drop_other_segments(layout, film)
    size_bytes = film_path(layout, film.index).stat().st_size
    return f"{counted(film.speed.output_frames, 'frame')}, {size_bytes / 1e6:.1f} MB"


def _proven_film(context: Context, *, may_ask: bool) -> FilmPlan:
    """The film, once all that it is made of is on the disk, and proven.

    Where a clip turns out to be another one, another film is planned.
    """
    engine = engine_of(context.settings.engine)
    for _ in range(_MOST_PLANS):
        manifest.run(context)
        speed.run(context)
        film = context.film()
        engine.prove(context, film, may_ask=may_ask)
        if context.film() is film:
            return film
    raise RenderError("the clips change while the film is made: is this disk in order?")


def _make(context: Context, film: FilmPlan) -> None:
    """Write the film. Its stamp goes first and comes last: none without is taken for finished."""
    layout, path = context.layout, film_path(context.layout, film.index)
    started_secs = context.clock.monotonic_secs()
    durable.delete(layout.film_stamp)
    with _replacing(path, film.speed) as partial:
        damaged = engine_of(context.settings.engine).make(context, film, partial)
    digest, size_bytes = durable.digest_of(path), path.stat().st_size
    if digest is None:
        raise RenderError(f"{quoted(path)} was made, but cannot be read: check the disk, run again")
    stamp = FilmStamp(film.fingerprint_digest, digest, size_bytes, damaged)
    durable.write_if_changed(layout.film_stamp, documents.encode(stamp))
    took_secs = context.clock.monotonic_secs() - started_secs
    log.info("film made", extra={"path": str(path), "bytes": size_bytes, "secs": took_secs})


@contextmanager
def _replacing(path: Path, speed: Speed) -> Iterator[Path]:
    """Yield where to write the film, which gets its name once it is what was planned."""
    partial = durable.prepared(path)
    try:
        yield partial
        _check(partial, speed)
        durable.sync_file(partial)
        durable.promote(partial, path)
    except BaseException:
        durable.forget(partial)
        raise


def _check(film: Path, speed: Speed) -> None:
    findings = film_findings(media.probe.measure(film), speed)
    if findings:
        raise RenderError(f"the film is not what was planned: {'; '.join(findings)}")


def _timeline(context: Context, film: FilmPlan) -> dict[Path, bytes | None]:
    """The files that tell what the film shows; None for one that would be of another film."""
    layout = context.layout
    paths = (layout.timeline_json, captions_path(layout, film.index))
    if not engine_of(context.settings.engine).follows_plan:
        return dict.fromkeys(paths)
    return dict(zip(paths, (film.timeline, film.captions), strict=True))


def _write_timeline(context: Context, film: FilmPlan) -> None:
    for path, content in _timeline(context, film).items():
        if content is None:
            durable.delete(path)
        else:
            durable.write_if_changed(path, content)


def _drop_other_segments(layout: Layout, film: FilmPlan) -> None:
    """Delete segments of films that the day no longer has."""
    wanted = {segment_path(layout, film, segment) for segment in film.segments}
    wanted |= {record_path(path) for path in wanted}
    for path in kept_segments(layout):
        if path not in wanted:
            durable.delete(path)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
