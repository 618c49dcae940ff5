"""Events as the console lists them, and how a list is asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from upvs_tasks.simulator.behaviour import Behaviour, EventIds, JoinedTypes, Kept, Window

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
    """One row of the console's event list; ``end_ms`` None is one that goes on."""

    event_id: str
    kind: str
    camera_id: str | None
    start_ms: int
    end_ms: int | None
    score: int = 0
    smart_types: tuple[str, ...] = ()
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What a client asked of the event list, after parsing."""

    start_ms: int | None = None
    end_ms: int | None = None
    types: tuple[str, ...] = ()
    smart_types: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    order: str | None = None


def event_id(shape: EventIds, *key: object) -> str:
    """Return the id of the event that these words identify."""
    digest = sha256(repr(key).encode()).hexdigest()
    if shape is EventIds.UUID:
        return str(UUID(digest[:32]))
    return digest[:_HEX_ID_LETTERS]


def types_asked(values: Iterable[str], behaviour: Behaviour) -> tuple[str, ...]:
    """Return the types that the repeated parameter names, commas read as this console does."""
    if behaviour.joined_types is JoinedTypes.SPLIT:
        return tuple(part for value in values for part in value.split(","))
    return tuple(values)


def matching(
    events: Iterable[SimulatedEvent], query: EventQuery, behaviour: Behaviour, now_ms: int
) -> list[SimulatedEvent]:
    """Return the events that have begun and match, unordered."""
    ignores_window = not query.types and behaviour.missing_types_ignore_window
    return [
        event
        for event in events
        if event.start_ms <= now_ms
        and (ignores_window or _in_window(event, query, behaviour.window, now_ms))
        and _is_asked_for(event, query, behaviour)
    ]


def page(
    events: list[SimulatedEvent], query: EventQuery, behaviour: Behaviour, turn: int
) -> list[SimulatedEvent]:
    """Return the part of the list that limit, offset and order select; ``turn`` shuffles ties."""

    def position(event: SimulatedEvent) -> tuple[int, str]:
        tie = sha256(f"{turn}{event.event_id}".encode()).hexdigest()
        return (event.start_ms, tie if behaviour.shuffles_ties else _tie(event))

    rows = sorted(events, key=position)
    limit = min(
        (value for value in (query.limit, behaviour.page_cap) if value is not None),
        default=len(rows),
    )
    if query.order == "DESC":
        rows.reverse()
        return rows[query.offset : query.offset + limit]
    if _kept(query, behaviour) is Kept.OLDEST:
        return rows[query.offset : query.offset + limit]
    end = max(0, len(rows) - query.offset)
    return rows[max(0, end - limit) : end]


def event_json(event: SimulatedEvent, now_ms: int) -> Mapping[str, object]:
    """Return the row as the console sends it at this instant."""
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


def _kept(query: EventQuery, behaviour: Behaviour) -> Kept:
    if query.order == "ASC":
        return behaviour.limit_keeps_ascending
    return behaviour.limit_keeps_unordered


def _tie(event: SimulatedEvent) -> str:
    """Order ties by nothing that a client could guess, as the shipped rows are not sorted by id."""
    return sha256(event.event_id.encode()).hexdigest()


def _in_window(event: SimulatedEvent, query: EventQuery, window: Window, now_ms: int) -> bool:
    start_ms = query.start_ms if query.start_ms is not None else 0
    end_ms = query.end_ms if query.end_ms is not None else now_ms
    if window is Window.START:
        return start_ms <= event.start_ms <= end_ms
    event_end_ms = event.end_ms if event.end_ms is not None else now_ms
    return event.start_ms <= end_ms and event_end_ms >= start_ms


def _is_asked_for(event: SimulatedEvent, query: EventQuery, behaviour: Behaviour) -> bool:
    if query.types and event.kind not in query.types:
        return False
    if query.smart_types and not set(query.smart_types) & set(event.smart_types):
        return False
    return not query.cameras or not behaviour.honours_cameras or event.camera_id in query.cameras
