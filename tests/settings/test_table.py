import datetime as dt
import re
from dataclasses import dataclass, fields
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sentences import one_line, one_sentence
from tests.settings.loading import load, refusal, write_config
from upvs_tasks import settings
from upvs_tasks.clock import Clock
from upvs_tasks.errors import SettingsError
from upvs_tasks.model.clip import FilmedSource, Overlaps
from upvs_tasks.model.day import RelativeDate
from upvs_tasks.model.encoding import Codec, Engine, HardwareAcceleration
from upvs_tasks.phases import day_folder
from upvs_tasks.settings import Settings


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
        (dt.date(2024, 1, 1), RelativeDate.TODAY, RelativeDate.YESTERDAY),
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
        (HardwareAcceleration.AUTO, HardwareAcceleration.OFF, HardwareAcceleration.AUTO),
        "cuda",
        "must be one of off, auto",
    ),
    "speed_step": Ways(0, "2.5", 3, (0.0, 2.5, 3.0), 4, "a number from 0 to 3"),
    "height": Ways(0, "360", 720, (0, 360, 720), 20, "a whole number from 64 to 4320, or 0"),
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
        "UTC",
        "Asia/Tokyo",
        "",
        ("UTC", "Asia/Tokyo", ""),
        "Nowhere/Atlantis",
        "must be an IANA name",
    ),
    "max_workers": Ways(1, "16", 2, (1, 16, 2), 0, "a whole number from 1 to 16"),
    "retry_limit": Ways(20, "1", 5, (20, 1, 5), 21, "a whole number from 1 to 20"),
    "tls_fingerprint": Ways(
        ":".join(["AB"] * 32),
        "sha256 Fingerprint=" + "0c:" * 31 + "0c",
        "Ef" * 32,
        ("ab" * 32, "0c" * 32, "ef" * 32),
        "AB:CD",
        "must be a SHA-256 fingerprint",
    ),
    "longest_outage_secs": Ways(
        0, "600.5", 86_400, (0.0, 600.5, 86_400.0), -1, "a number from 0 to 86400"
    ),
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


def test_what_is_not_given_has_its_default() -> None:
    """A config file that does not exist holds nothing."""
    assert load() == Settings()


@pytest.mark.parametrize("name", WAYS)
def test_a_wrong_value_in_the_config_is_refused_in_a_sentence(config: Path, name: str) -> None:
    """It names the setting, what was given, and what is allowed."""
    ways = WAYS[name]

    sentence = refusal(config_path=write_config(config, {name: ways.wrong}))

    assert name in sentence
    shown = ways.wrong if isinstance(ways.wrong, str) else orjson.dumps(ways.wrong).decode()
    assert shown in sentence
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
        layout = day_folder.from_disk(load(given_here), Clock()).layout
    except SettingsError as refused:
        one_line(str(refused))
        return
    assert str(layout.clip_index).encode()


@pytest.mark.parametrize("written", HOSTILE_TEXTS)
@pytest.mark.parametrize("name", ["out_dir", "camera", "password_file", "ca_file"])
def test_a_hostile_text_gives_settings_or_a_sentence(name: str, written: str) -> None:
    """Each of those that path and format functions break at."""
    given_here = {"camera": "Door", "date": "2024-01-15"} | {name: written}
    try:
        layout = day_folder.from_disk(load(given_here), Clock()).layout
    except SettingsError as refused:
        one_sentence(str(refused))
        return
    assert str(layout.clip_index).encode()
    assert "\0" not in str(layout.clip_index)


@pytest.mark.parametrize(("start", "end"), [("06:30", "06:30"), ("22:00", "06:00"), ("", "00:00")])
def test_footage_up_to_a_time_before_it_starts_is_refused(start: str, end: str) -> None:
    """It would be a span of nothing. A night belongs to two days."""
    asked = {"source": "continuous", "start": start, "end": end}

    assert re.fullmatch(r"end is \d\d:\d\d:00, but it must be after start .*", refusal(asked))
    assert load(asked | {"source": "events"}).source is FilmedSource.EVENTS


def test_footage_up_to_a_later_time_is_taken() -> None:
    """And from midnight where only the end is said."""
    assert load({"source": "continuous", "end": "00:00:01"}).end == dt.time(0, 0, 1)
    assert load({"source": "continuous", "start": "23:59"}).end is None
