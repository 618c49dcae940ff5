from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from upvs_tasks.errors import DocumentError
from upvs_tasks.model.camera import Camera, safe_name
from upvs_tasks.model.clip import CONTINUOUS, Clip, safe_id
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import UNKNOWN_TYPE, Event, UnreadableEvent
from upvs_tasks.model.layout import clip_path
from upvs_tasks.model.span import Span, Spans

# How much longer than a gap a clip that fills it may be, besides twice the gap itself.
_MORE_THAN_ASKED_MS = 60_000


class ClipStatus(StrEnum):
    """Where a clip stands (specification §6 B)."""

    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


class FailureKind(StrEnum):
    """What kind of failure kept a clip from us."""

    NOT_RECORDED = "not_recorded"
    REFUSED = "refused"
    CAN_HEAL = "can_heal"


@dataclass(frozen=True, slots=True)
class Standing:
    """A clip's status, with the reason and the kind of failure where something is wrong with it.

    ``is_settled``: two runs got the same final answer, and a third would hardly get another.
    ``sha256`` is the digest of the clip as it arrived, None as long as it never did. It outlives
    the file, so that no other file is ever taken for the clip.
    """

    status: ClipStatus
    reason: str = ""
    is_settled: bool = False
    kind: FailureKind | None = None
    sha256: str | None = None


PENDING = Standing(ClipStatus.PENDING)
COMPLETE = Standing(ClipStatus.COMPLETE)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One clip of the day; ``file_path`` is relative to the output folder, with slashes."""

    clip: Clip
    file_path: str
    standing: Standing = PENDING

    @property
    def name(self) -> str:
        """Name of the clip's task."""
        return self.clip.name

    @property
    def span(self) -> Span:
        """What of the day it was asked for."""
        return (self.clip.start_ms, self.clip.end_ms)


