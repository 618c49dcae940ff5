"""Checks a finished day against the specification (§10); each finding says what is wrong."""

from collections.abc import Collection, Iterable

from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.plural import counted
from upvs_tasks.model.speed import Speed

# The specification tolerates 10 s. The film is planned to the frame; one second is enough for what
# ffmpeg rounds between the clips.
_TOLERANCE_SECS = 1.0


def film_findings(film: Footage, speed: Speed) -> tuple[str, ...]:
    """What is wrong with a film that was planned with this speed."""
    found = []
    seconds = film.duration_ms / 1000
    if abs(seconds - speed.output_duration_secs) > _TOLERANCE_SECS:
        found.append(f"it lasts {seconds:.2f} s, not {speed.output_duration_secs:.2f} s")
    tolerated_frames = round(_TOLERANCE_SECS * speed.output_fps)
    if abs(film.frames - speed.output_frames) > tolerated_frames:
        found.append(f"it has {counted(film.frames, 'frame')}, not {speed.output_frames}")
    if film.has_audio:
        found.append("it has sound")
    return tuple(found)


def manifest_findings(
    index: ClipIndex,
    *,
    present: Collection[str],
    concat_lines: Iterable[str],
    expected_lines: Iterable[str],
) -> tuple[str, ...]:
    """What is wrong with the lists of clips; ``present`` are the names of those on the disk."""
    found = []
    keys = [entry.clip.timeline_key for entry in index.entries]
    if keys != sorted(keys):
        found.append("clip_index.json is not in the order of time")
    found += [
        f"{entry.name} is not on the disk as it was measured"
        for entry in index.complete
        if entry.name not in present
    ]
    if list(concat_lines) != list(expected_lines):
        found.append("concat.txt does not name the clips that are on the disk, in their order")
    return tuple(found)
