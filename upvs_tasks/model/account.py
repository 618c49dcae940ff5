"""What became of each event of a day: the one account that every sentence and exit code is from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import chain

from upvs_tasks.model.clip import CONTINUOUS, end_of
from upvs_tasks.model.clip_index import ClipIndex, ClipStatus, FailureKind, IndexEntry, Standing
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.event import Event
from upvs_tasks.model.span import Span, Spans

_Key = tuple[str, int | None]


class EventState(StrEnum):
    """What became of an event, in the words that a person reads."""

    IN_FILM = "in the film"
    TOO_SHORT = "too short to be seen at this speed"
    UNCERTAIN = "perhaps not recorded"
    DAMAGED = "damaged"
    NEVER_ENDED = "without an end"
    ONGOING = "under way"
    NOT_FETCHED = "not fetched yet"
    FAILED = "failed"
    REFUSED = "refused by the console"
    NOT_RECORDED = "not recorded"


_SHOWN = (EventState.IN_FILM, EventState.DAMAGED, EventState.NEVER_ENDED)
_OF_FAILURE: Mapping[FailureKind | None, EventState] = {
    FailureKind.REFUSED: EventState.REFUSED,
    FailureKind.NOT_RECORDED: EventState.NOT_RECORDED,
}
# Of an event whose clips are missing for several reasons, the first of these counts.
_MISSING = (
    EventState.NOT_FETCHED,
    EventState.FAILED,
    EventState.REFUSED,
    EventState.NOT_RECORDED,
)


@dataclass(frozen=True, slots=True)
class EventAccount:
    """An event, and what became of it. ``can_heal``: another run may bring it into the film.

    Where all footage is filmed, not that of events, an hour of it stands for an event.
    """

    event: Event
    state: EventState
    can_heal: bool = False


@dataclass(frozen=True)
class ShownFilm:
    """What the film shows, as far as the account asks.

    ``shows`` says of a clip and a span whether a frame of the film is from there, and ``is_sure``
    whether that can be known: a clip that came short does not tell which part it lacks. ``step_ms``
    is how far apart the instants of two frames are.
    """

    clips: tuple[IndexEntry, ...]
    step_ms: float
    shows: Callable[[IndexEntry, Span], bool]
    is_sure: Callable[[IndexEntry, Span], bool] = lambda _entry, _span: True
    damages: tuple[Damage, ...] = ()

    def is_of(self, entry: IndexEntry) -> bool:
        """Whether the film is made of this clip and others."""
        return entry.name in self._by_name

    def overlapping(self, span: Span) -> Iterator[IndexEntry]:
        """The clips of which a part is from a span."""
        for found in self._spans.overlapping(span):
            yield from self._by_span[found]

    @cached_property
    def _by_name(self) -> dict[str, IndexEntry]:
        return {entry.name: entry for entry in self.clips}

    @cached_property
    def _by_span(self) -> dict[Span, list[IndexEntry]]:
        by_span: dict[Span, list[IndexEntry]] = {}
        for entry in self.clips:
            by_span.setdefault(entry.span, []).append(entry)
        return by_span

    @cached_property
    def _spans(self) -> Spans:
        return Spans(self._by_span)


@dataclass(frozen=True, slots=True)
class DayAccount:
    """Every event of the day that the settings do not exclude, in the order of the film."""

    events: tuple[EventAccount, ...]

    @classmethod
    def of(cls, index: ClipIndex, film: ShownFilm) -> "DayAccount":
        """Account of the day; the index says of each clip where it stands now."""
        clips: dict[_Key, tuple[Event, list[IndexEntry]]] = {}
        for entry in index.entries:
            for event in _events_of(entry):
                clips.setdefault(_key(event), (event, []))[1].append(entry)
        events = [_account(event, entries, film) for event, entries in clips.values()]
        events += [EventAccount(event, EventState.ONGOING) for event in index.ongoing]
        return cls(tuple(sorted(events, key=lambda each: each.event.timeline_key)))

    def of_clips(self, entries: Iterable[IndexEntry]) -> "DayAccount":
        """The account of the events of some clips alone."""
        keys = {_key(event) for entry in entries for event in _events_of(entry)}
        return DayAccount(tuple(each for each in self.events if _key(each.event) in keys))

    @property
    def counts(self) -> Mapping[EventState, int]:
        """How many events are in each state."""
        return Counter(each.state for each in self.events)

    @property
    def shown_count(self) -> int:
        """How many events the film shows, be it with damage."""
        return sum(each.state in _SHOWN for each in self.events)

    @property
    def is_whole(self) -> bool:
        """Whether every event is in the film, without damage."""
        return all(each.state is EventState.IN_FILM for each in self.events)

    @property
    def can_heal(self) -> bool:
        """Whether another run may get what is missing."""
        return any(each.can_heal for each in self.events)


def _account(event: Event, entries: list[IndexEntry], film: ShownFilm) -> EventAccount:
    span = (event.start_ms, end_of(event))
    showing = [entry for entry in entries if film.is_of(entry)]
    missing = [entry for entry in entries if not film.is_of(entry)]
    if missing:
        showing = list(film.overlapping(span))
        if Spans(entry.span for entry in showing).uncovered(span):
            return _missing(event, missing)
    state, can_heal = _shown_state(event, span, showing, film)
    return EventAccount(event, state, can_heal=can_heal or any(map(_may_come, missing)))


def _shown_state(
    event: Event, span: Span, showing: list[IndexEntry], film: ShownFilm
) -> tuple[EventState, bool]:
    """State of an event whose footage is there, and whether another run may better it."""
    if not any(film.shows(entry, span) for entry in chain(showing, film.overlapping(span))):
        is_brief = span[1] - span[0] < film.step_ms
        return (EventState.TOO_SHORT if is_brief else EventState.NOT_RECORDED, False)
    if not any(film.is_sure(entry, span) for entry in showing):
        return (EventState.UNCERTAIN, False)
    names = {entry.name for entry in showing}
    damages = [damage for damage in film.damages if damage.clip_name in names]
    if damages:
        return (EventState.DAMAGED, any(damage.can_heal for damage in damages))
    return (EventState.NEVER_ENDED if event.end_ms is None else EventState.IN_FILM, False)


def _may_come(entry: IndexEntry) -> bool:
    """Whether a clip that is not there may be there after another run."""
    standing = entry.standing
    return standing.status is ClipStatus.PENDING or standing.kind is FailureKind.CAN_HEAL


def _missing(event: Event, entries: list[IndexEntry]) -> EventAccount:
    states = {_missing_state(entry.standing) for entry in entries}
    state = next(state for state in _MISSING if state in states)
    can_heal = any(not entry.standing.is_settled for entry in entries)
    return EventAccount(event, state, can_heal=can_heal)


def _missing_state(standing: Standing) -> EventState:
    if standing.status is not ClipStatus.FAILED:
        return EventState.NOT_FETCHED
    kind = standing.kind if standing.is_settled else None
    return _OF_FAILURE.get(kind, EventState.FAILED)


def _events_of(entry: IndexEntry) -> tuple[Event, ...]:
    """The events of a clip; where all footage is filmed, the clip's own span as one."""
    clip = entry.clip
    return tuple(
        replace(event, start_ms=clip.start_ms, end_ms=clip.end_ms)
        if event.event_type == CONTINUOUS
        else event
        for event in clip.events
    )


def _key(event: Event) -> _Key:
    return (event.event_id, event.start_ms if event.event_type == CONTINUOUS else None)
