"""config.toml as it is shipped: what a new user reads first."""

import datetime as dt
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from tests.settings.loading import load, refusal
from upvs_tasks import settings
from upvs_tasks.settings import Settings
from upvs_tasks.settings.config_file import config_text

SHIPPED_CONFIG = Path(__file__).parents[2] / settings.CONFIG_NAME
SHIPPED_TEXT = SHIPPED_CONFIG.read_text(encoding="utf-8")


def test_the_shipped_config_follows_from_the_table() -> None:
    """`python -m upvs_tasks.settings > config.toml` writes it again."""
    assert config_text() == SHIPPED_TEXT


def test_the_module_prints_the_config() -> None:
    """For whoever adds a setting, or wants the defaults back."""
    command = [sys.executable, "-m", "upvs_tasks.settings"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert printed == SHIPPED_TEXT


def test_no_line_of_the_config_is_too_long_to_read() -> None:
    assert max(map(len, SHIPPED_TEXT.splitlines())) <= 100


def test_the_config_has_no_place_for_a_secret() -> None:
    names = {line.removeprefix("# ").split(" = ")[0] for line in SHIPPED_TEXT.splitlines()}

    assert not names & {"password", "totp_secret", "one_time_code"}


def test_the_shipped_config_holds_the_defaults() -> None:
    """But for what the demo needs."""
    shipped = load(config_path=SHIPPED_CONFIG)

    differing = {
        field.name
        for field in fields(Settings)
        if getattr(shipped, field.name) != getattr(Settings(), field.name)
    }
    assert differing == {"host", "camera"}
    assert shipped.is_demo


def test_the_shipped_config_names_every_setting() -> None:
    """With its value; but for those that only an example is known of, which are comments."""
    values = tomllib.loads(SHIPPED_TEXT)

    assert set(values) == set(settings.NAMES) - {"date", "tls_fingerprint"}


@pytest.mark.parametrize("name", settings.NAMES)
def test_the_shipped_config_says_of_every_setting_what_it_means(name: str) -> None:
    """In a comment behind it, or on the line above."""
    lines = SHIPPED_TEXT.splitlines()

    [place] = [
        place
        for place, line in enumerate(lines)
        if line.removeprefix("# ").startswith(f"{name} = ")
    ]
    is_above = lines[place - 1].startswith("# ") and "---" not in lines[place - 1]
    assert is_above or re.search(r"\S\s+# \S", lines[place])


def test_the_commented_date_is_one_that_is_taken(config: Path) -> None:
    """Whoever takes the comment sign away has a setting that works."""
    config.write_text(SHIPPED_TEXT.replace("# date = ", "date = "), encoding="utf-8")

    assert load(config_path=config).date == dt.date(2024, 1, 15)


def test_the_shipped_config_tells_the_bounds_that_hold() -> None:
    """A number in a comment that is refused would be worse than none."""
    unwrapped = re.sub(r"\n +# ", " ", SHIPPED_TEXT)
    found = re.findall(r"^(\w+) = \S+ +# [^()\n]*\((\d+) to (\d+)\b", unwrapped, re.MULTILINE)
    assert [name for name, _, _ in found] == [
        name for name, each in settings.TABLE.items() if " number from " in each.parser.allowed
    ]
    for name, *bounds in found:
        low, high = map(int, bounds)
        load({name: low})
        load({name: high})
        refusal({name: low - 1})
        refusal({name: high + 1})
