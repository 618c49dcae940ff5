import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.sentences import only_error
from upvs_tasks.settings import TABLE

REPOSITORY = Path(__file__).parents[1]
MAIN = "import sys; from upvs_tasks.cli import main; sys.exit(main())"
PASSWORD = "hunter2-correct-horse"
DATE = ("--date", "2024-01-15")


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what it said where."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class Shell:
    """An empty folder to run `upvs` in, and a console that notices whoever knocks."""

    folder: Path
    console: socket.socket

    def upvs(self, *arguments: str, **environment: str) -> Finished:
        """Run a command against the console."""
        host, port = self.console.getsockname()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
        access = {"UPVS_HOST": f"{host}:{port}", "UPVS_USERNAME": "upvs", "UPVS_PASSWORD": PASSWORD}
        process = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=self.folder,
            env=clean | {"PYTHONPATH": str(REPOSITORY)} | access | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Finished(process.returncode, process.stdout, process.stderr)

    def was_asked(self) -> bool:
        """Whether anybody knocked at the console."""
        try:
            connection, _ = self.console.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A folder without upvs.toml, and a console on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as console:
        console.settimeout(0)
        yield Shell(tmp_path, console)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the following arguments are required: <command>"),
        (("explode",), "invalid choice (choose from 'scan'"),
        (("scan",), "the following arguments are required: --date"),
        (("scan", "--date"), "argument --date: expected one argument"),
        (("run", "--date", "15.01.2024"), "must be YYYY-MM-DD, today or yesterday"),
        (("run", *DATE), "camera is not set"),
        (("--camera", "Door", "run", *DATE, "--crf", "99"), "a whole number from 0 to 51"),
        (("--camera", "Door", "render", *DATE, "--fps", "fast"), "a whole number from 1 to 120"),
        (("--camera", "Door", "fetch", *DATE, "--workers", "0"), "a whole number from 1 to 16"),
        (("--camera", "Door", "fetch", *DATE, "--retries", "0"), "a whole number from 1 to 20"),
        (("--camera", "Door", "render", *DATE, "--target", "0"), "a number from 1 to 86400"),
        (("--camera", "Door", "render", *DATE, "--preset", "best"), "must be one of ultrafast"),
        (("scan", *DATE, "--crf", "18"), "unrecognized arguments: --crf"),
        (("render", *DATE, "--workers", "2"), "unrecognized arguments: --workers"),
        (("fetch", *DATE, "--fps", "25"), "unrecognized arguments: --fps"),
        (("scan", "--dat", "2024-01-15"), "--date"),
        (("--cam", "Door", "scan", *DATE), "invalid choice (choose from 'scan'"),
        (("--tls-insecure=no", "scan", *DATE), "argument --tls-insecure"),
        (("scan", *DATE, "--password-file", "absent"), "password_file absent cannot be read"),
        (("scan", *DATE, "--out", "out/{host}"), "only the placeholders {camera} and {date}"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_a_wrong_command_is_told_in_a_sentence(
    shell: Shell, arguments: tuple[str, ...], sentence: str
) -> None:
    """With exit code 3, nothing asked of the console, and nothing written."""
    finished = shell.upvs(*arguments)

    assert finished.code == 3
    assert finished.output == ""
    assert sentence in only_error(finished.errors)
    assert not shell.was_asked()
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("named", ["absent.toml", "."])
def test_a_config_that_is_named_has_to_be_there(shell: Shell, named: str) -> None:
    """Whoever names one does not want the defaults; only the one of the folder may be absent."""
    finished = shell.upvs("--config", named, "--camera", "Door", "render", *DATE)

    assert finished.code == 3
    assert named in only_error(finished.errors)


def test_a_wrong_setting_of_another_place_is_told_in_a_sentence(shell: Shell) -> None:
    """From upvs.toml and from the environment."""
    of_environment = shell.upvs("--camera", "Door", "scan", *DATE, UPVS_CFR="18")
    (shell.folder / "upvs.toml").write_text("crf = 99\n")
    of_config = shell.upvs("--camera", "Door", "scan", *DATE)

    assert (of_environment.code, of_config.code) == (3, 3)
    assert only_error(of_environment.errors).startswith(
        "ERROR: UPVS_CFR is no setting; the nearest: UPVS_CRF"
    )
    assert of_config.errors == (
        "ERROR: crf in upvs.toml is 99, but it must be a whole number from 0 to 51\n"
    )
    assert not shell.was_asked()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--password", PASSWORD, "run", "--date", "15.01.2024"),
        ("run", "--date", "15.01.2024", "--password", PASSWORD),
        ("--password", PASSWORD, "explode"),
        (f"--pasword={PASSWORD}", "run", *DATE),
        ("run", *DATE, "--pasword", PASSWORD),
        ("--pasword", PASSWORD, "run", *DATE),
    ],
    ids=["before", "behind", "another mistake", "misspelt", "misspelt behind", "misspelt before"],
)
def test_a_password_is_not_repeated_whatever_else_is_wrong(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    """What a command says ends up in the logs of whatever ran it."""
    finished = shell.upvs(*arguments)

    assert finished.code == 3
    assert PASSWORD not in finished.output + finished.errors


def absent_index(finished: Finished) -> str:
    """Folder of the clip index that `render` looked for in vain."""
    assert finished.code == 1, finished.errors
    return finished.errors.split("ERROR: ")[1].split("/manifests/")[0]


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (("--camera", "Front Door", "render", *DATE), "out/Front Door/2024-01-15"),
        (("render", *DATE, "--camera", "Front Door"), "out/Front Door/2024-01-15"),
        (("--camera", "A", "--out", "films", "render", *DATE), "films/A/2024-01-15"),
        (("--camera", "A", "render", "--out", "films/{date}", *DATE), "films/2024-01-15"),
        (("--camera", "A", "--out", "1", "render", *DATE, "--out", "2"), "2/A/2024-01-15"),
        (("--config", "my.toml", "render", *DATE), "of my config"),
        (("render", *DATE, "--config", "my.toml"), "of my config"),
        (
            ("--config", "my.toml", "render", *DATE, "--out", "films"),
            "films/Of my config/2024-01-15",
        ),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else part,
)
def test_global_flags_stand_before_or_behind_the_command(
    shell: Shell, arguments: tuple[str, ...], folder: str
) -> None:
    """The later one wins, and any flag wins over the config."""
    (shell.folder / "my.toml").write_text('camera = "Of my config"\nout_dir = "of my config"\n')

    finished = shell.upvs(*arguments)

    assert absent_index(finished) == str(shell.folder / folder)
    assert not shell.was_asked()
    assert [path.name for path in shell.folder.iterdir()] == ["my.toml"]


