"""Render the film's segments, each in a process of its own.

The life of a segment. The bytes of its clips are proven, and then it is rendered under another
name. What looks damaged is rendered again over bytes that are proven again: what repeats came like
that from the console. Its record is written, and then it gets its name, which is the digest of what
it shows. It counts while its size is that of its record. Its bytes are proven before it is joined.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from upvs_tasks import documents, durable, media
from upvs_tasks.errors import RenderError
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.damage import Damage, RunDamage
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases import fetch
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.film_plan import FilmPlan
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.media.render_places import RenderPlaces
    from upvs_tasks.media.segment import SegmentResult, Shot

log = logging.getLogger(__name__)

_MOST_ATTEMPTS = 5
_SUFFIXES = (".mp4", ".json")


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """What a segment's file was when it was rendered, and what of it is damaged."""

    sha256: str
    size_bytes: int
    damages: tuple[RunDamage, ...]


def stop_all() -> None:
    """End all rendering; whoever waits for it gets a RenderError."""
    media.stop_all()


def segment_name(segment: Segment) -> str:
    """Name of the segment's task."""
    return f"{segment.number:03}"


def segment_path(layout: Layout, film: FilmPlan, segment: Segment) -> Path:
    """Where the segment is kept; it is only ever there whole."""
    return layout.segment(film.digest_of(segment))


def record_path(segment_path: Path) -> Path:
    """Where it is noted what a segment was when it was rendered."""
    return segment_path.with_suffix(".json")


def is_rendered(layout: Layout, film: FilmPlan, segment: Segment) -> bool:
    """Whether the segment is there, and is as large as when it was rendered."""
    path = segment_path(layout, film, segment)
    record = documents.read(record_path(path), SegmentRecord)
    return record is not None and path.is_file() and path.stat().st_size == record.size_bytes


def all_rendered(layout: Layout, film: FilmPlan) -> bool:
    """Whether the film has segments, and all of them are there."""
    return bool(film.segments) and all(
        is_rendered(layout, film, segment) for segment in film.different_segments
    )


def leavings(context: Context) -> list[Path]:
    """All segments of all films of the day, with what is noted of them."""
    return kept_segments(context.layout)


def kept_segments(layout: Layout) -> list[Path]:
    """The segments on the disk, and what is noted of them; not what others call otherwise."""
    folder = layout.segments
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.suffix in _SUFFIXES and path.is_file()]


def leavings_of(context: Context, film: FilmPlan, segment: Segment) -> tuple[Path, Path]:
    """The segment, with what is noted of it."""
    path = segment_path(context.layout, film, segment)
    return path, record_path(path)


def damages(layout: Layout, film: FilmPlan) -> Iterator[Damage]:
    """What of the film's segments is damaged."""
    for segment in film.segments:
        record = documents.read(record_path(segment_path(layout, film, segment)), SegmentRecord)
        for damage in record.damages if record else ():
            shown = segment.runs[damage.run]
            name = film.plan.footage.clips[shown.clip].name
            came_so = film.clip_of(name)[1].is_as_it_arrived
            wanted, damaged = len(shown.frames), damage.damaged_frames
            yield Damage(name, wanted, damaged, damage.reason, came_so=came_so)


def prove_all(context: Context, film: FilmPlan, *, may_ask: bool) -> None:
    """Read every segment, and render those that are not what was rendered once.

    Where a clip of theirs has changed, `Context.film` is another film afterwards.
    """
    stale = [each for each in film.different_segments if not _is_proven(context.layout, film, each)]
    again = partial(run, context, film, may_ask=may_ask)
    with ThreadPoolExecutor(context.settings.renders_at_once) as pool:
        list(pool.map(again, stale))


def run(context: Context, film: FilmPlan, segment: Segment, *, may_ask: bool) -> str | None:
    """Render the segment, and note beside it what it is. Returns what is worth telling.

    ``may_ask``: a clip whose bytes have changed may be fetched again. Where it is another one then,
    nothing is rendered: the film is no longer the one that was planned.
    """
    news: list[str] = []
    path = segment_path(context.layout, film, segment)
    partial_path = durable.prepared(path)
    with context.rendering:
        result = _over_proven_bytes(context, film, segment, news, may_ask=may_ask)
    if result is not None:
        record = _record_of(result, segment, film, partial_path)
        durable.sync_file(partial_path)
        durable.write_if_changed(record_path(path), documents.encode(record))
        durable.promote(partial_path, path)
    return "; ".join(news) or None


def places_for(settings: Settings) -> "RenderPlaces":
    """As many workers as the settings say; memory counts where they leave the number open."""
    if settings.threads:
        return media.render_places.RenderPlaces(settings.threads, lambda: None)
    return media.render_places.RenderPlaces(settings.renders_at_once)


