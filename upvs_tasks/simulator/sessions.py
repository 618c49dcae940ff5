"""Logins, and the sessions that they open. A session is proven by a signed token."""

import hmac
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from threading import Lock

import orjson

from upvs_tasks.simulator.accounts import TOTP_STEP_SECS, UserAccount
from upvs_tasks.simulator.behaviour import Behaviour

_SHORT_SESSION_SECS = 7_200
_REMEMBERED_SESSION_SECS = 30 * 86_400
_MINUTE_SECS = 60.0
_FAILURES_COUNT_SECS = 180.0
_COOKIE = re.compile(r"(?:^|[;,\s])(?:TOKEN|UOS_TOKEN)=([^;,\s\"]+)")
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """What a valid token says."""

    session_id: str
    account: UserAccount
    csrf: str
    expires_secs: int
    token: str


@dataclass(frozen=True, slots=True)
class LoginFailure:
    """Why a login opened no session: status and body of the response."""

    status: int
    body: Mapping[str, object]


class SessionStore:
    """Logs users in and knows which sessions are valid.

    Sessions go by the real clock, because clients compare their expiry with it.
    """

    def __init__(
        self, accounts: tuple[UserAccount, ...], behaviour: Behaviour, secret: bytes
    ) -> None:
        self.accounts = accounts
        self.issued: set[str] = set()
        self._behaviour = behaviour
        self._secret = secret
        self._lock = Lock()
        self._killed_before_ns = 0
        self._logged_out: set[str] = set()
        self._csrf: dict[str, str] = {}
        self._successes: dict[str, list[float]] = defaultdict(list)
        self._failures: dict[str, list[float]] = defaultdict(list)

    def log_in(self, claim: Mapping[str, object]) -> SimulatedSession | LoginFailure:
        """Open a session for a username and a password, or say why not."""
        username = str(claim.get("username", ""))
        account = next((one for one in self.accounts if one.username == username), None)
        with self._lock:
            if self._is_over_limit(username):
                return _LIMIT_REACHED
            if account is None or not _password_is_right(account, claim):
                self._failures[username].append(time.monotonic())
                return _bad_credentials(self._behaviour.bad_credentials_status)
            if account.totp_secret is not None and not _second_factor_is_right(account, claim):
                cookie = token_hex(16)
                self.issued.add(cookie)
                return _second_factor_required(account, cookie)
            self._successes[username].append(time.monotonic())
            self._failures.pop(username, None)
        return self._open(account, remember=bool(claim.get("rememberMe")))

    def session(self, headers: Mapping[str, str], *, bearer: bool) -> SimulatedSession | None:
        """Return the valid session that a request's headers (lower-case names) prove, if any."""
        if bearer:
            token = headers.get("authorization", "").removeprefix("Bearer ").strip()
        else:
            found = _COOKIE.search(headers.get("cookie", ""))
            token = found.group(1) if found else ""
        return self._verified(token)

    def csrf_of(self, session: SimulatedSession, *, renew: bool = False) -> str:
        """Return the CSRF token that is valid for this session; ``renew`` makes a new one."""
        with self._lock:
            if renew:
                self._csrf[session.session_id] = token_hex(16)
                self.issued.add(self._csrf[session.session_id])
            return self._csrf.get(session.session_id, session.csrf)

    def log_out(self, session: SimulatedSession) -> None:
        """End one session."""
        with self._lock:
            self._logged_out.add(session.session_id)

    def kill_sessions(self) -> None:
        """End all sessions before their expiry."""
        with self._lock:
            self._killed_before_ns = time.time_ns()

    def _is_over_limit(self, username: str) -> bool:
        now = time.monotonic()
        successes = _later_than(now - _MINUTE_SECS, self._successes[username])
        failures = _later_than(now - _FAILURES_COUNT_SECS, self._failures[username])
        self._successes[username], self._failures[username] = successes, failures
        limits = (self._behaviour.login_limit_per_minute, self._behaviour.failed_login_limit)
        return any(
            limit is not None and len(moments) >= limit
            for moments, limit in zip((successes, failures), limits, strict=True)
        )

    def _open(self, account: UserAccount, *, remember: bool) -> SimulatedSession:
        now_ns = time.time_ns()
        lifetime_secs = self._behaviour.session_secs
        if lifetime_secs is None:
            lifetime_secs = _REMEMBERED_SESSION_SECS if remember else _SHORT_SESSION_SECS
        issued_secs = now_ns // 1_000_000_000
        expires_secs = issued_secs + lifetime_secs
        session_id, csrf = token_hex(16), token_hex(16)
        claims = {
            "userId": account.user_id,
            "passwordRevision": 1,
            "isRemembered": remember,
            "csrfToken": csrf,
            "iat": issued_secs,
            "exp": expires_secs,
            "jti": session_id,
            "iatNs": now_ns,
        }
        token = self._signed(claims)
        with self._lock:
            self.issued |= {token, csrf}
        return SimulatedSession(session_id, account, csrf, expires_secs, token)

    def _signed(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a JSON web token."""
        head = _encoded(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
        content = head + b"." + _encoded(orjson.dumps(claims))
        return (content + b"." + self._signature(content)).decode()

    def _verified(self, token: str) -> SimulatedSession | None:
        content, _, signature = token.encode().rpartition(b".")
        if not content or not hmac.compare_digest(self._signature(content), signature):
            return None
        claims = orjson.loads(_decoded(content.partition(b".")[2]))
        account = next((one for one in self.accounts if one.user_id == claims["userId"]), None)
        with self._lock:
            is_over = (
                claims["exp"] <= time.time()
                or claims["iatNs"] <= self._killed_before_ns
                or claims["jti"] in self._logged_out
            )
        if is_over or account is None:
            return None
        return SimulatedSession(claims["jti"], account, claims["csrfToken"], claims["exp"], token)

    def _signature(self, content: bytes) -> bytes:
        return _encoded(hmac.digest(self._secret, content, sha256))


def _later_than(oldest: float, moments: list[float]) -> list[float]:
    return [moment for moment in moments if moment > oldest]


def _password_is_right(account: UserAccount, claim: Mapping[str, object]) -> bool:
    given = str(claim.get("password", ""))
    return hmac.compare_digest(account.password.encode(), given.encode())


def _second_factor_is_right(account: UserAccount, claim: Mapping[str, object]) -> bool:
    given = str(claim.get("token", ""))
    now = time.time()
    return any(
        hmac.compare_digest(given, account.totp(now + drift))
        for drift in (-TOTP_STEP_SECS, 0, TOTP_STEP_SECS)
    )


def _second_factor_required(account: UserAccount, cookie: str) -> LoginFailure:
    data = {
        "required": "2fa",
        "mfaCookie": f"UBIC_2FA={cookie}",
        "authenticators": [{"id": account.user_id, "type": "totp", "name": "Authenticator"}],
        "user": {"default_mfa": account.user_id},
    }
    return _failure(499, "MFA_AUTH_REQUIRED", "2FA is required", data=data)


def _bad_credentials(status: int) -> LoginFailure:
    is_older_firmware = status == _UNAUTHORIZED
    code = "INVALID_PAYLOAD" if is_older_firmware else "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"
    return _failure(status, code, "Invalid username or password")


def _failure(status: int, code: str, message: str, **more: object) -> LoginFailure:
    return LoginFailure(status, {"code": code, "message": message, **more, "level": "debug"})


_LIMIT_REACHED = _failure(
    429, "AUTHENTICATION_FAILED_LIMIT_REACHED", "You've reached the login attempt limit"
)


def _encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decoded(content: bytes) -> bytes:
    return urlsafe_b64decode(content + b"=" * (-len(content) % 4))
