"""What is on the disk of a day's clips: the truth that every status is derived from."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

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
from upvs_tasks.model.index_document import IndexDocument
from upvs_tasks.model.layout import Layout, clip_path
from upvs_tasks.model.subject import Subject
from upvs_tasks.phases.clip_records import (
    RUNS_TO_SETTLE,
    FailureRecord,
    FootageRecord,
    read_footage,
    write_footage,
)
from upvs_tasks.phases.seals import sealed, unsealed
from upvs_tasks.phases.shared_frames import Recorded, SharedFrames

_ANOTHER_DATE_MS = 3_600_000
_CHANGED = "the disk has changed its bytes"


class ClipStore:
    """What is known of the day's clips, read from the files alone.

    A file is looked at once; after that only what is noted here changes what is known, for while a
    run holds the folder nobody else changes it. Its bytes are *proven* once this run has read or
    downloaded all of them. Threads may share it. With a ``subject``, the clip index of another
    camera or day is none.
    """

    def __init__(self, layout: Layout, subject: Subject | None = None) -> None:
        self._layout = layout
        self._subject = subject
        self._lock = Lock()
        self._revision = 0
        self._files: dict[str, int] = {}
        self._handled: dict[str, Lock] = {}
        self.forget()

    @property
    def revision(self) -> int:
        """A number that changes whenever what is known changes."""
        return self._revision

    def forget(self) -> None:
        """Look at every file anew: until a run holds the folder, another one may change it."""
        self._stored: dict[str, FootageRecord | None] = {}
        self._records: dict[str, FootageRecord | None] = {}
        self._proven: set[str] = set()
        self._index: ClipIndex | None = None
        self._is_index_read = False
        self._shared_frames = SharedFrames(self._layout)
        self._count_change()

    def known_index(self) -> ClipIndex | None:
        """The clip index of the last scan; None when there is none that can be read."""
        if not self._is_index_read:
            index = _read_index(self._layout.clip_index)
            is_ours = index and (self._subject is None or self._subject.is_shown_by(index))
            self._index = index if is_ours else None
            self._is_index_read = True
        return self._index

    def note_index(self, index: ClipIndex) -> None:
        """Keep the day's clip index; a file that holds the same already is not touched."""
        path = self._layout.clip_index
        document = sealed(documents.to_document(IndexDocument.of(index)), path.name)
        durable.write_if_changed(path, durable.encode_json(document))
        if index != self.known_index():
            self._index = index
            self._count_change()
        for entry in (*index.entries, *index.earlier):
            record = self.record_of(entry)
            if record is not None and record.events != entry.clip.events:
                self._keep(entry, replace(record, events=entry.clip.events))

    def record_of(self, entry: IndexEntry) -> FootageRecord | None:
        """What was measured of a clip; None unless the file is there and unchanged since."""
        if entry.file_path not in self._records:
            self._records[entry.file_path] = self._read_record(entry.file_path)
        return self._records[entry.file_path]

    def stored_record_of(self, entry: IndexEntry) -> FootageRecord | None:
        """What was measured of a clip, whether or not its file is still that one."""
        self.record_of(entry)
        return self._stored[entry.file_path]

    def arrived_sha256(self, entry: IndexEntry) -> str | None:
        """Digest of a clip as it arrived, whatever lies on the disk now; None if it never did."""
        record = self.stored_record_of(entry)
        return record.arrived_sha256 if record else entry.standing.sha256

    def standing_of(self, entry: IndexEntry) -> Standing:
        """A clip's status, and what is wrong with it."""
        record, sha256 = self.record_of(entry), self.arrived_sha256(entry)
        if record is not None and record.is_as_it_arrived:
            return replace(COMPLETE, sha256=sha256)
        failure = documents.read(self._layout.failure_record(entry.file_path), FailureRecord)
        here = replace(PENDING if record is None else COMPLETE, sha256=sha256)
        if failure is None:
            return here if record is None else replace(here, reason=_CHANGED)
        reason, settled, kind = failure.reason, failure.is_settled, failure.kind
        if record is None:
            return Standing(ClipStatus.FAILED, reason, settled, kind, sha256)
        return Standing(ClipStatus.COMPLETE, f"{_CHANGED}; {reason}", settled, kind, sha256)

    def recorded(self, index: ClipIndex) -> Recorded:
        """The clips that are on the disk, each with what was measured of it, in film order."""
        filmed = index.filmed(lambda entry: self.record_of(entry) is not None)
        pairs = ((entry, self.record_of(entry)) for entry in filmed)
        return tuple((entry, record) for entry, record in pairs if record is not None)

    def repeated_frames(self, recorded: Recorded) -> dict[str, int]:
        """How many of its first frames a clip shares with the one before, by the clip's name."""
        return self._shared_frames.repeated_frames(recorded)

    def has_overlaps(self, recorded: Recorded) -> bool:
        """Whether it is known of all near neighbours what they share."""
        return self._shared_frames.has_all(recorded)

    def measure_overlaps(
        self, recorded: Recorded, repeated_frames: Callable[[Path, Path], int]
    ) -> None:
        """Find out of all near neighbours what they share, where it is not known yet."""
        if self._shared_frames.measure(recorded, repeated_frames):
            self._count_change()

    @contextmanager
    def handling(self, entry: IndexEntry) -> Iterator[None]:
        """Keep every other thread away from a clip's file and its record."""
        with self._lock:
            lock = self._handled.setdefault(entry.file_path, Lock())
        with lock:
            yield

    def is_proven(self, entry: IndexEntry) -> bool:
        """Whether this run has found a clip's bytes to be those of its record."""
        return entry.file_path in self._proven

    def note_proof(self, entry: IndexEntry) -> None:
        """Keep that a clip's bytes are those of its record."""
        self._proven.add(entry.file_path)

    def file_number(self, entry: IndexEntry) -> int:
        """How many files this run has noted for a clip: it changes when there is another one."""
        return self._files.get(entry.file_path, 0)

    def doubt(self, entry: IndexEntry) -> None:
        """Have a clip's bytes proven again before they are used."""
        self._proven.discard(entry.file_path)

    def write_record(self, entry: IndexEntry, record: FootageRecord) -> None:
        """Keep what was measured of a file that is about to get the clip's name.

        So a file without a record of its own never has that name, whenever the run is killed.
        """
        path = self._layout.footage_record(entry.file_path)
        write_footage(path, record)

    def note_record(self, entry: IndexEntry, record: FootageRecord) -> None:
        """Keep what was measured of a clip that is whole and on the disk: its bytes are proven."""
        self._keep(entry, record)
        self._files[entry.file_path] = self.file_number(entry) + 1
        if record.is_as_it_arrived:
            durable.delete(self._layout.failure_record(entry.file_path))
        self.note_proof(entry)

    def disown(self, entry: IndexEntry) -> None:
        """Let a clip's file count no more, since it is another one; its record stays.

        Another date than the measured one says so to later runs, too. Where the file cannot be
        dated, its record goes.
        """
        path, record = self._layout.at(entry.file_path), self.stored_record_of(entry)
        if record is not None and record.matches(path):
            durable.date(path, record.modified_ms + _ANOTHER_DATE_MS)
            if record.matches(path):
                durable.delete(self._layout.footage_record(entry.file_path))
        self._records[entry.file_path] = None
        self.doubt(entry)
        self._count_change()

    def note_failure(self, entry: IndexEntry, reason: str, kind: FailureKind) -> None:
        """Keep why a clip could not be had, and in how many runs that was found."""
        path = self._layout.failure_record(entry.file_path)
        before = documents.read(path, FailureRecord)
        runs = 1
        if before is not None and before.kind is kind:
            runs = min(before.runs + 1, RUNS_TO_SETTLE)
        record = FailureRecord(reason, runs, kind)
        durable.write_if_changed(path, documents.encode(record))

    def is_of_another(self, entry: IndexEntry, sha256: str) -> bool:
        """Whether these bytes are those of another clip, whose file is whole."""
        index = self.known_index()
        all_clips = (*index.entries, *index.earlier) if index else ()
        known = ((each, self.record_of(each)) for each in all_clips if each.name != entry.name)
        return any(
            record is not None
            and record.sha256 == sha256
            and durable.digest_of(self._layout.at(each.file_path)) == sha256
            for each, record in known
        )

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
        record = self.stored_record_of(entry)
        if record is None or not record.events:
            return entry
        clip = replace(entry.clip, events=record.events)
        return replace(entry, clip=clip) if clip.name == entry.name else entry

    def _count_change(self) -> None:
        with self._lock:
            self._revision += 1

    def _keep(self, entry: IndexEntry, record: FootageRecord) -> None:
        self.write_record(entry, record)
        self._stored[entry.file_path] = self._records[entry.file_path] = record
        self._count_change()

    def _read_record(self, file_path: str) -> FootageRecord | None:
        record = read_footage(self._layout.footage_record(file_path))
        self._stored[file_path] = record
        return record if record and record.matches(self._layout.at(file_path)) else None


def _read_index(path: Path) -> ClipIndex | None:
    """The clip index, unless the disk has changed it; an earlier version put no seal on it."""
    document = unsealed(durable.read_json(path), path.name, may_lack_seal=True)
    try:
        return documents.from_document(document, IndexDocument).index() if document else None
    except DocumentError:
        return None
