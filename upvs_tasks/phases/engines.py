"""The two ways to make the film: joined from segments, or by the specification's own command."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks import durable, media
from upvs_tasks.model.concat_limits import check_listed
from upvs_tasks.model.damage import Damage, damage_by_clip
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.timeline import chapters_of
from upvs_tasks.phases import fetch, render
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.film_plan import FilmPlan
from upvs_tasks.phases.render import segment_path


@dataclass(frozen=True, slots=True)
class RenderEngine:
    """A way to make the film.

    ``follows_plan``: each frame of the film is the planned one, and the film has segments.
    ``check`` raises UsageError for a film that it cannot make.
    ``prove`` sees to all that the film is made of; where a clip has changed, `Context.film` is
    another film afterwards. ``make`` writes the film, which is to get its name later, and says what
    of it is damaged.
    """

    follows_plan: bool
    check: Callable[[FilmPlan], None]
    prove: Callable[..., None]
    make: Callable[[Context, FilmPlan, Path], tuple[Damage, ...]]


def engine_of(engine: Engine) -> RenderEngine:
    """The engine that a setting names."""
    match engine:
        case Engine.SEGMENTS:
            return RenderEngine(
                follows_plan=True, check=_takes_any, prove=render.prove_all, make=_join_segments
            )
        case Engine.CONCAT:
            return RenderEngine(
                follows_plan=False, check=_check_listed, prove=_prove_clips, make=_render_at_once
            )


def _takes_any(_: FilmPlan) -> None:
    """Segments are made of clips of any kind."""


def _check_listed(film: FilmPlan) -> None:
    check_listed(film.listed)


def _join_segments(context: Context, film: FilmPlan, partial: Path) -> tuple[Damage, ...]:
    layout, index, fps = context.layout, film.index, film.encoding.fps
    paths = [segment_path(layout, film, segment) for segment in film.segments]
    counts = [segment.frame_count for segment in film.segments]
    tags = media.join.FilmTags(
        title=f"{index.camera_name} {index.day.text}",
        date=index.day.text,
        camera=index.camera_name,
        chapters=chapters_of(film.scenes, day=index.day, fps=fps),
    )
    listed = media.join.segment_list(list(zip(paths, counts, strict=True)), fps)
    durable.write_if_changed(layout.join_list, listed.encode())
    durable.write_if_changed(layout.join_tags, media.join.tags_text(tags, fps).encode())
    whole = media.join.Join(layout.join_list, layout.join_tags, partial, film.encoding)
    command = media.join.join_command(context.program.path(), whole)
    media.ffmpeg.run(command, partial=partial)
    media.join.check_joined(partial, frames=film.speed.output_frames, fps=fps)
    return damage_by_clip(render.damages(layout, film))


def _prove_clips(context: Context, film: FilmPlan, *, may_ask: bool) -> None:
    camera_id = film.index.camera_id if may_ask else None
    for entry, _ in film.recorded:
        fetch.prove(context, entry, camera_id=camera_id)


def _render_at_once(context: Context, film: FilmPlan, partial: Path) -> tuple[Damage, ...]:
    _check_listed(film)  # a clip may just have come anew
    speed = film.speed
    job = media.concat_engine.ConcatRender(
        concat_path=context.layout.concat_text,
        output_path=partial,
        speed_factor=speed.speed_factor,
        encoding=film.encoding,
        output_frames=speed.output_frames,
        track=next(film.listed).footage.track,
    )
    media.ffmpeg.run(
        media.concat_engine.concat_command(context.program.path(), job),
        on_frame=lambda frames: context.progress.show_film(frames, speed.output_frames),
        partial=partial,
    )
    return ()
