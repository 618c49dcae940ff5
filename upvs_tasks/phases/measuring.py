"""The way to the codecs, which a run with nothing to do gets by without importing."""

from pathlib import Path

from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.sample_table import SampleTable


def survey(path: Path) -> tuple[Footage, SampleTable]:
    """Facts of a video file, and its table of frames. Raises BrokenFootageError if not whole."""
    from upvs_tasks.media import probe  # noqa: PLC0415  a tenth of a second

    return probe.survey(path)


def decode_ends(path: Path) -> None:
    """Decode a clip's first and last pictures. Raises BrokenFootageError if they do not."""
    from upvs_tasks.media import probe  # noqa: PLC0415  see survey

    probe.decode_check(path)


def repeated_frames(before: Path, after: Path) -> int:
    """How many of the first frames of ``after`` are the last ones of ``before``.

    0 where that is not certain, and where a clip has become unreadable, which others will tell.
    """
    from upvs_tasks.media import overlap  # noqa: PLC0415  see survey

    try:
        return overlap.repeated_frames(before, after)
    except BrokenFootageError:
        return 0


def measure(path: Path) -> Footage:
    """Facts of a video file. Raises BrokenFootageError when it is not whole."""
    return survey(path)[0]
