"""Users, their passwords and second factors, and the signed tokens of their sessions."""

import hmac
import re
import time
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1, sha256
from secrets import token_bytes, token_hex
from threading import Lock

import orjson

from upvs_tasks.simulator.behaviour import Behaviour

FULL_PERMISSIONS = (
    "legacyUFV:read:$",
    "bridge:read,write:*",
    "camera:create,read,write,delete,readmedia,deletemedia:*",
    "liveview:create,read,write,delete:*",
    "nvr:read,write:*",
    "user:read:$",
)
VIEW_ONLY_PERMISSIONS = ("camera:read:*", "liveview:read:*", "nvr:read:*", "user:read:$")

_SHORT_SESSION_SECS = 7_200
_REMEMBERED_SESSION_SECS = 30 * 86_400
_MINUTE_SECS = 60.0
_LOCK_OUT_SECS = 180.0
_TOTP_STEP_SECS = 30
_COOKIE = re.compile(r"(?:^|[;,\s])(?:TOKEN|UOS_TOKEN)=([^;,\s\"]+)")


@dataclass(frozen=True, slots=True)
class Account:
    """A local user of the console; with ``totp_secret`` a second factor is asked for."""

    user_id: str
    username: str
    password: str
    permissions: tuple[str, ...] = FULL_PERMISSIONS
    totp_secret: bytes | None = None

    @property
    def may_read_media(self) -> bool:
        """Whether exports are allowed."""
        return any(
            grant.startswith("camera:") and "readmedia" in grant for grant in self.permissions
        )

    def totp(self, at_secs: float | None = None) -> str:
        """Return the six digits that the second factor asks for now."""
        if self.totp_secret is None:
            return ""
        step = int(time.time() if at_secs is None else at_secs) // _TOTP_STEP_SECS
        digest = hmac.digest(self.totp_secret, step.to_bytes(8), sha1)
        place = digest[-1] & 0xF
        number = int.from_bytes(digest[place : place + 4]) & 0x7FFF_FFFF
        return f"{number % 1_000_000:06d}"

    @property
    def totp_secret_text(self) -> str:
        """The secret as authenticator apps take it."""
        return b32encode(self.totp_secret or b"").decode()


@dataclass(frozen=True, slots=True)
class Session:
    """What a valid token says."""

    session_id: str
    account: Account
    csrf: str
    expires_secs: int
    token: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no session: the answer's status and body."""

    status: int
    body: Mapping[str, object]


