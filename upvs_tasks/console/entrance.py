"""The way in: one login a process, shared by its threads."""

import base64
import binascii
import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import Any

import orjson
import requests

from upvs_tasks.console.access import Access
from upvs_tasks.console.refusals import Refusal
from upvs_tasks.console.retrying import Patience, persist
from upvs_tasks.console.transport import Transport
from upvs_tasks.errors import (
    AttemptsExhausted,
    ConsoleError,
    LoginLimited,
    SecondFactorNeeded,
    Transient,
    Unauthorized,
    UpvsError,
)

SESSION_COOKIES = ("TOKEN", "UOS_TOKEN")
# UniFi OS takes five logins a minute, and names no time when it has had enough.
_LOGIN_PAUSE_SECS = 60.0
# Newest first: a console that changes its token announces the next one under the first name.
_CSRF_HEADERS = ("X-Updated-CSRF-Token", "X-CSRF-Token")
_FIT_FOR_A_HEADER = re.compile(r"[\x21-\x7e]{1,4096}")


class Pass:
    """What one login gave: a session with its own cookies, and the CSRF token of the moment."""

    def __init__(self, transport: Transport) -> None:
        self.session = transport.session()
        self.csrf_token = ""
        self._transport = transport

    def headers(self) -> dict[str, str]:
        """What goes with each question besides the session's cookie."""
        return {"X-CSRF-Token": self.csrf_token} if self.csrf_token else {}

    def learn(self, response: requests.Response) -> None:
        """Take over the CSRF token of an answer, where it brings one: it changes at any time."""
        for name in _CSRF_HEADERS:
            token = response.headers.get(name, "")
            if _FIT_FOR_A_HEADER.fullmatch(token):
                self.adopt(token)
                return

    def adopt(self, csrf_token: str) -> None:
        """Send this CSRF token from now on."""
        self.csrf_token = csrf_token
        self._transport.keep_secret(csrf_token)


class Entrance:
    """The login that all threads share; made at first need, renewed when the console forgets it.

    Once the console has refused for good, every later call fails at once with the same error.
    """

    def __init__(
        self,
        access: Access,
        transport: Transport,
        *,
        patience: Patience,
        sleep: Callable[[float], object],
        roll: Callable[[], float],
    ) -> None:
        self._access = access
        self._transport = transport
        self._patience = patience
        self._sleep = sleep
        self._roll = roll
        self._lock = Lock()
        self._rounds = 0
        self._pass: Pass | None = None
        self._failure: UpvsError | None = None

    def current(self) -> Pass:
        """The pass in use; logs in when there is none."""
        return self._other_than(None)

    def renewed(self, spent: Pass) -> Pass:
        """A pass newer than the spent one: logs in unless another thread has done so already."""
        return self._other_than(spent)

    def shut(self, error: UpvsError) -> UpvsError:
        """Let nobody in any more, for this reason; gives the error to raise."""
        with self._lock:
            self._failure = error
            return error

    def _other_than(self, spent: Pass | None) -> Pass:
        round_seen = self._rounds
        with self._lock:
            if self._failure is not None and self._concerns(round_seen):
                raise copy(self._failure)
            if self._pass is None or self._pass is spent:
                self._pass = None
                self._pass = self._let_in()
            return self._pass

    def _concerns(self, round_seen: int) -> bool:
        """Whether the last failure is final, or happened while this thread waited for its turn."""
        return not isinstance(self._failure, AttemptsExhausted) or round_seen != self._rounds

    def _let_in(self) -> Pass:
        try:
            entered = persist(
                self._log_in_directly if self._access.direct_api else self._log_in,
                patience=self._patience,
                what=f"the login at {self._transport.base_url}",
                sleep=self._sleep,
                roll=self._roll,
                on_retry=self._transport.note_retry,
            )
        except UpvsError as error:
            self._failure = _gist(error)
            raise copy(self._failure) from error
        finally:
            self._rounds += 1
        self._failure = None
        return entered

    def _log_in(self) -> Pass:
        """UniFi OS: a cookie. The session lives two hours, and is renewed when it has ended."""
        entered = Pass(self._transport)
        body = self._credentials() | {"rememberMe": False, "token": ""}
        self._knock(entered, "/api/auth/login", body)
        cookies = entered.session.cookies
        token = next((cookies[name] for name in SESSION_COOKIES if name in cookies), None)
        if token is None:
            raise Transient("the console took the login but gave no session cookie")
        self._transport.keep_secret(token)
        if not entered.csrf_token:
            entered.adopt(_csrf_claim(token))
        return entered

    def _log_in_directly(self) -> Pass:
        """A recorder without UniFi OS: a bearer token in a header of the answer."""
        entered = Pass(self._transport)
        response = self._knock(entered, "/api/auth", self._credentials())
        token = response.headers.get("Authorization", "").removeprefix("Bearer ")
        if not _FIT_FOR_A_HEADER.fullmatch(token):
            raise Transient("the console took the login but gave no bearer token")
        self._transport.keep_secret(token)
        entered.session.headers["Authorization"] = f"Bearer {token}"
        return entered

    def _credentials(self) -> dict[str, object]:
        return {"username": self._access.username, "password": self._access.password}

    def _knock(self, entered: Pass, path: str, body: dict[str, object]) -> requests.Response:
        """The console's answer to a login that it takes. Raises AccessError or Transient."""
        what = f"the login at {self._transport.base_url}"
        self._transport.count(lambda account: replace(account, logins=account.logins + 1))
        with self._transport.asking(
            entered.session, "POST", path, what=what, json=body
        ) as response:
            entered.learn(response)
            refusal = self._transport.refusal(response, what=what)
            if refusal is not None:
                raise _not_let_in(refusal, what, is_direct=self._access.direct_api)
            self._transport.read(response, what=what)
            return response


