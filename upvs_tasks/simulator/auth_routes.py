"""Login and logout."""

import orjson

from upvs_tasks.simulator.behaviour import Behaviour, Csrf
from upvs_tasks.simulator.messages import (
    UNAUTHORIZED,
    Request,
    Response,
    error_response,
    json_response,
)
from upvs_tasks.simulator.sessions import LoginFailure, SessionStore, SimulatedSession

LOGIN = "/api/auth/login"
RECORDER_LOGIN = "/api/auth"
LOGOUT = "/api/auth/logout"


class AuthRoutes:
    """The responses to logins and logouts."""

    def __init__(self, sessions: SessionStore, behaviour: Behaviour) -> None:
        self._sessions = sessions
        self._behaviour = behaviour

    def log_in(self, request: Request) -> Response:
        """Answer a login to UniFi OS with a cookie."""
        session = self._opened(request)
        if isinstance(session, Response):
            return session
        response = json_response(_profile(session)).with_headers(
            ("Set-Cookie", self._cookie(session)),
            ("X-Token-Expire-Time", str(session.expires_secs * 1000)),
        )
        if self._behaviour.csrf is Csrf.ABSENT:
            return response
        return response.with_headers(
            ("X-CSRF-Token", session.csrf), ("X-Updated-CSRF-Token", session.csrf)
        )

    def log_in_to_recorder(self, request: Request) -> Response:
        """Answer a login to a recorder without UniFi OS with a bearer token."""
        session = self._opened(request)
        if isinstance(session, Response):
            return session
        profile = {"id": session.account.user_id, "localUsername": session.account.username}
        return json_response(profile).with_headers(("Authorization", session.token))

    def log_out(self, request: Request, session: SimulatedSession | None) -> Response:
        """End the session, if the request has its CSRF token."""
        if session is None:
            return UNAUTHORIZED
        given = request.headers.get("x-csrf-token")
        if self._behaviour.csrf is not Csrf.ABSENT and given != self._sessions.csrf_of(session):
            return error_response(403, "Invalid CSRF Token")
        self._sessions.log_out(session)
        return json_response({"success": True})

    def _opened(self, request: Request) -> SimulatedSession | Response:
        try:
            claim = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return error_response(400, "Bad Request")
        if not isinstance(claim, dict):
            return error_response(400, "Bad Request")
        outcome = self._sessions.log_in(claim)
        if isinstance(outcome, LoginFailure):
            return json_response(outcome.body, outcome.status)
        return outcome

    def _cookie(self, session: SimulatedSession) -> str:
        attributes = "; path=/; samesite=strict; secure; httponly"
        if self._behaviour.cookie_partitioned:
            attributes += "; partitioned"
        return f"{self._behaviour.cookie_name}={session.token}{attributes}"


def _profile(session: SimulatedSession) -> dict[str, object]:
    return {
        "unique_id": session.account.user_id,
        "username": session.account.username,
        "full_name": session.account.username.title(),
        "status": "ACTIVE",
        "isOwner": False,
        "isSuperAdmin": False,
        "deviceToken": session.token,
    }