def render_at(
    context: Context,
    film: FilmPlan,
    segment: Segment,
    path: Path,
    *,
    on_frame: Callable[[int], None] = lambda _: None,
) -> "SegmentResult":
    """Render the segment into a file, in a process of its own, and say what became of it."""
    shots = tuple(_shots(context.layout, film, segment))
    job = media.segment.SegmentJob(film.encoding, path, shots, context.settings.hwaccel)
    nice = context.settings.nice
    with context.places.taken(film.worker_bytes):
        return media.worker_pool.render_in_worker(job, nice=nice, on_frame=on_frame)


def _over_proven_bytes(
    context: Context, film: FilmPlan, segment: Segment, news: list[str], *, may_ask: bool
) -> "SegmentResult | None":
    """What rendering the segment gave: without damage, or twice with the same damage.

    Adds to ``news``. None where a clip is another one than was planned.
    """
    clips, name = context.clips, segment_name(segment)
    path = durable.partial_of(segment_path(context.layout, film, segment))
    entries = [film.clip_of(clip_name)[0] for clip_name in _clip_names(film, segment)]
    before: tuple[Damage, ...] | None = None
    for _ in range(_MOST_ATTEMPTS):
        news += _proofs(context, film, segment, entries, may_ask=may_ask)
        if not _is_as_planned(context, film, entries):
            return None
        files = [clips.file_number(entry) for entry in entries]
        result = render_at(
            context,
            film,
            segment,
            path,
            on_frame=lambda frames: context.progress.show_segment(name, frames),
        )
        is_of_these = files == [clips.file_number(entry) for entry in entries]
        if is_of_these and (not result.damages or result.damages == before):
            return result
        log.warning("segment damaged", extra={"segment": name, "result": str(result)})
        before = result.damages if is_of_these else None
        for damage in result.damages:
            clips.doubt(film.clip_of(damage.clip_name)[0])
    durable.forget(path)
    raise RenderError(f"segment {name} comes out differently each time: is this disk in order?")


def _proofs(
    context: Context,
    film: FilmPlan,
    segment: Segment,
    entries: list[IndexEntry],
    *,
    may_ask: bool,
) -> Iterator[str]:
    """Prove the bytes of the clips, and tell of those that had changed."""
    camera_id = film.index.camera_id if may_ask else None
    for entry in entries:
        told = fetch.prove(context, entry, camera_id=camera_id)
        if told is not None:
            _doubt_others(context.layout, film, segment, entry.name)
            yield told


def _doubt_others(layout: Layout, film: FilmPlan, segment: Segment, clip_name: str) -> None:
    """Let no other segment count that shows a clip: it may have been rendered of wrong bytes."""
    own = segment_path(layout, film, segment)
    for other in film.segments:
        path = segment_path(layout, film, other)
        if path != own and clip_name in _clip_names(film, other):
            durable.delete(record_path(path))


def _is_as_planned(context: Context, film: FilmPlan, entries: list[IndexEntry]) -> bool:
    """Whether the clips on the disk are those that the film was planned of."""
    found = [context.clips.record_of(entry) for entry in entries]
    planned = [film.clip_of(entry.name)[1].sha256 for entry in entries]
    return planned == [record and record.sha256 for record in found]


def _is_proven(layout: Layout, film: FilmPlan, segment: Segment) -> bool:
    path = segment_path(layout, film, segment)
    record = documents.read(record_path(path), SegmentRecord)
    return record is not None and durable.digest_of(path) == record.sha256


def _record_of(
    result: "SegmentResult", segment: Segment, film: FilmPlan, path: Path
) -> SegmentRecord:
    digest = durable.digest_of(path)
    if digest is None:
        raise RenderError(f"{path} was rendered, but cannot be read: check the disk, run again")
    names = _clip_names(film, segment)
    damages = tuple(
        RunDamage(names.index(damage.clip_name), damage.damaged_frames, damage.reason)
        for damage in result.damages
    )
    return SegmentRecord(digest, path.stat().st_size, damages)


def _clip_names(film: FilmPlan, segment: Segment) -> list[str]:
    """The clips that a segment shows, one for each of its runs."""
    return [film.plan.footage.clips[frame_run.clip].name for frame_run in segment.runs]


def _shots(layout: Layout, film: FilmPlan, segment: Segment) -> "Iterator[Shot]":
    for frame_run in segment.runs:
        clip = film.plan.footage.clips[frame_run.clip]
        entry, record = film.clip_of(clip.name)
        yield media.segment.Shot.of(
            clip.name,
            layout.at(entry.file_path),
            footage=record.footage,
            table=clip.table,
            frames=frame_run.frames,
        )
