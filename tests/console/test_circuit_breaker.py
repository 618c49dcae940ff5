import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.console.conftest import Running
from tests.console.harness import CAMERA_ID, DAY, ConsoleHarness, clock_without_waits
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.export import as_received
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.errors import MaxAttemptsExceeded, NoFootageError, UnreachableError
from upvs_tasks.simulator import Behaviour, Fault, FaultKind, SimulatedConsole


@pytest.fixture
def harness(harness: ConsoleHarness) -> ConsoleHarness:
    """A console as shipped, and a client that has a single attempt for each request."""
    harness.console = harness.client(attempts=1)
    return harness


STATUSES = [400, 404, 500, 502, 503]


def away(requests: int, status: int) -> Fault:
    """A restart that lasts for so many requests, whatever they ask."""
    return Fault(FaultKind.REBOOT, path="any", requests=requests, status=status)


def one_attempt(console: Console, number: int) -> int:
    """Size of a clip, exported by a client that has a single attempt."""
    into, first_ms = io.BytesIO(), DAY.start_ms + number * 60_000
    return console.export(
        CAMERA_ID, start_ms=first_ms, end_ms=first_ms + 1_000, into=into, accept=as_received
    ).size_bytes


@pytest.mark.parametrize("status", STATUSES)
def test_a_restart_costs_an_export_no_attempt(harness: ConsoleHarness, status: int) -> None:
    """Not even the only one that it has; something cheap is asked for in the meantime."""
    harness.console.bootstrap()
    harness.simulated.order(away(20, status))
    assert one_attempt(harness.console, 1)
    assert harness.asked("export") == 2
    assert harness.console.usage.retries == 1
    assert sum(harness.waits_secs) == pytest.approx(harness.console.usage.outage_secs, rel=0.1)
    assert 30 < sum(harness.waits_secs) < 600


@pytest.mark.parametrize("status", STATUSES)
def test_a_restart_costs_a_list_no_attempt(harness: ConsoleHarness, status: int) -> None:
    """Nor is the day taken for an empty one."""
    expected = harness.events()
    harness.simulated.order(away(20, status))
    assert harness.events() == expected


def test_all_workers_wait_for_the_console_together(running: Running) -> None:
    """One of them looks whether it is back; the others are told."""
    harness = running(Behaviour(export_latency_secs=0.01))
    harness.console = harness.client(attempts=1)
    harness.console.bootstrap()
    harness.simulated.forget_requests()
    harness.simulated.order(away(16, 404))
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda number: one_attempt(harness.console, number), range(16)))
    assert all(sizes)
    assert harness.asked("export") <= 16 + 8
    assert len(harness.simulated.requests) <= 16 + 16 + 2


def test_a_restart_that_ends_the_session_costs_one_login(harness: ConsoleHarness) -> None:
    """Once the console is back it does not know us any more."""
    harness.console.bootstrap()
    harness.simulated.kill_sessions()
    harness.simulated.order(away(12, 503))
    assert one_attempt(harness.console, 1)
    logins = [one.status for one in harness.simulated.requests if one.endpoint == "login"]
    assert logins.count(200) == 2


def test_a_console_that_takes_no_connections_for_a_while_is_waited_for(state_dir: Path) -> None:
    """Having been met, it is not thought to be a wrong address."""
    waits_secs: list[float] = []
    with ExitStack() as stack:
        simulated = stack.enter_context(SimulatedConsole(state_dir=state_dir, password="p"))
        port = int(simulated.host.rpartition(":")[2])

        def wait(secs: float) -> None:
            waits_secs.append(secs)
            if len(waits_secs) == 4:
                stack.enter_context(SimulatedConsole(state_dir=state_dir, port=port, password="p"))

        console = Console(
            Endpoint(simulated.host, ca_file=Path(simulated.ca_file)),
            Credentials("timelapse", "p"),
            policy=RetryPolicy(attempts=1),
            clock=replace(clock_without_waits(waits_secs), sleep=wait),
        )
        stack.enter_context(console)
        console.bootstrap()
        simulated.close()
        assert one_attempt(console, 1)
        assert console.usage.outage_secs >= sum(waits_secs[:4])


