import datetime as dt
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.given import NO_CONFIG, load, refusal, write_config
from upvs_tasks import settings
from upvs_tasks.errors import SettingsError
from upvs_tasks.model.clip import FilmedSource, Overlaps
from upvs_tasks.model.film_format import Codec
from upvs_tasks.model.recipe import Acceleration, Engine
from upvs_tasks.settings import Settings

SHIPPED_CONFIG = Path(__file__).parents[1] / settings.CONFIG_NAME


@dataclass(frozen=True)
class Ways:
    """Three values of a setting as they are written, what they come to, and one that is wrong."""

    config: object
    environment: str
    variable: object
    values: tuple[object, object, object]
    wrong: object
    allowed: str


WAYS = {
    "host": Ways("a", "b", "c", ("a", "b", "c"), ["a"], "must be text in quotes"),
    "username": Ways("a", "b", "c", ("a", "b", "c"), 5, "must be text in quotes"),
    "password_file": Ways(
        "/dev/null",
        "",
        "/./dev/null",
        (Path("/dev/null"), None, Path("/dev/null")),
        5,
        "must be text",
    ),
    "session_file": Ways("a", "b", "", (Path("a"), Path("b"), None), 5, "must be text"),
    "camera": Ways("a", " b ", "c", ("a", "b", "c"), 7, "must be text in quotes"),
    "date": Ways(
        "2024-01-01",
        "today",
        "yesterday",
        (dt.date(2024, 1, 1), dt.date(2024, 1, 16), dt.date(2024, 1, 15)),
        "15.01.2024",
        "must be YYYY-MM-DD, today or yesterday",
    ),
    "out_dir": Ways(
        "a",
        "b/{camera}",
        "c/{date}",
        ("a", "b/{camera}", "c/{date}"),
        "{host}",
        "{camera} and {date}",
    ),
    "target_duration": Ways(60, "1.5", 86_400, (60.0, 1.5, 86_400.0), 0.5, "from 1 to 86400"),
    "output_fps": Ways(1, "25", "120", (1, 25, 120), 121, "a whole number from 1 to 120"),
    "crf": Ways(0, "18", "51", (0, 18, 51), 99, "a whole number from 0 to 51"),
    "preset": Ways(
        "slow",
        "ultrafast",
        "veryslow",
        ("slow", "ultrafast", "veryslow"),
        "placebo",
        "must be one of",
    ),
    "engine": Ways(
        "concat",
        "segments",
        "concat",
        (Engine.CONCAT, Engine.SEGMENTS, Engine.CONCAT),
        "ffmpeg",
        "must be one of",
    ),
    "hwaccel": Ways(
        "auto",
        "off",
        "auto",
        (Acceleration.AUTO, Acceleration.OFF, Acceleration.AUTO),
        "cuda",
        "must be one of off, auto",
    ),
    "speed_step": Ways(0, "2.5", 3, (0.0, 2.5, 3.0), 4, "a number from 0 to 3"),
    "height": Ways(0, "360", 720, (0, 360, 720), 5000, "a whole number from 0 to 4320"),
    "codec": Ways(
        "h264", "hevc", "av1", (Codec.H264, Codec.HEVC, Codec.AV1), "vp9", "must be one of"
    ),
    "threads": Ways(0, "2", 256, (0, 2, 256), -1, "a whole number from 0 to 256"),
    "nice": Ways(0, "5", 19, (0, 5, 19), 20, "a whole number from 0 to 19"),
    "smart_types": Ways(
        [], "person,vehicle", "animal", ((), ("person", "vehicle"), ("animal",)), ["!"], "must be"
    ),
    "padding_secs": Ways(0, "2.5", "camera", (0.0, 2.5, None), 601, "from 0 to 600, or 'camera'"),
    "channel": Ways(0, "1", 2, (0, 1, 2), 3, "a whole number from 0 to 2"),
    "source": Ways(
        "events",
        "continuous",
        "events",
        (FilmedSource.EVENTS, FilmedSource.CONTINUOUS, FilmedSource.EVENTS),
        "all",
        "must be one of",
    ),
    "start": Ways(
        "", "06:30", "07:00:05", (None, dt.time(6, 30), dt.time(7, 0, 5)), "6", "time of day"
    ),
    "end": Ways(
        dt.time(6, 30), "", "23:59", (dt.time(6, 30), None, dt.time(23, 59)), "25:00", "time of day"
    ),
    "event_types": Ways(
        ["ring"],
        "motion,ring",
        "motion",
        (("ring",), ("motion", "ring"), ("motion",)),
        [],
        "must name",
    ),
    "overlaps": Ways(
        "merge",
        "separate",
        "merge",
        (Overlaps.MERGE, Overlaps.SEPARATE, Overlaps.MERGE),
        "drop",
        "must be one of merge, separate",
    ),
    "merge_gap_secs": Ways(0, "2.5", "3600", (0.0, 2.5, 3_600.0), -1, "a number from 0 to 3600"),
    "timezone": Ways(
        "UTC", "Asia/Tokyo", "", ("UTC", "Asia/Tokyo", ""), "Nowhere/Atlantis", "give an IANA name"
    ),
    "max_workers": Ways(1, "16", 2, (1, 16, 2), 0, "a whole number from 1 to 16"),
    "retry_limit": Ways(20, "1", 5, (20, 1, 5), 21, "a whole number from 1 to 20"),
    "ca_file": Ways("a.pem", "b.pem", "", (Path("a.pem"), Path("b.pem"), None), 5, "must be text"),
    "tls_insecure": Ways(
        config=True,
        environment="no",
        variable="1",
        values=(True, False, True),
        wrong="maybe",
        allowed="must be true or false",
    ),
    "direct_api": Ways(
        config=True,
        environment="0",
        variable=True,
        values=(True, False, True),
        wrong=2,
        allowed="must be true or false",
    ),
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a config.toml is to be written."""
    return tmp_path / settings.CONFIG_NAME


def test_every_setting_is_tried_here() -> None:
    """One that is added later needs a row of its own."""
    assert set(WAYS) == set(settings.NAMES)
    secrets = {"password", "totp_secret", "one_time_code"}
    assert set(WAYS) == {field.name for field in fields(Settings)} - secrets


@pytest.mark.parametrize("name", WAYS)
def test_a_later_place_wins(config: Path, name: str) -> None:
    """config.toml, then the environment, then what stands behind doit."""
    ways = WAYS[name]
    write_config(config, {name: ways.config} | ({} if name == "timezone" else {"timezone": "UTC"}))
    environment = {f"UPVS_{name.upper()}": ways.environment}

    loaded = [
        load(config_path=config),
        load(config_path=config, environment=environment),
        load({name: ways.variable}, config_path=config, environment=environment),
    ]

    assert tuple(getattr(each, name) for each in loaded) == ways.values
    assert [type(getattr(each, name)) for each in loaded] == [type(each) for each in ways.values]


def test_a_wrong_value_that_is_overruled_does_no_harm(config: Path) -> None:
    """Only what counts is judged."""
    write_config(config, {"crf": 99})

    assert load({"crf": "18"}, config_path=config, environment={"UPVS_CRF": "98"}).crf == 18


def test_what_is_not_given_has_its_default() -> None:
    """A config file that does not exist holds nothing."""
    assert load() == Settings()


def test_the_environment_of_the_process_counts_where_no_other_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for everyone who exports a variable."""
    monkeypatch.setenv("UPVS_CRF", "31")
    monkeypatch.setenv("UPVS_PASSWORD", "secret")

    loaded = settings.load(config_path=NO_CONFIG, variables={})

    assert (loaded.crf, loaded.password) == (31, "secret")


def test_variables_of_other_programs_are_let_be() -> None:
    """So are those that tell our own tests of a real console."""
    environment = {"PATH": "/bin", "CRF": "99", "UPVSX": "1", "UPVS_LIVE_HOST": "192.168.1.1"}

    assert load(environment=environment) == Settings()


@pytest.mark.parametrize("name", WAYS)
def test_a_wrong_value_in_the_config_is_refused_in_a_sentence(config: Path, name: str) -> None:
    """It names the setting, what was given, and what is allowed."""
    ways = WAYS[name]

    sentence = refusal(config_path=write_config(config, {name: ways.wrong}))

    assert name in sentence
    assert repr(ways.wrong) in sentence
    assert ways.allowed in sentence


@pytest.mark.parametrize(
    "name", [name for name in WAYS if not WAYS[name].allowed.startswith("must be text")]
)
def test_a_wrong_value_elsewhere_is_refused_in_a_sentence(name: str) -> None:
    """In the environment and on the command line all is text, which is right for the others."""
    ways = WAYS[name]
    wrong = "" if ways.wrong == [] else str(ways.wrong)

    for sentence in (
        refusal({name: wrong}),
        refusal(environment={f"UPVS_{name.upper()}": wrong}),
    ):
        assert name in sentence.lower()
        assert repr(wrong) in sentence
        assert ways.allowed in sentence


def test_a_refusal_says_where_the_value_was_found(config: Path) -> None:
    """So that nobody looks for it in the wrong place."""
    write_config(config, {"crf": 99})

    assert refusal(config_path=config).startswith("crf in config.toml is 99, but it must")
    assert refusal(environment={"UPVS_CRF": "99"}).startswith("UPVS_CRF is '99', but it must")
    assert refusal({"crf": "99"}).startswith("crf is '99', but it must")


@pytest.mark.parametrize("name", ["cfr", "", "CRF", "tls-insecure", "paßword", "console"])
def test_an_unknown_name_is_refused_with_those_that_there_are(config: Path, name: str) -> None:
    """A misspelled setting is no setting at its default."""
    config.write_text(f'"{name}" = 1\n', encoding="utf-8")

    for sentence in (refusal(config_path=config), refusal({name: "1"})):
        assert sentence.startswith(f"{name} is no setting")
        assert all(known in sentence for known in settings.NAMES)


def test_an_unknown_variable_of_ours_is_refused() -> None:
    """By the name under which it stands in the environment."""
    assert refusal(environment={"UPVS_CFR": "18"}).startswith("UPVS_CFR is no setting")


def test_a_section_of_the_config_is_refused(config: Path) -> None:
    """Settings stand side by side, and one within a section would go unseen."""
    config.write_text('[console]\nhost = "192.168.1.1"\n', encoding="utf-8")

    assert refusal(config_path=config).startswith("console is no setting")


@pytest.mark.parametrize(
    "content", [b"crf = ", b"crf = 1\ncrf = 2\n", b"\xff\xfe", b"host = 192.168.1.1\n"]
)
def test_a_config_that_is_no_toml_is_refused(config: Path, content: bytes) -> None:
    """In a sentence, too."""
    config.write_bytes(content)

    assert refusal(config_path=config).startswith("config.toml cannot be read")


def test_a_folder_in_place_of_the_config_is_refused(tmp_path: Path) -> None:
    """As anything else that is there and cannot be read."""
    assert tmp_path.name in refusal(config_path=tmp_path)


HOSTILE_TEXTS = (
    "\udcff",
    "\0",
    "a\nb",
    "~nobody-of-that-name/x",
    "{camera:d}",
    "{camera!z}",
    "{date:{x}}",
    "{camera.x}",
    "{0}",
    "{",
    "}",
    "x" * 5_000,
)


@given(st.sampled_from(settings.NAMES), st.text() | st.sampled_from(HOSTILE_TEXTS))
def test_whatever_is_written_gives_settings_or_a_sentence(name: str, written: str) -> None:
    """Never a traceback, in finding the folder either."""
    given_here = {"camera": "Door", "date": "2024-01-15"} | {name: written}
    try:
        layout = load(given_here).layout()
    except SettingsError:
        return
    assert str(layout.clip_index).encode()


@pytest.mark.parametrize("written", HOSTILE_TEXTS)
@pytest.mark.parametrize("name", ["out_dir", "camera", "password_file", "ca_file"])
def test_a_hostile_text_gives_settings_or_a_sentence(name: str, written: str) -> None:
    """Each of those that path and format functions break at."""
    given_here = {"camera": "Door", "date": "2024-01-15"} | {name: written}
    try:
        layout = load(given_here).layout()
    except SettingsError:
        return
    assert str(layout.clip_index).encode()
    assert "\0" not in str(layout.clip_index)


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
    """With its value; but for the date, which is a comment."""
    values = tomllib.loads(SHIPPED_CONFIG.read_text(encoding="utf-8"))

    assert set(values) == set(settings.NAMES) - {"date"}


@pytest.mark.parametrize("name", settings.NAMES)
def test_the_shipped_config_says_of_every_setting_what_it_means(name: str) -> None:
    """In a comment behind it, or on the line above."""
    lines = SHIPPED_CONFIG.read_text(encoding="utf-8").splitlines()

    [place] = [
        place
        for place, line in enumerate(lines)
        if line.removeprefix("# ").startswith(f"{name} = ")
    ]
    is_above = lines[place - 1].startswith("# ") and "---" not in lines[place - 1]
    assert is_above or re.search(r"\S\s+# \S", lines[place])


def test_the_commented_date_is_one_that_is_taken(config: Path) -> None:
    """Whoever takes the comment sign away has a setting that works."""
    text = SHIPPED_CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("# date = ", "date = "), encoding="utf-8")

    assert load(config_path=config).date == dt.date(2024, 1, 15)


def test_the_shipped_config_tells_the_bounds_that_hold() -> None:
    """A number in a comment that is refused would be worse than none."""
    for line in SHIPPED_CONFIG.read_text(encoding="utf-8").splitlines():
        stated = re.search(r"(\d+) (?:lossless )?to (\d+)", line)
        if stated is None:
            continue
        name = line.split(" = ")[0]
        low, high = (int(bound) for bound in stated.groups())
        load({name: low})
        load({name: high})
        refusal({name: low - 1})
        refusal({name: high + 1})
