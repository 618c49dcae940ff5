from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from upvs_tasks.errors import SettingsError
from upvs_tasks.model.camera import Camera, safe_name
from upvs_tasks.model.clip import Clip
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event
from upvs_tasks.model.layout import clip_path


class ClipStatus(StrEnum):
    """Where a clip stands (specification §6 B)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A clip's status, with the reason where it failed.

    ``is_settled``: two runs were told that it cannot be had, and a third will hardly be told else.
    """

    status: ClipStatus
    reason: str = ""
    is_settled: bool = False


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


@dataclass(frozen=True, slots=True)
class ClipIndex:
    """All clips and events of one camera's day, in the order of the film."""

    camera_id: str
    camera_name: str
    camera_folder: str
    day: Day
    entries: tuple[IndexEntry, ...]
    ongoing: tuple[Event, ...] = ()
    is_final: bool = True

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
        """Index of a day as it was just listed; no clip has a standing yet.

        It is final once the day is over and no event is under way any more.
        """
        folder = camera.folder_name
        entries = tuple(IndexEntry(clip, clip_path(clip, folder, day.text)) for clip in clips)
        is_final = is_over and not ongoing
        return cls(camera.camera_id, camera.name, folder, day, entries, ongoing, is_final)

    def with_standings(self, standing_of: Callable[[IndexEntry], Standing]) -> "ClipIndex":
        """The same day with every clip's standing asked for anew."""
        entries = tuple(replace(entry, standing=standing_of(entry)) for entry in self.entries)
        return replace(self, entries=entries)

    @property
    def complete(self) -> tuple[IndexEntry, ...]:
        """The clips that can be in the film."""
        return tuple(
            entry for entry in self.entries if entry.standing.status is ClipStatus.COMPLETE
        )

    @property
    def event_count(self) -> int:
        """Number of ended events; one that was cut into several clips counts once."""
        return len({event.event_id for entry in self.entries for event in entry.clip.events})

    def to_document(self) -> dict[str, object]:
        """The index as ``clip_index.json`` holds it."""
        return {
            "camera_id": self.camera_id,
            "camera_name": self.camera_name,
            "camera_folder": self.camera_folder,
            "date": self.day.text,
            "timezone": self.day.timezone,
            "is_final": self.is_final,
            "clips": [_entry_document(entry) for entry in self.entries],
            "ongoing": [_event_document(event) for event in self.ongoing],
        }

    @classmethod
    def from_document(cls, document: Any) -> "ClipIndex":  # noqa: ANN401  parsed JSON
        """Index from parsed JSON. Raises ValueError when it is not as we write it."""
        try:
            index = cls(
                camera_id=document["camera_id"],
                camera_name=document["camera_name"],
                camera_folder=document["camera_folder"],
                day=Day.of(date.fromisoformat(document["date"]), document["timezone"]),
                entries=tuple(_entry(entry) for entry in document["clips"]),
                ongoing=tuple(_event(event) for event in document["ongoing"]),
                is_final=document["is_final"] is True,
            )
            index.check()
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"not a clip index: {error!r}") from error
        except SettingsError as error:
            raise ValueError(f"not a clip index: {error}") from error
        return index

    def check(self) -> None:
        """Raise ValueError for names that would lead out of the output folder."""
        if self.camera_folder != safe_name(self.camera_folder, fallback=""):
            raise ValueError(f"no name for a folder: {self.camera_folder!r}")
        for entry in self.entries:
            if entry.file_path != clip_path(entry.clip, self.camera_folder, self.day.text):
                raise ValueError(f"no clip's path: {entry.file_path!r}")


def _entry_document(entry: IndexEntry) -> dict[str, object]:
    """The specification's entry (§6 A), and ``events``: every event that the clip covers."""
    clip, standing = entry.clip, entry.standing
    first = clip.events[0]
    document: dict[str, object] = {
        "event_id": first.event_id,
        "start_ms": clip.start_ms,
        "end_ms": clip.end_ms,
        "duration_ms": clip.duration_ms,
        "channel": clip.channel,
        "event_type": first.event_type,
        "smart_types": sorted({kind for event in clip.events for kind in event.smart_types}),
        "score": max(event.score for event in clip.events),
        "status": standing.status.value,
        "file_path": entry.file_path,
        "events": [_event_document(event) for event in clip.events],
    }
    if standing.reason or standing.is_settled:
        document |= {"reason": standing.reason, "is_settled": standing.is_settled}
    return document


def _event_document(event: Event) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "start_ms": event.start_ms,
        "end_ms": event.end_ms,
        "camera_id": event.camera_id,
        "smart_types": list(event.smart_types),
        "score": event.score,
    }


def _entry(document: Mapping[str, Any]) -> IndexEntry:
    events = tuple(_event(event) for event in document["events"])
    clip = Clip(document["start_ms"], document["end_ms"], events, document["channel"])
    if {type(clip.start_ms), type(clip.end_ms), type(clip.channel)} != {int}:
        raise ValueError(f"no instants or channel: {clip!r}")
    standing = Standing(
        ClipStatus(document["status"]),
        document.get("reason", ""),
        document.get("is_settled") is True,
    )
    return IndexEntry(clip, document["file_path"], standing)


def _event(document: Mapping[str, Any]) -> Event:
    match document:
        case {
            "event_id": str(event_id),
            "event_type": str(event_type),
            "start_ms": int(start_ms),
            "end_ms": int() | None as end_ms,
            "camera_id": str() | None as camera_id,
            "smart_types": [*smart_types],
            "score": int(score),
        } if all(isinstance(kind, str) for kind in smart_types):
            kinds = tuple(smart_types)
            return Event(event_id, event_type, start_ms, end_ms, camera_id, kinds, score)
    raise ValueError(f"no event: {document!r}")
