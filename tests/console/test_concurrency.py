import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.console.conftest import Running
from tests.console.harness import DAY, ConsoleHarness
from tests.waiting import wait_until
from upvs_tasks.console.client import Console
from upvs_tasks.console.export import as_received
from upvs_tasks.errors import MaxAttemptsExceeded
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, FaultKind

MINUTE_MS = 60_000


def bring(console: Console, number: int) -> bytes:
    """A clip of a second, as a worker fetches it."""
    into, first_ms = io.BytesIO(), DAY.start_ms + number * MINUTE_MS
    console.export(
        SPARROW.camera_id, start_ms=first_ms, end_ms=first_ms + 1_000, into=into, accept=as_received
    )
    return into.getvalue()


def bring_all(console: Console, workers: int, clips: int) -> None:
    """Fetch so many clips, every one of them whole."""
    with ThreadPoolExecutor(workers) as pool:
        contents = list(pool.map(lambda number: bring(console, number), range(clips)))
    assert all(content[4:8] == b"ftyp" for content in contents)


def test_two_exports_run_at_once_to_begin_with(running: Running) -> None:
    """However many workers there are."""
    harness = running(Behaviour(export_latency_secs=0.05))
    bring_all(harness.client(connections=8), workers=8, clips=4)
    assert harness.simulated.busiest_parallel_exports == 2


def test_more_run_at_once_while_all_goes_well(running: Running) -> None:
    """Up to as many as there are workers."""
    harness = running(Behaviour(export_latency_secs=0.05))
    console = harness.client(connections=4)
    bring_all(console, workers=4, clips=40)
    assert harness.simulated.busiest_parallel_exports == 4
    assert (console.usage.concurrency.fewest, console.usage.concurrency.most) == (2, 4)
    assert console.usage.concurrency.paused_secs == 0


def test_a_console_that_bears_two_exports_gets_two_and_loses_none(running: Running) -> None:
    """Four workers bring every clip; what that costs in time is measured in benchmarks.pacing."""
    behaviour = Behaviour(max_parallel_exports=2, export_latency_secs=0.05)
    harness = running(behaviour)
    console = harness.client(connections=4)
    bring_all(console, 4, 32)
    refused = [export for export in harness.simulated.exports if export.status == 503]
    assert 1 <= len(refused) <= 2
    assert console.usage.retries == len(refused)
    running_at_the_end = harness.simulated.exports[-8:]
    assert all(export.status == 200 for export in running_at_the_end)


def test_a_refusal_beside_other_exports_costs_the_clip_no_attempt(harness: ConsoleHarness) -> None:
    """It waits for a slot, and nobody starts an export before the pause is over."""
    harness.console = harness.client(attempts=1)
    harness.simulated.order(Fault(FaultKind.STALL_FIRST))
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(bring, harness.console, 1)
        harness.simulated.wait_for_stalls()
        harness.simulated.order(Fault(FaultKind.STATUS, status=503, retry_after=7))
        second = threading.Thread(target=bring, args=(harness.console, 2))
        second.start()
        wait_until(lambda: harness.console.usage.concurrency.paused_secs >= 7)
        harness.simulated.release()
        assert stalled.result()
        second.join()
    assert harness.asked("export") == 3
    assert harness.waits_secs == [pytest.approx(7, abs=1)]
    assert harness.asked("nvr") == 0


def test_a_refusal_of_the_only_export_is_an_attempt(harness: ConsoleHarness) -> None:
    """Nobody of ours was in its way."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=503, times=None))
    with pytest.raises(MaxAttemptsExceeded, match="given up after 3 attempts"):
        bring(harness.console, 1)
    assert harness.asked("export") == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.STATUS, status=500),
        Fault(FaultKind.STATUS, status=429),
        Fault(FaultKind.CUT_BODY),
        Fault(FaultKind.RESET),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_after_an_overload_nobody_starts_an_export_for_a_while(
    harness: ConsoleHarness, fault: Fault
) -> None:
    """All clips wait, not only the one that failed; other requests do not."""
    harness.console = harness.client(attempts=1)
    harness.simulated.order(fault)
    with pytest.raises(MaxAttemptsExceeded):
        bring(harness.console, 1)
    harness.console.bootstrap()
    assert harness.waits_secs == []
    bring(harness.console, 2)
    assert harness.waits_secs == [pytest.approx(1, abs=0.5)]
    assert harness.console.usage.concurrency.fewest == 1


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.EMPTY, FaultKind.WRONG_BYTES])
def test_a_wrong_answer_is_no_overload(harness: ConsoleHarness, kind: FaultKind) -> None:
    """The console had all the time it needed."""
    harness.console = harness.client(attempts=1)
    harness.simulated.order(Fault(kind))
    with pytest.raises(MaxAttemptsExceeded):
        bring(harness.console, 1)
    bring(harness.console, 2)
    assert harness.waits_secs == []


def test_exports_that_fail_together_decrease_the_limit_once(running: Running) -> None:
    """What began before says nothing about the new limit."""
    harness = running(Behaviour(export_latency_secs=0.02))
    console = harness.client(attempts=1, connections=4, read_timeout_secs=1.0)
    bring_all(console, workers=4, clips=24)
    assert console.usage.concurrency.most == 4
    harness.simulated.order(Fault(FaultKind.STALL_BODY, times=4))
    with ThreadPoolExecutor(4) as pool:
        clips = [pool.submit(bring, console, 200 + number) for number in range(4)]
        assert all(isinstance(clip.exception(), MaxAttemptsExceeded) for clip in clips)
    harness.simulated.release()
    bring(console, 300)
    assert console.usage.concurrency.fewest == 2
