"""The console between socket and routes: it counts, remembers, and delivers ordered failures."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from threading import Event as Signal
from time import monotonic

from upvs_tasks.simulator import exchange
from upvs_tasks.simulator.accounts import Accounts
from upvs_tasks.simulator.cameras import FootageFormat
from upvs_tasks.simulator.days import ROUGH_DAY, local_date
from upvs_tasks.simulator.exchange import BadParameterError, Reply, Request, error_reply
from upvs_tasks.simulator.faults import Asked, Fault, FaultBook, FaultKind, rough_fault
from upvs_tasks.simulator.footage import View, encoded_group
from upvs_tasks.simulator.journal import Journal, RequestRecord, real_now_ms
from upvs_tasks.simulator.mp4 import empty_mp4, write_clip
from upvs_tasks.simulator.routes import Routes, endpoint_of
from upvs_tasks.simulator.world import World

_PAGE = b"<!doctype html><html><body><h1>UniFi OS</h1><p>Please wait.</p></body></html>"


class Service:
    """Everything a connection needs to serve its requests."""

    def __init__(self, world: World, accounts: Accounts, routes: Routes) -> None:
        self.world = world
        self.behaviour = world.behaviour
        self.accounts = accounts
        self.routes = routes
        self.journal = Journal()
        self.faults = FaultBook()
        self._released = Signal()
        self._stalls = 0
        self._stalls_changed = Condition()
        self._rough_asks: Counter[tuple[str, int, int]] = Counter()
        self._reboot_until = 0.0
        self._reboot_requests = 0
        self._reboot_status = 404
        self._lock = Lock()

    @contextmanager
    def recorded(self, request: Request) -> Iterator[int]:
        """Keep a record of the request while it is served; yields its number."""
        session = self.routes.session_of(request)
        number = self.journal.begin(
            RequestRecord(
                0,
                request.method,
                request.path,
                endpoint_of(request.path),
                request.query,
                real_now_ms(),
                request.headers.get("user-agent", ""),
                session.session_id if session else None,
            )
        )
        try:
            yield number
        finally:
            self.journal.update(number, ended_ms=real_now_ms())

    @contextmanager
    def stall_counted(self) -> Iterator[Signal]:
        """Count a stalled reply while it stalls; yields the signal that releases it."""
        with self._stalls_changed:
            self._stalls += 1
            self._stalls_changed.notify_all()
            released = self._released
        try:
            yield released
        finally:
            with self._stalls_changed:
                self._stalls -= 1

    def wait_for_stalls(self, count: int, timeout_secs: float) -> bool:
        """Wait until so many replies stall at once; say whether they do."""
        with self._stalls_changed:
            return self._stalls_changed.wait_for(lambda: self._stalls >= count, timeout_secs)

    @contextmanager
    def export_counted(self, request: Request) -> Iterator[int]:
        """Count exports that run at once; yields how many do, or 0 for other requests."""
        if endpoint_of(request.path) not in ("export", "download"):
            yield 0
            return
        try:
            yield self.journal.export_begins()
        finally:
            self.journal.export_ends()

    def fault_for(self, request: Request) -> Fault | None:
        """Return what goes wrong with this request: first what was ordered, then rough days."""
        asked = _asked(request)
        fault = self.faults.take(asked)
        if fault is not None or asked.path != "export" or not self.behaviour.rough_days:
            return fault
        if asked.start_ms is None or asked.end_ms is None:
            return None
        if local_date(asked.start_ms, self.behaviour.timezone) != ROUGH_DAY:
            return None
        key = (asked.camera_id or "", asked.start_ms, asked.end_ms)
        with self._lock:
            former_asks = self._rough_asks[key]
            self._rough_asks[key] += 1
        return rough_fault(key[0], key[1], former_asks)

    def answer(self, request: Request, fault: Fault | None, running_exports: int) -> Reply:
        """Return the reply, as far as a failure is a matter of its content."""
        if fault is not None and fault.kind is FaultKind.REBOOT:
            self.reboot(fault.secs if fault.requests <= 0 else 0.0, fault.status, fault.requests)
        if self._is_rebooting():
            return error_reply(self._reboot_status, "Starting")
        if fault is not None:
            spoiled = self._spoiled(fault, request)
            if spoiled is not None:
                return spoiled
        limit = self.behaviour.max_parallel_exports
        if limit is not None and running_exports > limit:
            return error_reply(503, "Service Unavailable")
        if running_exports and self.behaviour.export_latency_secs:
            self.world.closing.wait(self.behaviour.export_latency_secs)
        return self.routes.answer(request)

    def reboot(self, secs: float, status: int, requests: int = 0) -> None:
        """Answer everything with this status for so long, or for so many requests."""
        with self._lock:
            self._reboot_until = monotonic() + secs
            self._reboot_requests = requests
            self._reboot_status = status

    def release(self) -> None:
        """Let everything go on that stalls."""
        with self._stalls_changed:
            self._released.set()
            self._released = Signal()

    def _is_rebooting(self) -> bool:
        with self._lock:
            if self._reboot_requests > 0:
                self._reboot_requests -= 1
                return True
            return monotonic() < self._reboot_until

    def _spoiled(self, fault: Fault, request: Request) -> Reply | None:
        reply = None
        match fault.kind:
            case FaultKind.STATUS:
                reply = _status_reply(fault)
            case FaultKind.ECHO:
                reply = _echo(fault, request)
            case FaultKind.KILLED_SESSION:
                self.accounts.kill_sessions()
            case FaultKind.HTML:
                reply = Reply(200, _PAGE, exchange.HTML)
            case FaultKind.EMPTY:
                reply = Reply(200, b"", exchange.VIDEO)
            case FaultKind.EMPTY_MP4:
                reply = Reply(200, empty_mp4(), exchange.VIDEO)
            case FaultKind.TINY_MP4:
                reply = Reply(200, tiny_mp4(), exchange.VIDEO)
        return reply


def tiny_mp4() -> bytes:
    """Return a whole MP4 of one small black frame."""
    footage = FootageFormat(width=64, height=64, fps=1, keyframe_secs=1)
    frames = encoded_group(View("", "tiny", footage, "UTC"), 0)
    clip = write_clip(footage, frames, gaps_closed=False)
    if clip is None:
        return b""
    with clip.file:
        return b"".join(clip.chunks())


def _status_reply(fault: Fault) -> Reply:
    reply = error_reply(fault.status, "Ordered failure")
    if fault.body is not None:
        reply = Reply(fault.status, fault.body.encode(), fault.content_type or exchange.JSON)
    if fault.retry_after is not None:
        return reply.with_headers(("Retry-After", str(fault.retry_after)))
    return reply


def _echo(fault: Fault, request: Request) -> Reply:
    # What a client might quote of it is the beginning.
    proofs = ("x-csrf-token", "authorization", "cookie")
    headers = sorted(request.headers.items(), key=lambda header: header[0] not in proofs)
    sent = f"{request.body.decode()} {dict(headers)}"
    if fault.content_type is not None:
        return Reply(fault.status, sent.encode(), fault.content_type)
    return error_reply(fault.status, sent)


def _asked(request: Request) -> Asked:
    try:
        start_ms, end_ms = request.number("start"), request.number("end")
    except BadParameterError:
        start_ms = end_ms = None
    return Asked(endpoint_of(request.path), request.value("camera"), start_ms, end_ms)
