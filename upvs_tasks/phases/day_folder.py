"""Find the folder of a camera's day: the one that holds it already, or one of the camera's name."""

import datetime as dt
import glob
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from upvs_tasks import durable
from upvs_tasks.clock import Clock
from upvs_tasks.errors import StorageError, UpvsError, UsageError
from upvs_tasks.model.camera import (
    Camera,
    check_channel,
    folder_name_among,
    resolve_camera,
    safe_name,
)
from upvs_tasks.model.day import Day, RelativeDate, zone_named
from upvs_tasks.model.folder_pattern import folder_pattern
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.subject import Occupant, Subject
from upvs_tasks.phases.connection import Connection
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.console.wire import Bootstrap


@dataclass(frozen=True, slots=True)
class DayFolder:
    """Where a camera's day lives.

    ``occupant`` is what the folder holds, if anything. ``camera_folder`` is the camera's name in
    the paths below it; empty while only the console can tell. ``caveat``: what has to be said of
    how the day was found.
    """

    subject: Subject
    layout: Layout
    occupant: Occupant | None = None
    camera_folder: str = ""
    caveat: str = ""

    @property
    def holds_subject(self) -> bool:
        """Whether the folder is known to hold this camera's day."""
        return self.occupant is not None and self.subject.is_of(self.occupant)

    def check(self) -> None:
        """Raise UsageError where the folder holds another camera or another day."""
        if self.occupant is not None and not self.holds_subject:
            raise UsageError(
                f"{self.layout.out_dir} holds {self.occupant}, not {self.subject}: "
                "choose another out_dir, such as out/{camera}/{date}"
            )

    def check_listed(self) -> None:
        """Raise UpvsError where the camera's day was never listed."""
        if not self.holds_subject:
            caveat = f" ({self.caveat})" if self.caveat else ""
            raise UpvsError(
                f"{self.layout.clip_index} is absent or cannot be read: "
                f"run the task scan first{caveat}"
            )


def from_disk(settings: Settings, clock: Clock) -> DayFolder:
    """The folder as far as the disk tells; where it does not, that of the name that was typed.

    Raises SettingsError where camera or date are not said, and MultipleCameras.
    """
    date, caveat = _date_by_disk(settings, clock)
    wanted = Subject(settings.required_camera(), date)
    folder = _holding(settings, wanted) or _named(settings, wanted, _typed_name(settings))
    return replace(folder, caveat=caveat)


def for_run(
    settings: Settings, folder: DayFolder | None, connection: Connection | None, clock: Clock
) -> DayFolder:
    """The folder of a run, after what the disk told of it; None where it was not clear.

    The console is asked where the disk does not hold the camera's day, or where the date depends
    on the console's clock. Writes nothing. Raises UsageError where the folder is another camera's
    or day's, or the day has not begun; UpvsError where the disk holds nothing, and there is no
    connection to ask.
    """
    needs_clock = isinstance(settings.date, RelativeDate) and not settings.timezone
    if connection is None:
        folder = folder or from_disk(settings, clock)
        folder.check()
        folder.check_listed()
    elif folder is None or not folder.holds_subject or needs_clock:
        folder = _by_console(settings, connection.bootstrap(), clock)
        folder.check()
    return folder


def camera_and_day(
    folder: DayFolder, settings: Settings, bootstrap: "Bootstrap", clock: Clock
) -> tuple[Camera, Day]:
    """Camera and day as the console has them. Raises UsageError unless the folder is theirs."""
    camera = _camera(settings, bootstrap)
    day = _begun(Day.of(folder.subject.date, _timezone(settings, bootstrap)), clock)
    replace(folder, subject=replace(folder.subject, camera_id=camera.camera_id)).check()
    name = folder.camera_folder or folder_name_among(camera, bootstrap.cameras)
    return replace(camera, folder=name), day


def _by_console(settings: Settings, bootstrap: "Bootstrap", clock: Clock) -> DayFolder:
    camera, timezone = _camera(settings, bootstrap), _timezone(settings, bootstrap)
    date = settings.required_date()
    if isinstance(date, RelativeDate):
        date = date.seen_from(_moment(clock, timezone).date())
    day = _begun(Day.of(date, timezone), clock)
    wanted = Subject(camera.name, day.date, camera.camera_id)
    found = _holding(settings, wanted)
    if found is not None:
        return found
    folder = _named(settings, wanted, folder_name_among(camera, bootstrap.cameras))
    if folder.occupant is None or wanted.is_camera_of(folder.occupant):
        return folder
    return _named(settings, wanted, camera.folder_name_with_id)


