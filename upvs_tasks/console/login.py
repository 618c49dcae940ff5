"""How a console of either kind accepts an account; one attempt at a time."""

import hmac
from base64 import b32decode
from binascii import Error
from collections.abc import Iterator
from hashlib import sha1

import requests

from upvs_tasks.clock import Clock
from upvs_tasks.console.body import whole_body
from upvs_tasks.console.endpoint import Credentials
from upvs_tasks.console.failures import ErrorResponse, UnexpectedStatusError, failed_request
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import OnWait
from upvs_tasks.console.session import Session
from upvs_tasks.console.transport import Transport
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import (
    ConsoleError,
    SecondFactorError,
    SettingsError,
    TransientError,
    Unauthorized,
    UpvsError,
)

# Clocks differ: a code of the first second of its time may still be the former one to the console.
_CLOCK_DIFFERENCE_SECS = 1.0
_CODE_SECS = 30
_CODE_DIGITS = 6
_LETTERS_PER_GROUP = 8
_UNFIT_TOTP = (
    "totp_secret is no secret in base 32: give the letters A to Z and digits 2 to 7 that the "
    "console shows beside the QR code"
)


class TooManyLoginsError(TransientError):
    """The console accepts no login for now."""


class Login:
    """Logs one account in to one console. Raises SettingsError for an unfit ``totp_secret``."""

    def __init__(  # noqa: PLR0913  what it takes to log in, to wait and to count
        self,
        credentials: Credentials,
        transport: Transport,
        *,
        direct_api: bool,
        clock: Clock,
        usage: UsageCounter,
        on_wait: OnWait,
    ) -> None:
        self.what = f"the login at {transport.base_url}"
        self._credentials = credentials
        self._transport = transport
        self._direct_api = direct_api
        self._clock = clock
        self._usage = usage
        self._on_wait = on_wait
        self._code_is_used = False
        if credentials.totp_secret:
            totp(credentials.totp_secret, 0)

    def attempt(self) -> Session:
        """A new session.

        Raises AccessError, TooManyLoginsError, any other TransientError, or ConsoleError.
        """
        with self._usage.lock:
            self._usage.login_attempts += 1
        return self._log_in_directly() if self._direct_api else self._log_in_to_unifi_os()

    def _log_in_to_unifi_os(self) -> Session:
        """A session with a cookie. The console ends it after two hours."""
        session = self._transport.new_session()
        body = self._body() | {"rememberMe": False, "token": ""}
        answer = self._post(session, "/api/auth/login", body)
        if isinstance(answer, ErrorResponse) and answer.wants_second_factor:
            answer = self._post_code(session, body, answer)
        if isinstance(answer, ErrorResponse):
            raise self._error_for(answer)
        session.adopt_cookie(answer.headers)
        return session

    def _log_in_directly(self) -> Session:
        """A session of a recorder without UniFi OS: a bearer token in a header of the answer."""
        session = self._transport.new_session()
        answer = self._post(session, "/api/auth", self._body())
        if isinstance(answer, ErrorResponse):
            raise self._error_for(answer)
        session.adopt_bearer_token(answer.headers)
        return session

    def _body(self) -> dict[str, object]:
        return {"username": self._credentials.username, "password": self._credentials.password}

    def _post(
        self, session: Session, path: str, body: dict[str, object]
    ) -> requests.Response | ErrorResponse:
        request = ApiRequest(self.what, path, method="POST", body=body)
        try:
            return self._transport.send(request, self._with_body, session)
        except UnexpectedStatusError as error:
            return error.response

    def _with_body(self, response: requests.Response) -> requests.Response:
        """The answer once its body has come; only its headers matter."""
        whole_body(response, self.what, self._clock.monotonic_secs)
        return response

    def _post_code(
        self, session: Session, body: dict[str, object], wanted: ErrorResponse
    ) -> requests.Response | ErrorResponse:
        """The answer to the same login with a one-time code. Raises SecondFactorError."""
        name, _, value = wanted.second_factor_cookie.partition("=")
        cookies = session.http.cookies
        if value and name not in cookies:
            session.redactor.add(value)
            cookies.set(name, value, secure=True)
        for code in self._codes():
            session.redactor.add(code)
            answer = self._post(session, "/api/auth/login", body | {"token": code})
            is_wrong = isinstance(answer, ErrorResponse) and (
                answer.wants_second_factor or answer.status in {401, 403}
            )
            if not is_wrong:
                del cookies[name]
                return answer
        raise SecondFactorError(f"{self.what}: the console refuses {self._refused_code()}")

    def _codes(self) -> Iterator[str]:
        """The code of this moment, then the next one: a console accepts no code twice."""
        secret, clock = self._credentials.totp_secret, self._clock
        if secret:
            yield totp(secret, clock.unix_secs())
            left_secs = _CODE_SECS - clock.unix_secs() % _CODE_SECS + _CLOCK_DIFFERENCE_SECS
            self._on_wait(f"{self.what}: the next one-time code", left_secs)
            clock.sleep(left_secs)
            yield totp(secret, clock.unix_secs())
        elif not self._credentials.one_time_code:
            raise SecondFactorError(
                f"{self.what}: the account wants a one-time code; use a local account made on the "
                "console itself (Admins & Users, restrict to local access only), or set "
                "totp_secret or, for a single login, one_time_code"
            )
        elif self._code_is_used:
            raise SecondFactorError(
                f"{self.what}: the session has ended, and a one-time code is good for a single "
                "login; run again with a new one, or set totp_secret"
            )
        else:
            self._code_is_used = True
            yield self._credentials.one_time_code.strip()

    def _refused_code(self) -> str:
        if self._credentials.totp_secret:
            return "the codes of totp_secret; check the secret, and this machine's clock"
        return "the one-time code; it is wrong, too old or was used already: give a new one"

    def _error_for(self, response: ErrorResponse) -> UpvsError:
        if response.wants_second_factor:
            return SecondFactorError(
                f"{self.what}: the account wants a one-time code, which a recorder without UniFi "
                "OS cannot be given; use a local account"
            )
        answered = f"{self.what}: the console answered {response.status}"
        match response.status:
            case 401 | 403:
                return Unauthorized(
                    f"{answered}; check username and password, and that the account is a local "
                    "one of the console with access to Protect"
                )
            case 429:
                return TooManyLoginsError(
                    f"{self.what}: the console accepts no more logins for now (answer 429)",
                    retry_after_secs=response.retry_after_secs,
                )
            case 400 | 404:
                kind = (
                    "has UniFi OS: leave direct_api off" if self._direct_api else "has no UniFi OS"
                )
                return failed_request(response, f"{answered}; it may be restarting, or it {kind}")
            case 408 | 425 | 500 | 501 | 502 | 503 | 504:
                return failed_request(response, answered)
        return ConsoleError(answered)


def totp(secret: str, unix_secs: float) -> str:
    """The one-time code of an instant (RFC 6238, as apps do it: SHA-1, 30 s, 6 digits).

    ``secret`` is in base 32, in groups or not, with padding or without. Raises SettingsError.
    """
    letters = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    try:
        key = b32decode(letters + "=" * (-len(letters) % _LETTERS_PER_GROUP))
    except (Error, ValueError) as error:
        raise SettingsError(_UNFIT_TOTP) from error
    if not key:
        raise SettingsError(_UNFIT_TOTP)
    counter = int(unix_secs) // _CODE_SECS
    digest = hmac.digest(key, counter.to_bytes(8), sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number)[-_CODE_DIGITS:].zfill(_CODE_DIGITS)
