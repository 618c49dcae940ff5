"""One login for all threads, renewed once when the console has ended its session."""

import logging
from collections.abc import Callable
from copy import copy
from threading import Lock
from typing import TypeVar

import requests

from upvs_tasks.clock import Clock
from upvs_tasks.console.failures import (
    FailedRequestError,
    UnexpectedStatusError,
    error_for_response,
)
from upvs_tasks.console.login import Login, TooManyLoginsError
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import OnWait, RetryPolicy, retry
from upvs_tasks.console.session import Session
from upvs_tasks.console.session_file import SessionFile
from upvs_tasks.console.transport import Transport
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import (
    ConsoleError,
    LoginLimitError,
    MaxAttemptsExceeded,
    TransientError,
    Unauthorized,
    UpvsError,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

# UniFi OS accepts five logins a minute, and after five wrong ones none for three minutes. It names
# no time when it refuses.
_LOGIN_LIMIT_POLICY = RetryPolicy(
    attempts=None, base_secs=60.0, ceiling_secs=240.0, longest_secs=600.0
)


class Authenticator:
    """Sends requests in the session that all threads share.

    It logs in when the first request needs it, and again when the console has ended the session.
    Once the console has refused the account, every later request fails at once with that error.
    """

    def __init__(  # noqa: PLR0913  what it takes to log in, and to wait and count meanwhile
        self,
        login: Login,
        transport: Transport,
        session_file: SessionFile | None,
        *,
        policy: RetryPolicy,
        clock: Clock,
        usage: UsageCounter,
        on_wait: OnWait,
    ) -> None:
        self._login = login
        self._transport = transport
        self._file = session_file
        self._policy = policy
        self._clock = clock
        self._usage = usage
        self._on_wait = on_wait
        self._lock = Lock()
        self._logins = 0
        self._session: Session | None = None
        self._failure: UpvsError | None = None
        self.was_logged_in = False

    def send(self, request: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """See `Sender`; where the session has ended, the request is sent again in a new one."""
        session = self._session_other_than(None)
        try:
            return self._transport.send(request, use, session)
        except UnexpectedStatusError as error:
            if not error.response.ends_session:
                raise error_for_response(error.response, request) from error
        session = self._session_other_than(session)
        with self._usage.lock:
            self._usage.retries += 1
        try:
            return self._transport.send(request, use, session)
        except UnexpectedStatusError as error:
            if not error.response.ends_session:
                raise error_for_response(error.response, request) from error
            raise self._refuse_all(
                Unauthorized(
                    f"{request.what}: the console answered {error.response} even after a fresh "
                    "login; check that the account may use Protect"
                )
            ) from error

    def _refuse_all(self, error: UpvsError) -> UpvsError:
        with self._lock:
            self._failure = error
            return error

    def _session_other_than(self, ended: Session | None) -> Session:
        """The session of all threads; logs in where there is none, or only the ended one."""
        logins_seen = self._logins
        with self._lock:
            if self._failure is not None and self._concerns(self._failure, logins_seen):
                raise copy(self._failure)
            if self._session is None and self._logins == 0:
                self._session = self._saved_session()
            if self._session is None or self._session is ended:
                self._session = None
                self._session = self._new_session(ended)
            return self._session

    def _concerns(self, failure: UpvsError, logins_seen: int) -> bool:
        """Whether the failed login is final, or was tried while this thread waited for it."""
        is_final = not isinstance(failure, MaxAttemptsExceeded | TransientError)
        return is_final or logins_seen != self._logins

    def _saved_session(self) -> Session | None:
        """The session of an earlier process: the console that gave it was there not long ago."""
        saved = self._file.read(self._clock.unix_secs()) if self._file else None
        if saved is None:
            return None
        session = self._transport.new_session()
        self.was_logged_in = session.adopt_saved(saved)
        return session if self.was_logged_in else None

    def _new_session(self, ended: Session | None) -> Session:
        if self._file is not None and ended is not None:
            self._file.drop(ended.token)
        try:
            session = self._log_in()
        except UpvsError as error:
            self._failure = error
            raise copy(error) from error
        finally:
            self._logins += 1
        with self._usage.lock:
            self._usage.logins += 1
        self._failure = None
        self.was_logged_in = True
        if self._file is not None and (saved := session.to_save()) is not None:
            self._file.write(saved)
        return session

    def _log_in(self) -> Session:
        """Retry only the first login: later failures are for the circuit breaker to judge.

        It judges the first one, too, where nobody answers, or nobody with a console behind him.
        """
        if self.was_logged_in or self._logins:
            return self._log_in_within_limit()
        try:
            return retry(
                self._log_in_within_limit,
                self._policy,
                what=self._login.what,
                clock=self._clock,
                on_retry=self._note_retry,
                on_wait=self._on_wait,
            )
        except MaxAttemptsExceeded as error:
            raise _error_of_first_login(error) from None

    def _note_retry(self, error: TransientError, wait_secs: float) -> None:
        with self._usage.lock:
            self._usage.retries += 1
        facts = {"reason": str(error), "wait_secs": round(wait_secs, 3)}
        log.warning("login will be retried", extra=facts)

    def _log_in_within_limit(self) -> Session:
        """Wait while the console accepts no more logins. Raises LoginLimitError after long."""
        started_secs = self._clock.monotonic_secs()
        waits_secs: list[float] = []
        try:
            return retry(
                self._login.attempt,
                _LOGIN_LIMIT_POLICY,
                what=self._login.what,
                clock=self._clock,
                retry_on=TooManyLoginsError,
                on_retry=lambda error, wait_secs: _note_limit(waits_secs, error, wait_secs),
                on_wait=self._on_wait,
            )
        except MaxAttemptsExceeded as error:
            waited_secs = self._clock.monotonic_secs() - started_secs
            raise LoginLimitError(
                f"{error.__cause__}, even after {waited_secs:.0f} s; wait some minutes, then run "
                "again"
            ) from error


def _error_of_first_login(error: MaxAttemptsExceeded) -> ConsoleError:
    match error.__cause__:
        case FailedRequestError(is_server_error=True) | FailedRequestError(was_answered=False):
            return error.__cause__
    return error


def _note_limit(waits_secs: list[float], error: TransientError, wait_secs: float) -> None:
    if not waits_secs:
        facts = {"reason": str(error), "wait_secs": round(wait_secs, 3)}
        log.warning("login has to wait", extra=facts)
    waits_secs.append(wait_secs)
