"""What the console answers to each path."""

from collections.abc import Callable, Mapping
from itertools import count
from threading import Lock

import orjson

from upvs_tasks.simulator import exchange
from upvs_tasks.simulator.accounts import Accounts, Refusal, Session
from upvs_tasks.simulator.behaviour import Behaviour, Csrf, Flavour, NoFootage, TooYoung
from upvs_tasks.simulator.bootstrap import bootstrap_json, nvr_json
from upvs_tasks.simulator.camera_wire import camera_json
from upvs_tasks.simulator.cameras import SimulatedCamera
from upvs_tasks.simulator.events import EventQuery, event_json, matching, page, types_asked
from upvs_tasks.simulator.exchange import (
    NOT_FOUND,
    UNAUTHORIZED,
    BadParameterError,
    Reply,
    Request,
    error_reply,
    json_reply,
)
from upvs_tasks.simulator.mp4 import empty_mp4
from upvs_tasks.simulator.world import World

PROTECT = "/proxy/protect/api/"
LEGACY = "/api/"

_LOGIN = "/api/auth/login"
_LEGACY_LOGIN = "/api/auth"
_LOGOUT = "/api/auth/logout"
_MODEL_NAMES = {
    "": "root",
    "bootstrap": "bootstrap",
    "events": "events",
    "cameras": "cameras",
    "nvr": "nvr",
    "video/export": "export",
    "video/prepare": "prepare",
    "video/download": "download",
}


def endpoint_of(path: str) -> str:
    """Return the short name of an endpoint, as faults are ordered by it."""
    if path in (_LOGIN, _LEGACY_LOGIN):
        return "login"
    if path == _LOGOUT:
        return "logout"
    inner = path.removeprefix(PROTECT).removeprefix(LEGACY).strip("/")
    if inner.startswith("events/"):
        return "event"
    if inner.startswith("cameras/"):
        return "cameras"
    return _MODEL_NAMES.get(inner, inner)


