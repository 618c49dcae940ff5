from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from upvs_tasks.errors import DocumentError
from upvs_tasks.model.camera import Camera, safe_name
from upvs_tasks.model.clip import Clip
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event
from upvs_tasks.model.layout import clip_path


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
    """

    status: ClipStatus
    reason: str = ""
    is_settled: bool = False
    kind: FailureKind | None = None


PENDING = Standing(ClipStatus.PENDING)
COMPLETE = Standing(ClipStatus.COMPLETE)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One clip of the day; ``file_path`` is relative to the output folder, with slashes.

    ``sha256`` is that of its file as the console sent it, once it has.
    """

    clip: Clip
    file_path: str
    standing: Standing = PENDING
    sha256: str | None = None

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
        """Index of a day that was just listed; every clip is pending.

        It is final once the day is over and every event has ended.
        """
        folder = camera.folder_name
        entries = tuple(IndexEntry(clip, clip_path(clip, folder, day.text)) for clip in clips)
        is_final = is_over and not ongoing
        return cls(camera.camera_id, camera.name, folder, day, entries, ongoing, is_final)

    def with_standings(self, standing_of: Callable[[IndexEntry], Standing]) -> "ClipIndex":
        """The same index with a new standing for every clip."""
        entries = tuple(replace(entry, standing=standing_of(entry)) for entry in self.entries)
        return replace(self, entries=entries)

    @property
    def complete(self) -> tuple[IndexEntry, ...]:
        """The clips that are complete, and so can be in the film."""
        return tuple(
            entry for entry in self.entries if entry.standing.status is ClipStatus.COMPLETE
        )

    @property
    def event_count(self) -> int:
        """Number of ended events; one that was cut into several clips counts once."""
        return len({event.event_id for entry in self.entries for event in entry.clip.events})

    def check_paths(self) -> None:
        """Raise DocumentError for names that would lead out of the output folder."""
        if self.camera_folder != safe_name(self.camera_folder, fallback=""):
            raise DocumentError(f"{self.camera_folder!r} cannot be the name of a folder")
        for entry in self.entries:
            if entry.file_path != clip_path(entry.clip, self.camera_folder, self.day.text):
                raise DocumentError(f"{entry.file_path!r} cannot be the path of {entry.name}")
