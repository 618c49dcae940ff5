from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.project import Project
from upvs_tasks.simulator import SimulatedConsole


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedConsole]:
    """A simulated console with its shipped world."""
    with SimulatedConsole(state_dir=tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, console: SimulatedConsole) -> Project:
    """A quiet day of a small camera: six clips."""
    return Project(tmp_path / "home", console)
