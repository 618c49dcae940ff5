"""What the console answers to each path."""

from collections.abc import Callable, Mapping
from itertools import count

from upvs_tasks.simulator.auth_routes import LOGIN, LOGOUT, RECORDER_LOGIN, AuthRoutes
from upvs_tasks.simulator.behaviour import Behaviour, Csrf, Flavour
from upvs_tasks.simulator.descriptions import (
    bootstrap_description,
    camera_description,
    nvr_description,
)
from upvs_tasks.simulator.events import (
    EventQuery,
    event_description,
    matching,
    page,
    requested_types,
)
from upvs_tasks.simulator.messages import (
    HTML,
    NOT_FOUND,
    UNAUTHORIZED,
    BadParameterError,
    Request,
    Response,
    error_response,
    json_response,
)
from upvs_tasks.simulator.sessions import SessionStore, SimulatedSession
from upvs_tasks.simulator.video_routes import VideoRoutes
from upvs_tasks.simulator.world import World

EXPORT_ENDPOINTS = ("export", "download")

_UNIFI_OS_API = "/proxy/protect/api/"
_RECORDER_API = "/api/"
_ENDPOINTS = {
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
    """Return the short name of an endpoint; faults name their requests by it."""
    if path in (LOGIN, RECORDER_LOGIN):
        return "login"
    if path == LOGOUT:
        return "logout"
    resource = _resource_path(path)
    if resource.startswith("events/"):
        return "event"
    if resource.startswith("cameras/"):
        return "cameras"
    return _ENDPOINTS.get(resource, resource)


class Routes:
    """The responses of a console on which nothing fails."""

    def __init__(self, world: World, sessions: SessionStore, host: Callable[[], str]) -> None:
        self._world = world
        self._sessions = sessions
        self._host = host
        self._behaviour: Behaviour = world.behaviour
        self._auth = AuthRoutes(sessions, world.behaviour)
        self._video = VideoRoutes(world)
        self._list_requests = count()

    def session_of(self, request: Request) -> SimulatedSession | None:
        """Return the session that the request proves, by cookie or by bearer token."""
        is_cookie = request.path.startswith(_UNIFI_OS_API) or request.path == LOGOUT
        return self._sessions.session(request.headers, bearer=not is_cookie)

    def respond(self, request: Request) -> Response:
        """Return the response to a request."""
        try:
            return self._dispatch(request)
        except BadParameterError as error:
            return error_response(400, f"Invalid parameter: {error}")

    def _dispatch(self, request: Request) -> Response:
        flavour = self._behaviour.flavour
        match (request.method, request.path):
            case ("GET", "/"):
                return self._web_page()
            case ("POST", path) if path == LOGIN and flavour is not Flavour.LEGACY:
                return self._auth.log_in(request)
            case ("POST", path) if path == RECORDER_LOGIN and flavour is not Flavour.UNIFI_OS:
                return self._auth.log_in_to_recorder(request)
            case ("POST", path) if path == LOGOUT:
                return self._auth.log_out(request, self.session_of(request))
            case ("GET", path) if self._serves(path):
                return self._private(request)
        return NOT_FOUND

    def _serves(self, path: str) -> bool:
        if path.startswith(_UNIFI_OS_API):
            return self._behaviour.flavour is not Flavour.LEGACY
        return path.startswith(_RECORDER_API) and self._behaviour.flavour is not Flavour.UNIFI_OS

    def _web_page(self) -> Response:
        response = Response(200, b"<!doctype html><title>UniFi OS</title>", HTML)
        if self._behaviour.csrf is Csrf.ABSENT:
            return response
        return response.with_headers(("X-CSRF-Token", "00000000-0000-4000-8000-000000000000"))

    def _private(self, request: Request) -> Response:
        session = self.session_of(request)
        resource = _resource_path(request.path)
        if session is None:
            if "x-api-key" in request.headers and resource == "bootstrap":
                return error_response(500, "Internal Server Error")
            return UNAUTHORIZED
        response = self._resource(request, resource, session)
        if self._behaviour.csrf is Csrf.ROTATING:
            token = self._sessions.csrf_of(session, renew=True)
            return response.with_headers(("X-Updated-CSRF-Token", token), ("X-CSRF-Token", token))
        return response

    def _resource(self, request: Request, resource: str, session: SimulatedSession) -> Response:
        match resource.split("/"):
            case ["bootstrap"]:
                response = json_response(self._bootstrap(session))
            case ["cameras"]:
                response = json_response(self._cameras())
            case ["cameras", camera_id]:
                response = self._camera(camera_id)
            case ["nvr"]:
                response = json_response(self._nvr())
            case ["events"]:
                response = self._events(request)
            case ["events", identity]:
                response = self._event(identity)
            case ["keyrings" | "ulp-users"]:
                response = json_response([])
            case ["video", action]:
                response = self._video.respond(request, action, session.account)
            case _:
                response = NOT_FOUND
        return response

    def _bootstrap(self, session: SimulatedSession) -> Mapping[str, object]:
        return bootstrap_description(
            self._cameras(), self._nvr(), self._sessions.accounts, session.account
        )

    def _nvr(self) -> Mapping[str, object]:
        return nvr_description(self._behaviour, self._world.now_ms(), self._host())

    def _cameras(self) -> list[Mapping[str, object]]:
        return [
            camera_description(camera, self._world.state_of(camera))
            for camera in self._world.cameras
        ]

    def _camera(self, camera_id: str) -> Response:
        camera = self._world.camera(camera_id)
        if camera is None:
            return NOT_FOUND
        return json_response(camera_description(camera, self._world.state_of(camera)))

    def _events(self, request: Request) -> Response:
        query = EventQuery(
            request.number("start"),
            request.number("end"),
            requested_types(request.values("types"), self._behaviour),
            request.values("smartDetectTypes"),
            request.values("cameras"),
            request.number("limit"),
            request.number("offset") or 0,
            request.value("orderDirection"),
        )
        if query.limit is None and (query.start_ms is None) != (query.end_ms is None):
            return error_response(400, "start and end belong together")
        now_ms = self._world.now_ms()
        rows = matching(self._world.events(query), query, self._behaviour, now_ms)
        selected = page(rows, query, self._behaviour, next(self._list_requests))
        return json_response([event_description(event, now_ms) for event in selected])

    def _event(self, identity: str) -> Response:
        event = self._world.event(identity)
        now_ms = self._world.now_ms()
        if event is None or event.start_ms > now_ms:
            return NOT_FOUND
        return json_response(event_description(event, now_ms))


def _resource_path(path: str) -> str:
    """Return the path below the API's root."""
    return path.removeprefix(_UNIFI_OS_API).removeprefix(_RECORDER_API).strip("/")
