import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.console.conftest import Running
from tests.console.harness import CAMERA_ID, DAY, ConsoleHarness
from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.retry import RetryPolicy, retry
from upvs_tasks.errors import MaxAttemptsExceeded, TransientError
from upvs_tasks.simulator import Behaviour, Fault, FaultKind

MINUTE_MS = 60_000


def bring(console: Console, number: int, *, attempts: int = 3) -> bytes:
    """A clip of a second, as a worker fetches it."""
    into, first_ms = io.BytesIO(), DAY.start_ms + number * MINUTE_MS
    retry(
        lambda: console.export(CAMERA_ID, start_ms=first_ms, end_ms=first_ms + 1_000, into=into),
        patience=RetryPolicy.of(attempts),
        what=f"clip {number}",
        sleep=lambda _: None,
    )
    return into.getvalue()


def bring_all(console: Console, workers: int, clips: int) -> float:
    """Seconds that it takes to fetch so many clips, every one of them whole."""
    started_secs = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        contents = list(pool.map(lambda number: bring(console, number), range(clips)))
    assert all(content[4:8] == b"ftyp" for content in contents)
    return time.monotonic() - started_secs


def test_two_exports_run_at_once_to_begin_with(running: Running) -> None:
    """However many workers there are."""
    asking = running(Behaviour(export_latency_secs=0.05))
    bring_all(asking.client(connections=8), workers=8, clips=4)
    assert asking.simulated.busiest_parallel_exports == 2


def test_more_run_at_once_while_all_goes_well(running: Running) -> None:
    """Up to as many as there are workers."""
    asking = running(Behaviour(export_latency_secs=0.05))
    console = asking.client(connections=4)
    bring_all(console, workers=4, clips=40)
    assert asking.simulated.busiest_parallel_exports == 4
    assert (console.account.pace.narrowest, console.account.pace.widest) == (2, 4)
    assert console.account.pace.held_back_secs == 0


def test_a_console_that_bears_two_exports_gets_two_and_loses_none(running: Running) -> None:
    """Four workers bring every clip, in hardly more time than two that never try for more.

    Real time, for once: both at the same moment, so that the machine is as busy for either.
    """
    behaviour = Behaviour(max_parallel_exports=2, export_latency_secs=0.3)
    four, two = running(behaviour), running(behaviour)
    settings = {"patience": RetryPolicy.of(3), "surroundings": Clock()}
    widest = Console(four.access(), connections=4, **settings)  # type: ignore[arg-type]
    fixed = Console(two.access(), connections=2, **settings)  # type: ignore[arg-type]
    with widest, fixed, ThreadPoolExecutor(2) as pool:
        ours = pool.submit(bring_all, widest, 4, 32)
        theirs = pool.submit(bring_all, fixed, 2, 32)
        assert ours.result() <= 1.3 * theirs.result()
    refused = [export for export in four.simulated.exports if export.status == 503]
    assert 1 <= len(refused) <= 2
    assert widest.account.retries == len(refused)
    running_at_the_end = four.simulated.exports[-8:]
    assert all(export.status == 200 for export in running_at_the_end)


def test_a_refusal_beside_other_exports_costs_the_clip_no_attempt(asking: ConsoleHarness) -> None:
    """It waits for a free place, and nobody starts one until the console has had its rest."""
    asking.simulated.order(Fault(FaultKind.STALL_FIRST))
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(bring, asking.console, 1, attempts=1)
        asking.simulated.wait_for_stalls()
        asking.simulated.order(Fault(FaultKind.STATUS, status=503, retry_after=7))
        second = threading.Thread(target=bring, args=(asking.console, 2), kwargs={"attempts": 1})
        second.start()
        while asking.console.account.pace.held_back_secs < 7:
            time.sleep(0.01)
        asking.simulated.release()
        assert stalled.result()
        second.join()
    assert asking.asked("export") == 3
    assert asking.waits_secs == [pytest.approx(7, abs=1)]
    assert asking.asked("nvr") == 0


def test_a_refusal_of_the_only_export_is_an_attempt(asking: ConsoleHarness) -> None:
    """Nobody of ours was in its way."""
    asking.simulated.order(Fault(FaultKind.STATUS, status=503, times=None))
    with pytest.raises(MaxAttemptsExceeded, match="given up after 3 attempts"):
        bring(asking.console, 1)
    assert asking.asked("export") == 3


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
def test_after_a_strain_nobody_starts_an_export_for_a_while(
    asking: ConsoleHarness, fault: Fault
) -> None:
    """All clips wait, not only the one that failed; other questions do not."""
    asking.simulated.order(fault)
    with pytest.raises(TransientError):
        bring_once(asking.console)
    asking.console.bootstrap()
    assert asking.waits_secs == []
    bring(asking.console, 2)
    assert asking.waits_secs == [pytest.approx(1, abs=0.5)]
    assert asking.console.account.pace.narrowest == 1


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.EMPTY, FaultKind.WRONG_BYTES])
def test_a_wrong_answer_is_no_strain(asking: ConsoleHarness, kind: FaultKind) -> None:
    """The console had all the time it needed."""
    asking.simulated.order(Fault(kind))
    with pytest.raises(TransientError):
        bring_once(asking.console)
    bring(asking.console, 2)
    assert asking.waits_secs == []


def test_exports_that_fail_together_narrow_once(running: Running) -> None:
    """What was under way already says nothing about the new width."""
    asking = running(Behaviour(export_latency_secs=0.02))
    console = asking.client(connections=4, read_timeout_secs=1.0)
    bring_all(console, workers=4, clips=24)
    assert console.account.pace.widest == 4
    asking.simulated.order(Fault(FaultKind.STALL_BODY, times=4))
    with ThreadPoolExecutor(4) as pool:
        clips = [pool.submit(bring, console, 200 + number, attempts=1) for number in range(4)]
        assert all(isinstance(clip.exception(), MaxAttemptsExceeded) for clip in clips)
    asking.simulated.release()
    bring(console, 300)
    assert console.account.pace.narrowest == 2


def bring_once(console: Console) -> None:
    """One attempt at a clip."""
    console.export(CAMERA_ID, start_ms=DAY.start_ms, end_ms=DAY.start_ms + 1_000, into=io.BytesIO())
