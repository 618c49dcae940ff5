"""The way to the codecs, which a run with nothing to do gets by without importing."""

from pathlib import Path

from upvs_tasks.model.footage import Footage


def measure(path: Path) -> Footage:
    """Facts of a video file. Raises FootageBroken when it is not whole."""
    from upvs_tasks.media import probe  # noqa: PLC0415  a tenth of a second

    return probe.measure(path)
