"""The records of a clip: what was measured of its file, or why it could not be had."""

from dataclasses import dataclass
from pathlib import Path

from upvs_tasks import documents, durable
from upvs_tasks.errors import DocumentError
from upvs_tasks.model.clip_index import FailureKind
from upvs_tasks.model.event import Event
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.phases.seals import sealed, unsealed

RUNS_TO_SETTLE = 2
# Dates of most file systems, of those that keep whole seconds, and of FAT.
_DATE_STEPS_MS = (1, 1_000, 2_000)


@dataclass(frozen=True, slots=True)
class FootageRecord:
    """What was measured of a clip's file when it was whole.

    ``arrived_sha256`` is the digest of the bytes as they arrived, ``sha256`` of those that were
    measured. The two differ where the disk has changed the file and it could not be had again.
    """

    size_bytes: int
    modified_ms: int
    arrived_sha256: str
    sha256: str
    events: tuple[Event, ...]
    footage: Footage
    table: SampleTable

    @property
    def is_as_it_arrived(self) -> bool:
        """Whether the file that was measured is still the one that arrived."""
        return self.sha256 == self.arrived_sha256

    def matches(self, path: Path) -> bool:
        """Whether the file looks like the one that was measured; its bytes are not read.

        Not every file system keeps each millisecond of a date, and some still seem to for a while.
        """
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        found_ms = status.st_mtime_ns // 1_000_000
        kept_ms = (self.modified_ms // step * step for step in _DATE_STEPS_MS)
        return status.st_size == self.size_bytes and found_ms in kept_ms


def read_footage(path: Path) -> FootageRecord | None:
    """Record that a file holds; None where it is not, as written, that of the clip of its name."""
    document = unsealed(durable.read_json(path), path.name)
    try:
        return None if document is None else documents.from_document(document, FootageRecord)
    except DocumentError:
        return None


def write_footage(path: Path, record: FootageRecord) -> None:
    """Keep a record under the name of its clip."""
    document = sealed(documents.to_document(record), path.name)
    durable.write_if_changed(path, durable.encode_json(document))


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why a clip could not be had, and in how many runs in a row that was found."""

    reason: str
    runs: int
    kind: FailureKind

    @property
    def is_settled(self) -> bool:
        """Whether enough runs got the same final answer."""
        return self.kind is not FailureKind.CAN_HEAL and self.runs >= RUNS_TO_SETTLE
