"""What is on the disk of a day's clips: the truth that every status is derived from."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upvs_tasks import durable
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.index import PENDING, ClipIndex, ClipStatus, IndexEntry, Standing
from upvs_tasks.model.layout import Layout


@dataclass(frozen=True, slots=True)
class FootageRecord:
    """What was measured of a clip's file when it was whole."""

    size_bytes: int
    modified_ms: int
    sha256: str
    footage: Footage

    def matches(self, path: Path) -> bool:
        """Whether the file is still the one that was measured."""
        try:
            status = path.stat()
        except OSError:
            return False
        measured = (self.size_bytes, self.modified_ms)
        return (status.st_size, status.st_mtime_ns // 1_000_000) == measured

    def to_document(self) -> dict[str, object]:
        """The record as its file holds it."""
        return {
            "size_bytes": self.size_bytes,
            "modified_ms": self.modified_ms,
            "sha256": self.sha256,
            "footage": self.footage.to_document(),
        }

    @classmethod
    def from_document(cls, document: Any) -> "FootageRecord | None":  # noqa: ANN401  parsed JSON
        """Record from parsed JSON; None when it is none of ours."""
        match document:
            case {
                "size_bytes": int(size_bytes),
                "modified_ms": int(modified_ms),
                "sha256": str(sha256),
                "footage": measured,
            } if footage := Footage.from_document(measured):
                return cls(size_bytes, modified_ms, sha256, footage)
        return None


def date_file(path: Path, modified_ms: int) -> None:
    """Give a file its footage's own date: the same for the same clip, whenever it was fetched."""
    modified_ns = modified_ms * 1_000_000
    os.utime(path, ns=(modified_ns, modified_ns))


def record_of(layout: Layout, entry: IndexEntry) -> FootageRecord | None:
    """What was measured of a clip; None unless the file is there and unchanged since."""
    document = durable.read_json(layout.footage_record(entry.file_path))
    record = FootageRecord.from_document(document)
    return record if record and record.matches(layout.at(entry.file_path)) else None


def standing_of(layout: Layout, entry: IndexEntry) -> Standing:
    """Where a clip stands, judged from the files alone."""
    if record_of(layout, entry):
        return Standing(ClipStatus.COMPLETE)
    match durable.read_json(layout.failure_record(entry.file_path)):
        case {"reason": str(reason)}:
            return Standing(ClipStatus.FAILED, reason)
    return PENDING


def as_on_disk(layout: Layout, index: ClipIndex) -> ClipIndex:
    """The index with every clip's standing judged anew."""
    return index.with_standings(lambda entry: standing_of(layout, entry))


def leftovers(layout: Layout, index: ClipIndex) -> tuple[Path, ...]:
    """Clips on the disk that are no longer part of the day: a later event changed their span."""
    folder = layout.at(f"clips/{index.camera_folder}/{index.day.text}")
    wanted = {layout.at(entry.file_path) for entry in index.entries}
    return tuple(sorted(set(folder.glob("clip_*.mp4")) - wanted))