def test_a_console_that_stays_away_is_given_up_on_after_ten_minutes(
    harness: ConsoleHarness,
) -> None:
    """With a sentence that says so, and no clip waits for it a second time."""
    harness.console.bootstrap()
    harness.simulated.order(away(10_000, 404))
    with pytest.raises(MaxAttemptsExceeded, match="waited for 600 s and did not come back"):
        one_attempt(harness.console, 1)
    assert sum(harness.waits_secs) == pytest.approx(600, abs=1)
    asked = len(harness.simulated.requests)
    for number in range(2, 30):
        with pytest.raises(MaxAttemptsExceeded, match="did not come back"):
            one_attempt(harness.console, number)
    assert len(harness.simulated.requests) == asked


def test_a_console_that_comes_back_after_it_was_given_up_on_is_asked_again(
    harness: ConsoleHarness,
) -> None:
    """Half a minute later, and without waiting for it any more."""
    harness.console.bootstrap()
    harness.simulated.order(away(10_000, 404))
    with pytest.raises(MaxAttemptsExceeded):
        one_attempt(harness.console, 1)
    harness.waits_secs.append(31)
    waits = len(harness.waits_secs)
    with pytest.raises(MaxAttemptsExceeded):
        one_attempt(harness.console, 2)
    assert len(harness.waits_secs) == waits
    harness.waits_secs.append(31)
    harness.simulated.reboot(0)
    assert one_attempt(harness.console, 3)


def test_a_console_that_has_just_come_back_is_not_believed_that_there_is_no_recording(
    harness: ConsoleHarness,
) -> None:
    """Unless it says so in so many words: its footage may need longer to return than its pages."""
    harness.console.bootstrap()
    no_reason = Fault(FaultKind.STATUS, status=404)
    harness.simulated.order(away(6, 404), no_reason)
    harness.failed_export()
    body = '{"error":502,"operationId":8969}'
    harness.simulated.order(Fault(FaultKind.STATUS, status=404, body=body))
    with pytest.raises(NoFootageError, match="holds no recording"):
        harness.export()
    harness.waits_secs.append(120)
    harness.simulated.order(no_reason)
    with pytest.raises(NoFootageError, match="does not say why"):
        harness.export()


def test_how_long_a_console_is_waited_for_can_be_set(harness: ConsoleHarness) -> None:
    """In seconds."""
    console = harness.client(attempts=1, longest_outage_secs=45)
    console.bootstrap()
    harness.simulated.order(away(10_000, 503))
    with pytest.raises(MaxAttemptsExceeded, match="waited for 45 s"):
        one_attempt(console, 1)
    assert sum(harness.waits_secs) == pytest.approx(45, abs=1)


@pytest.mark.parametrize("longest_secs", [0, 45, 600])
def test_a_console_never_met_is_waited_for_as_one_that_goes_away(
    harness: ConsoleHarness, longest_secs: int
) -> None:
    """It may be off, or be updated at the time of the nightly run; that is told within seconds."""
    where = replace(harness.endpoint(), host="127.0.0.1:1")
    nowhere = harness.client(where, longest_outage_secs=longest_secs)
    given_up = rf"cannot be reached: given up after {longest_secs} s; .*connection refused"
    with pytest.raises(UnreachableError, match=given_up):
        nowhere.bootstrap()
    first_login_secs = 3
    assert sum(harness.waits_secs) == pytest.approx(longest_secs + first_login_secs, abs=1)
    assert len(harness.told_waits) == (1 if longest_secs else 0)
    for reason, told_secs in harness.told_waits:
        assert "the console is away" in reason
        assert "connection refused" in reason
        assert told_secs == pytest.approx(longest_secs, abs=8)
    waits = len(harness.waits_secs)
    with pytest.raises(UnreachableError):
        nowhere.bootstrap()
    assert len(harness.waits_secs) == waits


