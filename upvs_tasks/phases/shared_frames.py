"""What is known of the frames that neighbouring clips share: the overlaps of the day."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from upvs_tasks import documents, durable
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.stitching import may_share
from upvs_tasks.phases.clip_records import FootageRecord

Pair = tuple[IndexEntry, FootageRecord]
Recorded = tuple[Pair, ...]


class SharedFrames:
    """How many frames each clip shares with the one before, kept by the bytes of the two."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, int] | None = None

    def repeated_frames(self, recorded: Recorded) -> dict[str, int]:
        """How many of its first frames a clip shares with the one before, by the clip's name."""
        known = self._read()
        return {
            after[0].name: known.get(_key(before, after), 0) for before, after in pairwise(recorded)
        }

    def has_all(self, recorded: Recorded) -> bool:
        """Whether it is known of all near neighbours what they share."""
        known = self._read()
        return all(_key(*pair) in known for pair in _near(recorded))

    def measure(self, recorded: Recorded, repeated_frames: Callable[[Path, Path], int]) -> bool:
        """Find out of all near neighbours what they share, where it is not known yet.

        Returns whether anything new is known.
        """
        known, found = self._read(), {}
        for before, after in _near(recorded):
            key = _key(before, after)
            paths = (self._layout.at(entry.file_path) for entry, _ in (before, after))
            found[key] = known[key] if key in known else repeated_frames(*paths)
        if found or known:
            durable.write_if_changed(self._layout.overlaps, documents.encode(found))
        self._known = found
        return found != known

    def _read(self) -> dict[str, int]:
        if self._known is None:
            self._known = documents.read(self._layout.overlaps, dict[str, int]) or {}
        return self._known


def _near(recorded: Recorded) -> Iterator[tuple[Pair, Pair]]:
    for before, after in pairwise(recorded):
        if may_share(before[0].clip, after[0].clip):
            yield before, after


def _key(before: Pair, after: Pair) -> str:
    return f"{before[1].sha256}:{after[1].sha256}"
