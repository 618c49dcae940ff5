"""A simulated console with a client beside it that waits for nothing but notes each wait."""

import io
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.export import Download, as_received
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.errors import MaxAttemptsExceeded, TransientError
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES, Event, ListedEvents
from upvs_tasks.simulator import FRONT_DOOR, SimulatedConsole

DAY = Day.of(date(2024, 1, 15), "America/New_York")
CAMERA_ID = FRONT_DOOR.camera_id


def clock_without_waits(waits_secs: list[float] | None = None) -> Clock:
    """A clock on which waiting only puts the time forward, and is noted."""
    waited = [] if waits_secs is None else waits_secs
    return Clock(
        sleep=waited.append,
        random=lambda: 0.5,
        monotonic_secs=lambda: time.monotonic() + sum(waited),
        unix_secs=lambda: time.time() + sum(waited),
    )


class ConsoleHarness:
    """Console and client."""

    def __init__(self, simulated: SimulatedConsole) -> None:
        self.simulated = simulated
        self.waits_secs: list[float] = []
        self.told_waits: list[tuple[str, float]] = []
        self.clock = clock_without_waits(self.waits_secs)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Make the client."""
        self.console = self.client()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all clients."""
        self._stack.close()

    def endpoint(self, *, direct: bool = False) -> Endpoint:
        """Where the console is."""
        ca_file = Path(self.simulated.ca_file)
        return Endpoint(self.simulated.host, ca_file=ca_file, direct_api=direct)

    def credentials(
        self,
        *,
        username: str = "",
        password: str = "",
        totp_secret: str = "",
        one_time_code: str = "",
    ) -> Credentials:
        """How to log in; by default as the console's first user."""
        return Credentials(
            username or self.simulated.username,
            password or self.simulated.password,
            totp_secret,
            one_time_code,
        )

    def client(  # noqa: PLR0913  whatever a test wants otherwise
        self,
        endpoint: Endpoint | None = None,
        credentials: Credentials | None = None,
        *,
        attempts: int = 3,
        connections: int = 8,
        read_timeout_secs: float = 30.0,
        longest_outage_secs: float = 600.0,
        session_file: Path | None = None,
        clock: Clock | None = None,
    ) -> Console:
        """One more client; the waits of all are noted together."""
        console = Console(
            endpoint or self.endpoint(),
            credentials or self.credentials(),
            policy=RetryPolicy(attempts=attempts),
            connections=connections,
            session_file=session_file,
            longest_outage_secs=longest_outage_secs,
            clock=clock or self.clock,
            read_timeout_secs=read_timeout_secs,
            on_wait=lambda reason, longest_secs: self.told_waits.append((reason, longest_secs)),
        )
        return self._stack.enter_context(console)

    def events(self, *event_types: str) -> tuple[Event, ...]:
        """The events that the console lists of the shipped day."""
        return self.listed(*event_types).events

    def listed(self, *event_types: str) -> ListedEvents:
        """All that the console lists of it."""
        return self.console.events(
            CAMERA_ID,
            start_ms=DAY.start_ms,
            end_ms=DAY.end_ms,
            event_types=event_types or DEFAULT_EVENT_TYPES,
        )

    def export(
        self,
        into: io.BytesIO | None = None,
        *,
        start_ms: int | None = None,
        console: Console | None = None,
    ) -> Download:
        """Ten seconds of the shipped day, by default of its noon."""
        start_ms = DAY.start_ms + 43_200_000 if start_ms is None else start_ms
        return (console or self.console).export(
            CAMERA_ID,
            start_ms=start_ms,
            end_ms=start_ms + 10_000,
            into=io.BytesIO() if into is None else into,
            accept=as_received,
        )

    def failed_export(self, into: io.BytesIO | None = None) -> TransientError:
        """Why the only attempt at an export fails."""
        with pytest.raises(MaxAttemptsExceeded) as caught:
            self.export(into)
        cause = caught.value.__cause__
        assert isinstance(cause, TransientError)
        return cause

    def asked(self, endpoint: str) -> int:
        """How many requests of a kind have reached the console."""
        return sum(request.endpoint == endpoint for request in self.simulated.requests)
