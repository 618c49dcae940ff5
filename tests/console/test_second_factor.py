from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.console.harness import ConsoleHarness, in_no_time
from tests.console.scripted import ENTERED, PASSWORD, Answer, ScriptedServer, Seen
from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.one_time_code import code_at, hotp, key_of
from upvs_tasks.console.retry import RetryPolicy
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
    assert code_at(SECRET, unix_secs) == code


@pytest.mark.parametrize(
    ("counter", "code"), list(enumerate(["755224", "287082", "359152", "969429", "338314"]))
)
def test_counters_give_the_standard_s_codes(counter: int, code: str) -> None:
    """RFC 4226, appendix D."""
    assert hotp(key_of(SECRET), counter) == code


@pytest.mark.parametrize(
    "written",
    ["JBSWY3DP", "jbswy3dp", "JBSW Y3DP", "jbsw-y3dp", " JBSWY3DP\n", "JBSWY3DPEA======"],
)
def test_a_secret_may_be_written_in_every_usual_way(written: str) -> None:
    """In groups, in small letters, with padding or without."""
    assert key_of(written).startswith(b"Hello")


@pytest.mark.parametrize("written", ["", "0189", "secret!", "JBSWY3", "ÄÖÜ", "=" * 8])
def test_what_is_no_secret_is_refused_and_not_repeated(written: str) -> None:
    """At once, before anything is asked of the console."""
    with pytest.raises(SettingsError, match="totp_secret is no secret") as caught:
        key_of(written)
    assert written == "" or written not in str(caught.value)


def test_an_unfit_secret_is_noticed_when_the_client_is_made(asking: ConsoleHarness) -> None:
    """Not in the middle of the night."""
    with pytest.raises(SettingsError, match="totp_secret"):
        asking.client(replace(asking.access(), totp_secret="0189"))


def careful(asking: ConsoleHarness, **details: str) -> Access:
    return replace(asking.access(username="careful"), **details)  # type: ignore[arg-type]


def test_a_secret_opens_an_account_with_a_second_factor(asking: ConsoleHarness) -> None:
    """As often as a session ends."""
    secret = asking.simulated.account("careful").totp_secret_text
    console = asking.client(careful(asking, totp_secret=secret))
    assert console.bootstrap().cameras
    asking.simulated.kill_sessions()
    assert console.bootstrap().cameras
    assert asking.asked("login") == 4
    assert asking.waits_secs == []


def test_a_one_time_code_opens_it_once(asking: ConsoleHarness) -> None:
    """When the session has ended, the sentence says what to do."""
    code = asking.simulated.account("careful").totp()
    console = asking.client(careful(asking, one_time_code=code))
    assert console.bootstrap().cameras
    asking.simulated.kill_sessions()
    with pytest.raises(SecondFactorError, match=r"serves for a single login.*totp_secret"):
        console.bootstrap()


def test_a_wrong_code_is_one_sentence_and_no_second_try(asking: ConsoleHarness) -> None:
    """More would lock the account."""
    console = asking.client(careful(asking, one_time_code="000000"))
    with pytest.raises(SecondFactorError, match="wrong, too old or was used already") as caught:
        console.bootstrap()
    assert "000000" not in str(caught.value)
    assert asking.asked("login") == 2
    assert asking.waits_secs == []


def test_a_wrong_secret_is_tried_with_two_codes(asking: ConsoleHarness) -> None:
    """The second for a console that has seen the first."""
    console = asking.client(careful(asking, totp_secret=SECRET))
    for _ in range(2):
        with pytest.raises(SecondFactorError, match="check the secret, and this machine's clock"):
            console.bootstrap()
    assert asking.asked("login") == 3
    assert len(asking.waits_secs) == 1


def test_an_account_without_a_second_factor_is_not_given_a_code(asking: ConsoleHarness) -> None:
    """A setting too many does no harm."""
    assert asking.client(replace(asking.access(), totp_secret=SECRET)).bootstrap().cameras
    assert asking.asked("login") == 1


def test_a_struggling_console_gets_the_login_again_with_its_code(asking: ConsoleHarness) -> None:
    """From the start, as somebody at a screen would."""
    secret = asking.simulated.account("careful").totp_secret_text
    asking.simulated.order(Fault(FaultKind.STATUS, path="login", status=503, skip=1))
    assert asking.client(careful(asking, totp_secret=secret)).bootstrap().cameras
    assert asking.asked("login") == 4


def scripted(
    state_dir: Path, judge: Callable[[str, int], Answer], surroundings: Clock
) -> list[Seen]:
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
        access = replace(server.access(), totp_secret=SECRET)
        Console(access, patience=RetryPolicy.of(1), surroundings=surroundings).bootstrap()
        return server.seen


@pytest.mark.parametrize("status", [401, 403, 499])
def test_a_code_that_was_used_already_is_followed_by_the_next(state_dir: Path, status: int) -> None:
    """Once, and just after the console counts it as another one."""
    waits_secs: list[float] = []
    surroundings = in_no_time(waits_secs)
    surroundings = replace(surroundings, unix_secs=lambda: AT_NOON_SECS + 10 + sum(waits_secs))
    seen = scripted(
        state_dir, lambda _, number: ENTERED if number else Answer(status), surroundings
    )
    tokens = [orjson.loads(one.body)["token"] for one in seen if one.body]
    assert waits_secs == [21]
    assert tokens == ["", code_at(SECRET, AT_NOON_SECS), code_at(SECRET, AT_NOON_SECS + 30)]


def test_the_second_login_is_the_first_with_the_code_and_the_console_s_cookie(
    state_dir: Path,
) -> None:
    """The cookie goes no further than that."""
    seen = scripted(state_dir, lambda *_: ENTERED, in_no_time())
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
        access = replace(server.access(), totp_secret=SECRET)
        Console(access, patience=RetryPolicy.of(1)).bootstrap()
        assert "cookie" not in server.seen[1].headers


def test_an_access_shows_neither_secret_nor_code() -> None:
    """Neither in a traceback nor in a log."""
    access = Access("10.0.0.2", "u", "p", totp_secret=SECRET, one_time_code="123456")
    assert SECRET not in repr(access)
    assert "123456" not in repr(access)
