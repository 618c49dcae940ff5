"""Write day.json: how much footage there is, the speed, and how long the film gets.

First the overlaps of neighbouring clips are measured, on which the footage depends. `model.speed`
decides the speed; `FilmPlan.speed` gives it the footage and the settings.
"""

from pathlib import Path

from upvs_tasks import durable, media
from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.model.plural import counted
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.film_plan import FilmPlan


def is_current(context: Context) -> bool:
    """Whether day.json says what follows from the footage on the disk."""
    film = context.planner.film()
    if film is None or not context.clips.has_overlaps(film.recorded):
        return False
    return durable.read_bytes(context.layout.day_json) == _day_json(film)


def run(context: Context) -> str:
    """Write day.json where it differs. Returns the summary."""
    context.clips.measure_overlaps(context.film().recorded, _repeated_frames)
    film = context.film()
    durable.write_if_changed(context.layout.day_json, _day_json(film))
    speed = film.speed
    return (
        f"{speed.total_duration_ms / 60_000:.1f} min of footage at {speed.speed_factor:.2f}x "
        f"make {speed.output_duration_secs:.0f} s, {counted(speed.output_frames, 'frame')}"
    )


def _repeated_frames(before: Path, after: Path) -> int:
    """How many of the first frames of ``after`` are the last ones of ``before``.

    0 where that is not certain. A clip that has become unreadable is for others to name.
    """
    try:
        return media.overlap.repeated_frames(before, after)
    except BrokenFootageError:
        return 0


def _day_json(film: FilmPlan) -> bytes:
    index = film.index
    return durable.encode_json(
        {
            "camera_id": index.camera_id,
            "camera_name": index.camera_name,
            "date": index.day.text,
            "timezone": index.day.timezone,
            "state": "final" if index.is_final else "provisional",
            "total_clips": len(index.entries),
            "valid_clips": len(film.recorded),
            **film.speed.to_document(),
        }
    )
