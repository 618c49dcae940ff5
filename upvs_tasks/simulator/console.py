"""A complete UniFi console in this process, on a loopback address, with real TLS."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from upvs_tasks.simulator.accounts import UserAccount, shipped_accounts
from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.cameras import FRONT_DOOR, SimulatedCamera
from upvs_tasks.simulator.certificate import CERTIFICATE_FILE, server_context
from upvs_tasks.simulator.events import MOTION, EventQuery, SimulatedEvent
from upvs_tasks.simulator.faults import Fault
from upvs_tasks.simulator.handler import RequestHandler
from upvs_tasks.simulator.request_log import RequestRecord, real_now_ms
from upvs_tasks.simulator.routes import EXPORT_ENDPOINTS, Routes
from upvs_tasks.simulator.server import ConsoleServer
from upvs_tasks.simulator.sessions import SessionStore
from upvs_tasks.simulator.world import NowMs, World

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_SIGNING_KEY_FILE = "signing.key"


class SimulatedConsole:
    """A console that runs as long as its ``with`` block.

    ``state_dir`` keeps certificate and signing key for the next start; without it they are removed
    when the console closes. ``now_ms`` is the time of the console: by default the real time, else a
    fixed instant or a callable. Sessions always go by the real clock, because clients compare their
    expiry with it.
    """

    def __init__(  # noqa: PLR0913 - six independent things to set, all by keyword
        self,
        *,
        behaviour: Behaviour | None = None,
        state_dir: Path | None = None,
        now_ms: int | NowMs | None = None,
        bind: str = "127.0.0.1",
        port: int = 0,
        password: str | None = None,
    ) -> None:
        if bind not in LOOPBACK:
            raise ValueError(f"bind={bind!r}: only loopback addresses are served {LOOPBACK}")
        self.behaviour = behaviour or Behaviour()
        self.password = password or token_urlsafe(12)
        self.accounts: tuple[UserAccount, ...] = shipped_accounts(self.password)
        self.username = self.accounts[0].username
        self._address = (bind, port)
        self._given_state_dir = state_dir
        self._world = World(self.behaviour, _clock_of(now_ms))
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all connections; no thread is left afterwards."""
        self.close()

    def start(self) -> None:
        """Start serving; the address is known afterwards."""
        state_dir = self._given_state_dir or Path(
            self._exit.enter_context(TemporaryDirectory(prefix="simulated-console-"))
        )
        state_dir.mkdir(parents=True, exist_ok=True)
        sessions = SessionStore(self.accounts, self.behaviour, _signing_key(state_dir))
        routes = Routes(self._world, sessions, lambda: self._address[0])
        self._handler = RequestHandler(self._world, sessions, routes)
        self._server = ConsoleServer(self._address, server_context(state_dir), self._handler)
        self._ca_file = state_dir / CERTIFICATE_FILE
        self._server.start()
        self._exit.callback(self._server.stop)

    def close(self) -> None:
        """Stop serving and remove what is temporary."""
        self._exit.close()

    @property
    def host(self) -> str:
        """The console's address, with scheme and port."""
        name = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        return f"https://{name}:{self._server.server_port}"

    @property
    def ca_file(self) -> str:
        """Path of the PEM file that clients verify the console against."""
        return str(self._ca_file)

    @property
    def now_ms(self) -> int:
        """The time of the console's clock."""
        return self._world.now_ms()

    @property
    def cameras(self) -> tuple[SimulatedCamera, ...]:
        """All cameras."""
        return self._world.cameras

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """All requests since the start or the last ``forget_requests``, by arrival."""
        return self._handler.request_log.records

    @property
    def exports(self) -> tuple[RequestRecord, ...]:
        """The requests for footage among them."""
        return tuple(one for one in self.requests if one.endpoint in EXPORT_ENDPOINTS)

    @property
    def busiest_parallel_exports(self) -> int:
        """The highest number of exports that ran at once."""
        return self._handler.request_log.busiest_parallel_exports

    @property
    def outstanding_faults(self) -> tuple[Fault, ...]:
        """Ordered faults that have not happened yet."""
        return tuple(self._handler.faults.outstanding)

    @property
    def issued_secrets(self) -> frozenset[str]:
        """Every session token, CSRF token and second-factor cookie that any client got."""
        return frozenset(self._handler.sessions.issued)

    def account(self, username: str) -> UserAccount:
        """Return a user: timelapse (may do all), viewer (no media), careful (second factor)."""
        return next(one for one in self.accounts if one.username == username)

    def forget_requests(self) -> None:
        """Begin the list of requests and the count of parallel exports anew."""
        self._handler.request_log.clear()

    def order(self, *faults: Fault) -> None:
        """Let these faults happen, after those that were ordered before."""
        self._handler.faults.add(*(self._located(fault) for fault in faults))

    def cancel_orders(self) -> None:
        """Remove all ordered faults."""
        self._handler.faults.clear()

    def wait_for_stalls(self, count: int = 1, *, timeout_secs: float = 30.0) -> None:
        """Wait until this many responses stall at once.

        Raises:
            TimeoutError: They do not.
        """
        if not self._handler.wait_for_stalls(count, timeout_secs):
            raise TimeoutError(f"fewer than {count} responses stall after {timeout_secs} s")

    def release(self) -> None:
        """Let all stalled responses continue."""
        self._handler.release()

    def reboot(self, secs: float, *, status: int = 404, kills_sessions: bool = False) -> None:
        """Answer everything with this status for ``secs``."""
        self._handler.reboot(secs, status)
        if kills_sessions:
            self.kill_sessions()

    def kill_sessions(self) -> None:
        """End all sessions before their expiry."""
        self._handler.sessions.kill_sessions()

    def add_camera(self, camera: SimulatedCamera) -> None:
        """Add a camera, or replace the one with its id."""
        self._world.add_camera(camera)

    def add_event(  # noqa: PLR0913 - an event has that many fields, all but two by keyword
        self,
        start_ms: int,
        end_ms: int | None,
        *,
        camera_id: str | None = FRONT_DOOR.camera_id,
        kind: str = MOTION,
        smart_types: tuple[str, ...] = (),
        score: int = 50,
        event_id: str | None = None,
    ) -> SimulatedEvent:
        """Add an event, by default a motion at the Front Door, and return it."""
        identity = event_id or self._world.new_event_id()
        event = SimulatedEvent(identity, kind, camera_id, start_ms, end_ms, score, smart_types)
        self._world.put_event(event)
        return event

    def set_events(
        self, events: Iterable[SimulatedEvent], *, camera_id: str = FRONT_DOOR.camera_id
    ) -> None:
        """Replace all events of a camera, on all days."""
        self._world.set_events(events, camera_id)

    def end_event(self, event_id: str, end_ms: int | None = None) -> SimulatedEvent:
        """End an event now or at a given instant; an event that has ended gets the new end."""
        event = self._world.event(event_id)
        if event is None:
            raise KeyError(event_id)
        ended = replace(event, end_ms=self.now_ms if end_ms is None else end_ms)
        self._world.put_event(ended)
        return ended

    def remove_event(self, event_id: str) -> None:
        """Remove an event."""
        self._world.remove_event(event_id)

    def spoil_event(self, event_id: str, row: object = None, **fields: object) -> None:
        """List an event oddly: with these fields, or as this row, whatever that is."""
        event = self._world.event(event_id)
        if event is None:
            raise KeyError(event_id)
        self._world.put_event(replace(event, row=row, extra=tuple(fields.items())))

    def forget(
        self,
        *event_ids: str,
        before_ms: int | None = None,
        after_ms: int | None = None,
        camera_id: str = FRONT_DOOR.camera_id,
    ) -> None:
        """Keep footage no longer: that of these events, and a camera's before or after an instant.

        Such events are not listed any more, and exports of them answer that nothing was recorded.
        """
        for event_id in event_ids:
            self._world.forget_event(event_id)
        self._world.forget(camera_id, before_ms=before_ms, after_ms=after_ms)

    def events_of(self, camera_id: str, start_ms: int, end_ms: int) -> tuple[SimulatedEvent, ...]:
        """Return a camera's events of all types that begin in the window, by (start, end, id)."""
        query = EventQuery(start_ms, end_ms, types=("any",))
        found = [
            event
            for event in self._world.events(query)
            if event.camera_id == camera_id and start_ms <= event.start_ms < end_ms
        ]
        return tuple(
            sorted(found, key=lambda event: (event.start_ms, event.end_ms or 0, event.event_id))
        )

    def _located(self, fault: Fault) -> Fault:
        if fault.event_id is None:
            return fault
        event = self._world.event(fault.event_id)
        if event is None:
            raise KeyError(fault.event_id)
        return replace(fault, at_ms=event.start_ms)


def _clock_of(now_ms: int | NowMs | None) -> NowMs:
    if now_ms is None:
        return real_now_ms
    if callable(now_ms):
        return now_ms
    return lambda: now_ms


def _signing_key(state_dir: Path) -> bytes:
    path = state_dir / _SIGNING_KEY_FILE
    if not path.is_file():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(token_bytes(32))
    return path.read_bytes()
