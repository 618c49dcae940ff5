"""`upvs`: the specification's commands, and how little each asks of the console."""

from pathlib import Path

import pytest

from tests.pipeline.project import Finished, Project
from upvs_tasks.simulator import SimulatedConsole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the films go; not where the command is run."""
    return tmp_path / "films"


def upvs(
    project: Project, folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Finished:
    """Run `upvs` from a folder without dodo.py or config.toml."""
    elsewhere = project.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    console = project.console
    access = ["--host", console.host, "--username", console.username, "--camera", "Sparrow"]
    process = project.start_bare(
        "-c",
        "import sys, os; os.chdir('elsewhere'); from upvs_tasks.cli import main; sys.exit(main())",
        *access,
        "--out",
        str(folder),
        *arguments,
        environment={"UPVS_CA_FILE": str(console.ca_file)} | (environment or {}),
    )
    output, _ = process.communicate(timeout=120)
    return Finished(process.returncode, output)


def film(folder: Path) -> Path:
    """The film below the root that ``--out`` names."""
    day = folder / "Sparrow" / "2024-01-17"
    return day / "timelapse" / "Sparrow_2024-01-17_timelapse.mp4"


QUICK = ("--target", "20", "--preset", "ultrafast")


def test_run_does_it_all(project: Project, folder: Path) -> None:
    run = upvs(project, folder, "run", "--date", "2024-01-17", *QUICK)
    assert run.code == 0, run.output
    assert film(folder).is_file()
    assert list((project.folder / "elsewhere").iterdir()) == []


def test_each_command_asks_no_more_than_it_must(
    project: Project, console: SimulatedConsole, folder: Path
) -> None:
    assert upvs(project, folder, "scan", "--date", "2024-01-17").code == 0
    assert (project.requests("/bootstrap"), project.requests("/events")) == (1, 1)
    assert not list(folder.rglob("*.mp4"))

    console.forget_requests()
    fetched = upvs(project, folder, "fetch", "--date", "2024-01-17", "--workers", "2")
    assert fetched.code == 0, fetched.output
    clips = len(list(folder.rglob("clip_*.mp4")))
    assert len(project.exports()) == clips > 0
    assert (project.requests("/bootstrap"), project.requests("/events")) == (0, 0)

    console.forget_requests()
    rendered = upvs(project, folder, "render", "--date", "2024-01-17", *QUICK)
    assert rendered.code == 0, rendered.output
    assert film(folder).is_file()
    assert console.requests == ()


def test_fetch_without_an_index_makes_one(project: Project, folder: Path) -> None:
    run = upvs(project, folder, "fetch", "--date", "2024-01-17")
    assert run.code == 0, run.output
    assert list(folder.rglob("clip_*.mp4"))


def test_render_without_an_index_says_what_is_missing(project: Project, folder: Path) -> None:
    run = upvs(project, folder, "render", "--date", "2024-01-17")
    assert run.code == 1, run.output
    assert "scan" in run.output
    assert "Traceback" not in run.output
    assert not folder.exists()


def test_the_password_may_come_from_a_file(project: Project, folder: Path) -> None:
    secret = project.folder / "secret"
    secret.write_text(project.console.password + "\n")
    flags = ("--password-file", str(secret), "scan", "--date", "2024-01-17")
    run = upvs(project, folder, *flags, environment={"UPVS_PASSWORD": "another"})
    assert run.code == 0, run.output


def test_a_wrong_flag_is_a_usage_error(project: Project, folder: Path) -> None:
    run = upvs(project, folder, "run", "--date", "2024-01-17", "--crf", "77")
    assert run.code == 3
    assert "from 0 to 51" in run.output