def test_the_settings_beside_it_are_read_unless_others_are_named(shell: Shell) -> None:
    """As doit reads those beside dodo.py."""
    (shell.folder / "upvs.toml").write_text('camera = "Door"\nout_dir = "films"\n')

    assert absent_index(shell.upvs("render", *DATE)) == str(shell.folder / "films")


def test_a_config_of_another_program_is_none_of_ours(shell: Shell) -> None:
    """Many programs call theirs so; what it says is not even looked at."""
    (shell.folder / "config.toml").write_text('title = "My site"\nhost = "example.org"\n[[')

    run = shell.upvs("run", *DATE)

    assert run.code == 3
    assert run.errors.startswith("NOTE: config.toml is not read here: upvs reads upvs.toml, or")
    assert "host is not set" in run.errors or "camera is not set" in run.errors
    (shell.folder / "upvs.toml").write_text('camera = "Door"\nout_dir = "films"\n')
    render = shell.upvs("render", *DATE)
    assert absent_index(render) == str(shell.folder / "films")
    assert "NOTE" not in render.errors


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("scan", set()),
        ("fetch", {"--workers", "--retries"}),
        ("render", {"--target", "--fps", "--crf", "--preset"}),
        ("run", {"--workers", "--retries", "--target", "--fps", "--crf", "--preset"}),
    ],
)
def test_help_tells_every_flag_of_the_specification(
    shell: Shell, command: str, flags: set[str]
) -> None:
    """§9 lists them, those of all commands and each one's own."""
    shared = {
        "--host",
        "--username",
        "--password",
        "--password-file",
        "--camera",
        "--out",
        "--tls-insecure",
        "--direct-api",
        "--verbose",
        "--date",
    }

    finished = shell.upvs(command, "--help", COLUMNS="200")

    told = {word.strip(",") for word in finished.output.split() if word.startswith("--")}
    assert (finished.code, finished.errors) == (0, "")
    assert shared | flags <= told
    assert not ({"--workers", "--retries", "--target", "--fps", "--crf", "--preset"} - flags) & told


@pytest.mark.parametrize(
    ("flag", "name", "default"),
    [
        ("--host", "host", None),
        ("--username", "username", None),
        ("--password", "password", None),
        ("--password-file", "password_file", None),
        ("--camera", "camera", None),
        ("--date", "date", None),
        ("--out", "out_dir", '"out/{camera}/{date}"'),
        ("--tls-fingerprint", "tls_fingerprint", None),
        ("--ca-file", "ca_file", None),
        ("--tls-insecure", "tls_insecure", None),
        ("--direct-api", "direct_api", None),
        ("--workers", "max_workers", "4"),
        ("--retries", "retry_limit", "3"),
        ("--target", "target_duration", "600"),
        ("--fps", "output_fps", "30"),
        ("--crf", "crf", "23"),
        ("--preset", "preset", '"medium"'),
    ],
)
def test_help_says_of_a_flag_what_the_setting_says(
    run_help: dict[str, str], flag: str, name: str, default: str | None
) -> None:
    """What it means, what is allowed, what it is without the flag, and its variable."""
    words = run_help[flag]

    assert words.startswith(TABLE[name].meaning)
    assert TABLE[name].parser.brief in words
    assert f"env: UPVS_{name.upper()})" in words
    assert ("default: " in words) == (default is not None)
    assert default is None or f"default: {default};" in words


@pytest.fixture(scope="module")
def run_help() -> dict[str, str]:
    """What `upvs run --help` says of each flag."""
    shown = subprocess.run(
        [sys.executable, "-c", MAIN, "run", "--help"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = re.findall(r"^ +(--[\w-]+)(?: [A-Z_]+)?\s+(\S.*)$", shown, re.MULTILINE)
    return dict(lines)


def test_help_tells_every_command(shell: Shell) -> None:
    """And that a password on the command line is for all to see."""
    finished = shell.upvs("--help")

    assert finished.code == 0
    assert all(command in finished.output for command in ("scan", "fetch", "render", "run"))
    assert "list of processes" in " ".join(finished.output.split())


def test_the_version_is_told(shell: Shell) -> None:
    """The installed one."""
    assert shell.upvs("--version").output == f"{version('upvs')}\n"
