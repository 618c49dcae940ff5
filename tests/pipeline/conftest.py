from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.project import Project
from upvs_tasks.simulator import Behaviour, SimulatedConsole


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedConsole]:
    """A simulated console with its shipped world, and no limit to logins."""
    behaviour = Behaviour(login_limit_per_minute=None)
    folder = tmp_path_factory.mktemp("console")
    with SimulatedConsole(behaviour=behaviour, state_dir=folder) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, console: SimulatedConsole) -> Project:
    """A quiet day of a small camera: six clips."""
    return Project(tmp_path / "home", console)


@pytest.fixture(scope="session")
def quiet_day(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The quiet day after its first run. All tests share it, so they only read it."""
    with SimulatedConsole(behaviour=Behaviour(login_limit_per_minute=None)) as console:
        day = Project(tmp_path_factory.mktemp("quiet-day") / "home", console)
        run = day.doit("run", "timelapse")
        assert run.code == 0, run.output
    return day


@pytest.fixture
def filmed(project: Project, quiet_day: Project) -> Project:
    """The project after its first run."""
    project.copy_day_of(quiet_day)
    return project


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the tests of whole days can be told."""
    parser.addoption("--story", help="the blows of one life, as a failing test prints them")
    parser.addoption(
        "--refusal",
        help="all refused calls whose line has this, as a test prints it; without it, some of all",
    )
    parser.addoption(
        "--write-states", action="store_true", help="write docs/states.md as the program has it"
    )
