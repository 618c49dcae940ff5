"""The way in: one login a process, shared by its threads."""

import logging
from copy import copy
from threading import Lock

from upvs_tasks.clock import Clock
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.login import Login, TooManyLoginsError
from upvs_tasks.console.retry import RetryPolicy, retry
from upvs_tasks.console.session import Session
from upvs_tasks.console.session_file import SessionFile
from upvs_tasks.console.transport import Transport
from upvs_tasks.errors import LoginLimitError, MaxAttemptsExceeded, TransientError, UpvsError

log = logging.getLogger(__name__)

# UniFi OS takes five logins a minute, and after as many wrong ones none for three; it names no
# time when it has had enough.
_LOGIN_PAUSE_SECS = 60.0
_LONGEST_LOGIN_PAUSE_SECS = 240.0
_LONGEST_LOGIN_WAIT_SECS = 600.0


class Authenticator:
    """The login that all threads share; made at first need, renewed when the console forgets it.

    Once the console has refused for good, every later call fails at once with the same error.
    """

    def __init__(
        self,
        access: Access,
        transport: Transport,
        *,
        patience: RetryPolicy,
        surroundings: Clock,
    ) -> None:
        self._transport = transport
        self._patience = patience
        self._surroundings = surroundings
        self._login = Login(access, transport, surroundings)
        self._file = _session_file(access)
        self._lock = Lock()
        self._rounds = 0
        self._pass: Session | None = None
        self._failure: UpvsError | None = None
        self.has_been_in = False

    def current(self) -> Session:
        """The pass in use; takes up the one that was kept, or logs in, when there is none."""
        return self._other_than(None)

    def renewed(self, spent: Session) -> Session:
        """A pass newer than the spent one: logs in unless another thread has done so already."""
        return self._other_than(spent)

    def shut(self, error: UpvsError) -> UpvsError:
        """Let nobody in any more, for this reason; gives the error to raise."""
        with self._lock:
            self._failure = error
            return error

    def _other_than(self, spent: Session | None) -> Session:
        round_seen = self._rounds
        with self._lock:
            if self._failure is not None and self._concerns(round_seen):
                raise copy(self._failure)
            if self._pass is None and self._rounds == 0:
                self._pass = self._kept()
            if self._pass is None or self._pass is spent:
                self._pass = None
                self._pass = self._let_in(spent)
            return self._pass

    def _concerns(self, round_seen: int) -> bool:
        """Whether the last failure is final, or happened while this thread waited for its turn."""
        may_heal = isinstance(self._failure, MaxAttemptsExceeded | TransientError)
        return not may_heal or round_seen != self._rounds

    def _kept(self) -> Session | None:
        """The pass of an earlier process; the console that gave it was there not long ago."""
        kept = self._file.read(self._surroundings.unix_secs()) if self._file else None
        taken_up = Session.of_kept(kept, self._transport) if kept else None
        self.has_been_in = taken_up is not None
        return taken_up

    def _let_in(self, spent: Session | None) -> Session:
        if self._file is not None and spent is not None:
            self._file.drop(spent.token)
        try:
            entered = self._politely()
        except UpvsError as error:
            self._failure = error
            raise copy(error) from error
        finally:
            self._rounds += 1
        self._failure = None
        self.has_been_in = True
        if self._file is not None and (kept := entered.to_keep()) is not None:
            self._file.write(kept)
        return entered

    def _politely(self) -> Session:
        """Wait while the console takes no more logins. Raises LoginLimitError after long."""
        waited_secs, pause_secs = 0.0, _LOGIN_PAUSE_SECS
        while True:
            try:
                return self._patiently()
            except TooManyLoginsError as error:
                share = RetryPolicy.share(self._surroundings.roll())
                wait_secs = error.retry_after_secs or pause_secs * share
                if waited_secs + wait_secs > _LONGEST_LOGIN_WAIT_SECS:
                    raise LoginLimitError(
                        f"{error}, even after {waited_secs:.0f} s; wait some minutes, then run "
                        "again"
                    ) from error
                if not waited_secs:
                    facts = {"reason": str(error), "wait_secs": round(wait_secs, 3)}
                    log.warning("login has to wait", extra=facts)
            self._surroundings.sleep(wait_secs)
            waited_secs += wait_secs
            pause_secs = min(_LONGEST_LOGIN_PAUSE_SECS, 2 * pause_secs)

    def _patiently(self) -> Session:
        """Try more than once only at the first login: later failures are the weather's to judge."""
        if self.has_been_in or self._rounds:
            return self._login.enter()
        try:
            return retry(
                self._login.enter,
                patience=self._patience,
                what=self._login.what,
                sleep=self._surroundings.sleep,
                roll=self._surroundings.roll,
                on_retry=self._transport.note_retry,
            )
        except MaxAttemptsExceeded as error:
            if isinstance(error.__cause__, FailedRequestError) and error.__cause__.is_breakdown:
                raise error.__cause__ from None
            raise


def _session_file(access: Access) -> SessionFile | None:
    if access.session_file is None:
        return None
    return SessionFile(access.session_file, base_url=access.base_url, username=access.username)
