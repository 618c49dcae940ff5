"""What every phase is given: the settings, the folder, the console, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Semaphore
from typing import TYPE_CHECKING

from upvs_tasks.console.embedded import EmbeddedConsole
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.usage import ConsoleUsage
from upvs_tasks.errors import UpvsError
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.layout import Layout
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.console.client import Console


class Connection:
    """The one console of a run, opened at first need and shared by all workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._console: Console | None = None
        self._embedded: EmbeddedConsole | None = None

    def console(self) -> "Console":
        """The console's client; not logged in before the first question."""
        # What only lists the tasks does without HTTP, which takes a tenth of a second to import.
        from upvs_tasks.console.client import Console  # noqa: PLC0415
        from upvs_tasks.console.retry import RetryPolicy  # noqa: PLC0415

        with self._lock:
            if self._console is None:
                patience = RetryPolicy.of(self._settings.retry_limit)
                workers = self._settings.max_workers
                self._console = Console(self._access(), patience=patience, connections=workers)
            return self._console

    def account(self) -> ConsoleUsage | None:
        """What the console was asked for so far; None when it was not asked at all."""
        return self._console.account if self._console else None

    def close(self) -> None:
        """Hang up, and end the embedded console if it was started."""
        if self._console is not None:
            self._console.close()
        if self._embedded is not None:
            self._embedded.close()

    def _access(self) -> Access:
        settings = self._settings
        if settings.is_demo:
            self._embedded = EmbeddedConsole()
            return self._embedded.access()
        return Access(
            host=settings.host,
            username=settings.username,
            password=settings.password,
            ca_file=settings.ca_file,
            tls_insecure=settings.tls_insecure,
            direct_api=settings.direct_api,
            totp_secret=settings.totp_secret,
            one_time_code=settings.one_time_code,
            session_file=settings.session_file,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Whom to tell of work that takes a while."""

    bytes_received: Callable[[int], None]
    frames_rendered: Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Context:
    """One camera and day; ``rendering`` has a place for each segment that may render at once."""

    settings: Settings
    layout: Layout
    inventory: ClipStore
    connection: Connection
    rendering: Semaphore
    progress: Progress

    def index(self) -> ClipIndex:
        """The clip index of the last scan. Raises UpvsError when there is none."""
        index = self.inventory.known_index()
        if index is None:
            path = self.layout.clip_index
            raise UpvsError(f"{path} is absent or cannot be read: run the task scan first")
        return index
