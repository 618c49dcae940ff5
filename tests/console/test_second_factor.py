from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.console.harness import ConsoleHarness, clock_without_waits
from tests.console.scripted import ENTERED, PASSWORD, Answer, ScriptedServer, Seen
from tests.sentences import one_sentence
from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials
from upvs_tasks.console.login import totp
from upvs_tasks.errors import SecondFactorError, SettingsError
from upvs_tasks.simulator import Fault, FaultKind

# RFC 6238, appendix B: the secret of its SHA-1 rows, and the last six of their eight digits.
SECRET = b32encode(b"12345678901234567890").decode()
AT_NOON_SECS = 1_705_341_600.0
EMPTY_BOOTSTRAP = Answer(body=b'{"nvr": {"id": "n1"}, "cameras": []}')
MFA_COOKIE = "UBIC_2FA=cookie-of-the-second-factor"
WANTED = Answer(
    499,
    orjson.dumps(
        {"code": "MFA_AUTH_REQUIRED", "data": {"required": "2fa", "mfaCookie": MFA_COOKIE}}
    ),
)


@pytest.mark.parametrize(
    ("unix_secs", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(unix_secs: int, code: str) -> None:
    """RFC 6238, appendix B."""
    assert totp(SECRET, unix_secs) == code


@pytest.mark.parametrize(
    ("counter", "code"), list(enumerate(["755224", "287082", "359152", "969429", "338314"]))
)
def test_counters_give_the_standard_s_codes(counter: int, code: str) -> None:
    """RFC 4226, appendix D."""
    assert totp(SECRET, 30 * counter) == code


@pytest.mark.parametrize(
    "written",
    ["JBSWY3DP", "jbswy3dp", "JBSW Y3DP", "jbsw-y3dp", " JBSWY3DP\n", "JBSWY3DPEA======"],
)
def test_a_secret_may_be_written_in_every_usual_way(written: str) -> None:
    """In groups, in small letters, with padding or without."""
    same = "JBSWY3DPEA" if "EA" in written else "JBSWY3DP"
    assert totp(written, AT_NOON_SECS) == totp(same, AT_NOON_SECS)


@pytest.mark.parametrize("written", ["", "0189", "secret!", "JBSWY3", "ÄÖÜ", "=" * 8])
def test_what_is_no_secret_is_refused_and_not_repeated(written: str) -> None:
    """At once, before anything is asked of the console."""
    with pytest.raises(SettingsError, match="totp_secret is no secret") as caught:
        totp(written, AT_NOON_SECS)
    assert written == "" or written not in str(caught.value)


def test_an_unfit_secret_is_noticed_when_the_client_is_made(harness: ConsoleHarness) -> None:
    """Not in the middle of the night."""
    with pytest.raises(SettingsError, match="totp_secret"):
        harness.client(credentials=harness.credentials(totp_secret="0189"))


def careful(harness: ConsoleHarness, *, totp_secret: str = "", one_time_code: str = "") -> Console:
    """A client of the account with a second factor."""
    credentials = harness.credentials(
        username="careful", totp_secret=totp_secret, one_time_code=one_time_code
    )
    return harness.client(credentials=credentials)


def test_a_secret_opens_an_account_with_a_second_factor(harness: ConsoleHarness) -> None:
    """As often as a session ends."""
    secret = harness.simulated.account("careful").totp_secret_text
    console = careful(harness, totp_secret=secret)
    assert console.bootstrap().cameras
    harness.simulated.kill_sessions()
    assert console.bootstrap().cameras
    assert harness.asked("login") == 4
    assert harness.waits_secs == []


def test_a_one_time_code_opens_it_once(harness: ConsoleHarness) -> None:
    """When the session has ended, the sentence says what to do."""
    code = harness.simulated.account("careful").totp()
    console = careful(harness, one_time_code=code)
    assert console.bootstrap().cameras
    harness.simulated.kill_sessions()
    with pytest.raises(SecondFactorError, match=r"good for a single login.*totp_secret"):
        console.bootstrap()


def test_a_wrong_code_is_one_sentence_and_no_second_try(harness: ConsoleHarness) -> None:
    """More would lock the account."""
    console = careful(harness, one_time_code="000000")
    with pytest.raises(SecondFactorError, match="wrong, too old or was used already") as caught:
        console.bootstrap()
    assert "000000" not in one_sentence(str(caught.value))
    assert harness.asked("login") == 2
    assert harness.waits_secs == []


def test_a_wrong_secret_is_tried_with_two_codes(harness: ConsoleHarness) -> None:
    """The second for a console that has seen the first."""
    console = careful(harness, totp_secret=SECRET)
    for _ in range(2):
        with pytest.raises(SecondFactorError, match="check the secret, and this machine's clock"):
            console.bootstrap()
    assert harness.asked("login") == 3
    assert len(harness.waits_secs) == 1


def test_an_account_without_a_second_factor_is_not_given_a_code(harness: ConsoleHarness) -> None:
    """A setting too many does no harm."""
    assert harness.client(credentials=harness.credentials(totp_secret=SECRET)).bootstrap().cameras
    assert harness.asked("login") == 1


def test_a_struggling_console_gets_the_login_again_with_its_code(harness: ConsoleHarness) -> None:
    """From the start, as somebody at a screen would."""
    secret = harness.simulated.account("careful").totp_secret_text
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=503, skip=1))
    assert careful(harness, totp_secret=secret).bootstrap().cameras
    assert harness.asked("login") == 4


