from collections.abc import Iterable, Iterator
from pathlib import PurePath

from upvs_tasks.errors import UsageError
from upvs_tasks.model.footage import Footage


def concat_text(paths: Iterable[PurePath], *, footage: Iterable[Footage] | None = None) -> str:
    r"""List of absolute paths as ffmpeg's concat demuxer reads it (specification §6 C).

    With ``footage``, one for each path, the start and the duration of the clip's video follow each
    path. Without them ffmpeg would use those of the audio where it begins earlier or ends later,
    and the film would show still frames there. A clip with gaps is listed once for each part
    between them. A single quote in a path is written as ``'\''``.
    Raises UsageError for a line break or a NUL in a path, which no such list can hold.
    """
    if footage is None:
        return "".join(_file_line(path) for path in paths)
    return "".join(
        line
        for path, clip in zip(paths, footage, strict=True)
        for span in _spans(clip)
        for line in (_file_line(path), *span)
    )


def _file_line(path: PurePath) -> str:
    text = str(path)
    if any(character in text for character in "\n\r\0"):
        raise UsageError(f"{text!r} cannot be listed for ffmpeg: use a folder without line breaks")
    return "file '{}'\n".format(text.replace("'", r"'\''"))


def _spans(clip: Footage) -> Iterator[tuple[str, ...]]:
    """The lines that follow the path, for each part of a clip."""
    start_ms, left_ms = clip.first_frame_ms, clip.duration_ms
    for gap in clip.gaps:
        length_ms = gap.start_ms - start_ms
        yield *_start(start_ms), f"outpoint {_seconds(gap.start_ms)}\n", _duration(length_ms)
        start_ms, left_ms = gap.end_ms, left_ms - length_ms
    yield *_start(start_ms), _duration(left_ms)


def _start(start_ms: int) -> tuple[str, ...]:
    """One more millisecond, or ffmpeg skips the first frame."""
    return (f"inpoint {_seconds(start_ms + 1)}\n",) if start_ms > 0 else ()


def _duration(duration_ms: int) -> str:
    return f"duration {_seconds(duration_ms)}\n"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms // 1000}.{duration_ms % 1000:03}"
