from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.console.harness import ConsoleHarness
from upvs_tasks.simulator import Behaviour, SimulatedConsole

Running = Callable[[Behaviour], ConsoleHarness]


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate is kept, so that it is made once."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture
def running(state_dir: Path) -> Iterator[Running]:
    """Start a console of a given behaviour, and a client for it."""
    with ExitStack() as stack:

        def run(behaviour: Behaviour) -> ConsoleHarness:
            simulated = stack.enter_context(
                SimulatedConsole(behaviour=behaviour, state_dir=state_dir)
            )
            return stack.enter_context(ConsoleHarness(simulated))

        yield run


@pytest.fixture
def harness(running: Running) -> ConsoleHarness:
    """A console as shipped, and a client for it."""
    return running(Behaviour())
