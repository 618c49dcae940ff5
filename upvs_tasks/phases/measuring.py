"""The way to the codecs, which a run with nothing to do gets by without importing."""

from pathlib import Path

from upvs_tasks.errors import FootageBroken
from upvs_tasks.model.footage import Footage, SampleTable


def survey(path: Path) -> tuple[Footage, SampleTable]:
    """Facts of a video file, and the table of its frames. Raises FootageBroken when not whole."""
    from upvs_tasks.media import probe  # noqa: PLC0415  a tenth of a second

    return probe.survey(path)


def decode_ends(path: Path) -> None:
    """Decode a clip's first and last pictures. Raises FootageBroken when they do not decode."""
    from upvs_tasks.media import probe  # noqa: PLC0415  see survey

    probe.decode_check(path)


def repeated_frames(before: Path, after: Path) -> int:
    """How many of the first frames of ``after`` are the last ones of ``before``.

    0 where that is not certain, and where a clip has become unreadable, which others will tell.
    """
    from upvs_tasks.media import overlap  # noqa: PLC0415  see survey

    try:
        return overlap.repeated_frames(before, after)
    except FootageBroken:
        return 0


def measure(path: Path) -> Footage:
    """Facts of a video file. Raises FootageBroken when it is not whole."""
    return survey(path)[0]
