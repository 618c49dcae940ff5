"""One set of statements, kept by the embedded console always and by a real one where there is one.

A real console is looked at when UPVS_LIVE_HOST, UPVS_LIVE_USERNAME, UPVS_LIVE_CAMERA and
UPVS_LIVE_PASSWORD or UPVS_LIVE_PASSWORD_FILE are set; UPVS_LIVE_CA_FILE names the certificate to
trust, UPVS_LIVE_TLS_INSECURE=1 trusts any. It takes one login, some lists and four short exports,
one after the other.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract import export_statements, list_statements, login_statements
from tests.contract.consoles import NEWER, OLDER, OTHERWISE
from tests.contract.statements import STATEMENTS, Statement
from tests.contract.visit import Host, Visit, recent_window_ms, shipped_window_ms
from upvs_tasks.simulator import Behaviour, ExportCut, Fault, SimulatedConsole

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

GROUPS = (login_statements, list_statements, export_statements)
ALL = tuple(STATEMENTS.values())
HARMLESS = tuple(statement for statement in ALL if not statement.only_embedded)
IS_LIVE = bool(os.environ.get("UPVS_LIVE_HOST"))

each_statement = pytest.mark.parametrize("statement", ALL, ids=lambda one: one.name)


@contextmanager
def visiting(behaviour: Behaviour, state_dir: Path) -> Iterator[Visit]:
    """Run a console and visit its shipped day."""
    with (
        SimulatedConsole(behaviour=behaviour, state_dir=state_dir) as console,
        Visit(Host.embedded(console), window_ms=shipped_window_ms(), simulated=console) as visit,
    ):
        yield visit


@pytest.fixture(scope="module", params=[OLDER, NEWER, OTHERWISE], ids=["older", "newer", "other"])
def embedded(request: pytest.FixtureRequest, state_dir: Path) -> Iterator[Visit]:
    """A visit for all statements that leave the console as it was."""
    with visiting(request.param, state_dir) as visit:
        yield visit


@each_statement
def test_the_embedded_console_keeps(embedded: Visit, statement: Statement, state_dir: Path) -> None:
    """Statements that leave traces get a console of their own."""
    if not statement.only_embedded:
        statement.check(embedded)
        return
    with visiting(embedded.simulated.behaviour, state_dir) as visit:
        statement.check(visit)


@pytest.fixture(scope="module")
def live() -> Iterator[Visit]:
    """A visit to the real console that the environment names."""
    if not IS_LIVE:
        pytest.skip("there is no real console to look at: UPVS_LIVE_HOST is not set")
    with Visit(Host.live(os.environ), window_ms=recent_window_ms()) as visit:
        yield visit


@pytest.mark.parametrize(
    "statement", ALL if IS_LIVE else ALL[:1], ids=lambda one: one.name if IS_LIVE else "none"
)
def test_the_real_console_keeps(live: Visit, statement: Statement) -> None:
    """What would disturb it is left out."""
    if statement.only_embedded:
        pytest.skip(f"only asked of the embedded console: {statement.only_embedded}")
    statement.check(live)


@pytest.mark.parametrize("trust", ["ca_file", "insecure"])
def test_a_console_named_in_the_environment_is_looked_at_as_a_real_one(
    tmp_path: Path, state_dir: Path, trust: str
) -> None:
    """The live run itself, with nothing of the embedded console but its address."""
    password_file = tmp_path / "password"
    with SimulatedConsole(state_dir=state_dir) as console:
        password_file.write_text(f"{console.password}\n", encoding="utf-8")
        environment = {
            "UPVS_LIVE_HOST": console.host.removeprefix("https://"),
            "UPVS_LIVE_USERNAME": console.username,
            "UPVS_LIVE_PASSWORD_FILE": str(password_file),
            "UPVS_LIVE_CAMERA": "Driveway",
        }
        if trust == "insecure":
            environment["UPVS_LIVE_TLS_INSECURE"] = "1"
        else:
            environment["UPVS_LIVE_CA_FILE"] = console.ca_file
        with Visit(Host.live(environment), window_ms=recent_window_ms()) as visit:
            for statement in HARMLESS:
                statement.check(visit)
        asked = [request.endpoint for request in console.requests]
    assert asked.count("login") == 1
    assert asked.count("export") <= 8
    assert console.busiest_parallel_exports == 1


@pytest.mark.parametrize("lacking", ["USERNAME", "PASSWORD", "CAMERA"])
def test_a_live_run_that_lacks_something_says_what_it_needs(lacking: str) -> None:
    """It is no reason to skip: somebody wanted it."""
    names = {"HOST", "USERNAME", "PASSWORD", "CAMERA"} - {lacking}
    with pytest.raises(ValueError, match=f"UPVS_LIVE_{lacking}"):
        Host.live({f"UPVS_LIVE_{name}": "192.0.2.1" for name in names})


@pytest.mark.parametrize(
    ("spoiled", "name"),
    [
        (Behaviour(page_cap=2), "types_are_asked_for_by_repeating_the_parameter"),
        (Behaviour(export_cut=ExportCut.INSIDE), "export_is_at_least_as_long_as_asked"),
        (Behaviour(session_secs=60), "session_cookie_is_a_dated_token"),
        (Fault("status", status=206), "range_is_ignored"),
        (Fault("wrong_bytes"), "export_is_an_mp4"),
        (
            Fault("status", path="events", status=200, body='{"events": []}'),
            "events_are_a_bare_array",
        ),
        (Fault("status", path="events", status=200, body="[]"), "start_alone_is_refused"),
        (Fault("status", path="nvr", status=403), "reading_needs_no_csrf_token"),
        (Fault("status", status=500), "no_recording_is_404_or_said_otherwise"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_console_that_is_otherwise_does_not_pass(
    state_dir: Path, spoiled: Behaviour | Fault, name: str
) -> None:
    """A statement that no console could fail would say nothing."""
    behaviour = spoiled if isinstance(spoiled, Behaviour) else OLDER
    with visiting(behaviour, state_dir) as visit:
        if isinstance(spoiled, Fault):
            visit.simulated.order(spoiled)
        with pytest.raises(AssertionError):
            STATEMENTS[name].check(visit)


def test_each_statement_is_of_a_group() -> None:
    """Nothing enters the contract from elsewhere."""
    modules = {group.__name__ for group in GROUPS}
    assert {statement.check.__module__ for statement in ALL} == modules
    assert len(ALL) >= 40
