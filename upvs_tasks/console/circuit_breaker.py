"""Tells a console that is away as a whole from one that is well and only refuses one request.

While it restarts, for five to seven minutes, a console answers 400, 404 or 503 to anything, or not
at all. Then one thread asks for something that must exist, for all threads. If that fails too, the
circuit is open: all threads wait together until the console is back, and send their requests again
as if nothing had been.
"""

import logging
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import requests

from upvs_tasks.clock import Clock
from upvs_tasks.console.body import whole_body
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.request import ApiRequest, Sender
from upvs_tasks.console.retry import OnWait, RetryPolicy, retry
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import (
    ConsoleError,
    MaxAttemptsExceeded,
    TransientError,
    UnreachableError,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_OUTAGE_SECS = 600.0
# How long the thread that gave up on the console speaks for all others.
_GIVEN_UP_SECS = 30.0
# The pages of a console that comes back are there before its footage may be.
_SETTLING_SECS = 120.0
# A request that fails after each of so many outages fails by itself.
_MOST_OUTAGES = 10
_ABSENT = (400, 404)
_BUSY = 429
_PROBED = "whether the console is there"
_NEVER = float("-inf")


class Circuit:
    """Whether the console is there: the state that all breakers of a client share.

    ``is_known`` says whether a console was ever met at this address. One that was not may be off,
    or begin to start, and is waited for as well. What answers 400 or 404 there is no console.
    """

    def __init__(  # noqa: PLR0913  what it takes to ask, to wait, and to tell of it
        self,
        sender: Sender,
        *,
        api_path: str,
        is_known: Callable[[], bool],
        longest_secs: float,
        clock: Clock,
        on_wait: OnWait,
    ) -> None:
        self._sender = sender
        self._on_wait = on_wait
        # The smaller one first; a console whose recorder has no page of its own has the other.
        self._probes = tuple(
            ApiRequest(_PROBED, api_path + page, "View") for page in ("/nvr", "/bootstrap")
        )
        self._is_known = is_known
        self._longest_secs = longest_secs
        self._clock = clock
        self._lock = Lock()
        self._answered_secs = self._probed_secs = _NEVER
        self._given_up_secs = self._returned_secs = _NEVER
        self._was_open = False
        self._last_failure = ""
        self.outage_secs = 0.0

    def check(self, request: ApiRequest) -> None:
        """Wait while another thread waits for the console; fail if it has just given up."""
        with self._lock:
            if self.now_secs() - self._given_up_secs < _GIVEN_UP_SECS:
                raise self._given_up(request)

    def note_answer(self) -> None:
        """The console has just answered a request."""
        self._answered_secs = self.now_secs()

    def was_open(self, failure: FailedRequestError, sent_secs: float, request: ApiRequest) -> bool:
        """Whether the whole console was the cause of a failure; it is back then.

        Raises what `_given_up` gives when it does not come back.
        """
        is_other_server = failure.was_answered and not failure.is_server_error
        if not failure.may_be_outage or (is_other_server and not self._is_known()):
            return False
        if failure.permanent_error is None and self._answered_secs > sent_secs:
            return False
        failed_secs = self.now_secs()
        with self._lock:
            if self._probed_secs < failed_secs:
                self._wait_until_closed(request)
            return self._was_open

    @property
    def is_settled(self) -> bool:
        """Whether the console has been back for so long that its refusals are facts."""
        return self.now_secs() - self._returned_secs >= _SETTLING_SECS

    def now_secs(self) -> float:
        """The clock that never goes back."""
        return self._clock.monotonic_secs()

    def _wait_until_closed(self, request: ApiRequest) -> None:
        began_secs = self.now_secs()
        self._was_open = False
        # Nobody waits a second time for a console that has not answered since it was given up on.
        attempts = 1 if self._given_up_secs > self._answered_secs else None
        policy = RetryPolicy(attempts=attempts, longest_secs=self._longest_secs)
        try:
            retry(
                self._probe,
                policy,
                what=request.what,
                clock=self._clock,
                on_retry=self._note_open,
                on_wait=self._note_wait,
            )
        except MaxAttemptsExceeded as error:
            self._given_up_secs = self.now_secs()
            self._last_failure = str(error.__cause__)
            raise self._given_up(request) from error
        self.note_answer()
        if self._was_open:
            self._returned_secs = self._answered_secs
            self.outage_secs += self._returned_secs - began_secs
            log.info("console is back", extra={"secs": round(self._returned_secs - began_secs, 1)})

    def _note_open(self, reason: TransientError, _wait_secs: float) -> None:
        if not self._was_open:
            log.warning("console is away, waiting for it", extra={"reason": str(reason)})
        self._was_open = True

    def _note_wait(self, reason: str, longest_secs: float) -> None:
        seen = reason.removeprefix(f"{_PROBED}: ")
        self._on_wait(f"the console is away ({seen})", longest_secs)

    def _probe(self) -> None:
        """Ask for what must exist. Raises TransientError where the console is not there.

        An answer that refuses us for good comes from a console that is there.
        """
        self._probed_secs = self.now_secs()
        for request in self._probes:
            try:
                self._sender.send(request, self._read)
            except FailedRequestError as failure:
                if failure.status == _BUSY:
                    return
                if failure.status not in _ABSENT or request is self._probes[-1]:
                    raise
            except TransientError:
                raise
            except ConsoleError:
                return
            else:
                return

    def _read(self, answer: requests.Response) -> bytes:
        return whole_body(answer, _PROBED, self.now_secs)

    def _given_up(self, request: ApiRequest) -> MaxAttemptsExceeded:
        """The error for a console that stays away: of a clip, or of all that a run needs it for."""
        waited = f"{self._longest_secs:.0f} s"
        if not self._is_known():
            return UnreachableError(
                f"the console cannot be reached: given up after {waited}; the last failure: "
                f"{self._last_failure}; check that host is its address, and that it is on"
            )
        kind = MaxAttemptsExceeded if request.is_export else UnreachableError
        return kind(
            f"{request.what}: given up; the console was waited for {waited} and did not come back; "
            f"the last failure: {self._last_failure}"
        )


class CircuitBreaker:
    """Sends a request again, without costing it an attempt, after the console was away."""

    def __init__(self, inner: Sender, circuit: Circuit, usage: UsageCounter) -> None:
        self._inner = inner
        self._circuit = circuit
        self._usage = usage

    def send(self, request: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """See `Sender`.

        Raises what the inner sender raises; in place of a failure, the permanent error behind it
        once the console has been well for a while; when it stays away, MaxAttemptsExceeded for
        a clip and UnreachableError for anything else.
        """
        circuit, outages = self._circuit, 0
        while True:
            circuit.check(request)
            sent_secs = circuit.now_secs()
            try:
                result = self._inner.send(request, use)
            except FailedRequestError as failure:
                if outages == _MOST_OUTAGES:
                    raise
                if not circuit.was_open(failure, sent_secs, request):
                    if failure.permanent_error is None or not circuit.is_settled:
                        raise
                    raise failure.permanent_error from failure
            else:
                circuit.note_answer()
                return result
            outages += 1
            with self._usage.lock:
                self._usage.retries += 1
