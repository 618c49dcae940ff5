from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from upvs_tasks.model.day import Day

# The default of the setting event_types: all that a camera detects, by the names that consoles use.
# `phases.scan` relies on their being all: if a camera records nothing but detections, and has
# recorded something, then a list without any of these types is wrong. The contract suite
# (`tests.contract`) draws the events of its days from them.
DEFAULT_EVENT_TYPES = (
    "motion",
    "smartDetectZone",
    "smartDetectLine",
    "smartDetectLoiterZone",
)

# The type of an event that only the file of its clip is left of. It belongs to every film.
UNKNOWN_TYPE = "unknown"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a camera noticed, as the console reported it.

    Instants are Unix ms and include the camera's own padding. ``end_ms`` is None while the event
    is under way; ``camera_id`` is None for what concerns the console itself.
    """

    event_id: str
    event_type: str
    start_ms: int
    end_ms: int | None
    camera_id: str | None
    smart_types: tuple[str, ...] = ()
    score: int = 0

    @property
    def timeline_key(self) -> tuple[int, float, str]:
        """Order of the film: by start, then end, then id; an event without end comes last."""
        return (self.start_ms, float("inf") if self.end_ms is None else self.end_ms, self.event_id)


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event of the camera that the console lists in a way that cannot be read."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListedEvents:
    """What the console lists of a camera's window: each report of an event, and what is no event.

    Of ``unreadable`` ones it cannot always be known that they are of this camera and this window.
    """

    events: tuple[Event, ...]
    unreadable: tuple[UnreadableEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class DayEvents:
    """One camera's events of one day, each once, in the order of the film.

    ``ongoing`` ones may still get an end; ``never_ended`` ones are too old for that. ``unwanted``
    ones are known, but the settings ask for others. ``forgotten`` are the ids of those that the
    console has listed once and does not list any more. ``unreadable`` ones may be of the day.
    """

    ended: tuple[Event, ...]
    ongoing: tuple[Event, ...]
    never_ended: tuple[Event, ...] = ()
    unwanted: tuple[Event, ...] = ()
    forgotten: frozenset[str] = field(default=frozenset())
    unreadable: tuple[UnreadableEvent, ...] = ()

    @property
    def filmed(self) -> tuple[Event, ...]:
        """Those that clips are made of."""
        return (*self.ended, *self.never_ended)


@dataclass(frozen=True, slots=True)
class EventChoice:
    """Which events the film is to show.

    An event belongs to the day in which it starts. With ``smart_types``, in any case of letters,
    only events in which one of these was recognised are filmed.
    """

    day: Day
    camera_id: str
    event_types: tuple[str, ...]
    smart_types: tuple[str, ...] = ()

    def is_asked_for(self, event: Event) -> bool:
        """Whether the console is asked for such an event."""
        if event.event_type == UNKNOWN_TYPE:
            return True
        return event.event_type in self.event_types and self.day.contains(event.start_ms)

    def is_filmed(self, event: Event) -> bool:
        """Whether the film is to show it."""
        wanted, found = (
            {kind.casefold() for kind in kinds} for kinds in (self.smart_types, event.smart_types)
        )
        has_kind = not wanted or event.event_type == UNKNOWN_TYPE or not wanted.isdisjoint(found)
        return has_kind and self.is_asked_for(event)


def events_of_day(
    listed: Iterable[Event],
    choice: EventChoice,
    *,
    remembered: Iterable[Event] = (),
    is_long_over: bool = False,
) -> DayEvents:
    """The events of a camera's day: those listed now, and those remembered from before.

    The choice is applied here again, because versions of the console differ: in whether a window
    selects by start or by overlap, and in whether ``cameras`` and ``types`` have an effect. Of two
    reports of one event the ended one counts, and of two ended ones the longer, in whatever order
    they are listed. What was remembered of an event stays a part of it, in time and in what was
    recognised.
    With ``is_long_over``, nothing of the day can be going on any more.
    """
    reports = [event for event in listed if event.camera_id == choice.camera_id]
    before = {event.event_id: event for event in remembered}
    of_day = [event for event in reports if choice.is_asked_for(event)]
    now = _newest(of_day) | _newest(filter(choice.is_filmed, of_day))
    known = now | {name: _joined(now.get(name), event) for name, event in before.items()}
    ordered = sorted(known.values(), key=lambda event: event.timeline_key)
    filmed = [event for event in ordered if choice.is_filmed(event)]
    endless = tuple(event for event in filmed if event.end_ms is None)
    listed_ids = {event.event_id for event in reports}
    return DayEvents(
        ended=tuple(event for event in filmed if event.end_ms is not None),
        ongoing=() if is_long_over else endless,
        never_ended=endless if is_long_over else (),
        unwanted=tuple(event for event in ordered if not choice.is_filmed(event)),
        forgotten=frozenset(
            name
            for name, event in before.items()
            if name not in listed_ids and choice.is_asked_for(event)
        ),
    )


def _newest(reports: Iterable[Event]) -> dict[str, Event]:
    """The report of each event that counts, by its id."""
    newest: dict[str, Event] = {}
    for event in reports:
        known = newest.setdefault(event.event_id, event)
        newest[event.event_id] = max(known, event, key=finality)
    return newest


def _joined(listed: Event | None, remembered: Event) -> Event:
    """What the report that is listed now and the remembered one say together.

    Consoles correct the bounds of an event and what they recognised. Footage of before may be on
    the disk, so nothing that was once a part of the event is left out.
    """
    if listed is None or listed == remembered:
        return remembered
    if remembered.event_type == UNKNOWN_TYPE:
        return listed
    ends = [end_ms for end_ms in (listed.end_ms, remembered.end_ms) if end_ms is not None]
    return replace(
        listed,
        start_ms=min(listed.start_ms, remembered.start_ms),
        end_ms=max(ends) if ends else None,
        smart_types=tuple(sorted({*listed.smart_types, *remembered.smart_types})),
    )


def finality(report: Event) -> tuple[bool, int, tuple[object, ...]]:
    """Orders the reports of one event: the one with the greatest value counts.

    Two reports that differ in anything differ in this, so no choice depends on their order.
    """
    is_ended = report.end_ms is not None
    duration_ms = (report.end_ms or 0) - report.start_ms if is_ended else 0
    facts = (report.event_type, report.smart_types, report.score, repr(report.camera_id))
    return (is_ended, duration_ms, (report.timeline_key, *facts))