@dataclass(frozen=True, slots=True)
class ClipIndex:
    """All clips and events of one camera's day, in the order of the film.

    The index forgets nothing: the console may not list an event again, and a clip on the disk may
    be the last copy of its footage. ``entries`` are the clips of the events that the film is to
    show. ``earlier`` are other clips on the disk: those of an event that has grown since, say, or
    that the settings do not ask for any more. ``unwanted`` are the events that the settings do not
    ask for; ``forgotten`` are the ids of those that the console does not list any more.
    """

    camera_id: str
    camera_name: str
    camera_folder: str
    day: Day
    entries: tuple[IndexEntry, ...]
    ongoing: tuple[Event, ...] = ()
    is_final: bool = True
    earlier: tuple[IndexEntry, ...] = ()
    unwanted: tuple[Event, ...] = ()
    forgotten: frozenset[str] = frozenset()
    unreadable: tuple[UnreadableEvent, ...] = ()

    @classmethod
    def of(
        cls,
        camera: Camera,
        day: Day,
        clips: tuple[Clip, ...],
        ongoing: tuple[Event, ...],
        *,
        is_over: bool = True,
    ) -> "ClipIndex":
        """Index of a day that was just listed; every clip is pending.

        It is final once the day is over and every event has ended.
        """
        folder = camera.folder_name
        entries = tuple(IndexEntry(clip, clip_path(clip, folder, day.text)) for clip in clips)
        is_final = is_over and not ongoing
        return cls(camera.camera_id, camera.name, folder, day, entries, ongoing, is_final)

    def after(
        self, others: Iterable[IndexEntry], *, is_on_disk: Callable[[IndexEntry], bool]
    ) -> "ClipIndex":
        """The same index, with what is known of clips from before.

        ``others`` are the clips that an earlier index named, and those found on the disk.
        """
        known = {other.name: other for other in reversed(tuple(others))}
        wanted = {entry.name for entry in self.entries}
        earlier = (
            replace(other, file_path=clip_path(other.clip, self.camera_folder, self.day.text))
            for name, other in known.items()
            if name not in wanted
        )
        return replace(
            self,
            entries=tuple(
                replace(entry, standing=known[entry.name].standing)
                if entry.name in known
                else entry
                for entry in self.entries
            ),
            earlier=tuple(
                sorted(filter(is_on_disk, earlier), key=lambda entry: entry.clip.timeline_key)
            ),
        )

    def with_standings(self, standing_of: Callable[[IndexEntry], Standing]) -> "ClipIndex":
        """The same index with a new standing for every clip."""

        def anew(entries: tuple[IndexEntry, ...]) -> tuple[IndexEntry, ...]:
            return tuple(replace(entry, standing=standing_of(entry)) for entry in entries)

        return replace(self, entries=anew(self.entries), earlier=anew(self.earlier))

    def filmed(self, is_there: Callable[[IndexEntry], bool]) -> tuple[IndexEntry, ...]:
        """The clips that the film shows, in its order: of those that are there.

        An earlier clip is shown where it holds footage of a clip that is not there, unless it is
        much longer: an hour of the day does not stand for an event of some seconds.
        """
        there = tuple(entry for entry in self.entries if is_there(entry))
        if len(there) == len(self.entries) or not self.earlier:
            return there
        covered = Spans(entry.span for entry in there)
        names = {entry.name for entry in there}
        missing = (entry.span for entry in self.entries if entry.name not in names)
        gaps = Spans(gap for span in missing for gap in covered.uncovered(span))
        filling = _filling(gaps, filter(is_there, self.earlier))
        return tuple(sorted((*there, *filling), key=lambda entry: entry.clip.timeline_key))

    @property
    def complete(self) -> tuple[IndexEntry, ...]:
        """The clips that are complete, and so can be in the film."""
        return tuple(
            entry for entry in self.entries if entry.standing.status is ClipStatus.COMPLETE
        )

    @property
    def event_count(self) -> int:
        """Number of filmed events; one that was cut into several clips counts once."""
        return len({event.event_id for entry in self.entries for event in entry.clip.events})

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event that was ever listed, each once."""
        entries = (*self.entries, *self.earlier)
        covered = (event for entry in entries for event in entry.clip.events)
        known = (*covered, *self.ongoing, *self.unwanted)
        by_id = {event.event_id: event for event in reversed(known)}
        return tuple(event for event in by_id.values() if event.event_type != CONTINUOUS)

    def check_paths(self) -> None:
        """Raise DocumentError for names that would lead out of the output folder."""
        if self.camera_folder != safe_name(self.camera_folder, fallback=""):
            raise DocumentError(f"{self.camera_folder!r} cannot be the name of a folder")
        for entry in (*self.entries, *self.earlier):
            if entry.file_path != clip_path(entry.clip, self.camera_folder, self.day.text):
                raise DocumentError(f"{entry.file_path!r} cannot be the path of {entry.name}")


def _filling(gaps: Spans, clips: Iterable[IndexEntry]) -> list[IndexEntry]:
    """The clips that fill gaps, the shortest first; none that shows much more than that."""
    chosen: list[IndexEntry] = []
    for entry in sorted(clips, key=lambda entry: (entry.clip.duration_ms, entry.clip.timeline_key)):
        touched = gaps.overlapping(entry.span)
        filled = Spans(other.span for other in chosen)
        parts = [part for gap in touched for part in filled.uncovered(gap)]
        longest_ms = _MORE_THAN_ASKED_MS + 2 * sum(end_ms - start_ms for start_ms, end_ms in parts)
        if Spans(parts).overlapping(entry.span) and entry.clip.duration_ms <= longest_ms:
            chosen.append(entry)
    return chosen


def remembered_events(index: ClipIndex | None, found: Iterable[Clip]) -> tuple[Event, ...]:
    """The events of an earlier index, and of clips that it does not name.

    Of an event that only names of files tell, all pieces together are its span.
    """
    known = {safe_id(event.event_id): event for event in (index.events if index else ())}
    from_files: dict[str, Event] = {}
    for event in (event for clip in found for event in clip.events):
        key = safe_id(event.event_id)
        before = from_files.get(key, event)
        if before.event_type == event.event_type == UNKNOWN_TYPE:
            start_ms = min(before.start_ms, event.start_ms)
            end_ms = max(before.end_ms or 0, event.end_ms or 0)
            from_files[key] = replace(before, start_ms=start_ms, end_ms=end_ms)
        elif before.event_type == UNKNOWN_TYPE:
            from_files[key] = event
        else:
            from_files[key] = before
    return tuple((from_files | known).values())
