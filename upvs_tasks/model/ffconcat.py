from collections.abc import Iterable, Iterator
from pathlib import PurePath

from upvs_tasks.errors import UsageError
from upvs_tasks.model.footage import Footage


def concat_text(paths: Iterable[PurePath], *, footage: Iterable[Footage] | None = None) -> str:
    r"""List of absolute paths as ffmpeg's concat demuxer reads it (specification §6 C).

    With ``footage``, one for each path, the start and the duration of the clip's video follow each
    path. Without them ffmpeg would use those of the audio where it begins earlier or ends later,
    and the film would show still frames there. A single quote in a path is written as ``'\''``.
    Raises UsageError for a line break or a NUL in a path, which no such list can hold.
    """
    if footage is None:
        return "".join(_file_line(path) for path in paths)
    return "".join(
        line
        for path, clip in zip(paths, footage, strict=True)
        for line in (_file_line(path), *_span_lines(clip))
    )


def _file_line(path: PurePath) -> str:
    text = str(path)
    if any(character in text for character in "\n\r\0"):
        raise UsageError(f"{text!r} cannot be listed for ffmpeg: use a folder without line breaks")
    return "file '{}'\n".format(text.replace("'", r"'\''"))


def _span_lines(clip: Footage) -> Iterator[str]:
    if clip.first_frame_ms > 0:  # one more millisecond, or ffmpeg skips the first frame
        yield f"inpoint {_seconds(clip.first_frame_ms + 1)}\n"
    yield f"duration {_seconds(clip.duration_ms)}\n"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms // 1000}.{duration_ms % 1000:03}"
