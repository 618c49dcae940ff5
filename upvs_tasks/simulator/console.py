"""A whole UniFi console in this process, on loopback, with real TLS."""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from upvs_tasks.simulator.accounts import Account, Accounts, shipped_accounts
from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.cameras import FRONT_DOOR, SimulatedCamera
from upvs_tasks.simulator.certificate import AUTHORITY_FILE, server_context
from upvs_tasks.simulator.events import MOTION, EventQuery, SimulatedEvent
from upvs_tasks.simulator.faults import Fault
from upvs_tasks.simulator.journal import RequestRecord, real_now_ms
from upvs_tasks.simulator.routes import Routes
from upvs_tasks.simulator.server import ConsoleServer
from upvs_tasks.simulator.service import Service
from upvs_tasks.simulator.world import Clock, World

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_SIGNING_KEY_FILE = "signing.key"


class SimulatedConsole:
    """A console that runs while its ``with`` block does.

    ``state_dir`` keeps certificate and signing key from one start to the next; without one they
    live as long as the console. ``now_ms`` is the world's clock: the real one, a fixed instant, or
    a callable. Sessions always go by the real clock, as clients compare their expiry with it.
    """

    def __init__(  # noqa: PLR0913 - six independent things to set, all by keyword
        self,
        *,
        behaviour: Behaviour | None = None,
        state_dir: Path | None = None,
        now_ms: int | Callable[[], int] | None = None,
        bind: str = "127.0.0.1",
        port: int = 0,
        password: str | None = None,
    ) -> None:
        if bind not in LOOPBACK:
            raise ValueError(f"bind={bind!r}: only loopback addresses are served {LOOPBACK}")
        self.behaviour = behaviour or Behaviour()
        self.password = password or token_urlsafe(12)
        self.accounts: tuple[Account, ...] = shipped_accounts(self.password)
        self.username = self.accounts[0].username
        self._address = (bind, port)
        self._given_state_dir = state_dir
        self._world = World(self.behaviour, _clock(now_ms))
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
        """Hang up on everybody; no thread is left afterwards."""
        self.close()

    def start(self) -> None:
        """Start serving; the address is known afterwards."""
        state_dir = self._given_state_dir or Path(
            self._exit.enter_context(TemporaryDirectory(prefix="simulated-console-"))
        )
        state_dir.mkdir(parents=True, exist_ok=True)
        accounts = Accounts(self.accounts, self.behaviour, _secret(state_dir))
        routes = Routes(self._world, accounts, lambda: self._address[0])
        self._service = Service(self._world, accounts, routes)
        self._server = ConsoleServer(self._address, server_context(state_dir), self._service)
        self._ca_file = state_dir / AUTHORITY_FILE
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
        """What the console's clock says."""
        return self._world.now_ms()

    @property
    def cameras(self) -> tuple[SimulatedCamera, ...]:
        """All cameras."""
        return self._world.cameras

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """All requests since the start or the last ``forget_requests``, by arrival."""
        return self._service.journal.records

    @property
    def exports(self) -> tuple[RequestRecord, ...]:
        """Those of the requests that asked for footage."""
        return tuple(one for one in self.requests if one.endpoint in ("export", "download"))

    @property
    def busiest_parallel_exports(self) -> int:
        """The highest number of exports that ran at once."""
        return self._service.journal.busiest_parallel_exports

    @property
    def outstanding_faults(self) -> tuple[Fault, ...]:
        """Ordered failures that nobody has met yet."""
        return tuple(self._service.faults.outstanding)

    @property
    def issued_secrets(self) -> frozenset[str]:
        """Every session token, CSRF token and second-factor cookie that was given to anybody."""
        return frozenset(self._service.accounts.issued)

    def account(self, username: str) -> Account:
        """Return an account: timelapse (full), viewer (no media), careful (second factor)."""
        return next(one for one in self.accounts if one.username == username)

    def forget_requests(self) -> None:
        """Start the list of requests and the count of parallel exports anew."""
        self._service.journal.clear()

    def order(self, *faults: Fault) -> None:
        """Let these failures happen; earlier orders are delivered first."""
        self._service.faults.order(*(self._located(fault) for fault in faults))

    def cancel_orders(self) -> None:
        """Let nothing fail any more that was ordered to."""
        self._service.faults.cancel()

    def wait_for_stalls(self, count: int = 1, *, timeout_secs: float = 30.0) -> None:
        """Wait until so many replies stall at once.

        Raises:
            TimeoutError: They did not.
        """
        if not self._service.wait_for_stalls(count, timeout_secs):
            raise TimeoutError(f"fewer than {count} replies stall after {timeout_secs} s")

    def release(self) -> None:
        """Let all stalled replies go on."""
        self._service.release()

    def reboot(self, secs: float, *, status: int = 404, kills_sessions: bool = False) -> None:
        """Answer everything with this status for a while."""
        self._service.reboot(secs, status)
        if kills_sessions:
            self.kill_sessions()

    def kill_sessions(self) -> None:
        """End all sessions before their time."""
        self._service.accounts.kill_sessions()

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
        """Add an event, by default a motion in front of the Front Door, and return it."""
        identity = event_id or self._world.new_event_id()
        event = SimulatedEvent(identity, kind, camera_id, start_ms, end_ms, score, smart_types)
        self._world.put_event(event)
        return event

    def set_events(
        self, events: Iterable[SimulatedEvent], *, camera_id: str = FRONT_DOOR.camera_id
    ) -> None:
        """Let these be all events of a camera, on all days."""
        self._world.set_events(events, camera_id)

    def end_event(self, event_id: str, end_ms: int | None = None) -> SimulatedEvent:
        """Let an event end now or at a given instant; it may also be one that had ended."""
        event = self._world.event(event_id)
        if event is None:
            raise KeyError(event_id)
        ended = replace(event, end_ms=self.now_ms if end_ms is None else end_ms)
        self._world.put_event(ended)
        return ended

    def remove_event(self, event_id: str) -> None:
        """Let an event never have happened."""
        self._world.remove_event(event_id)

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


def _clock(now_ms: int | Callable[[], int] | None) -> Clock:
    if now_ms is None:
        return real_now_ms
    if callable(now_ms):
        return now_ms
    return lambda: now_ms


def _secret(state_dir: Path) -> bytes:
    path = state_dir / _SIGNING_KEY_FILE
    if not path.is_file():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(token_bytes(32))
    return path.read_bytes()
