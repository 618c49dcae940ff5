"""What is on the disk of a day's clips: the truth that every status is derived from."""

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

from upvs_tasks import documents, durable
from upvs_tasks.errors import DocumentError
from upvs_tasks.model.clip import Clip
from upvs_tasks.model.clip_index import (
    COMPLETE,
    PENDING,
    ClipIndex,
    ClipStatus,
    FailureKind,
    IndexEntry,
    Standing,
)
from upvs_tasks.model.event import Event
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.index_document import IndexDocument
from upvs_tasks.model.layout import Layout, clip_path
from upvs_tasks.model.stitching import may_share

_RUNS_TO_SETTLE = 2

_Pair = tuple[IndexEntry, "FootageRecord"]
Recorded = tuple[_Pair, ...]


@dataclass(frozen=True, slots=True)
class FootageRecord:
    """What was measured of a clip's file when it was whole.

    ``arrived_sha256`` is the digest of the bytes as they arrived, ``sha256`` of those that were
    measured. The two differ where the disk has changed the file and it could not be had again.
    ``table`` is the document of its sample table, read only where a film is planned.
    """

    size_bytes: int
    modified_ms: int
    arrived_sha256: str
    sha256: str
    events: tuple[Event, ...]
    footage: Footage
    table: dict[str, Any]

    def matches(self, path: Path) -> bool:
        """Whether the file is still the one that was measured."""
        try:
            status = path.stat()
        except OSError:
            return False
        measured = (self.size_bytes, self.modified_ms)
        return (status.st_size, status.st_mtime_ns // 1_000_000) == measured


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why a clip could not be had, and in how many runs in a row that was found."""

    reason: str
    runs: int
    kind: FailureKind

    @property
    def is_settled(self) -> bool:
        """Whether enough runs got the same final answer."""
        return self.kind is not FailureKind.CAN_HEAL and self.runs >= _RUNS_TO_SETTLE


def date_file(path: Path, modified_ms: int) -> None:
    """Give a file its footage's own date: the same for the same clip, whenever it was fetched."""
    modified_ns = modified_ms * 1_000_000
    os.utime(path, ns=(modified_ns, modified_ns))


class ClipStore:
    """What is known of the day's clips, read from the files alone.

    A file is looked at once; after that only what is noted here changes what is known, for while a
    run holds the folder nobody else changes it. Threads may share it.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = Lock()
        self._revision = 0
        self.forget()

    @property
    def revision(self) -> int:
        """A number that changes whenever what is known changes."""
        return self._revision

    def forget(self) -> None:
        """Look at every file anew: until a run holds the folder, another one may change it."""
        self._records: dict[str, FootageRecord | None] = {}
        self._index: ClipIndex | None = None
        self._is_index_read = False
        self._overlaps: dict[str, int] | None = None
        self._count_change()

    def known_index(self) -> ClipIndex | None:
        """The clip index of the last scan; None when there is none that can be read."""
        if not self._is_index_read:
            content = durable.read_bytes(self._layout.clip_index)
            self._index = None if content is None else _parsed_index(content)
            self._is_index_read = True
        return self._index

    def note_index(self, index: ClipIndex) -> None:
        """Keep the day's clip index; a file that holds the same already is not touched."""
        durable.write_if_changed(self._layout.clip_index, documents.encode(IndexDocument.of(index)))
        if index != self.known_index():
            self._index = index
            self._count_change()

    def record_of(self, entry: IndexEntry) -> FootageRecord | None:
        """What was measured of a clip; None unless the file is there and unchanged since."""
        if entry.file_path not in self._records:
            self._records[entry.file_path] = self._read_record(entry.file_path)
        return self._records[entry.file_path]

    def standing_of(self, entry: IndexEntry) -> Standing:
        """A clip's status, and why it failed."""
        record = self.record_of(entry)
        if record is not None:
            return replace(COMPLETE, sha256=record.arrived_sha256)
        failure = documents.read(self._layout.failure_record(entry.file_path), FailureRecord)
        if failure is None:
            return replace(PENDING, sha256=self.arrived_sha256(entry))
        return Standing(
            ClipStatus.FAILED,
            failure.reason,
            failure.is_settled,
            failure.kind,
            self.arrived_sha256(entry),
        )

    def arrived_sha256(self, entry: IndexEntry) -> str | None:
        """Digest of a clip as it arrived, whatever lies on the disk now; None if it never did."""
        record = documents.read(self._layout.footage_record(entry.file_path), FootageRecord)
        return record.arrived_sha256 if record else entry.standing.sha256

    def recorded(self, index: ClipIndex) -> Recorded:
        """The clips that are on the disk, each with what was measured of it, in film order."""
        filmed = index.filmed(lambda entry: self.record_of(entry) is not None)
        pairs = ((entry, self.record_of(entry)) for entry in filmed)
        return tuple((entry, record) for entry, record in pairs if record is not None)

    def repeated_frames(self, recorded: Recorded) -> dict[str, int]:
        """How many of its first frames a clip shares with the one before, by the clip's name."""
        known = self._known_overlaps()
        return {
            after[0].name: known.get(_overlap_key(before, after), 0)
            for before, after in pairwise(recorded)
        }

    def has_overlaps(self, recorded: Recorded) -> bool:
        """Whether it is known of all near neighbours what they share."""
        known = self._known_overlaps()
        return all(_overlap_key(*pair) in known for pair in _near(recorded))

    def measure_overlaps(
        self, recorded: Recorded, repeated_frames: Callable[[Path, Path], int]
    ) -> None:
        """Find out of all near neighbours what they share, where it is not known yet."""
        known, found = self._known_overlaps(), {}
        for before, after in _near(recorded):
            key = _overlap_key(before, after)
            paths = (self._layout.at(entry.file_path) for entry, _ in (before, after))
            found[key] = known[key] if key in known else repeated_frames(*paths)
        if found or known:
            durable.write_if_changed(self._layout.overlaps, documents.encode(found))
        if found != known:
            self._overlaps = found
            self._count_change()

    def _known_overlaps(self) -> dict[str, int]:
        if self._overlaps is None:
            self._overlaps = documents.read(self._layout.overlaps, dict[str, int]) or {}
        return self._overlaps

    def note_record(self, entry: IndexEntry, record: FootageRecord) -> None:
        """Keep what was measured of a clip that is whole, and on the disk."""
        path = self._layout.footage_record(entry.file_path)
        durable.write_if_changed(path, documents.encode(record))
        self._layout.failure_record(entry.file_path).unlink(missing_ok=True)
        self._records[entry.file_path] = record
        self._count_change()

    def note_failure(self, entry: IndexEntry, reason: str, kind: FailureKind) -> None:
        """Keep why a clip could not be had, and in how many runs that was found."""
        path = self._layout.failure_record(entry.file_path)
        before = documents.read(path, FailureRecord)
        runs = 1
        if before is not None and before.kind is kind:
            runs = min(before.runs + 1, _RUNS_TO_SETTLE)
        record = FailureRecord(reason, runs, kind)
        durable.write_if_changed(path, documents.encode(record))

    def has_file(self, entry: IndexEntry) -> bool:
        """Whether a clip's file is there, whatever it holds."""
        return self._layout.at(entry.file_path).is_file()

    def unlisted(
        self, camera_folder: str, day_text: str, listed: Collection[str]
    ) -> tuple[IndexEntry, ...]:
        """The clips on the disk whose names are not among the listed ones."""
        folder = self._layout.clips_of(camera_folder, day_text)
        names = (path.stem for path in sorted(folder.glob("clip_*.mp4")))
        clips = (Clip.of_name(name) for name in names if name not in listed)
        entries = (
            IndexEntry(clip, clip_path(clip, camera_folder, day_text)) for clip in clips if clip
        )
        return tuple(map(self._with_its_events, entries))

    def _with_its_events(self, entry: IndexEntry) -> IndexEntry:
        """The clip with all the events that its footage record knows."""
        record = documents.read(self._layout.footage_record(entry.file_path), FootageRecord)
        if record is None or not record.events:
            return entry
        clip = replace(entry.clip, events=record.events)
        return replace(entry, clip=clip) if clip.name == entry.name else entry

    def _count_change(self) -> None:
        with self._lock:
            self._revision += 1

    def _read_record(self, file_path: str) -> FootageRecord | None:
        record = documents.read(self._layout.footage_record(file_path), FootageRecord)
        return record if record and record.matches(self._layout.at(file_path)) else None


def _near(recorded: Recorded) -> Iterator[tuple[_Pair, _Pair]]:
    for before, after in pairwise(recorded):
        if may_share(before[0].clip, after[0].clip):
            yield before, after


def _overlap_key(before: _Pair, after: _Pair) -> str:
    return f"{before[1].sha256}:{after[1].sha256}"


def _parsed_index(content: bytes) -> ClipIndex | None:
    try:
        return documents.from_document(durable.decode_json(content), IndexDocument).index()
    except DocumentError:
        return None
