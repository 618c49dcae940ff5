"""What the specification wants to be true of a finished day (§10), as findings of what is not."""

from collections.abc import Iterable, Iterator

from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.speed import Speed

# The specification's own tolerance is 10 s; the film is planned to the frame, and one second
# leaves room for what ffmpeg rounds at the seams of the clips.
_TOLERANCE_SECS = 1.0


def film_findings(film: Footage, speed: Speed) -> tuple[str, ...]:
    """What is wrong with a film, given the speed it was planned with."""
    return tuple(_film_findings(film, speed))


def _film_findings(film: Footage, speed: Speed) -> Iterator[str]:
    seconds = film.duration_ms / 1000
    if abs(seconds - speed.output_duration_secs) > _TOLERANCE_SECS:
        yield f"it lasts {seconds:.2f} s, not {speed.output_duration_secs:.2f} s"
    tolerated_frames = round(_TOLERANCE_SECS * speed.output_fps)
    if abs(film.frames - speed.output_frames) > tolerated_frames:
        yield f"it has {film.frames} frames, not {speed.output_frames}"
    if film.has_audio:
        yield "it has sound"


def manifest_findings(
    index: ClipIndex, *, concat_lines: Iterable[str], expected_lines: Iterable[str]
) -> tuple[str, ...]:
    """What is wrong with the order and the number of clips."""
    found = []
    keys = [entry.clip.timeline_key for entry in index.entries]
    if keys != sorted(keys):
        found.append("clip_index.json is not in the order of time")
    if list(concat_lines) != list(expected_lines):
        found.append("concat.txt does not name the clips that are on the disk, in their order")
    return tuple(found)
