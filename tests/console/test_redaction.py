"""No password, secret, code, cookie or token in any error, log record or file, whatever fails."""

import json
import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from tests.console.conftest import Running
from tests.console.harness import ConsoleHarness, clock_without_waits
from tests.console.scripted import PASSWORD, Answer, ScriptedServer, Seen
from upvs_tasks.console.endpoint import Credentials
from upvs_tasks.console.failures import ErrorResponse
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.session_file import SavedSession
from upvs_tasks.errors import UpvsError
from upvs_tasks.redaction import HIDDEN, Redactor
from upvs_tasks.simulator import Behaviour, Fault, FaultKind

COOKIE = "cookie-of-the-test-7781"
CSRF = "csrf-of-the-test-7781"
BEARER = "bearer-of-the-test-7781"
AWKWARD_PASSWORD = 'pass"word\\ü-7781'


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """The error with all that caused it, as a traceback shows it, and every log record."""
    shown = "".join(traceback.format_exception(error)) + repr(error)
    records = (f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    return shown + "\n".join(records)


FAULTS = [
    Fault(kind, path=path, times=None, status=status)
    for path in ("login", "bootstrap", "events", "export")
    for kind, status in (
        *((FaultKind.STATUS, status) for status in (302, 400, 401, 403, 404, 418, 429, 499, 500)),
        (FaultKind.CUT_BODY, 0),
        (FaultKind.HTML, 0),
        (FaultKind.EMPTY, 0),
        (FaultKind.RESET, 0),
        (FaultKind.WRONG_BYTES, 0),
        (FaultKind.STALL_FIRST, 0),
    )
    if (path, kind) != ("login", FaultKind.WRONG_BYTES)  # nobody reads what a login answers
]


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.path}-{fault.kind}-{fault.status}"
)
def test_no_failure_shows_a_secret(
    running: Running, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """Wherever and however the console fails."""
    caplog.set_level(logging.DEBUG)
    harness = running(Behaviour())
    harness.console = harness.client(attempts=2, read_timeout_secs=0.1)
    harness.simulated.order(fault)
    failures = [failure for ask in questions(harness) if (failure := failed(ask)) is not None]
    harness.simulated.release()
    said = "".join(everything_said(failure, caplog) for failure in failures)
    assert harness.simulated.password not in said
    assert "eyJ" not in said
    assert failures


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.path}-{fault.kind}-{fault.status}"
)
def test_no_failure_shows_a_second_factor_or_a_kept_session(
    running: Running, caplog: pytest.LogCaptureFixture, tmp_path: Path, fault: Fault
) -> None:
    """With the session kept in a file, which holds cookie and CSRF token and nothing else."""
    caplog.set_level(logging.DEBUG)
    harness = running(Behaviour())
    path = tmp_path / "session.json"
    secret = harness.simulated.account("careful").totp_secret_text
    credentials = harness.credentials(username="careful", totp_secret=secret)
    harness.client(credentials=credentials, session_file=path).bootstrap()
    kept = orjson.loads(path.read_bytes())
    path.chmod(0o644 if fault.status == 404 else 0o600)
    harness.simulated.kill_sessions()
    harness.console = harness.client(
        credentials=credentials,
        session_file=path,
        attempts=2,
        read_timeout_secs=0.1,
        longest_outage_secs=30,
        connections=2,
    )
    harness.simulated.order(fault)
    failures = [failure for ask in questions(harness) if (failure := failed(ask)) is not None]
    harness.simulated.release()
    said = "".join(everything_said(failure, caplog) for failure in failures) + repr(credentials)
    said += "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    account = harness.simulated.account("careful")
    step_secs = time.time() + sum(harness.waits_secs)
    codes = {account.totp(step_secs - 30 * steps) for steps in range(3)}
    for canary in {harness.simulated.password, secret, kept["token"], kept["csrf_token"], "eyJ"}:
        assert canary not in said
    assert not any(f'"{code}"' in said or f" {code} " in said for code in codes)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert harness.simulated.password.encode() not in written
    assert secret.encode() not in written
    assert failures


