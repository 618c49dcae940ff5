import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.loading import load, write_config


@pytest.mark.parametrize(
    ("timezone", "now", "today"),
    [
        ("America/New_York", "2024-01-16T04:59:59Z", "2024-01-15"),
        ("America/New_York", "2024-01-16T05:00:00Z", "2024-01-16"),
        ("Asia/Kolkata", "2024-01-15T18:29:59Z", "2024-01-15"),
        ("Asia/Kolkata", "2024-01-15T18:30:00Z", "2024-01-16"),
        ("Pacific/Kiritimati", "2024-01-15T12:00:00-10:00", "2024-01-16"),
    ],
)
def test_today_is_the_day_of_the_setting_timezone(timezone: str, now: str, today: str) -> None:
    """Wherever the computer stands, and up to the second of midnight."""
    moment = dt.datetime.fromisoformat(now)
    date = dt.date.fromisoformat(today)

    assert load({"date": "today", "timezone": timezone}, now=moment).date == date
    assert load(
        {"date": "yesterday", "timezone": timezone}, now=moment
    ).date == date - dt.timedelta(days=1)


def test_the_timezone_counts_wherever_it_is_set(tmp_path: Path) -> None:
    """Not only beside the date."""
    environment = {"UPVS_TIMEZONE": "America/New_York"}
    config = write_config(tmp_path / "config.toml", {"timezone": "Asia/Tokyo", "date": "today"})

    assert load(config_path=config).date == dt.date(2024, 1, 16)
    assert load(config_path=config, environment=environment).date == dt.date(2024, 1, 15)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose own clock is New York's."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_today_is_the_computers_day_where_no_timezone_is_set() -> None:
    """A console is not asked for settings."""
    assert load({"date": "today"}).date == dt.date(2024, 1, 15)


def test_a_toml_date_is_a_date(tmp_path: Path) -> None:
    """Without quotes it has a type of its own in TOML."""
    config = tmp_path / "config.toml"
    config.write_text("date = 2024-01-15\n", encoding="utf-8")

    assert load(config_path=config).date == dt.date(2024, 1, 15)
