from tests.console.harness import ConsoleHarness
from upvs_tasks.console.usage import ConcurrencyFigures, ConsoleUsage
from upvs_tasks.simulator import Fault, FaultKind


def test_an_account_is_one_sentence() -> None:
    """With everything that happened."""
    pace = ConcurrencyFigures(narrowest=1, widest=3, exporting_secs=40.0, held_back_secs=7.4)
    account = ConsoleUsage(
        requests=214,
        logins=1,
        retries=3,
        received_bytes=812_400_000,
        worst_wait_secs=2.13,
        away_secs=312.2,
        pace=pace,
    )
    assert account.sentence() == (
        "214 requests, 1 login, 3 put again, 812.4 MB of video at 20.3 MB/s, slowest answer 2.1 s, "
        "1 to 3 at once, held back for 7 s, waited 312 s for the console to come back"
    )


def test_what_did_not_happen_is_left_out() -> None:
    """Nobody has to read zeros."""
    assert ConsoleUsage().sentence() == "0 requests, 0 logins"
    account = ConsoleUsage(requests=2, logins=1, worst_wait_secs=0.06)
    assert account.sentence() == "2 requests, 1 login, slowest answer 0.1 s"


def test_the_account_of_a_run_counts_what_the_console_saw(asking: ConsoleHarness) -> None:
    """Requests to the last, and the speed of the video alone."""
    asking.simulated.order(Fault(FaultKind.STATUS, path="events", status=500))
    asking.events()
    download = asking.export()
    account = asking.console.account
    assert account.requests == len(asking.simulated.requests)
    assert account.retries == 1
    assert account.received_bytes == download.size_bytes
    assert account.pace.exporting_secs > 0
    assert account.bytes_per_sec == download.size_bytes / account.pace.exporting_secs
    assert (account.pace.narrowest, account.pace.widest) == (2, 2)