def test_what_holds_a_secret_does_not_show_it() -> None:
    """In a traceback with locals, or a careless log line."""
    credentials = Credentials("u", "canary-1", totp_secret="canary-2", one_time_code="canary-3")
    saved = SavedSession("TOKEN", "canary-4", "canary-5", 0)
    login = ApiRequest("the login", "/api/auth/login", method="POST", body={"password": "canary-7"})
    response = ErrorResponse(499, second_factor_cookie="canary-6")
    assert "canary" not in f"{credentials!r} {saved!r} {response!r} {login!r}"


def questions(harness: ConsoleHarness) -> tuple[Callable[[], object], ...]:
    return harness.console.bootstrap, harness.events, harness.export


def failed(ask: Callable[[], object]) -> UpvsError | None:
    try:
        ask()
    except UpvsError as error:
        return error
    return None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 499, 500, 503])
@pytest.mark.parametrize("path", ["login", "bootstrap"])
@pytest.mark.parametrize("direct_api", [False, True])
def test_a_console_that_repeats_what_it_was_sent_is_not_quoted(
    state_dir: Path,
    caplog: pytest.LogCaptureFixture,
    status: int,
    path: str,
    *,
    direct_api: bool,
) -> None:
    """Echoed in plain words, in JSON, or cut in the middle by our own shortening."""
    caplog.set_level(logging.DEBUG)

    def answer(seen: Seen) -> Answer:
        is_login = "/api/auth" in seen.path
        if is_login and path != "login":
            entered = (
                ("Set-Cookie", f"TOKEN={COOKIE}; Path=/; Secure"),
                ("X-CSRF-Token", CSRF),
                ("Authorization", f"Bearer {BEARER}"),
            )
            return Answer(headers=entered)
        echo = f"{seen.body.decode()} {seen.headers} {AWKWARD_PASSWORD} {COOKIE} {CSRF} {BEARER}"
        padded = "x" * 110 + AWKWARD_PASSWORD
        return Answer(status, orjson.dumps({"error": padded, "message": echo, "code": echo}))

    with ScriptedServer(state_dir, answer) as server:
        console = server.client(
            attempts=2,
            password=AWKWARD_PASSWORD,
            direct_api=direct_api,
            clock=clock_without_waits(),
        )
        error = failed(console.bootstrap)
    assert error is not None
    said = everything_said(error, caplog)
    known = {AWKWARD_PASSWORD} if path == "login" else {AWKWARD_PASSWORD, CSRF}
    known |= set() if path == "login" else {BEARER if direct_api else COOKIE}
    for secret in known | {AWKWARD_PASSWORD[:8], quote(AWKWARD_PASSWORD)}:
        assert secret not in said


def test_a_plain_text_answer_is_quoted_without_its_secrets(state_dir: Path) -> None:
    """The console's own words help; what they repeat of ours is hidden."""

    def answer(seen: Seen) -> Answer:
        if seen.path == "/api/auth/login":
            return Answer(headers=(("Set-Cookie", f"TOKEN={COOKIE}; Path=/; Secure"),))
        return Answer(418, f"short and stout {COOKIE} {PASSWORD} eyJhbGciOi.eyJ4Ijox.c2ln".encode())

    with ScriptedServer(state_dir, answer) as server:
        error = failed(server.client(attempts=1).bootstrap)
    assert str(error).endswith("418 (short and stout [hidden] [hidden] [hidden])")


@pytest.mark.parametrize("secret", ["plain", 'a "quoted" \\ one', "ümläut & 100%", "it's"])
def test_a_secret_is_hidden_however_a_message_of_python_spells_it(secret: str) -> None:
    """As text, as the bytes of a request, and in the repr of either."""
    redactor = Redactor([secret])
    body = json.dumps({"password": secret})
    spelled = [secret, repr(secret), body, repr(body), repr(body.encode()), repr(secret.encode())]
    for text in [*spelled, orjson.dumps([secret]).decode(), repr(orjson.dumps([secret]))]:
        assert HIDDEN in redactor.redact(f"a bug: {text}")
