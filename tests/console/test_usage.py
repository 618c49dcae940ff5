from tests.console.harness import ConsoleHarness
from tests.sentences import one_sentence
from upvs_tasks.console.usage import ConcurrencyFigures, ConsoleUsage
from upvs_tasks.simulator import Fault, FaultKind


def test_an_account_is_one_sentence() -> None:
    """With everything that happened."""
    concurrency = ConcurrencyFigures(fewest=1, most=3, exporting_secs=40.0, paused_secs=7.4)
    usage = ConsoleUsage(
        requests=214,
        logins=1,
        retries=3,
        received_bytes=812_400_000,
        longest_wait_secs=2.13,
        outage_secs=312.2,
        concurrency=concurrency,
    )
    assert one_sentence(usage.sentence()) == (
        "214 requests, 1 login, 3 sent again, 812.4 MB of video at 20.3 MB/s, "
        "slowest answer 2.1 s, 1 to 3 at once, paused for 7 s, "
        "waited 312 s for the console to come back"
    )


def test_what_did_not_happen_is_left_out() -> None:
    """Nobody has to read zeros."""
    assert ConsoleUsage().sentence() == "0 requests, 0 logins"
    usage = ConsoleUsage(requests=2, logins=1, longest_wait_secs=0.06)
    assert usage.sentence() == "2 requests, 1 login, slowest answer 0.1 s"


def test_the_account_of_a_run_counts_what_the_console_saw(harness: ConsoleHarness) -> None:
    """Requests to the last, and the speed of the video alone."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="events", status=500))
    harness.events()
    download = harness.export()
    usage = harness.console.usage
    assert usage.requests == len(harness.simulated.requests)
    assert usage.retries == 1
    assert usage.received_bytes == download.size_bytes
    assert usage.concurrency.exporting_secs > 0
    assert usage.bytes_per_sec == download.size_bytes / usage.concurrency.exporting_secs
    assert (usage.concurrency.fewest, usage.concurrency.most) == (2, 2)
