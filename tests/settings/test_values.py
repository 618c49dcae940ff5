import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.day import RelativeDate
from upvs_tasks.model.encoding import Codec
from upvs_tasks.settings import TABLE, values

WRITTEN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.text(), max_size=3)
    | st.dictionaries(st.text(), st.text(), max_size=2)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.sampled_from(
        ["~", "~nobody-of-that-name/x", "9" * 5_000, "nan", "-inf", "1e999", "\udcff"]
    )
)
PARSERS = [each.parser for each in TABLE.values()]


@given(st.sampled_from(PARSERS), WRITTEN)
def test_whatever_is_written_is_taken_or_refused_in_words(
    parser: Callable[[object], object], written: object
) -> None:
    """A refusal goes on from "but it"."""
    try:
        parser(written)
    except ValueError as error:
        assert str(error).startswith("must ")  # noqa: PT017  most values are no error


@pytest.mark.parametrize(
    ("parser", "written", "value"),
    [
        (values.text, " Front Door ", "Front Door"),
        (values.text, "", ""),
        (values.switch, True, True),
        (values.switch, False, False),
        (values.switch, "true", True),
        (values.switch, " YES ", True),
        (values.switch, "1", True),
        (values.switch, "false", False),
        (values.switch, "No", False),
        (values.switch, "0", False),
        (values.whole_number(0, 51), 0, 0),
        (values.whole_number(0, 51), "51", 51),
        (values.whole_number(0, 51), " 23 ", 23),
        (values.number(1, 10), 1, 1.0),
        (values.number(1, 10), 2.5, 2.5),
        (values.number(1, 10), "10", 10.0),
        (values.number(0, 10_000), "1e3", 1000.0),
        (values.choice("a", "b"), "b", "b"),
        (values.choice("a", "b"), " a ", "a"),
        (values.choice(*Codec), "hevc", Codec.HEVC),
        (values.number_or("camera", 0, 600), " camera ", None),
        (values.number_or("camera", 0, 600), "2.5", 2.5),
        (values.words, ["motion", "ring"], ("motion", "ring")),
        (values.words, "motion, ring,", ("motion", "ring")),
        (values.words, "ring,motion,ring", ("ring", "motion")),
        (values.path, "", None),
        (values.path, "  ", None),
        (values.path, "secret.txt", Path("secret.txt")),
        (values.folder, "a/{camera}", "a/{camera}"),
        (values.clock_time, "06:30", dt.time(6, 30)),
        (values.clock_time, "", None),
        (values.day, " today ", RelativeDate.TODAY),
        (values.day, "yesterday", RelativeDate.YESTERDAY),
        (values.zone_name, "Asia/Tokyo", "Asia/Tokyo"),
        (values.zone_name, "", ""),
        (values.words_or_none, "", ()),
        (values.day, "2024-01-15", dt.date(2024, 1, 15)),
        (values.day, dt.date(2024, 1, 15), dt.date(2024, 1, 15)),
        (values.day, "2024-02-29", dt.date(2024, 2, 29)),
    ],
)
def test_a_value_is_taken_in_every_way_of_writing_it(
    parser: Callable[[object], object], written: object, value: object
) -> None:
    """As TOML has it, or as text from the environment and the command line."""
    parsed = parser(written)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("parser", "written", "allowed"),
    [
        (values.text, 5, "must be text in quotes"),
        (values.text, ["a"], "must be text in quotes"),
        (values.path, True, "must be text in quotes"),
        (values.switch, "on", "must be true or false"),
        (values.switch, "", "must be true or false"),
        (values.switch, 2, "must be true or false"),
        (values.switch, [True], "must be true or false"),
        (values.whole_number(0, 51), -1, "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), "52", "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), "", "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), "23.0", "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), 23.5, "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), True, "must be a whole number from 0 to 51"),
        (values.whole_number(0, 51), "9" * 5_000, "must be a whole number from 0 to 51"),
        (values.number(1, 86_400), 0.99, "must be a number from 1 to 86400"),
        (values.number(1, 86_400), "86401", "must be a number from 1 to 86400"),
        (values.number(1, 86_400), "nan", "must be a number from 1 to 86400"),
        (values.number(1, 86_400), math.inf, "must be a number from 1 to 86400"),
        (values.number(1, 86_400), True, "must be a number from 1 to 86400"),
        (values.number(1, 86_400), "ten minutes", "must be a number from 1 to 86400"),
        (values.choice("a", "b"), "c", "must be one of a, b"),
        (values.choice("a", "b"), "A", "must be one of a, b"),
        (values.choice("a", "b"), "", "must be one of a, b"),
        (
            values.number_or("camera", 0, 600),
            "sensor",
            "must be a number from 0 to 600, or 'camera'",
        ),
        (values.path, "~nobody-of-that-name/x", "must be a path; there is no such home folder"),
        (values.folder, "~nobody-of-that-name/x", "must be a path; there is no such home folder"),
        (values.zone_name, "Nowhere/Atlantis", "must be an IANA name such as Europe/Zurich"),
        (values.words, "", "must name at least one"),
        (values.words, [], "must name at least one"),
        (values.words, " , ", "must name at least one"),
        (values.words, {"motion": True}, "must"),
        (values.words, [["motion"]], "must"),
        (values.words, [1], "must"),
    ],
)
def test_any_other_value_is_refused_with_what_is_allowed(
    parser: Callable[[object], object], written: object, allowed: str
) -> None:
    """In words that go behind the setting's name."""
    with pytest.raises(ValueError, match=f"^{allowed}"):
        parser(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2024-1-5",
        "2024-13-01",
        "2023-02-29",
        "20240115",
        "2024-W03-1",
        "15.01.2024",
        "2024-01-15T00:00",
        "Today",
        "tomorrow",
        "1970-12-31",
        "9999-12-31",
        "0001-01-01",
        dt.datetime(2024, 1, 15, tzinfo=dt.UTC),
        20240115,
    ],
)
def test_a_date_is_written_in_one_way_alone(written: object) -> None:
    """What might be read in two ways is not guessed at."""
    with pytest.raises(ValueError, match=r"^must be YYYY-MM-DD, today or yesterday$"):
        values.day(written)


