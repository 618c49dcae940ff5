import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.console.conftest import Running
from tests.console.harness import ConsoleHarness, clock_without_waits
from tests.console.scripted import ENTERED, PASSWORD, Answer, ScriptedServer, Seen
from upvs_tasks.console.client import Console
from upvs_tasks.errors import (
    ConsoleError,
    LoginLimitError,
    MaxAttemptsExceeded,
    MissingPermissionError,
    SecondFactorError,
    Unauthorized,
    UpvsError,
)
from upvs_tasks.simulator import Behaviour, Csrf, Fault, FaultKind, Flavour

EMPTY_BOOTSTRAP = Answer(body=b'{"nvr": {"id": "n1"}, "cameras": []}')


def client_of(server: ScriptedServer) -> Console:
    return server.client(attempts=2, clock=clock_without_waits())


def test_nothing_is_asked_before_the_first_question(harness: ConsoleHarness) -> None:
    """Making a client is free; so is a run that needs nothing of the console."""
    harness.client()
    assert harness.simulated.requests == ()


def test_one_login_serves_all_questions(harness: ConsoleHarness) -> None:
    """Consoles take five a minute."""
    harness.console.bootstrap()
    harness.events()
    harness.export()
    assert harness.asked("login") == 1
    assert harness.console.usage.logins == 1


@pytest.mark.parametrize("cookie_name", ["TOKEN", "UOS_TOKEN"])
@pytest.mark.parametrize("cookie_partitioned", [False, True])
@pytest.mark.parametrize("csrf", list(Csrf))
def test_every_console_s_session_is_understood(
    running: Running, cookie_name: str, csrf: Csrf, *, cookie_partitioned: bool
) -> None:
    """Whatever its cookie is called, and whether or not it guards against forgery."""
    harness = running(
        Behaviour(cookie_name=cookie_name, cookie_partitioned=cookie_partitioned, csrf=csrf)
    )
    assert harness.console.bootstrap().cameras
    assert harness.events()
    assert harness.asked("login") == 1


def test_a_direct_recorder_is_asked_the_older_way(running: Running) -> None:
    """A bearer token from /api/auth, and paths under /api."""
    harness = running(Behaviour(flavour=Flavour.LEGACY))
    console = harness.client(harness.endpoint(direct=True))
    assert console.bootstrap().cameras
    paths = [request.path for request in harness.simulated.requests]
    assert paths == ["/api/auth", "/api/bootstrap"]


@pytest.mark.parametrize(
    ("flavour", "direct", "hint"),
    [(Flavour.LEGACY, False, "has no UniFi OS"), (Flavour.UNIFI_OS, True, "leave direct_api off")],
)
def test_the_wrong_kind_of_console_is_hinted_at(
    running: Running, flavour: Flavour, hint: str, *, direct: bool
) -> None:
    """404 at the login also means a restart, so it is tried again first."""
    harness = running(Behaviour(flavour=flavour))
    with pytest.raises(MaxAttemptsExceeded, match=hint):
        harness.client(harness.endpoint(direct=direct)).bootstrap()


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password_fails_at_once_and_says_what_to_check(
    running: Running, status: int
) -> None:
    """One attempt: more would lock the account."""
    harness = running(Behaviour(bad_credentials_status=status))
    with pytest.raises(Unauthorized, match="check username and password"):
        harness.client(credentials=harness.credentials(password="wrong")).bootstrap()
    assert harness.asked("login") == 1
    assert harness.waits_secs == []


def test_after_a_refusal_nobody_asks_again(running: Running) -> None:
    """Every later call, in every thread, fails with the same sentence and no request."""
    harness = running(Behaviour())
    console = harness.client(credentials=harness.credentials(password="wrong"))

    def refused(_: int) -> str:
        with pytest.raises(Unauthorized) as caught:
            console.bootstrap()
        return str(caught.value)

    with ThreadPoolExecutor(8) as workers:
        sentences = set(workers.map(refused, range(16)))
    assert len(sentences) == 1
    assert len(harness.simulated.requests) == 1


def test_an_account_with_a_second_factor_is_told_what_to_use_instead(
    harness: ConsoleHarness,
) -> None:
    """A local account; a one-time code cannot be typed into a timer."""
    with pytest.raises(SecondFactorError, match="use a local account"):
        harness.client(credentials=harness.credentials(username="careful")).bootstrap()
    assert harness.asked("login") == 1


