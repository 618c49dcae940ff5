import pytest

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
        login_attempts=1,
        retries=3,
        received_bytes=812_400_000,
        longest_wait_secs=2.13,
        outage_secs=312.2,
        concurrency=concurrency,
    )
    assert one_sentence(usage.sentence()) == (
        "214 requests, 1 login, 3 sent again, 812.4 MB of video at 20.3 MB/s, "
        "slowest answer 2.1 s, 1 to 3 exports at once, paused for 7 s, "
        "waited 312 s for the console to come back"
    )


def test_what_did_not_happen_is_left_out() -> None:
    """Nobody has to read zeros."""
    assert ConsoleUsage().sentence() == "0 requests, 0 logins"
    usage = ConsoleUsage(requests=2, logins=1, login_attempts=1, longest_wait_secs=0.06)
    assert usage.sentence() == "2 requests, 1 login, slowest answer 0.1 s"


@pytest.mark.parametrize(
    ("logins", "attempts", "words"),
    [
        (0, 1, "0 of 1 login accepted"),
        (0, 3, "0 of 3 logins accepted"),
        (1, 2, "1 of 2 logins accepted"),
        (2, 2, "2 logins"),
    ],
)
def test_only_accepted_logins_are_logins(logins: int, attempts: int, words: str) -> None:
    usage = ConsoleUsage(requests=3, logins=logins, login_attempts=attempts)
    assert usage.sentence().split(", ")[1] == words


def test_a_login_that_is_refused_is_an_attempt(harness: ConsoleHarness) -> None:
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=502))
    harness.console.bootstrap()
    usage = harness.console.usage
    assert (usage.logins, usage.login_attempts) == (1, 2)


def test_a_login_with_a_one_time_code_is_one_login(harness: ConsoleHarness) -> None:
    secret = harness.simulated.account("careful").totp_secret_text
    console = harness.client(
        credentials=harness.credentials(username="careful", totp_secret=secret)
    )
    console.bootstrap()
    assert (console.usage.logins, console.usage.login_attempts) == (1, 1)


def test_the_facts_for_a_log_are_numbers_by_their_names() -> None:
    facts = ConsoleUsage(requests=2, longest_wait_secs=0.0612345).facts()
    assert facts["requests"] == 2
    assert facts["longest_wait_secs"] == 0.061
    assert all(isinstance(value, int | float) for value in facts.values())


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
