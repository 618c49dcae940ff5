import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.given import load, refusal, write_config
from upvs_tasks.errors import SettingsError


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


@pytest.mark.parametrize(
    ("out_dir", "folder"),
    [
        ("out/{camera}/{date}", "out/Front Door/2024-01-15"),
        ("/films/{date}", "/films/2024-01-15"),
        ("films", "films"),
        ("{camera}-{date}", "Front Door-2024-01-15"),
        ("{date:%Y/%m}", "2024/01"),
        ("{{camera}}", "{camera}"),
        ("../{camera}", "../Front Door"),
    ],
)
def test_the_folder_is_named_after_camera_and_date(out_dir: str, folder: str) -> None:
    """Below the current folder, unless it says otherwise."""
    loaded = load({"camera": "Front Door", "date": "2024-01-15", "out_dir": out_dir})

    assert loaded.layout().out_dir == Path.cwd() / folder


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell leaves it alone behind an equals sign."""
    monkeypatch.setenv("HOME", "/home/somebody")
    loaded = load(
        {"camera": "Door", "date": "2024-01-15", "out_dir": "~/films", "ca_file": "~/console.pem"}
    )

    assert loaded.layout().out_dir == Path("/home/somebody/films")
    assert loaded.ca_file == Path("/home/somebody/console.pem")


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
        str.strip
    )
)
@example("../../etc")
@example("/etc")
@example("{date}")
def test_no_camera_leads_out_of_its_folder(camera: str) -> None:
    """Whatever it is called."""
    layout = load({"camera": camera, "date": "2024-01-15", "out_dir": "/films/{camera}"}).layout()

    assert layout.out_dir.parent == Path("/films")
    assert layout.out_dir.name not in {"", ".", ".."}


@pytest.mark.parametrize(
    ("given_here", "sentence"),
    [
        ({"camera": "Door"}, "date is missing: say which day, for example date=2024-01-15"),
        ({"date": "2024-01-15"}, "camera is not set: give its name or id, for example camera=Door"),
        ({}, "date is missing: say which day, for example date=2024-01-15"),
    ],
)
def test_there_is_no_folder_without_camera_and_date(
    given_here: dict[str, str], sentence: str
) -> None:
    """Both say how to give them."""
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        load(given_here).layout()


@pytest.mark.parametrize("out_dir", ["", "  "])
def test_an_empty_folder_name_is_refused(out_dir: str) -> None:
    """It would strew films and clips over whatever folder one happens to stand in."""
    assert refusal({"out_dir": out_dir}).startswith("out_dir is ")


def test_the_demo_needs_nothing_else() -> None:
    """One word in config.toml is all."""
    load({"host": "demo"}).check_access()

    assert load({"host": "demo"}).is_demo


@pytest.mark.parametrize(
    ("given_here", "password", "missing"),
    [
        ({}, None, "host is not set"),
        ({"host": "192.168.1.1"}, "secret", "username is not set"),
        ({"host": "192.168.1.1", "username": "upvs"}, None, "the password is not set"),
        ({"host": "192.168.1.1", "username": "upvs"}, "", "the password is not set"),
    ],
)
def test_what_is_missing_for_a_console_is_named(
    given_here: dict[str, str], password: str | None, missing: str
) -> None:
    """One thing at a time, before anybody is asked."""
    with pytest.raises(SettingsError, match=f"^{missing}"):
        load(given_here, password=password).check_access()


def test_without_a_host_both_ways_on_are_named() -> None:
    """A console of one's own, or the embedded one."""
    with pytest.raises(SettingsError, match=r"host=192\.168\.1\.1.*host=demo"):
        load().check_access()


def test_a_console_with_user_and_password_is_all_it_takes() -> None:
    """No camera and no date: those are not the console's business."""
    load({"host": "192.168.1.1", "username": "upvs"}, password="secret").check_access()
