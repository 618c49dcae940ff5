"""Settings of what a test gives, and of nothing that happens to be on the machine."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from tests.sentences import one_sentence
from upvs_tasks import settings
from upvs_tasks.errors import SettingsError
from upvs_tasks.settings import Settings

NO_CONFIG = Path("no-such-folder/config.toml")


def write_config(path: Path, values: Mapping[str, object]) -> Path:
    """Write values of JSON's kinds as TOML."""
    lines = (f"{name} = {orjson.dumps(value).decode()}\n" for name, value in values.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def load(
    variables: Mapping[str, object] | None = None,
    *,
    config_path: Path = NO_CONFIG,
    own_path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    password: str | None = None,
) -> Settings:
    """Settings of what is given here alone."""
    return settings.load(
        config_path=config_path,
        own_path=own_path,
        variables=variables or {},
        password=password,
        environment=environment or {},
    )


def refusal(
    variables: Mapping[str, object] | None = None,
    *,
    config_path: Path = NO_CONFIG,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Sentence with which settings are refused."""
    with pytest.raises(SettingsError) as caught:
        load(variables, config_path=config_path, environment=environment)
    sentence = one_sentence(str(caught.value))
    assert caught.value.exit_code == 3
    return sentence
