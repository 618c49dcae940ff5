from collections.abc import Iterable
from dataclasses import dataclass

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
class DayEvents:
    """One camera's events of one day, each once, in the order of the film."""

    ended: tuple[Event, ...]
    ongoing: tuple[Event, ...]


def events_of_day(
    listed: Iterable[Event],
    *,
    day: Day,
    camera_id: str,
    event_types: Iterable[str],
    smart_types: Iterable[str] = (),
) -> DayEvents:
    """Those of the listed events that belong to the film of this camera and day.

    An event belongs to the day in which it starts. All filters are applied here again, because
    versions of the console differ: in whether a window selects by start or by overlap, and in
    whether ``cameras`` and ``types`` have an effect. Of two reports of one event the ended one
    counts, and of two ended ones the longer, in whatever order they are listed. With
    ``smart_types``, only events in which one of these was recognised belong to the film.
    """
    wanted, wanted_smart = frozenset(event_types), frozenset(smart_types)
    newest: dict[str, Event] = {}
    for event in listed:
        if event.camera_id != camera_id or event.event_type not in wanted:
            continue
        if wanted_smart and wanted_smart.isdisjoint(event.smart_types):
            continue
        if day.contains(event.start_ms):
            known = newest.setdefault(event.event_id, event)
            newest[event.event_id] = max(known, event, key=finality)
    ordered = sorted(newest.values(), key=lambda event: event.timeline_key)
    return DayEvents(
        ended=tuple(event for event in ordered if event.end_ms is not None),
        ongoing=tuple(event for event in ordered if event.end_ms is None),
    )


def finality(report: Event) -> tuple[bool, int, tuple[object, ...]]:
    """Orders the reports of one event: the one with the greatest value counts.

    Two reports that differ in anything differ in this, so no choice depends on their order.
    """
    is_ended = report.end_ms is not None
    duration_ms = (report.end_ms or 0) - report.start_ms if is_ended else 0
    facts = (report.event_type, report.smart_types, report.score, repr(report.camera_id))
    return (is_ended, duration_ms, (report.timeline_key, *facts))
