import datetime as dt
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sentences import one_sentence
from upvs_tasks.errors import SettingsError
from upvs_tasks.model.day import Day, zone_named

HOUR_MS = 3_600_000
ZONES = sorted(available_timezones())


@pytest.mark.parametrize(
    ("date", "timezone", "hours"),
    [
        ("2024-01-15", "America/New_York", 24),
        ("2024-03-10", "America/New_York", 23),
        ("2024-11-03", "America/New_York", 25),
        ("2018-11-04", "America/Sao_Paulo", 23),
        ("2024-11-03", "America/Havana", 25),
        ("2024-10-06", "Australia/Lord_Howe", 23.5),
        ("2024-04-07", "Australia/Lord_Howe", 24.5),
        ("2024-01-15", "Asia/Kathmandu", 24),
        ("2011-12-30", "Pacific/Apia", 0),
    ],
)
def test_a_day_lasts_as_long_as_its_clocks_say(date: str, timezone: str, hours: float) -> None:
    """Clock changes make days longer and shorter, and Samoa once left one out."""
    day = Day.of(dt.date.fromisoformat(date), timezone)

    assert day.end_ms - day.start_ms == hours * HOUR_MS


@pytest.mark.parametrize(
    ("date", "timezone", "start"),
    [
        ("2024-01-15", "UTC", "2024-01-15T00:00Z"),
        ("2024-01-15", "America/New_York", "2024-01-15T05:00Z"),
        ("2024-07-15", "America/New_York", "2024-07-15T04:00Z"),
        ("2024-01-15", "Asia/Kolkata", "2024-01-14T18:30Z"),
        ("2024-01-15", "Asia/Kathmandu", "2024-01-14T18:15Z"),
        ("2024-01-15", "Pacific/Kiritimati", "2024-01-14T10:00Z"),
    ],
)
def test_a_day_starts_at_midnight_of_its_zone(date: str, timezone: str, start: str) -> None:
    """Zones with half and quarter hours count, too."""
    day = Day.of(dt.date.fromisoformat(date), timezone)

    assert day.start_ms == dt.datetime.fromisoformat(start).timestamp() * 1000


def test_where_midnight_is_skipped_the_day_starts_at_the_change() -> None:
    """In Sao Paulo the clocks went from 23:59:59 straight to 01:00."""
    day = Day.of(dt.date(2018, 11, 4), "America/Sao_Paulo")

    assert day.start_ms == dt.datetime(2018, 11, 4, 3, tzinfo=dt.UTC).timestamp() * 1000
    assert day.clock(day.start_ms).isoformat() == "2018-11-04T01:00:00-02:00"
    assert day.clock(day.start_ms - 1).date() == dt.date(2018, 11, 3)


def test_where_midnight_comes_twice_the_day_starts_at_the_first() -> None:
    """In Havana the clocks went from 01:00 back to midnight."""
    day = Day.of(dt.date(2024, 11, 3), "America/Havana")
    midnights = [day.start_ms, day.start_ms + HOUR_MS]

    assert [day.clock(ms).isoformat() for ms in midnights] == [
        "2024-11-03T00:00:00-04:00",
        "2024-11-03T00:00:00-05:00",
    ]
    assert day.clock(day.start_ms - 1).date() == dt.date(2024, 11, 2)


@given(
    st.sampled_from(ZONES),
    st.dates(dt.date(1971, 1, 1), dt.date(9997, 12, 1)),
    st.integers(2, 8),
)
def test_neighbouring_days_tile_time(timezone: str, first: dt.date, count: int) -> None:
    """Each day ends in the millisecond in which the next begins, in every zone."""
    days = [Day.of(first + dt.timedelta(days=step), timezone) for step in range(count)]

    for day, following in pairwise(days):
        assert day.start_ms <= day.end_ms == following.start_ms


@given(st.sampled_from(ZONES), st.dates(dt.date(1971, 1, 1), dt.date(2037, 12, 31)))
def test_a_day_starts_when_the_clock_first_shows_its_date(timezone: str, date: dt.date) -> None:
    """The millisecond before still shows an earlier date."""
    day = Day.of(date, timezone)

    assert day.clock(day.start_ms).date() >= date
    assert day.clock(day.start_ms - 1).date() < date


@given(st.sampled_from(ZONES), st.dates(dt.date(1971, 1, 1), dt.date(2037, 12, 31)), st.data())
def test_an_instant_belongs_to_one_day_alone(
    timezone: str, date: dt.date, data: st.DataObject
) -> None:
    """The first millisecond belongs to the day, the next midnight does not."""
    day = Day.of(date, timezone)
    reach_ms = 2 * HOUR_MS
    instant_ms = data.draw(
        st.sampled_from([day.start_ms - 1, day.start_ms, day.end_ms - 1, day.end_ms])
        | st.integers(day.start_ms - reach_ms, day.end_ms + reach_ms)
    )
    around = [Day.of(date + dt.timedelta(days=step), timezone) for step in range(-2, 3)]

    assert sum(each.contains(instant_ms) for each in around) == 1


def test_the_clock_shows_milliseconds_and_the_offset_of_the_instant() -> None:
    """Wall times are aware, before and after a clock change of the same day."""
    day = Day.of(dt.date(2024, 3, 10), "America/New_York")

    before, after = day.clock(day.start_ms + 7), day.clock(day.end_ms - 1)

    assert before.isoformat() == "2024-03-10T00:00:00.007000-05:00"
    assert after.isoformat() == "2024-03-10T23:59:59.999000-04:00"


def test_a_day_is_written_as_its_date() -> None:
    """As the specification names it in folders and files."""
    assert Day.of(dt.date(2024, 1, 5), "UTC").text == "2024-01-05"


@pytest.mark.parametrize(
    "timezone",
    [
        "",
        "Nowhere/Atlantis",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/Zurich\0",
        "\udcff",
        "EST5 EDT",
        "zone.tab",
        "x" * 5_000,
    ],
)
def test_an_unknown_zone_is_refused_in_a_sentence(timezone: str) -> None:
    """Whatever the zone's database makes of such a name."""
    with pytest.raises(
        SettingsError, match="unknown: give an IANA name such as Europe/Zurich"
    ) as caught:
        zone_named(timezone)
    one_sentence(str(caught.value))
