"""What run.log says of the console: facts, and each request where that was asked for."""

import orjson
import pytest

from tests.pipeline.project import Project
from tests.sentences import one_sentence
from upvs_tasks.simulator import Fault, SimulatedConsole


def logged(project: Project) -> list[dict[str, object]]:
    lines = (project.out / "logs" / "run.log").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def scan(project: Project, *flags: str) -> list[dict[str, object]]:
    """What `upvs scan` logs."""
    process = project.start_bare("-m", "upvs_tasks", *flags, "scan", "--date", project.date)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return logged(project)


def test_a_verbose_scan_logs_each_request(project: Project) -> None:
    requests = [line for line in scan(project, "--verbose") if line["event"] == "request"]
    paths = [(line["method"], line["path"], line["status"]) for line in requests]
    assert paths == [
        ("POST", "/api/auth/login", 200),
        ("GET", "/proxy/protect/api/bootstrap", 200),
        ("GET", "/proxy/protect/api/events", 200),
    ]
    assert project.console.password not in str(requests)


def test_another_scan_does_not(project: Project) -> None:
    assert "request" not in {line["event"] for line in scan(project)}


def test_the_end_of_a_run_holds_facts(project: Project) -> None:
    last = scan(project)[-1]
    assert last["event"] == "run ends"
    assert (last["requests"], last["logins"], last["exit_code"]) == (3, 1, 0)
    assert "ConsoleUsage" not in str(last)


@pytest.mark.slow
def test_a_wait_at_the_login_is_told(project: Project, console: SimulatedConsole) -> None:
    """On stderr, in one line, while there is nothing else to see."""
    console.order(Fault("status", path="login", status=429, retry_after=6))
    ended = project.doit("run", "scan")
    assert ended.code == 0, ended.output
    [line] = [line for line in ended.output.splitlines() if line.startswith("waiting")]
    assert "accepts no more logins for now" in one_sentence(line)
