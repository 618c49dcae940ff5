"""``clip_index.json``: the clip index in the fields that the specification gives it (§6 A)."""

from dataclasses import dataclass
from datetime import date

from upvs_tasks.errors import DocumentError, SettingsError
from upvs_tasks.model.clip import Clip
from upvs_tasks.model.clip_index import ClipIndex, ClipStatus, FailureKind, IndexEntry, Standing
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event, UnreadableEvent


@dataclass(frozen=True, slots=True)
class EntryDocument:
    """The specification's entry for a clip, and ``events``: every event that the clip covers.

    ``event_id`` and ``event_type`` are those of the first event. ``reason``, ``is_settled`` and
    ``kind`` are there where something is wrong with the clip; ``sha256`` once it arrived.
    """

    event_id: str
    start_ms: int
    end_ms: int
    duration_ms: int
    channel: int
    event_type: str
    smart_types: tuple[str, ...]
    score: int
    status: ClipStatus
    file_path: str
    events: tuple[Event, ...]
    reason: str | None = None
    is_settled: bool | None = None
    kind: FailureKind | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, entry: IndexEntry) -> "EntryDocument":
        """Document of an entry of the index."""
        clip, standing = entry.clip, entry.standing
        has_failed = bool(standing.reason or standing.is_settled)
        return cls(
            event_id=clip.events[0].event_id,
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            duration_ms=clip.duration_ms,
            channel=clip.channel,
            event_type=clip.events[0].event_type,
            smart_types=tuple(sorted({kind for one in clip.events for kind in one.smart_types})),
            score=max(event.score for event in clip.events),
            status=standing.status,
            file_path=entry.file_path,
            events=clip.events,
            reason=standing.reason if has_failed else None,
            is_settled=standing.is_settled if has_failed else None,
            kind=standing.kind,
            sha256=standing.sha256,
        )

    def entry(self) -> IndexEntry:
        """Entry of the index. Raises DocumentError where the clip covers no event."""
        if not self.events:
            raise DocumentError(f"not a clip index: {self.file_path!r} covers no event")
        clip = Clip(self.start_ms, self.end_ms, self.events, self.channel)
        standing = Standing(
            self.status, self.reason or "", self.is_settled or False, self.kind, self.sha256
        )
        return IndexEntry(clip, self.file_path, standing)


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """All clips and events of one camera's day; ``date`` is YYYY-MM-DD."""

    camera_id: str
    camera_name: str
    camera_folder: str
    date: str
    timezone: str
    is_final: bool
    clips: tuple[EntryDocument, ...]
    ongoing: tuple[Event, ...]
    earlier: tuple[EntryDocument, ...] | None = None
    unwanted: tuple[Event, ...] | None = None
    forgotten: tuple[str, ...] | None = None
    unreadable: tuple[UnreadableEvent, ...] | None = None

    @classmethod
    def of(cls, index: ClipIndex) -> "IndexDocument":
        """Document of a clip index."""
        return cls(
            camera_id=index.camera_id,
            camera_name=index.camera_name,
            camera_folder=index.camera_folder,
            date=index.day.text,
            timezone=index.day.timezone,
            is_final=index.is_final,
            clips=tuple(EntryDocument.of(entry) for entry in index.entries),
            ongoing=index.ongoing,
            earlier=tuple(EntryDocument.of(entry) for entry in index.earlier) or None,
            unwanted=index.unwanted or None,
            forgotten=tuple(sorted(index.forgotten)) or None,
            unreadable=index.unreadable or None,
        )

    def index(self) -> ClipIndex:
        """The clip index. Raises DocumentError where it cannot be one of ours."""
        try:
            day = Day.of(date.fromisoformat(self.date), self.timezone)
        except (ValueError, OverflowError, SettingsError) as error:
            raise DocumentError(f"not a clip index: {error}") from error
        index = ClipIndex(
            camera_id=self.camera_id,
            camera_name=self.camera_name,
            camera_folder=self.camera_folder,
            day=day,
            entries=tuple(entry.entry() for entry in self.clips),
            ongoing=self.ongoing,
            is_final=self.is_final,
            earlier=tuple(entry.entry() for entry in self.earlier or ()),
            unwanted=self.unwanted or (),
            forgotten=frozenset(self.forgotten or ()),
            unreadable=self.unreadable or (),
        )
        index.check_paths()
        return index