def _camera(settings: Settings, bootstrap: "Bootstrap") -> Camera:
    camera = resolve_camera(settings.required_camera(), bootstrap.cameras)
    check_channel(camera, settings.channel)
    return camera


def _timezone(settings: Settings, bootstrap: "Bootstrap") -> str:
    return settings.timezone or bootstrap.nvr.timezone


def _begun(day: Day, clock: Clock) -> Day:
    now = _moment(clock, day.timezone)
    if day.start_ms > now.timestamp() * 1000:
        raise UsageError(
            f"{day.text} has not begun yet on the console: there it is {now:%Y-%m-%d %H:%M} "
            f"({day.timezone})"
        )
    return day


def _holding(settings: Settings, wanted: Subject) -> DayFolder | None:
    """The folder on the disk that holds this camera's day. Raises MultipleCameras."""
    layouts = _layouts(folder_pattern(settings.out_dir, date=wanted.date))
    likely = (layout for layout in layouts if not _is_of_another(layout, wanted))
    occupied = ((layout, _occupant(layout, wanted.date)) for layout in likely)
    held = [(layout, one) for layout, one in occupied if one is not None and wanted.is_of(one)]
    camera_id = wanted.camera_among(one for _, one in held)
    own = [_folder(wanted, layout, one) for layout, one in held if one.camera_id == camera_id]

    def is_renamed(folder: DayFolder) -> bool:
        return folder.layout != settings.layout(folder.camera_folder, wanted.date)

    # A day may be in several folders, if it was listed before the camera's name decided.
    return min(own, key=is_renamed, default=None)


def _named(settings: Settings, wanted: Subject, camera_folder: str) -> DayFolder:
    layout = settings.layout(camera_folder, wanted.date)
    return _folder(wanted, layout, _occupant(layout, wanted.date), camera_folder)


def _folder(
    wanted: Subject, layout: Layout, held: Occupant | None, camera_folder: str = ""
) -> DayFolder:
    """A folder as it is to be used: what it holds of the camera's day keeps its paths."""
    if held is None or not wanted.is_of(held):
        return DayFolder(wanted, layout, held, camera_folder)
    return DayFolder(replace(wanted, camera_id=held.camera_id), layout, held, held.camera_folder)


def _typed_name(settings: Settings) -> str:
    return safe_name(settings.required_camera(), fallback="camera")


def _layouts(pattern: str) -> Iterator[Layout]:
    for path in sorted(glob.glob(pattern), reverse=True):  # noqa: PTH207  may be absolute
        yield Layout(Path(path).absolute())


def _is_of_another(layout: Layout, wanted: Subject) -> bool:
    """Whether its camera.json, a hundred times quicker to read than the clip index, says so."""
    try:
        held = Occupant.of_camera(durable.read_json(layout.camera_json), "")
    except StorageError:  # whoever works in that folder will say so
        return False
    return held is not None and not wanted.is_camera_of(held)


def _occupant(layout: Layout, date: dt.date) -> Occupant | None:
    """What a folder holds, by its clip index, else by its camera.json."""
    try:
        held = Occupant.of_index(durable.read_json(layout.clip_index))
        if held is not None:
            return held
        camera = durable.read_json(layout.camera_json)
        days = list(layout.out_dir.glob(f"clips/*/{date.isoformat()}"))
    except (StorageError, OSError):  # likewise
        return None
    names = {path.parent.name for path in days}
    return Occupant.of_camera(camera, names.pop() if len(names) == 1 else "")


def _date_by_disk(settings: Settings, clock: Clock) -> tuple[dt.date, str]:
    """The date, and what has to be said of it."""
    date = settings.required_date()
    if not isinstance(date, RelativeDate):
        return date, ""
    timezone = settings.timezone or _timezone_on_disk(settings)
    seen = date.seen_from(_moment(clock, timezone).date())
    if timezone:
        return seen, ""
    return seen, f"{date} is {seen} by this computer's clock: the console's zone is not known here"


def _timezone_on_disk(settings: Settings) -> str:
    """The zone in which this camera was filmed last; empty where it never was."""
    wanted = Subject(settings.required_camera(), dt.date.min)
    for camera in (_typed_name(settings), None):
        for layout in _layouts(folder_pattern(settings.out_dir, camera=camera)):
            held = _occupant(layout, wanted.date)
            if held is not None and held.timezone and wanted.is_camera_of(held):
                return held.timezone
    return ""


def _moment(clock: Clock, timezone: str) -> dt.datetime:
    """Now, in a zone; in that of this computer where none is given."""
    now = dt.datetime.fromtimestamp(clock.unix_secs(), dt.UTC)
    return now.astimezone(zone_named(timezone) if timezone else None)
