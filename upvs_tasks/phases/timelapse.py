"""Make the film, and put it under its name once it is what was planned."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks import documents, durable
from upvs_tasks.errors import RenderError
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.damage import Damage, damage_by_clip
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.fingerprint import ClipIdentity, FilmFingerprint
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.timeline import (
    Scene,
    captions,
    chapters_of,
    scenes_of,
    timeline_document,
)
from upvs_tasks.model.verification import film_findings
from upvs_tasks.phases import render
from upvs_tasks.phases.clip_store import Recorded
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.measuring import measure
from upvs_tasks.phases.speed import speed_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilmStamp:
    """What the film on the disk was made from, its size, and what of it is damaged."""

    fingerprint: str
    size_bytes: int | None
    damages: tuple[Damage, ...]


def film_path(job: Context, index: ClipIndex) -> Path:
    """Where the film of this camera and day lies."""
    return job.layout.film(index.camera_folder, index.day.text)


def is_current(job: Context) -> bool:
    """Whether the film on the disk is made from just these clips and settings.

    A day without footage has no film, and needs none.
    """
    index = job.inventory.known_index()
    if index is None:
        return False
    recorded = job.inventory.recorded(index)
    if not recorded:
        return not index.entries
    stamp = documents.read(job.layout.film_stamp, FilmStamp)
    if stamp is None or stamp.size_bytes != _size(film_path(job, index)):
        return False
    return stamp.fingerprint == _fingerprint(job, recorded).digest()


def damages(job: Context) -> tuple[Damage, ...]:
    """What of the film on the disk is damaged, clip by clip."""
    stamp = documents.read(job.layout.film_stamp, FilmStamp)
    return stamp.damages if stamp else ()


def run(job: Context) -> str:
    """Make, count, rename, stamp. Returns the story.

    The stamp goes first and comes last, so that a film without one is never taken for finished.
    """
    index = job.index()
    recorded = job.inventory.recorded(index)
    if not recorded:
        return "nothing to film"
    path, speed = film_path(job, index), speed_of(job, recorded)
    job.layout.film_stamp.unlink(missing_ok=True)
    started_secs = time.monotonic()
    match job.settings.engine:
        case Engine.SEGMENTS:
            damaged = _joined(job, index, path, speed)
        case Engine.CONCAT:
            damaged = _rendered_at_once(job, recorded, path, speed)
    _stamp(job, recorded, path, damaged)
    took_secs = time.monotonic() - started_secs
    size_bytes = path.stat().st_size
    log.info("film made", extra={"path": str(path), "bytes": size_bytes, "secs": took_secs})
    return f"{speed.output_frames} frames, {size_bytes / 1e6:.1f} MB: {path}"


def _joined(job: Context, index: ClipIndex, path: Path, speed: Speed) -> tuple[Damage, ...]:
    from upvs_tasks.media import ffmpeg, join  # noqa: PLC0415  only where there is work

    drawing = render.film_plan(job, index)
    fps = drawing.encoding.fps
    segments = [
        (job.layout.segment(drawing.digest(segment)), segment.frame_count)
        for segment in drawing.plan.segments
    ]
    scenes = scenes_of(drawing.plan, index.entries)
    tags = join.FilmTags(
        title=f"{index.camera_name} {index.day.text}",
        date=index.day.text,
        camera=index.camera_name,
        chapters=chapters_of(scenes, day=index.day, fps=fps),
    )
    list_path, tags_path = job.layout.join_list, job.layout.join_tags
    listed = join.segment_list(segments, fps)
    durable.write_if_changed(list_path, listed.encode())
    durable.write_if_changed(tags_path, join.tags_text(tags, fps).encode())
    with _replacing(path, speed) as partial:
        whole = join.Join(list_path, tags_path, partial, drawing.encoding)
        ffmpeg.run(join.join_command(ffmpeg.find_ffmpeg(), whole), partial=partial)
        join.check_joined(partial, frames=speed.output_frames, fps=fps)
    _write_timeline(job, index, path, scenes)
    _drop_all_but(job, {segment_path for segment_path, _ in segments})
    return _damages([segment_path for segment_path, _ in segments])


def _rendered_at_once(
    job: Context, recorded: Recorded, path: Path, speed: Speed
) -> tuple[Damage, ...]:
    from upvs_tasks.media import ffmpeg  # noqa: PLC0415  only where there is work
    from upvs_tasks.media.concat_engine import ConcatRender, concat_command  # noqa: PLC0415  likewise

    with _replacing(path, speed) as partial:
        whole = ConcatRender(
            concat_path=job.layout.concat_text,
            output_path=partial,
            speed_factor=speed.speed_factor,
            encoding=render.encoding_of(job, recorded),
            output_frames=speed.output_frames,
        )
        ffmpeg.run(
            concat_command(ffmpeg.find_ffmpeg(), whole),
            on_frame=lambda frame: job.progress.frames_rendered(frame, speed.output_frames),
            partial=partial,
        )
    return ()


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
    findings = film_findings(measure(film), speed)
    if findings:
        raise RenderError(f"the film is not what was planned: {'; '.join(findings)}")


def _write_timeline(job: Context, index: ClipIndex, path: Path, scenes: tuple[Scene, ...]) -> None:
    fps = job.settings.output_fps
    document = timeline_document(scenes, day=index.day, fps=fps)
    durable.write_if_changed(job.layout.timeline_json, durable.encode_json(document))
    text = captions(scenes, day=index.day, fps=fps)
    durable.write_if_changed(path.with_suffix(".vtt"), text.encode())


def _drop_all_but(job: Context, wanted: set[Path]) -> None:
    """Delete segments of films that the day no longer has."""
    kept = wanted | {render.damage_record(path) for path in wanted}
    for path in job.layout.segments.iterdir():
        if path not in kept:
            path.unlink()


def _damages(segments: list[Path]) -> tuple[Damage, ...]:
    """Damages of all segments, added up clip by clip."""
    return damage_by_clip(
        damage
        for path in segments
        for damage in documents.read(render.damage_record(path), tuple[Damage, ...]) or ()
    )


def _fingerprint(job: Context, recorded: Recorded) -> FilmFingerprint:
    speed = speed_of(job, recorded)
    return FilmFingerprint(
        clips=tuple(ClipIdentity(entry.name, record.sha256) for entry, record in recorded),
        engine=job.settings.engine,
        speed_factor=speed.speed_factor,
        output_frames=speed.output_frames,
        encoding=render.encoding_of(job, recorded),
    )


def _stamp(job: Context, recorded: Recorded, path: Path, damaged: tuple[Damage, ...]) -> None:
    """Note what proves the film current: its fingerprint, and that it still has the size it had."""
    stamp = FilmStamp(_fingerprint(job, recorded).digest(), _size(path), damaged)
    durable.write_if_changed(job.layout.film_stamp, documents.encode(stamp))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
