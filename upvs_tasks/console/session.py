import base64
import binascii
import re
from typing import Any

import orjson
import requests

from upvs_tasks.console.session_file import KeptSession
from upvs_tasks.console.transport import Transport
from upvs_tasks.errors import TransientError

SESSION_COOKIES = ("TOKEN", "UOS_TOKEN")
_BEARER = "Authorization"
# Newest first: a console that changes its token announces the next one under the first name.
_CSRF_HEADERS = ("X-Updated-CSRF-Token", "X-CSRF-Token")
_EXPIRY_HEADER = "X-Token-Expire-Time"
_FIT_FOR_A_HEADER = re.compile(r"[\x21-\x7e]{1,4096}")


class Session:
    """What one login gave: a session with its own cookies, and the CSRF token of the moment."""

    def __init__(self, transport: Transport) -> None:
        self.session = transport.session()
        self.csrf_token = ""
        self.token = ""
        self._name = ""
        self._expires_secs = 0
        self._transport = transport

    @classmethod
    def of_kept(cls, kept: KeptSession, transport: Transport) -> "Session | None":
        """The pass of a session that was kept; None where it is fit for no header."""
        entered = cls(transport)
        if not _FIT_FOR_A_HEADER.fullmatch(kept.token) or not kept.token:
            return None
        if kept.name == _BEARER:
            entered.session.headers[_BEARER] = f"Bearer {kept.token}"
        elif kept.name in SESSION_COOKIES:
            entered.session.cookies.set(kept.name, kept.token, secure=True)
        else:
            return None
        entered._take(kept.name, kept.token)
        if _FIT_FOR_A_HEADER.fullmatch(kept.csrf_token):
            entered.adopt(kept.csrf_token)
        return entered

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

    def take_cookie(self, response: requests.Response) -> None:
        """Go on with the cookie that a login gave. Raises TransientError when it gave none."""
        cookies = self.session.cookies
        name = next((name for name in SESSION_COOKIES if name in cookies), None)
        if name is None:
            raise TransientError("the console took the login but gave no session cookie")
        self._take(name, str(cookies[name]), response)
        claim = _claims(self.token).get("csrfToken")
        if not self.csrf_token and isinstance(claim, str) and _FIT_FOR_A_HEADER.fullmatch(claim):
            self.adopt(claim)

    def take_bearer(self, response: requests.Response) -> None:
        """Go on with the token in a login's header. Raises TransientError when there is none."""
        token = response.headers.get(_BEARER, "").removeprefix("Bearer ")
        if not _FIT_FOR_A_HEADER.fullmatch(token):
            raise TransientError("the console took the login but gave no bearer token")
        self._take(_BEARER, token, response)
        self.session.headers[_BEARER] = f"Bearer {token}"

    def to_keep(self) -> KeptSession | None:
        """What a later process needs; None where the console does not say how long it lasts."""
        if not self._expires_secs:
            return None
        return KeptSession(self._name, self.token, self.csrf_token, self._expires_secs)

    def _take(self, name: str, token: str, response: requests.Response | None = None) -> None:
        self._name, self.token = name, token
        self._transport.keep_secret(token)
        if response is not None:
            claim = _claims(token).get("exp")
            announced_ms = response.headers.get(_EXPIRY_HEADER, "")
            if isinstance(claim, int):
                self._expires_secs = claim
            elif announced_ms.isascii() and announced_ms.isdigit():
                self._expires_secs = int(announced_ms) // 1000


def _claims(token: str) -> dict[str, Any]:
    """What a session token says of itself; nothing where it is not a JSON web token."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
