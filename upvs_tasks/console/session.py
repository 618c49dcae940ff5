import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from upvs_tasks.console.session_file import SavedSession
from upvs_tasks.errors import TransientError
from upvs_tasks.redaction import Redactor

CSRF_HEADER = "X-CSRF-Token"
# The older name, and that of newer versions of UniFi OS.
SESSION_COOKIES = ("TOKEN", "UOS_TOKEN")
_BEARER = "Authorization"
_EXPIRY_HEADER = "X-Token-Expire-Time"
_HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(slots=True, eq=False)
class Session:
    """What one login gave: its own cookies or bearer token, and the CSRF token of the moment.

    Every token goes to the redactor as soon as it is known.
    """

    http: requests.Session
    redactor: Redactor
    csrf_token: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    _name: str = ""
    _expires_secs: int = 0

    def adopt_csrf_token(self, csrf_token: str) -> None:
        """Send this CSRF token from now on."""
        self.csrf_token = csrf_token
        self.redactor.add(csrf_token)

    def adopt_cookie(self, headers: Mapping[str, str]) -> None:
        """Use the cookie that a login gave. Raises TransientError when it gave none."""
        cookies = self.http.cookies
        name = next((name for name in SESSION_COOKIES if name in cookies), None)
        if name is None:
            raise TransientError("the console accepted the login but gave no session cookie")
        self._adopt(name, str(cookies[name]), _expiry_secs(str(cookies[name]), headers))
        claim = _claims(self.token).get("csrfToken")
        if not self.csrf_token and isinstance(claim, str) and is_header_value(claim):
            self.adopt_csrf_token(claim)

    def adopt_bearer_token(self, headers: Mapping[str, str]) -> None:
        """Use the token in a login's header. Raises TransientError when there is none."""
        token = headers.get(_BEARER, "").removeprefix("Bearer ")
        if not is_header_value(token):
            raise TransientError("the console accepted the login but gave no bearer token")
        self._adopt(_BEARER, token, _expiry_secs(token, headers))
        self.http.headers[_BEARER] = f"Bearer {token}"

    def adopt_saved(self, saved: SavedSession) -> bool:
        """Use the session of an earlier process; returns False where no header can hold it."""
        if not is_header_value(saved.token):
            return False
        if saved.name == _BEARER:
            self.http.headers[_BEARER] = f"Bearer {saved.token}"
        elif saved.name in SESSION_COOKIES:
            self.http.cookies.set(saved.name, saved.token, secure=True)
        else:
            return False
        self._adopt(saved.name, saved.token, saved.expires_secs)
        if is_header_value(saved.csrf_token):
            self.adopt_csrf_token(saved.csrf_token)
        return True

    def to_save(self) -> SavedSession | None:
        """What a later process needs; None where the console does not say how long it lasts."""
        if not self._expires_secs:
            return None
        return SavedSession(self._name, self.token, self.csrf_token, self._expires_secs)

    def _adopt(self, name: str, token: str, expires_secs: int) -> None:
        self._name, self.token, self._expires_secs = name, token, expires_secs
        self.redactor.add(token)


def is_header_value(text: str) -> bool:
    """Whether a header can hold this text as a token."""
    return _HEADER_VALUE.fullmatch(text) is not None


def _expiry_secs(token: str, headers: Mapping[str, str]) -> int:
    """When the session ends (Unix time), by its token or by a header; 0 where neither says."""
    claim = _claims(token).get("exp")
    if isinstance(claim, int):
        return claim
    announced_ms = headers.get(_EXPIRY_HEADER, "")
    return int(announced_ms) // 1000 if announced_ms.isascii() and announced_ms.isdigit() else 0


def _claims(token: str) -> dict[str, Any]:
    """What a session token says of itself; nothing where it is not a JSON web token."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
