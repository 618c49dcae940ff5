from collections.abc import Iterator

import pytest

from tests.simulator.browser import Browser
from upvs_tasks.simulator import SimulatedConsole


@pytest.fixture
def console() -> Iterator[SimulatedConsole]:
    """A console with its default behaviour."""
    with SimulatedConsole() as running:
        yield running


@pytest.fixture
def browser(console: SimulatedConsole) -> Iterator[Browser]:
    """A client that is logged in to the default console."""
    with Browser(console) as client:
        assert client.log_in().status_code == 200
        yield client
