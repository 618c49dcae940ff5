"""Random days of one camera on a random console."""

from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st

from upvs_tasks.model.day import Day
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES
from upvs_tasks.simulator import (
    DRIVEWAY,
    SPARROW,
    Behaviour,
    Csrf,
    EventIds,
    JoinedTypes,
    Length,
    LimitKeeps,
    SimulatedEvent,
    WindowMatch,
)
from upvs_tasks.simulator.events import event_id

DAY = Day.of(date(2024, 3, 10), "America/New_York")
CAMERA_ID = SPARROW.camera_id

_HOUR_MS = 3_600_000
_OTHER_TYPES = ("ring", "smartAudioDetect", "access", "videoExported", "smartDetectHologram")


@dataclass(frozen=True, slots=True)
class Burst:
    """Events of one kind, one after the other or all at once; ``lasts_ms`` None is without end."""

    start_ms: int
    count: int
    spacing_ms: int
    lasts_ms: int | None
    event_type: str
    camera_id: str | None

    def events(self, shape: EventIds, number: int) -> list[SimulatedEvent]:
        """The burst's events; ``number`` is its place among the day's bursts."""
        starts_ms = [self.start_ms + index * self.spacing_ms for index in range(self.count)]
        return [
            SimulatedEvent(
                event_id(shape, "random", number, index),
                self.event_type,
                self.camera_id,
                start_ms,
                None if self.lasts_ms is None else start_ms + self.lasts_ms,
            )
            for index, start_ms in enumerate(starts_ms)
        ]


@dataclass(frozen=True, slots=True)
class RandomDay:
    """What happens on the day, and on the evening before and the morning after."""

    bursts: tuple[Burst, ...]

    def events(self, shape: EventIds) -> list[SimulatedEvent]:
        """Everything, in no particular order."""
        return [
            event
            for number, burst in enumerate(self.bursts)
            for event in burst.events(shape, number)
        ]


def wanted(events: list[SimulatedEvent]) -> dict[str, SimulatedEvent]:
    """What the film is made of: the camera's detections that start on the day."""
    return {
        event.event_id: event
        for event in events
        if event.camera_id == CAMERA_ID
        and event.kind in DEFAULT_EVENT_TYPES
        and DAY.contains(event.start_ms)
    }


def held(
    events: list[SimulatedEvent], behaviour: Behaviour, span_ms: tuple[int, int]
) -> list[SimulatedEvent]:
    """The rows that such a console has for what the client asks of this span."""
    start_ms, end_ms = span_ms
    return [
        event
        for event in events
        if event.kind in DEFAULT_EVENT_TYPES
        and (event.camera_id == CAMERA_ID or not behaviour.honours_cameras)
        and event.start_ms <= end_ms
        and (
            event.start_ms >= start_ms
            if behaviour.window is WindowMatch.START
            else event.end_ms is None or event.end_ms >= start_ms
        )
    ]


_instants = st.one_of(
    st.integers(DAY.start_ms - 2 * _HOUR_MS, DAY.end_ms + 2 * _HOUR_MS),
    # A cluster of bursts, and the ends of the day.
    st.integers(DAY.start_ms + 18 * _HOUR_MS, DAY.start_ms + 19 * _HOUR_MS),
    st.sampled_from([DAY.start_ms - 1, DAY.start_ms, DAY.end_ms - 1, DAY.end_ms]),
)
_bursts = st.builds(
    Burst,
    start_ms=_instants,
    count=st.one_of(st.integers(1, 3), st.integers(10, 40)),
    spacing_ms=st.sampled_from([0, 1, 700, 23_000, 60_000, 400_000, 1_500_000]),
    lasts_ms=st.sampled_from([0, 1_000, 21_000, 47_000, 220_000]),
    event_type=st.sampled_from((*DEFAULT_EVENT_TYPES, *DEFAULT_EVENT_TYPES, *_OTHER_TYPES)),
    camera_id=st.sampled_from([CAMERA_ID, CAMERA_ID, CAMERA_ID, DRIVEWAY.camera_id, None]),
)
_lasting = st.builds(
    Burst,
    start_ms=_instants,
    count=st.integers(1, 2),
    spacing_ms=st.just(60_000),
    lasts_ms=st.sampled_from([2 * _HOUR_MS, 9 * _HOUR_MS, None]),
    event_type=st.sampled_from(DEFAULT_EVENT_TYPES),
    camera_id=st.just(CAMERA_ID),
)
days = st.builds(
    RandomDay,
    bursts=st.builds(
        lambda bursts, lasting: (*bursts, *lasting),
        st.one_of(st.lists(_bursts, max_size=4), st.lists(_bursts, min_size=8, max_size=20)),
        st.lists(_lasting, max_size=3),
    ),
)


def behaviours(page_caps: st.SearchStrategy[int | None]) -> st.SearchStrategy[Behaviour]:
    """All that consoles differ in where events are listed, or where one gets at the list."""
    return st.builds(
        Behaviour,
        limit_keeps_ascending=st.sampled_from(LimitKeeps),
        limit_keeps_unordered=st.sampled_from(LimitKeeps),
        window=st.sampled_from(WindowMatch),
        joined_types=st.sampled_from(JoinedTypes),
        missing_types_ignore_window=st.booleans(),
        honours_cameras=st.booleans(),
        page_cap=page_caps,
        shuffles_ties=st.booleans(),
        event_ids=st.sampled_from(EventIds),
        csrf=st.sampled_from(Csrf),
        cookie_name=st.sampled_from(["TOKEN", "UOS_TOKEN"]),
        cookie_partitioned=st.booleans(),
        content_length=st.sampled_from(Length),
        timezone=st.just(DAY.timezone),
    )
