"""A wait that one may wonder about is told, with its reason and its longest time; and once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.console.harness import ConsoleHarness
from tests.waiting import wait_until
from upvs_tasks.clock import Clock
from upvs_tasks.console.concurrency import ConcurrencyLimiter
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import RetryPolicy, retry
from upvs_tasks.console.transport import Transport
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.errors import MaxAttemptsExceeded, TransientError
from upvs_tasks.redaction import Redactor
from upvs_tasks.simulator import Fault, FaultKind


def test_a_login_limit_is_told_with_the_longest_time(harness: ConsoleHarness) -> None:
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=429, times=2))
    assert harness.console.bootstrap().cameras
    [(reason, longest_secs)] = harness.told_waits
    assert "accepts no more logins for now" in reason
    assert longest_secs == pytest.approx(600, abs=5)


def test_a_console_that_is_away_is_told(harness: ConsoleHarness) -> None:
    assert harness.console.bootstrap().cameras
    harness.simulated.order(Fault(FaultKind.REBOOT, path="any", requests=9, status=503))
    harness.events()
    reasons = [reason for reason, _ in harness.told_waits]
    assert [reason.partition(" (")[0] for reason in reasons] == ["the console is away"]
    assert "answered 503" in reasons[0]
    assert harness.told_waits[0][1] > 500


def test_a_gateway_without_a_console_behind_it_is_told(harness: ConsoleHarness) -> None:
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=502, times=8))
    assert harness.console.bootstrap().cameras
    assert len(harness.told_waits) == 1


def test_what_the_console_asks_for_is_told(harness: ConsoleHarness) -> None:
    harness.simulated.order(Fault(FaultKind.STATUS, path="events", status=429, retry_after=40))
    harness.events()
    [(reason, longest_secs)] = harness.told_waits
    assert "the list of events: the console answered 429" in reason
    assert 40 <= longest_secs < 50


def test_the_next_one_time_code_is_told(harness: ConsoleHarness) -> None:
    secret = harness.simulated.account("careful").totp_secret_text
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=499, skip=1))
    console = harness.client(
        credentials=harness.credentials(username="careful", totp_secret=secret)
    )
    console.bootstrap()
    [(reason, longest_secs)] = harness.told_waits
    assert reason.endswith("the next one-time code")
    assert 0 < longest_secs <= 31


@pytest.mark.parametrize("place", ["login", "handshake"])
def test_a_console_that_does_not_answer_is_told(harness: ConsoleHarness, place: str) -> None:
    """While it is waited for, and not only once it is given up."""
    told: list[tuple[str, float]] = []
    endpoint = harness.endpoint()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        if place == "login":
            harness.simulated.order(Fault(FaultKind.STALL_FIRST, path="login", times=None))
        else:
            endpoint = replace(endpoint, host=f"127.0.0.1:{deaf.getsockname()[1]}")
        transport = Transport(
            endpoint,
            connections=1,
            read_timeout_secs=2,
            clock=Clock(),
            redactor=Redactor(),
            usage=UsageCounter(),
            on_wait=lambda reason, longest_secs: told.append((reason, longest_secs)),
            noticed_secs=0.2,
        )
        with ThreadPoolExecutor(1) as pool:
            request = ApiRequest("the login", "/api/auth/login", method="POST", body={})
            asked = pool.submit(transport.send, request, lambda _: None, transport.new_session())
            wait_until(lambda: bool(told))
            assert not asked.done()
            deaf.close()
            harness.simulated.close()
            assert isinstance(asked.exception(), FailedRequestError)
        transport.close()
    assert told == [("the login: no whole answer yet", 12)]


def test_a_short_wait_is_not_told(harness: ConsoleHarness) -> None:
    harness.simulated.order(Fault(FaultKind.STATUS, path="events", status=408, times=2))
    harness.events()
    assert harness.waits_secs != []
    assert harness.told_waits == []


def test_a_pause_of_all_exports_is_told(harness: ConsoleHarness) -> None:
    told: list[float] = []

    class Nothing:
        """Nobody answers."""

        def send(self, _request: ApiRequest, _use: object) -> None:
            """Do nothing."""

    limiter = ConcurrencyLimiter(
        Nothing(),  # type: ignore[arg-type]  # its answer does not matter
        4,
        clock=harness.clock,
        usage=UsageCounter(),
        on_wait=lambda _reason, secs: told.append(secs),
    )
    limiter._pause(60.0)  # noqa: SLF001  what a refusal does
    limiter.send(ApiRequest("an export", "/"), lambda answer: answer)
    assert told == [pytest.approx(60, abs=1)]


@pytest.mark.parametrize(
    ("attempt_secs", "attempts", "told"),
    [
        # Each attempt hangs for ten seconds: two are left, with waits of 1 s and 2 s.
        (10.0, 3, [1 + 2 + 2 * 10]),
        (0.1, 3, []),
        # 1, 2 and 4 s: the third wait makes it long. Then 8 s, and two attempts are left.
        (0.0, 5, [4 + 8 + 2 * (1 + 2) / 3]),
    ],
)
def test_how_long_it_may_take_follows_from_how_long_it_took(
    attempt_secs: float, attempts: int, told: list[float]
) -> None:
    now = [0.0]
    waits: list[tuple[str, float]] = []

    def attempt() -> None:
        now[0] += attempt_secs
        raise TransientError("it hangs")

    def sleep(secs: float) -> None:
        now[0] += secs

    clock = Clock(sleep=sleep, random=lambda: 0.5, monotonic_secs=lambda: now[0])
    with pytest.raises(MaxAttemptsExceeded):
        retry(
            attempt,
            RetryPolicy(attempts=attempts),
            what="the login",
            clock=clock,
            on_wait=lambda reason, secs: waits.append((reason, secs)),
        )
    assert [secs for _, secs in waits] == pytest.approx(told)
    assert {reason for reason, _ in waits} <= {"it hangs"}
