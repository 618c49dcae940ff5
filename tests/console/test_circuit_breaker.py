import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.console.conftest import Running
from tests.console.harness import CAMERA_ID, DAY, ConsoleHarness, in_no_time
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.retry import RetryPolicy, retry
from upvs_tasks.errors import MaxAttemptsExceeded, NoFootageError, TransientError
from upvs_tasks.simulator import Behaviour, Fault, FaultKind, SimulatedConsole

STATUSES = [400, 404, 500, 502, 503]


def away(requests: int, status: int) -> Fault:
    """A restart that lasts for so many requests, whatever they ask."""
    return Fault(FaultKind.REBOOT, path="any", requests=requests, status=status)


def one_attempt(console: Console, number: int) -> int:
    """Size of a clip that may fail once and no more."""
    into, first_ms = io.BytesIO(), DAY.start_ms + number * 60_000
    return retry(
        lambda: console.export(CAMERA_ID, start_ms=first_ms, end_ms=first_ms + 1_000, into=into),
        patience=RetryPolicy.of(1),
        what="clip",
    ).size_bytes


@pytest.mark.parametrize("status", STATUSES)
def test_a_restart_costs_an_export_no_attempt(asking: ConsoleHarness, status: int) -> None:
    """Not even the only one that it has; something cheap is asked for in the meantime."""
    asking.console.bootstrap()
    asking.simulated.order(away(20, status))
    assert one_attempt(asking.console, 1)
    assert asking.asked("export") == 2
    assert sum(asking.waits_secs) == pytest.approx(asking.console.account.away_secs, rel=0.1)
    assert 30 < sum(asking.waits_secs) < 600


@pytest.mark.parametrize("status", STATUSES)
def test_a_restart_costs_a_list_no_attempt(asking: ConsoleHarness, status: int) -> None:
    """Nor is the day taken for an empty one."""
    asking.console = asking.client(attempts=1)
    expected = asking.events()
    asking.simulated.order(away(20, status))
    assert asking.events() == expected


def test_all_workers_wait_for_the_console_together(running: Running) -> None:
    """One of them looks whether it is back; the others are told."""
    asking = running(Behaviour(export_latency_secs=0.01))
    asking.console.bootstrap()
    asking.simulated.forget_requests()
    asking.simulated.order(away(16, 404))
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda number: one_attempt(asking.console, number), range(16)))
    assert all(sizes)
    assert asking.asked("export") <= 16 + 8
    assert len(asking.simulated.requests) <= 16 + 16 + 2


def test_a_restart_that_ends_the_session_costs_one_login(asking: ConsoleHarness) -> None:
    """Once the console is back it does not know us any more."""
    asking.console.bootstrap()
    asking.simulated.kill_sessions()
    asking.simulated.order(away(12, 503))
    assert one_attempt(asking.console, 1)
    logins = [one.status for one in asking.simulated.requests if one.endpoint == "login"]
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

        access = Access(simulated.host, "timelapse", "p", ca_file=Path(simulated.ca_file))
        surroundings = replace(in_no_time(waits_secs), sleep=wait)
        console = Console(access, patience=RetryPolicy.of(1), surroundings=surroundings)
        stack.enter_context(console)
        console.bootstrap()
        simulated.close()
        assert one_attempt(console, 1)
        assert console.account.away_secs >= sum(waits_secs[:4])


def test_a_console_that_stays_away_is_given_up_on_after_ten_minutes(asking: ConsoleHarness) -> None:
    """With a sentence that says so, and no clip waits for it a second time."""
    asking.console.bootstrap()
    asking.simulated.order(away(10_000, 404))
    with pytest.raises(MaxAttemptsExceeded, match="waited for 600 s and did not come back"):
        one_attempt(asking.console, 1)
    assert sum(asking.waits_secs) == pytest.approx(600, abs=1)
    asked = len(asking.simulated.requests)
    for number in range(2, 30):
        with pytest.raises(MaxAttemptsExceeded, match="did not come back"):
            one_attempt(asking.console, number)
    assert len(asking.simulated.requests) == asked


