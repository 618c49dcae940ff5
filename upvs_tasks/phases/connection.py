"""Opens the one connection of a run to the console."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from upvs_tasks import console
from upvs_tasks.clock import Clock
from upvs_tasks.redaction import Redactor
from upvs_tasks.settings import Settings

if TYPE_CHECKING:
    from upvs_tasks.console.client import Console
    from upvs_tasks.console.embedded import EmbeddedConsole
    from upvs_tasks.console.endpoint import Credentials, Endpoint
    from upvs_tasks.console.usage import ConsoleUsage
    from upvs_tasks.console.wire import Bootstrap


class Connection:
    """The one console of a run, opened at first need and shared by all workers."""

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        clock: Clock,
        on_wait: Callable[[str, float], None],
    ) -> None:
        self._settings = settings
        self._redactor = redactor
        self._clock = clock
        self._on_wait = on_wait
        self._lock = Lock()
        self._console: Console | None = None
        self._bootstrap: Bootstrap | None = None
        self._embedded: EmbeddedConsole | None = None

    def console(self) -> "Console":
        """The console's client; not logged in before the first question."""
        with self._lock:
            if self._console is None:
                endpoint, credentials = self._address()
                self._console = console.client.Console(
                    endpoint,
                    credentials,
                    policy=console.retry.RetryPolicy(attempts=self._settings.retry_limit),
                    connections=self._settings.max_workers,
                    longest_outage_secs=self._settings.longest_outage_secs,
                    session_file=None if self._settings.is_demo else self._settings.session_file,
                    redactor=self._redactor,
                    clock=self._clock,
                    on_wait=self._on_wait,
                )
            return self._console

    def bootstrap(self) -> "Bootstrap":
        """What the console says of itself, which is asked once a run."""
        if self._bootstrap is None:
            self._bootstrap = self.console().bootstrap()
        return self._bootstrap

    def usage(self) -> "ConsoleUsage | None":
        """What the console was asked for so far; None when it was not asked at all."""
        return self._console.usage if self._console else None

    def close(self) -> None:
        """Close the client, and end the embedded console if it was started."""
        if self._console is not None:
            self._console.close()
        if self._embedded is not None:
            self._embedded.close()

    def _address(self) -> "tuple[Endpoint, Credentials]":
        settings = self._settings
        if settings.is_demo:
            self._embedded = console.embedded.EmbeddedConsole()
            return self._embedded.address()
        endpoint = console.endpoint.Endpoint(
            settings.host,
            ca_file=settings.ca_file,
            tls_fingerprint=settings.tls_fingerprint,
            tls_insecure=settings.tls_insecure,
            direct_api=settings.direct_api,
        )
        credentials = console.endpoint.Credentials(
            settings.username, settings.password, settings.totp_secret, settings.one_time_code
        )
        return endpoint, credentials
