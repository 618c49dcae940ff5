from collections.abc import Iterable, Iterator
from pathlib import PurePath

from upvs_tasks.errors import UsageError
from upvs_tasks.model.footage import Footage


def concat_text(paths: Iterable[PurePath], *, footage: Iterable[Footage] | None = None) -> str:
    r"""List of absolute paths as ffmpeg's concat demuxer reads it (specification §6 C).

    With ``footage``, one for each path, every line is followed by where the clip's video begins
    and how long it lasts: ffmpeg would go by its audio where that begins earlier or ends later,
    and the film would show stills instead. A single quote ends the quoting, is escaped and begins
    it anew: ``'\''``. Raises UsageError for a line break or a NUL, which no such list can hold.
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
    if clip.first_frame_ms > 0:  # the millisecond more keeps the first frame from being skipped
        yield f"inpoint {_seconds(clip.first_frame_ms + 1)}\n"
    yield f"duration {_seconds(clip.duration_ms)}\n"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms // 1000}.{duration_ms % 1000:03}"