def test_a_login_limit_is_waited_out_politely(
    harness: ConsoleHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """A minute, then two, where the console names no time of its own; and it is said once."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=429, times=2))
    assert harness.console.bootstrap().cameras
    assert harness.waits_secs == [60, 120]
    assert [record.getMessage() for record in caplog.records] == ["login has to wait"]
    assert "accepts no more logins for now" in str(vars(caplog.records[0]))


def test_a_login_limit_is_waited_out_as_the_console_asks(harness: ConsoleHarness) -> None:
    """Retry-After goes before our own idea."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=429, retry_after=9))
    assert harness.console.bootstrap().cameras
    assert harness.waits_secs == [9]


def test_a_login_limit_that_stays_ends_the_run(harness: ConsoleHarness) -> None:
    """After ten minutes at most, and with no further request by anybody."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=429, times=None))
    for _ in range(2):
        with pytest.raises(LoginLimitError, match="even after 600 s; wait some minutes"):
            harness.console.bootstrap()
    assert harness.asked("login") == 5
    assert harness.waits_secs == [60, 120, 240, pytest.approx(180, abs=1)]


def test_a_login_limit_that_lasts_longer_than_we_wait_ends_the_run(
    harness: ConsoleHarness,
) -> None:
    """To come back sooner than the console asks for would only lengthen it."""
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="login", status=429, retry_after=250, times=None)
    )
    with pytest.raises(LoginLimitError, match="even after 500 s"):
        harness.console.bootstrap()
    assert harness.waits_secs == [250, 250]


def test_a_login_limit_is_no_attempt_at_the_question(harness: ConsoleHarness) -> None:
    """Nor are its waits: what fails afterwards has all its attempts before it."""
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="login", status=429, retry_after=9),
        Fault(FaultKind.STATUS, path="bootstrap", status=500, times=2),
    )
    assert harness.console.bootstrap().cameras


def test_a_struggling_console_is_asked_again_for_the_login(harness: ConsoleHarness) -> None:
    """As for anything else."""
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="login", status=503), Fault(FaultKind.RESET, path="login")
    )
    assert harness.console.bootstrap().cameras
    assert harness.waits_secs == [1, 2]


def test_a_console_that_was_down_may_be_asked_by_a_later_call(harness: ConsoleHarness) -> None:
    """Only a refusal is final."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=404, times=3))
    with pytest.raises(MaxAttemptsExceeded):
        harness.console.bootstrap()
    assert harness.console.bootstrap().cameras


def test_an_ended_session_is_renewed_once_and_the_question_put_again(
    harness: ConsoleHarness,
) -> None:
    """Sessions last two hours, and end when the console restarts."""
    harness.console.bootstrap()
    harness.simulated.kill_sessions()
    assert harness.events()
    assert harness.asked("login") == 2
    assert harness.waits_secs == []


def test_eight_workers_that_meet_an_ended_session_log_in_once(harness: ConsoleHarness) -> None:
    """All of them go on with the one new session."""
    harness.console.bootstrap()
    harness.simulated.forget_requests()
    harness.simulated.kill_sessions()
    at_once = threading.Barrier(8)

    def ask(_: int) -> int:
        at_once.wait()
        return len(harness.console.bootstrap().cameras)

    with ThreadPoolExecutor(8) as workers:
        assert set(workers.map(ask, range(8))) == {7}
    assert harness.asked("login") == 1


def test_eight_workers_that_start_together_log_in_once(harness: ConsoleHarness) -> None:
    """The first of them does it for all."""
    at_once = threading.Barrier(8)

    def ask(_: int) -> int:
        at_once.wait()
        return len(harness.console.bootstrap().cameras)

    with ThreadPoolExecutor(8) as workers:
        assert set(workers.map(ask, range(8))) == {7}
    assert harness.asked("login") == 1


def test_a_fresh_session_that_is_refused_too_ends_the_run(harness: ConsoleHarness) -> None:
    """One fresh login, one more try, and then nobody asks again."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="bootstrap", status=401, times=None))
    for _ in range(2):
        with pytest.raises(Unauthorized, match="even after a fresh login"):
            harness.console.bootstrap()
    assert harness.asked("login") == 2
    assert harness.asked("bootstrap") == 2


def test_a_refused_forgery_token_is_renewed_like_a_session(harness: ConsoleHarness) -> None:
    """Some consoles say 403 to a token that has changed."""
    refusal = Fault(
        FaultKind.STATUS, path="events", status=403, body='{"error":"Invalid CSRF Token"}'
    )
    harness.simulated.order(refusal)
    assert harness.events()
    assert harness.asked("login") == 2


def test_a_missing_permission_is_named_and_not_logged_in_for_again(harness: ConsoleHarness) -> None:
    """The account is right; what it may do is not."""
    console = harness.client(credentials=harness.credentials(username="viewer"))
    harness.console = console
    with pytest.raises(MissingPermissionError, match=r"Playback Download .*readmedia"):
        harness.export()
    assert harness.asked("login") == 1


def test_the_login_is_the_specification_s(state_dir: Path) -> None:
    """Method, path and body."""
    with ScriptedServer(
        state_dir, lambda seen: ENTERED if _is_login(seen) else EMPTY_BOOTSTRAP
    ) as server:
        client_of(server).bootstrap()
        login, question = server.seen
    assert (login.method, login.path) == ("POST", "/api/auth/login")
    assert orjson.loads(login.body) == {
        "username": "somebody",
        "password": PASSWORD,
        "rememberMe": False,
        "token": "",
    }
    assert question.headers["cookie"] == "TOKEN=cookie-of-the-test"


def test_the_newest_forgery_token_is_sent_along(state_dir: Path) -> None:
    """Each answer may bring another one, the updated one before the plain."""
    entered = replace(ENTERED, headers=(*ENTERED.headers, ("X-CSRF-Token", "first")))
    second = (("X-CSRF-Token", "stale"), ("X-Updated-CSRF-Token", "second"))
    answers = [entered, replace(EMPTY_BOOTSTRAP, headers=second), EMPTY_BOOTSTRAP, EMPTY_BOOTSTRAP]
    with ScriptedServer(state_dir, lambda _: answers.pop(0)) as server:
        console = client_of(server)
        for _ in range(3):
            console.bootstrap()
        tokens = [seen.headers.get("x-csrf-token") for seen in server.seen]
    assert tokens == [None, "first", "second", "second"]


def test_the_session_token_s_own_claim_stands_in_for_a_missing_header(state_dir: Path) -> None:
    """Some consoles send no such header to their own network."""
    token = "e30.eyJjc3JmVG9rZW4iOiJjbGFpbWVkIn0.x"  # {"csrfToken":"claimed"}
    entered = Answer(headers=(("Set-Cookie", f"UOS_TOKEN={token}; Path=/; Secure; Partitioned"),))
    with ScriptedServer(
        state_dir, lambda seen: entered if _is_login(seen) else EMPTY_BOOTSTRAP
    ) as server:
        client_of(server).bootstrap()
        assert server.seen[1].headers["x-csrf-token"] == "claimed"


def test_a_late_answer_to_the_old_session_does_not_take_the_new_cookie_away(
    state_dir: Path,
) -> None:
    """Each login has a jar of its own: a 401 may well clear the cookie that it refuses."""
    clears = (("Set-Cookie", "TOKEN=; Path=/; Max-Age=0"),)
    both_asked = threading.Barrier(2)
    may_refuse = threading.Event()
    logins: list[str] = []

    def answer(seen: Seen) -> Answer:
        if _is_login(seen):
            logins.append(f"TOKEN=number-{len(logins) + 1}")
            return Answer(headers=(("Set-Cookie", f"{logins[-1]}; Path=/; Secure"),))
        if seen.headers.get("cookie") == "TOKEN=number-1":
            if both_asked.wait() == 1:
                may_refuse.wait()
            return Answer(401, b"{}", clears)
        may_refuse.set()
        return EMPTY_BOOTSTRAP if seen.headers.get("cookie") == logins[-1] else Answer(401)

    with ScriptedServer(state_dir, answer) as server, ThreadPoolExecutor(2) as workers:
        console = client_of(server)
        assert all(workers.map(lambda _: console.bootstrap(), range(2)))
        console.bootstrap()
    assert len(logins) == 2


def test_a_login_without_a_session_is_not_taken_for_one(state_dir: Path) -> None:
    """A captive portal answers anything with 200."""
    with (
        ScriptedServer(state_dir, lambda _: Answer(body=b"<html>")) as server,
        pytest.raises(MaxAttemptsExceeded, match="no session cookie"),
    ):
        client_of(server).bootstrap()


def test_a_redirect_is_not_followed(state_dir: Path) -> None:
    """Whoever is at the other end gets neither password nor cookie."""
    with ScriptedServer(state_dir, lambda _: Answer()) as other:

        def answer(seen: Seen) -> Answer:
            elsewhere = Answer(302, b"", (("Location", f"https://{other.host}{seen.path}"),))
            return ENTERED if _is_login(seen) else elsewhere

        with (
            ScriptedServer(state_dir, answer) as server,
            pytest.raises(ConsoleError, match="points to another address"),
        ):
            client_of(server).bootstrap()
        assert other.seen == []


def test_a_login_that_is_redirected_fails(state_dir: Path) -> None:
    """And is not tried again."""
    answer = Answer(308, b"", (("Location", "https://192.0.2.1/"),))
    with ScriptedServer(state_dir, lambda _: answer) as server:
        with pytest.raises(UpvsError, match="308"):
            client_of(server).bootstrap()
        assert len(server.seen) == 1


def test_proxies_and_netrc_of_the_environment_are_not_used(
    harness: ConsoleHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The password goes to the console and to nobody else."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert harness.console.bootstrap().cameras


def _is_login(seen: Seen) -> bool:
    return seen.path == "/api/auth/login"
