import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from upvs_tasks.errors import SettingsError


class RelativeDate(StrEnum):
    """A date that depends on when and where one asks."""

    TODAY = "today"
    YESTERDAY = "yesterday"

    def seen_from(self, today: dt.date) -> dt.date:
        """The date that is meant where it is ``today``."""
        return today if self is RelativeDate.TODAY else today - dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day in one time zone: 23, 24 or 25 hours, half open, in Unix milliseconds."""

    date: dt.date
    timezone: str
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, day_date: dt.date, timezone: str) -> "Day":
        """Day from one midnight to the next in ``timezone`` (an IANA name).

        If the clocks skip midnight, the day starts at the instant of the change; if they show it
        twice, at the first. Raises SettingsError for an unknown zone.
        """
        zone = zone_named(timezone)
        start, end = (
            _unix_ms(dt.datetime.combine(day, dt.time(), tzinfo=zone))
            for day in (day_date, day_date + dt.timedelta(days=1))
        )
        return cls(day_date, timezone, start, end)

    @property
    def text(self) -> str:
        """The date as YYYY-MM-DD."""
        return self.date.isoformat()

    def contains(self, instant_ms: int) -> bool:
        """Whether the instant belongs to this day; the next midnight does not."""
        return self.start_ms <= instant_ms < self.end_ms

    def span(self, start: dt.time | None, end: dt.time | None) -> tuple[int, int]:
        """Unix ms from one clock time of the day to another; the midnights where None.

        It is empty, and never negative, where the clocks skip both times.
        """
        start_ms, end_ms = (
            _unix_ms(dt.datetime.combine(self.date, time, tzinfo=zone_named(self.timezone)))
            if time
            else midnight_ms
            for time, midnight_ms in ((start, self.start_ms), (end, self.end_ms))
        )
        return start_ms, max(start_ms, end_ms)

    def clock(self, instant_ms: int) -> dt.datetime:
        """Wall time of an instant in the day's zone."""
        return dt.datetime.fromtimestamp(instant_ms / 1000, zone_named(self.timezone))

    def clock_span(self, start_ms: int, end_ms: int) -> str:
        """Two instants in the day's zone, as one reads them from a clock."""
        return f"{self.clock(start_ms):%H:%M:%S}-{self.clock(end_ms):%H:%M:%S}"


def zone_named(timezone: str) -> ZoneInfo:
    """Time zone of an IANA name. Raises SettingsError for an unknown one."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"timezone {timezone!r} is unknown: give an IANA name such as Europe/Zurich"
        raise SettingsError(message) from error


def _unix_ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
