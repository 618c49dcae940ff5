"""Events as the console lists them, and the queries that select them."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from upvs_tasks.simulator.behaviour import Behaviour, EventIds, JoinedTypes, LimitKeeps, WindowMatch

MOTION = "motion"
SMART_ZONE = "smartDetectZone"
SMART_LINE = "smartDetectLine"
SMART_LOITER = "smartDetectLoiterZone"
SMART_AUDIO = "smartAudioDetect"
RING = "ring"
VIDEO_EXPORTED = "videoExported"

_HEX_ID_LETTERS = 24


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One row of the console's event list; ``end_ms`` is None while the event is ongoing.

    ``extra`` are fields of the row that differ. Where ``row`` is set, it is listed in place of all.
    """

    event_id: str
    kind: str
    camera_id: str | None
    start_ms: int
    end_ms: int | None
    score: int = 0
    smart_types: tuple[str, ...] = ()
    extra: tuple[tuple[str, object], ...] = ()
    row: object = None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The parameters of a request for the event list."""

    start_ms: int | None = None
    end_ms: int | None = None
    types: tuple[str, ...] = ()
    smart_types: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    order: str | None = None


def event_id(id_format: EventIds, *key: object) -> str:
    """Return the event id that follows from these values."""
    digest = sha256(repr(key).encode()).hexdigest()
    if id_format is EventIds.UUID:
        return str(UUID(digest[:32]))
    return digest[:_HEX_ID_LETTERS]


def requested_types(values: Iterable[str], behaviour: Behaviour) -> tuple[str, ...]:
    """Return the types of a repeated parameter; the behaviour says what a comma means."""
    if behaviour.joined_types is JoinedTypes.SPLIT:
        return tuple(part for value in values for part in value.split(","))
    return tuple(values)


def matching(
    events: Iterable[SimulatedEvent], query: EventQuery, behaviour: Behaviour, now_ms: int
) -> list[SimulatedEvent]:
    """Return the events that have begun and match the query, in no particular order."""
    ignores_window = not query.types and behaviour.missing_types_ignore_window
    return [
        event
        for event in events
        if event.start_ms <= now_ms
        and (ignores_window or _in_window(event, query, behaviour.window, now_ms))
        and _is_requested(event, query, behaviour)
    ]


def page(
    events: list[SimulatedEvent], query: EventQuery, behaviour: Behaviour, request_number: int
) -> list[SimulatedEvent]:
    """Return the rows that order, offset and limit select.

    With ``shuffles_ties``, another ``request_number`` gives equal starts another order.
    """

    def position(event: SimulatedEvent) -> tuple[int, str]:
        tie = sha256(f"{request_number}{event.event_id}".encode()).hexdigest()
        return (event.start_ms, tie if behaviour.shuffles_ties else _tie_breaker(event))

    rows = sorted(events, key=position)
    limit = min(
        (value for value in (query.limit, behaviour.page_cap) if value is not None),
        default=len(rows),
    )
    if query.order == "DESC":
        rows.reverse()
        return rows[query.offset : query.offset + limit]
    if _limit_keeps(query, behaviour) is LimitKeeps.OLDEST:
        return rows[query.offset : query.offset + limit]
    end = max(0, len(rows) - query.offset)
    return rows[max(0, end - limit) : end]


def event_description(event: SimulatedEvent, now_ms: int) -> object:
    """Return the row as the console sends it at this instant."""
    if event.row is not None:
        return event.row
    has_ended = event.end_ms is not None and event.end_ms <= now_ms
    return {
        "id": event.event_id,
        "modelKey": "event",
        "type": event.kind,
        "start": event.start_ms,
        "end": event.end_ms if has_ended else None,
        "score": event.score,
        "smartDetectTypes": list(event.smart_types),
        "smartDetectEvents": [],
        "camera": event.camera_id,
        "partition": None,
        "user": None,
        "metadata": {},
        "thumbnail": f"e-{event.event_id}",
        "heatmap": f"e-{event.event_id}",
        "timestamp": event.start_ms,
        **dict(event.extra),
    }


def _limit_keeps(query: EventQuery, behaviour: Behaviour) -> LimitKeeps:
    if query.order == "ASC":
        return behaviour.limit_keeps_ascending
    return behaviour.limit_keeps_unordered


def _tie_breaker(event: SimulatedEvent) -> str:
    """Return what orders equal starts: not the id itself, as clients could rely on that order."""
    return sha256(event.event_id.encode()).hexdigest()


def _in_window(event: SimulatedEvent, query: EventQuery, window: WindowMatch, now_ms: int) -> bool:
    start_ms = query.start_ms if query.start_ms is not None else 0
    end_ms = query.end_ms if query.end_ms is not None else now_ms
    if window is WindowMatch.START:
        return start_ms <= event.start_ms <= end_ms
    event_end_ms = event.end_ms if event.end_ms is not None else now_ms
    return event.start_ms <= end_ms and event_end_ms >= start_ms


def _is_requested(event: SimulatedEvent, query: EventQuery, behaviour: Behaviour) -> bool:
    if query.types and event.kind not in query.types:
        return False
    if query.smart_types and not set(query.smart_types) & set(event.smart_types):
        return False
    return not query.cameras or not behaviour.honours_cameras or event.camera_id in query.cameras