def test_a_console_that_comes_back_after_it_was_given_up_on_is_asked_again(
    asking: ConsoleHarness,
) -> None:
    """Half a minute later, and without waiting for it any more."""
    asking.console.bootstrap()
    asking.simulated.order(away(10_000, 404))
    with pytest.raises(MaxAttemptsExceeded):
        one_attempt(asking.console, 1)
    asking.waits_secs.append(31)
    waits = len(asking.waits_secs)
    with pytest.raises(MaxAttemptsExceeded):
        one_attempt(asking.console, 2)
    assert len(asking.waits_secs) == waits
    asking.waits_secs.append(31)
    asking.simulated.reboot(0)
    assert one_attempt(asking.console, 3)


def test_a_console_that_has_just_come_back_is_not_believed_that_there_is_no_recording(
    asking: ConsoleHarness,
) -> None:
    """Unless it says so in so many words: its footage may need longer to return than its pages."""
    asking.console.bootstrap()
    no_reason = Fault(FaultKind.STATUS, status=404)
    asking.simulated.order(away(6, 404), no_reason)
    with pytest.raises(TransientError):
        asking.export()
    body = '{"error":502,"operationId":8969}'
    asking.simulated.order(Fault(FaultKind.STATUS, status=404, body=body))
    with pytest.raises(NoFootageError, match="holds no recording"):
        asking.export()
    asking.waits_secs.append(120)
    asking.simulated.order(no_reason)
    with pytest.raises(NoFootageError, match="does not say why"):
        asking.export()


def test_how_long_a_console_is_waited_for_can_be_set(asking: ConsoleHarness) -> None:
    """In seconds."""
    console = asking.client(weather_secs=45)
    console.bootstrap()
    asking.simulated.order(away(10_000, 503))
    with pytest.raises(MaxAttemptsExceeded, match="waited for 45 s"):
        one_attempt(console, 1)
    assert sum(asking.waits_secs) == pytest.approx(45, abs=1)


def test_a_console_never_met_is_not_waited_for(asking: ConsoleHarness) -> None:
    """A wrong address shows within seconds."""
    nowhere = asking.client(replace(asking.access(), host="127.0.0.1:1"))
    with pytest.raises(MaxAttemptsExceeded, match="connection refused"):
        nowhere.bootstrap()
    assert sum(asking.waits_secs) < 30


def test_a_console_that_only_begins_to_start_is_waited_for(asking: ConsoleHarness) -> None:
    """Something answers there already, and says that nothing is behind it yet."""
    asking.simulated.order(away(15, 502))
    assert asking.console.bootstrap().cameras
    assert sum(asking.waits_secs) > 30


@pytest.mark.parametrize("status", [500, 503])
def test_a_console_that_is_well_is_not_waited_for(asking: ConsoleHarness, status: int) -> None:
    """The failure is the clip's own, and counts as an attempt at it."""
    asking.simulated.order(Fault(FaultKind.STATUS, status=status))
    with pytest.raises(TransientError):
        asking.export()
    assert asking.waits_secs == []
    assert asking.asked("nvr") == 1


def test_nobody_looks_whether_a_console_is_there_that_has_just_answered(
    asking: ConsoleHarness,
) -> None:
    """Another worker's success, after the question that failed was put, says so."""
    asking.simulated.order(Fault(FaultKind.STALL_FIRST))
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(one_attempt, asking.console, 1)
        asking.simulated.wait_for_stalls()
        assert asking.events()
        asking.simulated.close()
        assert isinstance(stalled.exception(), MaxAttemptsExceeded)
    assert asking.waits_secs == []


def test_a_console_without_its_recorder_s_page_is_asked_for_the_list(
    asking: ConsoleHarness,
) -> None:
    """Which must exist in any case."""
    asking.simulated.order(
        Fault(FaultKind.STATUS, path="nvr", status=404, times=None),
        Fault(FaultKind.STATUS, status=500),
    )
    with pytest.raises(TransientError):
        asking.export()
    assert asking.waits_secs == []
    assert (asking.asked("nvr"), asking.asked("bootstrap")) == (1, 1)


def test_the_wait_is_told_once_with_its_reason(
    asking: ConsoleHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """And its end."""
    caplog.set_level("INFO", logger="upvs_tasks.console")
    asking.console.bootstrap()
    asking.simulated.order(away(20, 404))
    one_attempt(asking.console, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "console is away, waiting for it",
        "console is back",
    ]