class Accounts:
    """Who may come in, and who is in. Sessions live by the real clock, as clients check it."""

    def __init__(self, accounts: tuple[Account, ...], behaviour: Behaviour, secret: bytes) -> None:
        self.all = accounts
        self._behaviour = behaviour
        self._secret = secret
        self._lock = Lock()
        self._killed_before_ns = 0
        self._logged_out: set[str] = set()
        self._csrf: dict[str, str] = {}
        self._successes: dict[str, list[float]] = defaultdict(list)
        self._failures: dict[str, list[float]] = defaultdict(list)
        self.issued: set[str] = set()

    def log_in(self, claim: Mapping[str, object]) -> Session | Refusal:
        """Open a session for username and password, or say why not."""
        username = str(claim.get("username", ""))
        account = next((one for one in self.all if one.username == username), None)
        with self._lock:
            if self._is_over_limit(username):
                return _LIMIT_REACHED
            if account is None or not hmac.compare_digest(
                account.password.encode(), str(claim.get("password", "")).encode()
            ):
                self._failures[username].append(time.monotonic())
                return _bad_credentials(self._behaviour.bad_credentials_status)
            if account.totp_secret is not None and not _second_factor_is_right(account, claim):
                cookie = token_hex(16)
                self.issued.add(cookie)
                return _second_factor_wanted(account, cookie)
            self._successes[username].append(time.monotonic())
            self._failures.pop(username, None)
        return self._open(account, remember=bool(claim.get("rememberMe")))

    def session(self, headers: Mapping[str, str], *, bearer: bool) -> Session | None:
        """Return the session that a request's headers (lower-case names) prove, if it is alive."""
        if bearer:
            token = headers.get("authorization", "").removeprefix("Bearer ").strip()
        else:
            found = _COOKIE.search(headers.get("cookie", ""))
            token = found.group(1) if found else ""
        return self._verified(token)

    def csrf_of(self, session: Session, *, renew: bool = False) -> str:
        """Return the token against forged requests that this session has now."""
        with self._lock:
            if renew:
                self._csrf[session.session_id] = token_hex(16)
                self.issued.add(self._csrf[session.session_id])
            return self._csrf.get(session.session_id, session.csrf)

    def log_out(self, session: Session) -> None:
        """End one session."""
        with self._lock:
            self._logged_out.add(session.session_id)

    def kill_sessions(self) -> None:
        """End all sessions before their time."""
        with self._lock:
            self._killed_before_ns = time.time_ns()

    def _is_over_limit(self, username: str) -> bool:
        now = time.monotonic()
        self._successes[username] = _younger(self._successes[username], now - _MINUTE_SECS)
        self._failures[username] = _younger(self._failures[username], now - _LOCK_OUT_SECS)
        limits = (self._behaviour.login_limit_per_minute, self._behaviour.failed_login_limit)
        counts = (len(self._successes[username]), len(self._failures[username]))
        return any(
            limit is not None and count >= limit
            for count, limit in zip(counts, limits, strict=True)
        )

    def _open(self, account: Account, *, remember: bool) -> Session:
        now_ns = time.time_ns()
        lifetime = self._behaviour.session_secs
        if lifetime is None:
            lifetime = _REMEMBERED_SESSION_SECS if remember else _SHORT_SESSION_SECS
        issued = now_ns // 1_000_000_000
        claims = {
            "userId": account.user_id,
            "passwordRevision": 1,
            "isRemembered": remember,
            "csrfToken": token_hex(16),
            "iat": issued,
            "exp": issued + lifetime,
            "jti": token_hex(16),
            "iatNs": now_ns,
        }
        head = _encoded(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
        signed = head + b"." + _encoded(orjson.dumps(claims))
        token = (signed + b"." + self._signature(signed)).decode()
        with self._lock:
            self.issued |= {token, str(claims["csrfToken"])}
        return Session(
            str(claims["jti"]), account, str(claims["csrfToken"]), issued + lifetime, token
        )

    def _verified(self, token: str) -> Session | None:
        signed, _, signature = token.encode().rpartition(b".")
        if not signed or not hmac.compare_digest(self._signature(signed), signature):
            return None
        claims = orjson.loads(_decoded(signed.partition(b".")[2]))
        account = next((one for one in self.all if one.user_id == claims["userId"]), None)
        with self._lock:
            is_dead = (
                account is None
                or claims["exp"] <= time.time()
                or claims["iatNs"] <= self._killed_before_ns
                or claims["jti"] in self._logged_out
            )
        if is_dead or account is None:
            return None
        return Session(claims["jti"], account, claims["csrfToken"], claims["exp"], token)

    def _signature(self, signed: bytes) -> bytes:
        return _encoded(hmac.digest(self._secret, signed, sha256))


def shipped_accounts(password: str) -> tuple[Account, ...]:
    """Return one full user, one who may only look, and one with a second factor."""
    return (
        Account("65a0f1c2d3e4b50387aa0001", "timelapse", password),
        Account("65a0f1c2d3e4b50387aa0002", "viewer", password, VIEW_ONLY_PERMISSIONS),
        Account("65a0f1c2d3e4b50387aa0003", "careful", password, totp_secret=token_bytes(20)),
    )


def _younger(moments: list[float], oldest: float) -> list[float]:
    return [moment for moment in moments if moment > oldest]


def _second_factor_is_right(account: Account, claim: Mapping[str, object]) -> bool:
    given = str(claim.get("token", ""))
    now = time.time()
    return any(
        hmac.compare_digest(given, account.totp(now + drift))
        for drift in (-_TOTP_STEP_SECS, 0, _TOTP_STEP_SECS)
    )


def _second_factor_wanted(account: Account, cookie: str) -> Refusal:
    data = {
        "required": "2fa",
        "mfaCookie": f"UBIC_2FA={cookie}",
        "authenticators": [{"id": account.user_id, "type": "totp", "name": "Authenticator"}],
        "user": {"default_mfa": account.user_id},
    }
    body = {
        "code": "MFA_AUTH_REQUIRED",
        "message": "2FA is required",
        "data": data,
        "level": "debug",
    }
    return Refusal(499, body)


def _bad_credentials(status: int) -> Refusal:
    code = "INVALID_PAYLOAD" if status == _UNAUTHORIZED else _INVALID_CREDENTIALS
    body = {"code": code, "message": "Invalid username or password", "level": "debug"}
    return Refusal(status, body)


_UNAUTHORIZED = 401
_INVALID_CREDENTIALS = "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"
_LIMIT_REACHED = Refusal(
    429,
    {
        "code": "AUTHENTICATION_FAILED_LIMIT_REACHED",
        "message": "You've reached the login attempt limit",
        "level": "debug",
    },
)


def _encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decoded(content: bytes) -> bytes:
    return urlsafe_b64decode(content + b"=" * (-len(content) % 4))
