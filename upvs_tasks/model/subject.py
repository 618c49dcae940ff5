"""Which camera and day a folder is for, and which it holds."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from upvs_tasks.errors import MultipleCameras, SettingsError
from upvs_tasks.model.camera import name_key, safe_name
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.day import Day


@dataclass(frozen=True, slots=True)
class Occupant:
    """The camera and day that a folder holds.

    Where its clip index is lost, the date is None and the time zone is empty; so is the name of the
    folders below it, where nothing tells that either.
    """

    camera_id: str
    camera_name: str
    camera_folder: str = ""
    date: dt.date | None = None
    timezone: str = ""

    @classmethod
    def of_index(cls, document: object) -> "Occupant | None":
        """Occupant that the head of a clip index names; None where it is no clip index."""
        match document:
            case {
                "camera_id": str(camera_id),
                "camera_name": str(camera_name),
                "camera_folder": str(camera_folder),
                "date": str(date),
                "timezone": str(timezone),
            } if camera_folder == safe_name(camera_folder, fallback=""):
                try:
                    day = Day.of(dt.date.fromisoformat(date), timezone)
                except (ValueError, OverflowError, SettingsError):
                    return None
                return cls(camera_id, camera_name, camera_folder, day.date, timezone)
        return None

    @classmethod
    def of_camera(cls, document: object, camera_folder: str) -> "Occupant | None":
        """Occupant that a camera.json names; None where it is none."""
        match document:
            case {"id": str(camera_id), "name": str(camera_name)}:
                is_safe = camera_folder == safe_name(camera_folder, fallback="")
                return cls(camera_id, camera_name, camera_folder if is_safe else "")
        return None

    def __str__(self) -> str:
        day = f" on {self.date.isoformat()}" if self.date else ""
        return f"{self.camera_name!r} ({self.camera_id}){day}"


@dataclass(frozen=True, slots=True)
class Subject:
    """The camera and day that were asked for.

    ``camera`` is a name or an id as somebody typed it; ``camera_id`` is empty until it is known.
    """

    camera: str
    date: dt.date
    camera_id: str = ""

    def is_shown_by(self, index: ClipIndex) -> bool:
        """Whether a clip index is of this camera and day."""
        held = Occupant(index.camera_id, index.camera_name, date=index.day.date)
        return self.is_of(held)

    def is_of(self, held: Occupant) -> bool:
        """Whether a folder holds this camera and day."""
        return held.date in {None, self.date} and self.is_camera_of(held)

    def is_camera_of(self, held: Occupant) -> bool:
        """Whether a folder holds this camera."""
        if self.camera_id:
            return held.camera_id == self.camera_id
        is_called_so = name_key(self.camera) == name_key(held.camera_name)
        return is_called_so or self.camera == held.camera_id

    def camera_among(self, held: Iterable[Occupant]) -> str:
        """Id of the one camera of this name or id; empty for none. Raises MultipleCameras."""
        ids = sorted({one.camera_id for one in held if self.is_camera_of(one)})
        if self.camera_id in ids or self.camera in ids:
            return self.camera_id or self.camera
        if len(ids) > 1:
            raise MultipleCameras(
                f"{len(ids)} cameras on the disk are called {self.camera!r}; "
                f"choose one by id: {', '.join(ids)}"
            )
        return ids[0] if ids else ""

    def __str__(self) -> str:
        camera = f"{self.camera!r} ({self.camera_id})" if self.camera_id else repr(self.camera)
        return f"{camera} on {self.date.isoformat()}"