def test_a_console_that_comes_on_after_the_start_is_met(state_dir: Path) -> None:
    """The run then goes on as if nothing had been."""
    waits_secs: list[float] = []
    with ExitStack() as stack:
        with SimulatedConsole(state_dir=state_dir, password="p") as former:
            host, ca_file = former.host, Path(former.ca_file)
        port = int(host.rpartition(":")[2])

        def wait(secs: float) -> None:
            waits_secs.append(secs)
            if len(waits_secs) == 8:
                stack.enter_context(SimulatedConsole(state_dir=state_dir, port=port, password="p"))

        console = Console(
            Endpoint(host, ca_file=ca_file),
            Credentials("timelapse", "p"),
            clock=replace(clock_without_waits(waits_secs), sleep=wait),
        )
        stack.enter_context(console)
        assert console.bootstrap().cameras
    assert len(waits_secs) == 8


@pytest.mark.parametrize("status", [400, 404])
def test_another_server_in_the_place_of_a_console_is_not_waited_for(
    harness: ConsoleHarness, status: int
) -> None:
    """A wrong address, or the wrong setting direct_api, shows within seconds."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=status, times=None))
    with pytest.raises(MaxAttemptsExceeded, match=f"answered {status}; it may be restarting"):
        harness.client(attempts=3).bootstrap()
    assert sum(harness.waits_secs) < 10


def test_something_in_the_place_of_a_console_that_never_comes_is_an_unreachable_console(
    harness: ConsoleHarness,
) -> None:
    """A proxy answers for a console that is off."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=502, times=None))
    with pytest.raises(UnreachableError, match=r"given up after 600 s; .*login at .* 502"):
        harness.console.bootstrap()
    assert sum(harness.waits_secs) == pytest.approx(600, abs=1)


def test_a_list_that_a_console_which_was_there_stays_away_for_is_an_unreachable_console(
    harness: ConsoleHarness,
) -> None:
    harness.console.bootstrap()
    harness.simulated.order(away(10_000, 503))
    with pytest.raises(UnreachableError, match="did not come back"):
        harness.events()


def test_a_clip_is_not_what_a_console_is_called_unreachable_for(harness: ConsoleHarness) -> None:
    """One of many is a clip that failed."""
    harness.console.bootstrap()
    harness.simulated.order(away(10_000, 503))
    with pytest.raises(MaxAttemptsExceeded) as caught:
        one_attempt(harness.console, 1)
    assert not isinstance(caught.value, UnreachableError)


def test_a_console_that_only_begins_to_start_is_waited_for(harness: ConsoleHarness) -> None:
    """Something answers there already, and says that nothing is behind it yet."""
    harness.simulated.order(away(15, 502))
    assert harness.console.bootstrap().cameras
    assert sum(harness.waits_secs) > 30


@pytest.mark.parametrize("status", [500, 503])
def test_a_console_that_is_well_is_not_waited_for(harness: ConsoleHarness, status: int) -> None:
    """The failure is the clip's own, and counts as an attempt at it."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=status))
    harness.failed_export()
    assert harness.waits_secs == []
    assert harness.asked("nvr") == 1


def test_nobody_looks_whether_a_console_is_there_that_has_just_answered(
    harness: ConsoleHarness,
) -> None:
    """Another worker's success, after the question that failed was put, says so."""
    harness.simulated.order(Fault(FaultKind.STALL_FIRST))
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(one_attempt, harness.console, 1)
        harness.simulated.wait_for_stalls()
        assert harness.events()
        harness.simulated.close()
        assert isinstance(stalled.exception(), MaxAttemptsExceeded)
    assert harness.waits_secs == []


def test_a_console_without_its_recorder_s_page_is_asked_for_the_list(
    harness: ConsoleHarness,
) -> None:
    """Which must exist in any case."""
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="nvr", status=404, times=None),
        Fault(FaultKind.STATUS, status=500),
    )
    harness.failed_export()
    assert harness.waits_secs == []
    assert (harness.asked("nvr"), harness.asked("bootstrap")) == (1, 1)


def test_the_wait_is_told_once_with_its_reason(
    harness: ConsoleHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """And its end."""
    caplog.set_level("INFO", logger="upvs_tasks.console")
    harness.console.bootstrap()
    harness.simulated.order(away(20, 404))
    one_attempt(harness.console, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "console is away, waiting for it",
        "console is back",
    ]
