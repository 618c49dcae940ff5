from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.console.asking import Asking
from upvs_tasks.simulator import Behaviour, SimulatedConsole

Running = Callable[[Behaviour], Asking]


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate is kept, so that it is made once."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture
def running(state_dir: Path) -> Iterator[Running]:
    """Start a console of a given behaviour, and a client for it."""
    with ExitStack() as stack:

        def run(behaviour: Behaviour) -> Asking:
            simulated = stack.enter_context(
                SimulatedConsole(behaviour=behaviour, state_dir=state_dir)
            )
            return stack.enter_context(Asking(simulated))

        yield run


@pytest.fixture
def asking(running: Running) -> Asking:
    """A console as shipped, and a client for it."""
    return running(Behaviour())
