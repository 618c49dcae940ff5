"""Compute the speed that brings the day's footage to the length that was asked for."""

from upvs_tasks import durable
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.speed import Speed
from upvs_tasks.phases.clip_store import Recorded
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.measuring import repeated_frames


def speed_of(job: Context, recorded: Recorded) -> Speed:
    """Speed of a film of these clips.

    Repeated footage counts once where the engine shows it once: where it goes by the plan.
    """
    match job.settings.engine:
        case Engine.SEGMENTS:
            total_duration_ms = job.inventory.source(recorded).duration_ms
        case Engine.CONCAT:
            total_duration_ms = sum(record.footage.duration_ms for _, record in recorded)
    return Speed.of(
        total_duration_ms=total_duration_ms,
        target_secs=job.settings.target_duration,
        output_fps=job.settings.output_fps,
        step_percent=job.settings.speed_step,
    )


def is_current(job: Context) -> bool:
    """Whether day.json says what follows from the footage on the disk."""
    index = job.inventory.known_index()
    if index is None or not job.inventory.has_overlaps(job.inventory.recorded(index)):
        return False
    return durable.read_bytes(job.layout.day_json) == _day_json(job, index)


def run(job: Context) -> str:
    """Write day.json where it differs. Returns the story."""
    index = job.index()
    job.inventory.measure_overlaps(job.inventory.recorded(index), repeated_frames)
    durable.write_if_changed(job.layout.day_json, _day_json(job, index))
    speed = speed_of(job, job.inventory.recorded(index))
    footage_mins = speed.total_duration_ms / 60_000
    return (
        f"{footage_mins:.1f} min of footage at {speed.speed_factor:.2f}x "
        f"make {speed.output_duration_secs:.0f} s, {speed.output_frames} frames"
    )


def _day_json(job: Context, index: ClipIndex) -> bytes:
    recorded = job.inventory.recorded(index)
    return durable.encode_json(
        {
            "camera_id": index.camera_id,
            "camera_name": index.camera_name,
            "date": index.day.text,
            "timezone": index.day.timezone,
            "state": "final" if index.is_final else "provisional",
            "total_clips": len(index.entries),
            "valid_clips": len(recorded),
            **speed_of(job, recorded).to_document(),
        }
    )
