import ast
import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import upvs_tasks
import upvs_tasks.simulator
from tests.pinned import PinnedAdapter
from tests.sentences import one_line
from tests.simulator.browser import TIMEOUT_SECS

FOREIGN = {"av", "cryptography", "orjson"}


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Run the console as a program; yield the process and its ready line."""
    command = [sys.executable, "-m", "upvs_tasks.simulator", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()  # a kill would leave its temporary directory


def log_in(ready: dict[str, Any]) -> int:
    """Return the status of a login with the values of the ready line."""
    with requests.Session() as session:
        session.trust_env = False
        claim = {"username": ready["username"], "password": ready["password"]}
        address = f"{ready['host']}/api/auth/login"
        session.mount("https://", PinnedAdapter(ready["ca_file"]))
        return session.post(address, json=claim, verify=False, timeout=TIMEOUT_SECS).status_code


def test_the_program_writes_one_ready_line_and_ends_with_its_input() -> None:
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


def refusal(*arguments: str) -> str:
    """What the program says of a command line that it refuses, behind its own name."""
    command = [sys.executable, "-m", "upvs_tasks.simulator", *arguments]
    finished = subprocess.run(
        command, capture_output=True, check=False, timeout=TIMEOUT_SECS, text=True
    )
    assert finished.returncode == 2, finished
    assert "Traceback" not in finished.stderr
    return one_line(finished.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--bind", "0.0.0.0"), "invalid choice: '0.0.0.0'"),  # noqa: S104  it is refused
        (("--port", "80000"), "'80000' is no port: give a whole number from 0 to 65535"),
        (("--port", "-1"), "'-1' is no port"),
        (("--port", "x"), "'x' is no port"),
        (("--behaviour", "missing.json"), "--behaviour missing.json cannot be read: No such file"),
        (("--faults", "missing.json"), "--faults missing.json cannot be read: No such file"),
        (("--state-dir", "/dev/null/x"), "/dev/null/x cannot be used: Not a directory"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_an_invalid_command_line_is_refused(arguments: tuple[str, ...], words: str) -> None:
    assert words in refusal(*arguments)


@pytest.mark.parametrize(
    ("option", "content", "words"),
    [
        ("--faults", '{"object": 1}', "must hold a list of objects, such as"),
        ("--faults", "[1]", "must hold a list of objects, such as"),
        ("--faults", "[{}]", "number 1 needs a kind; there are: status, killed_session"),
        ("--faults", '[{"kind": "foo"}]', "number 1: kind is 'foo'; there are: status"),
        ("--faults", '[{"kind": "html"}, {"kind": 1}]', "number 2: kind is 1; there are: status"),
        ("--faults", '[{"kind": "html", "no": 1}]', "has no field 'no'; there are: kind, path"),
        ("--faults", '[{"kind": "html", "times": "x"}]', 'times is "x", but must be int or null'),
        ("--faults", '[{"kind": "html", "skip": true}]', "skip is true, but must be int"),
        ("--faults", '[{"kind": "html", "event_id": "no"}]', "there is no event 'no'"),
        ("--faults", "[", "is no JSON: "),
        ("--behaviour", "[]", "must hold one object, such as"),
        ("--behaviour", '{"no": 1}', "has no field 'no'; there are: flavour, version"),
        ("--behaviour", '{"csrf": "foo"}', "csrf is 'foo'; there are: fixed, rotating, absent"),
        ("--behaviour", '{"page_cap": "x"}', 'page_cap is "x", but must be int or null'),
        ("--behaviour", '{"timezone": "No/Where"}', "timezone 'No/Where' is not known"),
    ],
)
def test_a_file_that_says_nothing_of_a_console_is_refused(
    tmp_path: Path, option: str, content: str, words: str
) -> None:
    """In one sentence that names the option, the file and the field."""
    file = tmp_path / "given.json"
    file.write_text(content)

    sentence = refusal(option, str(file))
    assert sentence.startswith(f"simulator: {option} {file}")
    assert words in sentence


def test_a_port_that_another_program_has_is_refused() -> None:
    with program() as (_, ready):
        port = ready["host"].rpartition(":")[2]
        assert f"127.0.0.1:{port} cannot be used: Address already in use" in refusal("--port", port)


def test_the_program_also_listens_on_the_ipv6_loopback_address() -> None:
    with program("--bind", "::1") as (_, ready):
        assert ready["host"].startswith("https://[::1]:")
        assert log_in(ready) == 200


def test_the_console_imports_nothing_of_the_program_that_it_tests() -> None:
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


def test_an_installation_has_every_file_of_the_console() -> None:
    """Packaging includes Python files by itself; all others must be listed."""
    root = Path(upvs_tasks.__file__).parent
    project = tomllib.loads((root.parent / "pyproject.toml").read_text("utf-8"))
    listed = set(project["tool"]["setuptools"]["package-data"]["upvs_tasks"])
    files = {path for path in (root / "simulator").rglob("*") if path.is_file()}
    others = {path for path in files if path.suffix not in (".py", ".pyc")}
    assert others
    assert {path.relative_to(root).as_posix() for path in others} <= listed
