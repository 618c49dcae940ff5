from pathlib import Path

import pytest

from upvs_tasks.settings import CONFIG_NAME


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a config.toml is to be written."""
    return tmp_path / CONFIG_NAME


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A file with a value and a newline behind it, as editors leave one."""
    path = tmp_path / "secret"
    path.write_text("from-a-file\n")
    return path
