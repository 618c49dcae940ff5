"""The README's own commands, copied from it and run where nothing is set up."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from functools import cache
from pathlib import Path

import pytest

from tests.certificates import SHAPES, put
from tests.film import shown_instants
from tests.sources import SOURCES
from upvs_tasks import settings
from upvs_tasks.errors import UntrustedCertificateError
from upvs_tasks.simulator import SimulatedConsole

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAIN_JOB, TESTS = re.findall(r"```sh\n(pip install .*)\n```", README)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has of the project, as a stranger gets it."""
    folder = tmp_path_factory.mktemp("stranger") / "upvs"
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty virtual environment, active, on a machine without ffmpeg and without settings."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=True)
    path = [str(folder / "venv" / "bin"), *os.environ["PATH"].split(os.pathsep)]
    without_ffmpeg = [place for place in path if not (Path(place) / "ffmpeg").exists()]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
    kept.pop("PYTHONPATH", None)
    return kept | {"PATH": os.pathsep.join(without_ffmpeg), "VIRTUAL_ENV": str(folder / "venv")}


@pytest.mark.registry
@pytest.mark.timeout(900)
def test_the_first_command_alone_ends_in_a_film_that_plays(
    clone: Path, bare_environment: dict[str, str]
) -> None:
    run = subprocess.run(  # noqa: S602  as a person would, in a shell
        MAIN_JOB,
        shell=True,
        cwd=clone,
        env=bare_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    film = clone / re.findall(r"`(out/.*?\.mp4)`", README)[0]
    instants = shown_instants(film)
    assert len(instants) == 18_000
    assert None not in instants
    assert instants == sorted(instants)  # type: ignore[type-var]  # none is None


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_run_prints_the_line_that_lets_the_second_one_in(
    tmp_path: Path, shape: str
) -> None:
    """README's own commands, for another address; of the tasks only the first, which is quick."""
    for name in ("dodo.py", "config.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    put(tmp_path / "console", shape)
    with SimulatedConsole(state_dir=tmp_path / "console") as console:
        commands = re.findall(r"```sh\n(export UPVS_PASSWORD.*?)```", README, re.DOTALL)[0]
        address = console.host.removeprefix("https://")
        commands = commands.replace("192.168.1.1", address).replace("'...'", console.password)
        commands = commands.replace("run timelapse", "run scan")
        first = _as_a_person(commands, tmp_path)
        assert first.returncode == UntrustedCertificateError.exit_code
        assert not console.requests
        line = re.findall(r"tls_fingerprint = .*", first.stderr)[0]
        with (tmp_path / "upvs.toml").open("w", encoding="utf-8") as config:
            config.write(f"{line}\n")
        second = _as_a_person(commands, tmp_path)
        assert (second.returncode, second.stderr) == (0, ""), second
        assert len(console.requests) > 1
    assert "prints a line with `tls_fingerprint`" in README


def _as_a_person(commands: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run commands in a shell, with the programs of this environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(  # noqa: S602  as a person would
        commands,
        shell=True,
        cwd=folder,
        env=kept | {"PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )


def test_continuous_integration_runs_the_second_command_as_it_stands() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert TESTS in script.splitlines()


def test_continuous_integration_runs_every_tier() -> None:
    """What a plain run leaves out is all that the long run takes up."""
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    options = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    pytest_options = options["tool"]["pytest"]["ini_options"]
    tiers = [marker.partition(":")[0] for marker in pytest_options["markers"]]
    assert " and ".join(f"not {tier}" for tier in tiers) in pytest_options["addopts"]
    assert f'pytest -m "{" or ".join(tiers)}"' in script


def test_the_workflow_runs_the_same_script() -> None:
    workflow = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "- run: .ci/run" in workflow


def test_every_task_has_a_row_in_the_readme_and_every_row_a_task() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "doit", "list"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tasks = {line.split()[0] for line in listed.splitlines()}
    assert tasks >= {"scan", "fetch", "timelapse", "verify"}
    assert tasks_of_the_table(README) == tasks


@pytest.mark.parametrize(
    ("row", "tasks"),
    [
        ("| `doit run speed date=…` | the speed |", {"speed"}),
        ("| `doit run speed`, `render` | what follows |", {"speed", "render"}),
        ("| `doit run fetch:clip_…` | one clip |", {"fetch"}),
        ("| `doit list` | after `doit run speed` |", set()),
    ],
)
def test_a_row_names_tasks_by_what_it_runs(row: str, tasks: set[str]) -> None:
    """What is only mentioned is no row."""
    assert tasks_of_the_table(f"`speed`\n## Tasks\n{row}\n## Settings\n`speed`") == tasks


def tasks_of_the_table(text: str) -> set[str]:
    """Tasks that the table of tasks has rows for: those that its first column runs."""
    table = text.partition("## Tasks\n")[2].partition("\n## ")[0]
    commands = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    runs = [re.findall(r"`([^`]+)`", command) for command in commands if "doit run " in command]
    named = [name for first, *others in runs for name in (first.split()[2], *others)]
    return {name.partition(":")[0] for name in named}


def test_every_setting_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`(\w+) = ", README)) | set(re.findall(r" (\w+)=\S", README))
    unknown = named - set(settings.NAMES) - {"UPVS_PASSWORD"}
    assert not unknown


def test_every_settings_line_of_the_readme_may_be_copied() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    lines = re.findall(r"`(\w+ = [^`]+)`", README)
    assert len(blocks) == 1
    assert 'engine = "concat"' in lines
    for written in [*blocks, *lines]:
        named = tomllib.loads(written)
        loaded = settings.load(config_path=Path("none.toml"), variables=named, environment={})
        assert named
        assert all(getattr(loaded, name) is not None for name in named)


def test_every_variable_that_the_readme_names_is_read(tmp_path: Path) -> None:
    variables = set(re.findall(r"\b(?:UPVS|UFP)_[A-Z_]+", README))
    variables -= {"UPVS_NAME", "UPVS_NAME_FILE", "UPVS_LIVE_HOST"}
    assert {"UPVS_PASSWORD", "UPVS_TOTP_SECRET", "UFP_ADDRESS", "UFP_SSL_VERIFY"} <= variables
    config = tmp_path / "none.toml"
    plain = {"UFP_ADDRESS": "console", "UFP_SSL_VERIFY": "yes"}
    default = settings.load(config_path=config, variables={}, environment=plain)
    for variable in variables:
        said = plain | {variable: "no" if variable == "UFP_SSL_VERIFY" else "7443"}
        loaded = settings.load(config_path=config, variables={}, environment=said)
        assert loaded != default, variable


def test_every_message_that_the_readme_quotes_is_one_of_ours() -> None:
    section = README.partition("## When something goes wrong\n")[2].partition("\n## ")[0]
    seen = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    quotes = {quote.removesuffix(":") for cell in seen for quote in re.findall(r"`([^`]+)`", cell)}
    assert len(quotes) > 10
    assert {quote for quote in quotes if not any(quote in text for text in messages())} == set()


@cache
def messages() -> frozenset[str]:
    """Every text of the product, with an ellipsis in place of each value that it is given."""
    ours = [source for source in SOURCES if source.room != "simulator"]
    nodes = [node for source in ours for node in ast.walk(source.tree)]
    plain = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    filled_in = {
        "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    }
    return frozenset(plain | filled_in)


def test_the_help_of_upvs_is_what_the_readme_promises() -> None:
    for command in ("scan", "fetch", "render", "run"):
        shown = subprocess.run(
            [sys.executable, "-m", "upvs_tasks", command, "--help"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "--date" in shown
        assert ("--workers" in shown) == (command in {"fetch", "run"})
        assert ("--crf" in shown) == (command in {"render", "run"})


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
