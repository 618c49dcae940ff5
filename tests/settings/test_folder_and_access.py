import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.settings.loading import load, refusal
from upvs_tasks.clock import Clock
from upvs_tasks.errors import SettingsError
from upvs_tasks.model.layout import Layout
from upvs_tasks.phases import day_folder
from upvs_tasks.settings import Settings


def known(settings: Settings) -> Layout:
    """The folder of a camera that was never filmed."""
    return day_folder.from_disk(settings, Clock()).layout


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

    assert known(loaded).out_dir == Path.cwd() / folder


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell leaves it alone behind an equals sign."""
    monkeypatch.setenv("HOME", "/home/somebody")
    loaded = load(
        {"camera": "Door", "date": "2024-01-15", "out_dir": "~/films", "ca_file": "~/console.pem"}
    )

    assert known(loaded).out_dir == Path("/home/somebody/films")
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
    layout = known(load({"camera": camera, "date": "2024-01-15", "out_dir": "/films/{camera}"}))

    assert layout.out_dir.parent == Path("/films")
    assert layout.out_dir.name not in {"", ".", ".."}


def test_a_camera_is_nobodys_home_folder() -> None:
    """Only a tilde of ``out_dir`` itself is one."""
    loaded = load({"camera": "~root", "date": "2024-01-15", "out_dir": "{camera}"})

    assert known(loaded).out_dir == Path.cwd() / "~root"


def test_a_home_folder_may_be_called_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even like a placeholder."""
    monkeypatch.setenv("HOME", "/home/{date}")
    loaded = load({"camera": "Door", "date": "2024-01-15", "out_dir": "~/films/{date}"})

    assert known(loaded).out_dir == Path("/home/{date}/films/2024-01-15")


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
        load(given_here).check_subject()


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
