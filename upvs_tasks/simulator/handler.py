"""Handles requests between the connections and the routes: it records them and lets some fail."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event, Lock
from time import monotonic

from upvs_tasks.simulator.cameras import FootageFormat
from upvs_tasks.simulator.clip_file import empty_mp4
from upvs_tasks.simulator.event_days import UNRELIABLE_DAY, local_date
from upvs_tasks.simulator.faults import (
    Fault,
    FaultKind,
    FaultQueue,
    RequestTarget,
    fault_of_unreliable_day,
)
from upvs_tasks.simulator.footage import CameraView, encoded_group
from upvs_tasks.simulator.messages import (
    HTML,
    JSON,
    VIDEO,
    BadParameterError,
    Request,
    Response,
    error_response,
)
from upvs_tasks.simulator.muxer import write_clip
from upvs_tasks.simulator.request_log import RequestLog, RequestRecord, real_now_ms
from upvs_tasks.simulator.routes import EXPORT_ENDPOINTS, Routes, endpoint_of
from upvs_tasks.simulator.sessions import SessionStore
from upvs_tasks.simulator.world import World

_WEB_PAGE = b"<!doctype html><html><body><h1>UniFi OS</h1><p>Please wait.</p></body></html>"


class RequestHandler:
    """What all connections share in order to serve requests."""

    def __init__(self, world: World, sessions: SessionStore, routes: Routes) -> None:
        self.world = world
        self.behaviour = world.behaviour
        self.sessions = sessions
        self.routes = routes
        self.request_log = RequestLog()
        self.faults = FaultQueue()
        self._released = Event()
        self._stalls = 0
        self._stalls_changed = Condition()
        self._unreliable_requests: Counter[tuple[str, int, int]] = Counter()
        self._reboot_until = 0.0
        self._reboot_requests = 0
        self._reboot_status = 404
        self._lock = Lock()

    @contextmanager
    def recorded(self, request: Request) -> Iterator[int]:
        """Record the request while it is served; yields its number."""
        session = self.routes.session_of(request)
        number = self.request_log.begin(
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
            self.request_log.update(number, ended_ms=real_now_ms())

    @contextmanager
    def stall_counted(self) -> Iterator[Event]:
        """Count a stalled response while it stalls; yields the event that releases it."""
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
        """Wait until this many responses stall at once; return whether they do."""
        with self._stalls_changed:
            return self._stalls_changed.wait_for(lambda: self._stalls >= count, timeout_secs)

    @contextmanager
    def export_counted(self, request: Request) -> Iterator[int]:
        """Count exports that run at once; yields how many do, or 0 for other requests."""
        if endpoint_of(request.path) not in EXPORT_ENDPOINTS:
            yield 0
            return
        try:
            yield self.request_log.begin_export()
        finally:
            self.request_log.end_export()

    def fault_for(self, request: Request) -> Fault | None:
        """Return what fails about this request: an ordered fault, or one of the unreliable day."""
        target = _target_of(request)
        return self.faults.take(target) or self._fault_of_unreliable_day(target)

    def respond(self, request: Request, fault: Fault | None, running_exports: int) -> Response:
        """Return the response. Faults that concern its transfer are left to the connection."""
        if fault is not None and fault.kind is FaultKind.REBOOT:
            self.reboot(fault.secs if fault.requests <= 0 else 0.0, fault.status, fault.requests)
        if self._is_rebooting():
            return error_response(self._reboot_status, "Starting")
        if fault is not None:
            faulty = self._faulty_response(fault, request)
            if faulty is not None:
                return faulty
        limit = self.behaviour.max_parallel_exports
        if limit is not None and running_exports > limit:
            return error_response(503, "Service Unavailable")
        if running_exports and self.behaviour.export_latency_secs:
            self.world.closing.wait(self.behaviour.export_latency_secs)
        return self.routes.respond(request)

    def reboot(self, secs: float, status: int, requests: int = 0) -> None:
        """Answer everything with this status for this time, or for this number of requests."""
        with self._lock:
            self._reboot_until = monotonic() + secs
            self._reboot_requests = requests
            self._reboot_status = status

    def release(self) -> None:
        """Let all stalled responses continue."""
        with self._stalls_changed:
            self._released.set()
            self._released = Event()

    def _fault_of_unreliable_day(self, target: RequestTarget) -> Fault | None:
        if target.path != "export" or not self.behaviour.unreliable_day:
            return None
        if target.start_ms is None or target.end_ms is None:
            return None
        if local_date(target.start_ms, self.behaviour.timezone) != UNRELIABLE_DAY:
            return None
        key = (target.camera_id or "", target.start_ms, target.end_ms)
        with self._lock:
            former_requests = self._unreliable_requests[key]
            self._unreliable_requests[key] += 1
        return fault_of_unreliable_day(key[0], key[1], former_requests)

    def _is_rebooting(self) -> bool:
        with self._lock:
            if self._reboot_requests > 0:
                self._reboot_requests -= 1
                return True
            return monotonic() < self._reboot_until

    def _faulty_response(self, fault: Fault, request: Request) -> Response | None:
        """Return the response of a fault, or None when its kind leaves the response as it is."""
        response = None
        match fault.kind:
            case FaultKind.STATUS:
                response = _status_response(fault)
            case FaultKind.ECHO:
                response = _echo(fault, request)
            case FaultKind.KILLED_SESSION:
                self.sessions.kill_sessions()
            case FaultKind.HTML:
                response = Response(200, _WEB_PAGE, HTML)
            case FaultKind.EMPTY:
                response = Response(200, b"", VIDEO)
            case FaultKind.EMPTY_MP4:
                response = Response(200, empty_mp4(), VIDEO)
            case FaultKind.TINY_MP4:
                response = Response(200, tiny_mp4(), VIDEO)
        return response


def tiny_mp4() -> bytes:
    """Return a complete MP4 of one small frame."""
    footage = FootageFormat(width=64, height=64, fps=1, keyframe_secs=1)
    frames = encoded_group(CameraView("", "tiny", footage, "UTC"), 0)
    clip = write_clip(footage, frames, gaps_closed=False)
    if clip is None:
        return b""
    with clip.file:
        return b"".join(clip.chunks())


def _status_response(fault: Fault) -> Response:
    response = error_response(fault.status, "Ordered failure")
    if fault.body is not None:
        response = Response(fault.status, fault.body.encode(), fault.content_type or JSON)
    if fault.retry_after is not None:
        return response.with_headers(("Retry-After", str(fault.retry_after)))
    return response


def _echo(fault: Fault, request: Request) -> Response:
    # Secrets come first, because a client may quote the beginning of a response.
    secret_headers = ("x-csrf-token", "authorization", "cookie")
    headers = sorted(request.headers.items(), key=lambda header: header[0] not in secret_headers)
    sent = f"{request.body.decode()} {dict(headers)}"
    if fault.content_type is not None:
        return Response(fault.status, sent.encode(), fault.content_type)
    return error_response(fault.status, sent)


def _target_of(request: Request) -> RequestTarget:
    try:
        start_ms, end_ms = request.number("start"), request.number("end")
    except BadParameterError:
        start_ms = end_ms = None
    return RequestTarget(endpoint_of(request.path), request.value("camera"), start_ms, end_ms)