@given(st.dates(dt.date(1971, 1, 1), dt.date(9998, 12, 31)))
def test_every_date_that_can_be_written_is_taken(date: dt.date) -> None:
    """From the first year after Unix time began."""
    assert values.day(date.isoformat()) == date


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(-150, 150))
def test_a_whole_number_is_taken_up_to_both_bounds(low: int, high: int, written: int) -> None:
    """And none beyond, as a number or as text."""
    for value in (written, str(written)):
        assert _accepts(values.whole_number(low, high), value) is (low <= written <= high)


def _accepts(parser: Callable[[object], object], written: object) -> bool:
    try:
        parser(written)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("written", ["06:30+02:00", "06:30Z", "25:00", "noon", "6.30"])
def test_a_clock_time_is_that_of_the_day_alone(written: str) -> None:
    """One with an offset would be another time in the zone of the day."""
    with pytest.raises(ValueError, match=r"^must be a time of day such as 06:30"):
        values.clock_time(written)


@pytest.mark.parametrize(
    ("written", "template"),
    [
        ("films", "films/{camera}/{date}"),
        (" ~/films/ ", "~/films/{camera}/{date}"),
        ("/", "/{camera}/{date}"),
        ("films/{date}", "films/{date}"),
        ("{camera}-{date:%Y}", "{camera}-{date:%Y}"),
        ("{{x}}", "{{x}}/{camera}/{date}"),
        ("films/{host}", "films/{host}"),
        ("films/{", "films/{"),
        ("", ""),
    ],
)
def test_a_root_gets_a_folder_for_each_camera_and_day(written: str, template: str) -> None:
    """Unless it says itself where these are; what is wrong stays as it is, to be refused."""
    assert values.root_folder(written) == template