class _TooManyLogins(Transient):
    """The console takes no login for now."""


def _gist(error: UpvsError) -> UpvsError:
    if isinstance(error, AttemptsExhausted) and isinstance(error.__cause__, _TooManyLogins):
        return LoginLimited(f"{error}; wait some minutes, then run again")
    return error


def _not_let_in(refusal: Refusal, what: str, *, is_direct: bool) -> UpvsError:
    if refusal.wants_second_factor:
        return SecondFactorNeeded(
            f"{what}: the account wants a one-time code; use a local account made on the console "
            "itself (Admins & Users, restrict to local access only)"
        )
    match refusal.status:
        case 401 | 403:
            return Unauthorized(
                f"{what}: the console answered {refusal.status}; check username and password, and "
                "that the account is a local one of the console with access to Protect"
            )
        case 429:
            pause_secs = refusal.retry_after_secs or _LOGIN_PAUSE_SECS
            message = f"{what}: the console takes no more logins for now (answer 429)"
            return _TooManyLogins(message, retry_after_secs=pause_secs)
        case 400 | 404:
            kind = "has UniFi OS: leave direct_api off" if is_direct else "has no UniFi OS"
            return Transient(
                f"{what}: the console answered {refusal.status}; it may be restarting, or it {kind}"
            )
        case 408 | 425 | 500 | 501 | 502 | 503 | 504:
            message = f"{what}: the console answered {refusal.status}"
            return Transient(message, retry_after_secs=refusal.retry_after_secs)
        case _:
            return ConsoleError(f"{what}: the console answered {refusal.status}")


def _csrf_claim(token: str) -> str:
    """The CSRF token inside a session token, for consoles that send no header; else nothing."""
    try:
        payload = token.split(".")[1]
        claims: Any = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        claim = claims["csrfToken"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return ""
    return claim if isinstance(claim, str) and _FIT_FOR_A_HEADER.fullmatch(claim) else ""
