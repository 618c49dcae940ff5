import ast
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import upvs_tasks.simulator
from tests.simulator.browser import TIMEOUT_SECS

FOREIGN = {"av", "cryptography", "orjson"}


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Run the console as a program; yield the process and what it said when it was ready."""
    command = [sys.executable, "-m", "upvs_tasks.simulator", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()  # a kill would leave its temporary directory behind


def log_in(ready: dict[str, Any]) -> int:
    """Return the status of a login with what the program said."""
    with requests.Session() as session:
        session.trust_env = False
        claim = {"username": ready["username"], "password": ready["password"]}
        address = f"{ready['host']}/api/auth/login"
        return session.post(
            address, json=claim, verify=ready["ca_file"], timeout=TIMEOUT_SECS
        ).status_code


def test_the_program_says_in_one_line_how_to_reach_it_and_ends_with_its_input() -> None:
    with program("--until-stdin-closes") as (process, ready):
        assert set(ready) == {"host", "ca_file", "username", "password", "camera"}
        assert log_in(ready) == 200
        rest, _ = process.communicate(timeout=TIMEOUT_SECS)
        assert (process.returncode, rest) == (0, b"")
        assert not Path(ready["ca_file"]).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with program() as (process, _):
        process.send_signal(number)
        assert process.wait(TIMEOUT_SECS) == 0


def test_behaviour_and_faults_can_be_given_as_files(tmp_path: Path) -> None:
    behaviour, faults = tmp_path / "behaviour.json", tmp_path / "faults.json"
    behaviour.write_text('{"csrf": "absent", "bad_credentials_status": 403}')
    faults.write_text('[{"kind": "status", "path": "login", "status": 503}]')
    with program("--behaviour", str(behaviour), "--faults", str(faults)) as (_, ready):
        assert log_in(ready) == 503
        assert log_in({**ready, "password": "wrong"}) == 403
        assert log_in(ready) == 200


@pytest.mark.parametrize(
    "arguments",
    [("--bind", "0.0.0.0"), ("--behaviour", "missing.json")],  # noqa: S104 - it is refused
)
def test_nonsense_on_the_command_line_is_refused(arguments: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "upvs_tasks.simulator", *arguments]
    finished = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_SECS)
    assert finished.returncode == 2
    assert arguments[1].encode() in finished.stderr
    assert b"Traceback" not in finished.stderr


def test_it_also_listens_on_the_other_loopback() -> None:
    with program("--bind", "::1") as (_, ready):
        assert ready["host"].startswith("https://[::1]:")
        assert log_in(ready) == 200


def test_the_console_shares_nothing_with_the_program_it_judges() -> None:
    package = Path(upvs_tasks.simulator.__file__).parent
    for module in package.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            match node:
                case ast.Import(names=names):
                    imported = [name.name for name in names]
                case ast.ImportFrom(module=str(name)):
                    imported = [name]
                case _:
                    continue
            for name in imported:
                top = name.partition(".")[0]
                assert (
                    name.startswith("upvs_tasks.simulator")
                    or top in FOREIGN
                    or top in sys.stdlib_module_names
                ), f"{module.name} imports {name}"