class Routes:
    """The console's answers; whatever goes wrong on the way to the client is not its business."""

    def __init__(self, world: World, accounts: Accounts, host: Callable[[], str]) -> None:
        self._world = world
        self._accounts = accounts
        self._host = host
        self._behaviour: Behaviour = world.behaviour
        self._operations = count(8969)
        self._turns = count()
        self._prepared: dict[str, Request] = {}
        self._lock = Lock()

    def session_of(self, request: Request) -> Session | None:
        """Return the session that the request proves, by cookie or by bearer token."""
        is_legacy = not request.path.startswith(PROTECT) and request.path != _LOGOUT
        return self._accounts.session(request.headers, bearer=is_legacy)

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        try:
            return self._dispatch(request)
        except BadParameterError as error:
            return error_reply(400, f"Invalid parameter: {error}")

    def _dispatch(self, request: Request) -> Reply:
        match (request.method, request.path):
            case ("GET", "/"):
                return self._page()
            case ("POST", "/api/auth/login") if self._behaviour.flavour is not Flavour.LEGACY:
                return self._log_in(request)
            case ("POST", "/api/auth") if self._behaviour.flavour is not Flavour.UNIFI_OS:
                return self._log_in_directly(request)
            case ("POST", "/api/auth/logout"):
                return self._log_out(request)
            case ("GET", path) if self._serves(path):
                return self._private(request, path)
        return NOT_FOUND

    def _serves(self, path: str) -> bool:
        if path.startswith(PROTECT):
            return self._behaviour.flavour is not Flavour.LEGACY
        return path.startswith(LEGACY) and self._behaviour.flavour is not Flavour.UNIFI_OS

    def _page(self) -> Reply:
        page_ = Reply(200, b"<!doctype html><title>UniFi OS</title>", exchange.HTML)
        if self._behaviour.csrf is Csrf.ABSENT:
            return page_
        return page_.with_headers(("X-CSRF-Token", "00000000-0000-4000-8000-000000000000"))

    def _log_in(self, request: Request) -> Reply:
        outcome = self._outcome(request)
        if not isinstance(outcome, Session):
            return outcome
        attributes = "; path=/; samesite=strict; secure; httponly"
        if self._behaviour.cookie_partitioned:
            attributes += "; partitioned"
        profile = {
            "unique_id": outcome.account.user_id,
            "username": outcome.account.username,
            "full_name": outcome.account.username.title(),
            "status": "ACTIVE",
            "isOwner": False,
            "isSuperAdmin": False,
            "deviceToken": outcome.token,
        }
        reply = json_reply(profile).with_headers(
            ("Set-Cookie", f"{self._behaviour.cookie_name}={outcome.token}{attributes}"),
            ("X-Token-Expire-Time", str(outcome.expires_secs * 1000)),
        )
        if self._behaviour.csrf is Csrf.ABSENT:
            return reply
        return reply.with_headers(
            ("X-CSRF-Token", outcome.csrf), ("X-Updated-CSRF-Token", outcome.csrf)
        )

    def _log_in_directly(self, request: Request) -> Reply:
        outcome = self._outcome(request)
        if not isinstance(outcome, Session):
            return outcome
        profile = {"id": outcome.account.user_id, "localUsername": outcome.account.username}
        return json_reply(profile).with_headers(("Authorization", outcome.token))

    def _outcome(self, request: Request) -> Session | Reply:
        try:
            claim = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return error_reply(400, "Bad Request")
        if not isinstance(claim, dict):
            return error_reply(400, "Bad Request")
        outcome = self._accounts.log_in(claim)
        if isinstance(outcome, Refusal):
            return json_reply(outcome.body, outcome.status)
        return outcome

    def _log_out(self, request: Request) -> Reply:
        session = self.session_of(request)
        if session is None:
            return UNAUTHORIZED
        given = request.headers.get("x-csrf-token")
        if self._behaviour.csrf is not Csrf.ABSENT and given != self._accounts.csrf_of(session):
            return error_reply(403, "Invalid CSRF Token")
        self._accounts.log_out(session)
        return json_reply({"success": True})

    def _private(self, request: Request, path: str) -> Reply:
        session = self.session_of(request)
        inner = path.removeprefix(PROTECT).removeprefix(LEGACY).strip("/")
        if session is None:
            if "x-api-key" in request.headers and inner == "bootstrap":
                return error_reply(500, "Internal Server Error")
            return UNAUTHORIZED
        reply = self._model(request, inner, session)
        if self._behaviour.csrf is Csrf.ROTATING:
            fresh = self._accounts.csrf_of(session, renew=True)
            return reply.with_headers(("X-Updated-CSRF-Token", fresh), ("X-CSRF-Token", fresh))
        return reply

    def _model(self, request: Request, inner: str, session: Session) -> Reply:
        match inner.split("/"):
            case ["bootstrap"]:
                reply = json_reply(self._bootstrap(session))
            case ["cameras"]:
                reply = json_reply(self._cameras())
            case ["cameras", camera_id]:
                reply = self._camera(camera_id)
            case ["nvr"]:
                reply = json_reply(self._nvr())
            case ["events"]:
                reply = self._events(request)
            case ["events", identity]:
                reply = self._event(identity)
            case ["keyrings" | "ulp-users"]:
                reply = json_reply([])
            case ["video", what]:
                reply = self._video(request, what, session)
            case _:
                reply = NOT_FOUND
        return reply

    def _bootstrap(self, session: Session) -> Mapping[str, object]:
        return bootstrap_json(self._cameras(), self._nvr(), self._accounts.all, session.account)

    def _nvr(self) -> Mapping[str, object]:
        return nvr_json(self._behaviour, self._world.now_ms(), self._host())

    def _cameras(self) -> list[Mapping[str, object]]:
        return [camera_json(camera, self._world.state_of(camera)) for camera in self._world.cameras]

    def _camera(self, camera_id: str) -> Reply:
        camera = self._world.camera(camera_id)
        if camera is None:
            return NOT_FOUND
        return json_reply(camera_json(camera, self._world.state_of(camera)))

    def _events(self, request: Request) -> Reply:
        query = EventQuery(
            request.number("start"),
            request.number("end"),
            types_asked(request.values("types"), self._behaviour),
            request.values("smartDetectTypes"),
            request.values("cameras"),
            request.number("limit"),
            request.number("offset") or 0,
            request.value("orderDirection"),
        )
        if query.limit is None and (query.start_ms is None) != (query.end_ms is None):
            return error_reply(400, "start and end belong together")
        now_ms = self._world.now_ms()
        rows = matching(self._world.events(query), query, self._behaviour, now_ms)
        shown = page(rows, query, self._behaviour, next(self._turns))
        return json_reply([event_json(event, now_ms) for event in shown])

    def _event(self, identity: str) -> Reply:
        event = self._world.event(identity)
        now_ms = self._world.now_ms()
        if event is None or event.start_ms > now_ms:
            return NOT_FOUND
        return json_reply(event_json(event, now_ms))

    def _video(self, request: Request, what: str, session: Session) -> Reply:
        if not session.account.may_read_media:
            return error_reply(403, "Forbidden")
        match what:
            case "export":
                return self._export(request)
            case "prepare":
                return self._prepare(request)
            case "download":
                return self._download(request)
        return NOT_FOUND

    def _export(self, request: Request) -> Reply:
        camera = self._world.camera(request.value("camera"))
        start_ms, end_ms = request.number("start"), request.number("end")
        channel = request.number("channel") or 0
        if start_ms is None or end_ms is None or start_ms >= end_ms or channel not in range(3):
            return error_reply(400, "Bad Request")
        if camera is None or not camera.is_adopted:
            return NOT_FOUND
        is_young = self._world.is_too_young(end_ms)
        if is_young and self._behaviour.too_young is TooYoung.STATUS_500:
            return json_reply({"error": "Unable to export video"}, 500)
        clip = self._world.clip(camera, start_ms, end_ms, channel=channel)
        if clip is None:
            return self._no_footage()
        self._world.note_export(camera.camera_id)
        return Reply(200, clip, exchange.VIDEO).with_headers(
            (
                "Content-Disposition",
                f'attachment; filename="{_file_name(camera, start_ms, end_ms)}"',
            )
        )

    def _no_footage(self) -> Reply:
        match self._behaviour.no_footage:
            case NoFootage.STATUS_500:
                return json_reply({"error": "No files found matching criteria."}, 500)
            case NoFootage.EMPTY_MP4:
                return Reply(200, empty_mp4(), exchange.VIDEO)
            case _:
                return json_reply({"error": 502, "operationId": next(self._operations)}, 404)

    def _prepare(self, request: Request) -> Reply:
        camera = self._world.camera(request.value("camera"))
        start_ms, end_ms = request.number("start"), request.number("end")
        if camera is None or start_ms is None or end_ms is None or start_ms >= end_ms:
            return error_reply(400, "Bad Request")
        if not camera.recorded_at(start_ms) or start_ms > self._world.now_ms():
            missing = json_reply({"error": "Recording not found"}, 404)
            return missing.with_headers(("X-Error-Code", "kRecordingNotFound"))
        name = _file_name(camera, start_ms, end_ms)
        with self._lock:
            self._prepared[name] = request
        return json_reply({"fileName": name})

    def _download(self, request: Request) -> Reply:
        with self._lock:
            prepared = self._prepared.pop(request.value("filename") or "", None)
        return NOT_FOUND if prepared is None else self._export(prepared)


def _file_name(camera: SimulatedCamera, start_ms: int, end_ms: int) -> str:
    return f"{camera.mac}_0_{start_ms}_{end_ms}.mp4"
