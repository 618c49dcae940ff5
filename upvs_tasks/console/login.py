from collections.abc import Iterator
from dataclasses import replace

import requests

from upvs_tasks.clock import Clock
from upvs_tasks.console import one_time_code
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.failures import ErrorResponse, FailedRequestError
from upvs_tasks.console.session import Session
from upvs_tasks.console.transport import Transport
from upvs_tasks.errors import ConsoleError, SecondFactorError, Unauthorized, UpvsError

# Clocks differ: a code asked for in its first second may be the former one to the console.
_CLOCK_SLACK_SECS = 1.0


class TooManyLoginsError(ConsoleError):
    """The console takes no login for now; ``retry_after_secs`` where it says for how long."""

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class Login:
    """How a console of either kind lets an account in; one attempt at a time."""

    def __init__(self, access: Access, transport: Transport, surroundings: Clock) -> None:
        self.what = f"the login at {transport.base_url}"
        self._access = access
        self._transport = transport
        self._surroundings = surroundings
        self._code_is_used = False
        if access.totp_secret:
            one_time_code.key_of(access.totp_secret)

    def enter(self) -> Session:
        """A new session. Raises AccessError, TooManyLoginsError, TransientError or ConsoleError."""
        return self._directly() if self._access.direct_api else self._by_unifi_os()

    def _by_unifi_os(self) -> Session:
        """A cookie. The session lives two hours, and is renewed when it has ended."""
        entered = Session(self._transport)
        body = self._credentials() | {"rememberMe": False, "token": ""}
        answer = self._knock(entered, "/api/auth/login", body)
        if isinstance(answer, ErrorResponse) and answer.wants_second_factor:
            answer = self._with_code(entered, body, answer)
        if isinstance(answer, ErrorResponse):
            raise self._not_let_in(answer)
        entered.take_cookie(answer)
        return entered

    def _directly(self) -> Session:
        """A recorder without UniFi OS: a bearer token in a header of the answer."""
        entered = Session(self._transport)
        answer = self._knock(entered, "/api/auth", self._credentials())
        if isinstance(answer, ErrorResponse):
            raise self._not_let_in(answer)
        entered.take_bearer(answer)
        return entered

    def _credentials(self) -> dict[str, object]:
        return {"username": self._access.username, "password": self._access.password}

    def _knock(
        self, entered: Session, path: str, body: dict[str, object]
    ) -> requests.Response | ErrorResponse:
        self._transport.count(lambda account: replace(account, logins=account.logins + 1))
        with self._transport.asking(
            entered.session, "POST", path, what=self.what, json=body
        ) as response:
            entered.learn(response)
            refusal = self._transport.refusal(response, what=self.what)
            if refusal is not None:
                return refusal
            self._transport.read(response, what=self.what)
            return response

    def _with_code(
        self, entered: Session, body: dict[str, object], wanted: ErrorResponse
    ) -> requests.Response | ErrorResponse:
        """The answer to the same login with a code. Raises SecondFactorError."""
        name, _, value = wanted.second_factor_cookie.partition("=")
        cookies = entered.session.cookies
        if value and name not in cookies:
            self._transport.keep_secret(value)
            cookies.set(name, value, secure=True)
        for code in self._codes():
            self._transport.keep_secret(code)
            answer = self._knock(entered, "/api/auth/login", body | {"token": code})
            is_wrong = isinstance(answer, ErrorResponse) and (
                answer.wants_second_factor or answer.status in {401, 403}
            )
            if not is_wrong:
                del cookies[name]
                return answer
        raise SecondFactorError(f"{self.what}: the console does not take {self._code_in_words()}")

    def _codes(self) -> Iterator[str]:
        """The code of the moment, and the next one for a console that has seen that already."""
        if self._access.totp_secret:
            now_secs = self._surroundings.unix_secs()
            yield one_time_code.code_at(self._access.totp_secret, now_secs)
            left_secs = one_time_code.secs_to_next(self._surroundings.unix_secs())
            self._surroundings.sleep(left_secs + _CLOCK_SLACK_SECS)
            yield one_time_code.code_at(self._access.totp_secret, self._surroundings.unix_secs())
        elif not self._access.one_time_code:
            raise SecondFactorError(
                f"{self.what}: the account wants a one-time code; use a local account made on the "
                "console itself (Admins & Users, restrict to local access only), or set "
                "totp_secret or, for a single login, one_time_code"
            )
        elif self._code_is_used:
            raise SecondFactorError(
                f"{self.what}: the session has ended, and a one-time code serves for a single "
                "login; run again with a new one, or set totp_secret"
            )
        else:
            self._code_is_used = True
            yield self._access.one_time_code.strip()

    def _code_in_words(self) -> str:
        if self._access.totp_secret:
            return "the codes of totp_secret; check the secret, and this machine's clock"
        return "the one-time code; it is wrong, too old or was used already: give a new one"

    def _not_let_in(self, refusal: ErrorResponse) -> UpvsError:
        if refusal.wants_second_factor:
            return SecondFactorError(
                f"{self.what}: the account wants a one-time code, which a recorder without UniFi "
                "OS cannot be given; use a local account"
            )
        answered = f"{self.what}: the console answered {refusal.status}"
        match refusal.status:
            case 401 | 403:
                return Unauthorized(
                    f"{answered}; check username and password, and that the account is a local "
                    "one of the console with access to Protect"
                )
            case 429:
                return TooManyLoginsError(
                    f"{self.what}: the console takes no more logins for now (answer 429)",
                    retry_after_secs=refusal.retry_after_secs,
                )
            case 400 | 404:
                is_direct = self._access.direct_api
                kind = "has UniFi OS: leave direct_api off" if is_direct else "has no UniFi OS"
                answered = f"{answered}; it may be restarting, or it {kind}"
            case 408 | 425 | 500 | 501 | 502 | 503 | 504:
                pass
            case _:
                return ConsoleError(answered)
        return FailedRequestError(
            answered, status=refusal.status, retry_after_secs=refusal.retry_after_secs
        )
