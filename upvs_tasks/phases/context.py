"""What every phase is given: the settings, the folder, the console, and whom to tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Semaphore
from typing import TYPE_CHECKING, Protocol

from upvs_tasks.clock import Clock
from upvs_tasks.errors import UpvsError, quoted
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.layout import Layout
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.phases.connection import Connection
from upvs_tasks.phases.day_folder import DayFolder
from upvs_tasks.phases.film_plan import FilmPlan, FilmPlanner
from upvs_tasks.phases.film_program import FilmProgram
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.media.render_places import RenderPlaces


class Progress(Protocol):
    """Whom to tell of work that takes a while; any thread may."""

    def expect_clips(self, count: int) -> None:
        """How many clips the day has."""

    def add_bytes(self, count: int) -> None:
        """So many bytes more of some clip have come."""

    def count_found_clip(self) -> None:
        """One clip more was on the disk already, and needed no download."""

    def expect_segments(self, frame_counts: Mapping[str, int]) -> None:
        """How many frames each segment of the film has, by its name."""

    def show_segment(self, name: str, frames: int) -> None:
        """How many frames of a segment are rendered."""

    def show_film(self, frames: int, total: int) -> None:
        """How many frames of a film that is made at once are rendered."""


@dataclass(frozen=True, slots=True)
class Context:
    """One camera and day.

    ``rendering`` has a place for each segment that may be worked at, ``places`` one for each worker
    that memory bears.
    """

    settings: Settings
    folder: DayFolder
    clips: ClipStore
    planner: FilmPlanner
    connection: Connection
    program: FilmProgram
    clock: Clock
    rendering: Semaphore
    places: "RenderPlaces"
    progress: Progress

    @property
    def layout(self) -> Layout:
        """The paths below the folder."""
        return self.folder.layout

    def index(self) -> ClipIndex:
        """The clip index of the last scan. Raises UpvsError when there is none."""
        return self.film().index

    def film(self) -> FilmPlan:
        """The film of the clips that are on the disk. Raises UpvsError without a clip index."""
        film = self.planner.film()
        if film is None:
            path = self.layout.clip_index
            raise UpvsError(f"{quoted(path)} is absent or cannot be read: run the task scan first")
        return film
