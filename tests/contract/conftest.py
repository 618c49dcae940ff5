import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.contract.genuine import Client, InstallError, unavailable


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded console's certificate is kept, so that it is made once."""
    return tmp_path_factory.mktemp("contract-console")


@pytest.fixture(scope="session")
def venvs(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the genuine clients live from one run to the next."""
    named = os.environ.get("UPVS_CONTRACT_VENVS")
    if named:
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()
    if pytestconfig.pluginmanager.has_plugin("cacheprovider"):
        return pytestconfig.cache.mkdir("contract-venvs")
    return tmp_path_factory.mktemp("contract-venvs")


@pytest.fixture(scope="session")
def installed(venvs: Path) -> Callable[[Client], Path]:
    """The program of a genuine client; where it cannot be had, that ends the test."""

    @cache
    def outcome(client: Client) -> Path | InstallError:
        try:
            return client.installed(venvs)
        except InstallError as error:
            return error

    def program(client: Client) -> Path:
        found = outcome(client)
        if isinstance(found, InstallError):
            unavailable(found, is_ci=os.environ.get("CI") == "true")
        return found

    return program