def scripted(state_dir: Path, judge: Callable[[str, int], Answer], clock: Clock) -> list[Seen]:
    """What a console saw that judges codes, by code and number of codes before."""
    codes: list[str] = []

    def answer(seen: Seen) -> Answer:
        if seen.path != "/api/auth/login":
            return EMPTY_BOOTSTRAP
        code = orjson.loads(seen.body)["token"]
        if not code:
            return WANTED
        codes.append(code)
        return judge(code, len(codes) - 1)

    with ScriptedServer(state_dir, answer) as server:
        server.client(totp_secret=SECRET, clock=clock).bootstrap()
        return server.seen


@pytest.mark.parametrize("status", [401, 403, 499])
def test_a_code_that_was_used_already_is_followed_by_the_next(state_dir: Path, status: int) -> None:
    """Once, and just after the console counts it as another one."""
    waits_secs: list[float] = []
    clock = clock_without_waits(waits_secs)
    clock = replace(clock, unix_secs=lambda: AT_NOON_SECS + 10 + sum(waits_secs))
    seen = scripted(state_dir, lambda _, number: ENTERED if number else Answer(status), clock)
    tokens = [orjson.loads(one.body)["token"] for one in seen if one.body]
    assert waits_secs == [21]
    assert tokens == ["", totp(SECRET, AT_NOON_SECS), totp(SECRET, AT_NOON_SECS + 30)]


def test_the_second_login_is_the_first_with_the_code_and_the_console_s_cookie(
    state_dir: Path,
) -> None:
    """The cookie goes no further than that."""
    seen = scripted(state_dir, lambda *_: ENTERED, clock_without_waits())
    first, second, question = seen
    assert orjson.loads(second.body) == orjson.loads(first.body) | {
        "token": orjson.loads(second.body)["token"]
    }
    assert orjson.loads(second.body)["password"] == PASSWORD
    assert "cookie" not in first.headers
    assert second.headers["cookie"] == MFA_COOKIE
    assert question.headers["cookie"] == "TOKEN=cookie-of-the-test"


@pytest.mark.parametrize("cookie", [None, 7, "no cookie", "A=b\r\nX: y", "A=" + "x" * 5_000])
def test_a_second_factor_s_cookie_that_is_none_is_left_out(state_dir: Path, cookie: object) -> None:
    """And the login goes on without."""
    wanted = Answer(499, orjson.dumps({"data": {"mfaCookie": cookie}}))

    def answer(seen: Seen) -> Answer:
        if seen.path != "/api/auth/login":
            return EMPTY_BOOTSTRAP
        return ENTERED if orjson.loads(seen.body)["token"] else wanted

    with ScriptedServer(state_dir, answer) as server:
        server.client(totp_secret=SECRET).bootstrap()
        assert "cookie" not in server.seen[1].headers


def test_credentials_show_neither_secret_nor_code() -> None:
    """Neither in a traceback nor in a log."""
    credentials = Credentials("u", "p", totp_secret=SECRET, one_time_code="123456")
    assert SECRET not in repr(credentials)
    assert "123456" not in repr(credentials)
