"""What every phase is given: the settings, the folder, the console, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Semaphore
from typing import TYPE_CHECKING

from upvs_tasks.console.embedded import EmbeddedConsole
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.usage import ConsoleUsage
from upvs_tasks.errors import UpvsError
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.layout import Layout
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.redaction import Redactor
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.console.client import Console


class Connection:
    """The one console of a run, opened at first need and shared by all workers."""

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
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
                endpoint, credentials = self._address()
                self._console = Console(
                    endpoint,
                    credentials,
                    policy=RetryPolicy(attempts=self._settings.retry_limit),
                    connections=self._settings.max_workers,
                    session_file=None if self._settings.is_demo else self._settings.session_file,
                    redactor=self._redactor,
                )
            return self._console

    def usage(self) -> ConsoleUsage | None:
        """What the console was asked for so far; None when it was not asked at all."""
        return self._console.usage if self._console else None

    def close(self) -> None:
        """Hang up, and end the embedded console if it was started."""
        if self._console is not None:
            self._console.close()
        if self._embedded is not None:
            self._embedded.close()

    def _address(self) -> tuple[Endpoint, Credentials]:
        settings = self._settings
        if settings.is_demo:
            self._embedded = EmbeddedConsole()
            return self._embedded.address()
        endpoint = Endpoint(
            settings.host,
            ca_file=settings.ca_file,
            tls_insecure=settings.tls_insecure,
            direct_api=settings.direct_api,
        )
        credentials = Credentials(
            settings.username, settings.password, settings.totp_secret, settings.one_time_code
        )
        return endpoint, credentials


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
