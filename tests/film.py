"""Reads a film back: of each frame, the instant that its blocks show."""

from collections.abc import Iterator
from pathlib import Path

import av

from upvs_tasks.simulator.timestamp import read_blocks


def shown_instants(path: Path) -> list[int | None]:
    """Unix ms that each frame of the film shows; None where its blocks cannot be read."""
    return list(_instants(path))


def _instants(path: Path) -> Iterator[int | None]:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            luma = frame.planes[0]
            yield read_blocks(bytes(luma), frame.width, frame.height, luma.line_size)
