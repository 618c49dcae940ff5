import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from upvs_tasks.model.day import Day
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES, DayEvents, Event, EventChoice, events_of_day

HOUR_MS = 3_600_000
DAY = Day.of(dt.date(2024, 1, 15), "America/New_York")
NOON_MS = DAY.start_ms + 12 * HOUR_MS
CAMERA = "66a0c1"
EVENT = Event("e1", "motion", NOON_MS, NOON_MS + 20_000, CAMERA)

# Few ids, types and instants, so that reports of one event and ties are frequent.
REPORTS = st.builds(
    Event,
    event_id=st.sampled_from(["e1", "e2", "e3"]),
    event_type=st.sampled_from(["motion", "smartDetectZone", "ring", "videoExported"]),
    start_ms=st.sampled_from([DAY.start_ms - 1, DAY.start_ms, NOON_MS, DAY.end_ms - 1, DAY.end_ms]),
    end_ms=st.sampled_from([None, DAY.start_ms + 5, NOON_MS + 1_000, DAY.end_ms + HOUR_MS]),
    camera_id=st.sampled_from([CAMERA, "66a0c2", None]),
    score=st.integers(0, 2),
)
# Reports of one event that differ in what a console corrects.
RIVALS = st.builds(
    Event,
    event_id=st.just("e1"),
    event_type=st.sampled_from(["motion", "smartDetectZone"]),
    start_ms=st.integers(NOON_MS, NOON_MS + 3),
    end_ms=st.none() | st.integers(NOON_MS + 10, NOON_MS + 13),
    camera_id=st.just(CAMERA),
    smart_types=st.sampled_from([(), ("animal",), ("person",), ("person", "vehicle")]),
    score=st.integers(0, 2),
)
LISTED = st.lists(REPORTS | RIVALS, max_size=8)


def of_day(
    *listed: Event,
    event_types: tuple[str, ...] = DEFAULT_EVENT_TYPES,
    smart_types: tuple[str, ...] = (),
) -> DayEvents:
    """The film's events of the day and the camera that these tests are about."""
    return events_of_day(listed, EventChoice(DAY, CAMERA, event_types, smart_types))


@pytest.mark.parametrize(
    ("start_ms", "belongs"),
    [
        (DAY.start_ms - 1, False),
        (DAY.start_ms, True),
        (DAY.end_ms - 1, True),
        (DAY.end_ms, False),
    ],
)
def test_an_event_belongs_to_the_day_in_which_it_starts(start_ms: int, *, belongs: bool) -> None:
    """An event across midnight is in the film of the day before, whole, and in no other."""
    across = replace(EVENT, start_ms=start_ms, end_ms=start_ms + HOUR_MS)

    assert of_day(across) == DayEvents(ended=(across,) if belongs else (), ongoing=())


@pytest.mark.parametrize("camera_id", ["66a0c2", "66A0C1", "", None])
def test_other_cameras_are_left_out(camera_id: str | None) -> None:
    """Consoles that ignore ``cameras`` list everybody's events, and their own."""
    assert of_day(replace(EVENT, camera_id=camera_id)) == DayEvents((), ())


@pytest.mark.parametrize(
    "event_type", ["ring", "smartAudioDetect", "smartDetect", "disconnect", "MOTION", "", "new"]
)
def test_types_that_were_not_asked_for_are_left_out(event_type: str) -> None:
    """Consoles that ignore ``types`` list all kinds, also such as nobody knows yet."""
    assert of_day(replace(EVENT, event_type=event_type)) == DayEvents((), ())


def test_a_type_that_was_asked_for_is_taken_whatever_it_is_called() -> None:
    """The setting decides, not a list of ours."""
    ring = replace(EVENT, event_type="ring")

    assert of_day(ring, EVENT, event_types=("ring",)).ended == (ring,)


def test_a_low_score_is_no_reason_to_leave_an_event_out() -> None:
    """Audio detections and some motion always have score 0."""
    assert of_day(replace(EVENT, score=0)).ended


def test_an_event_without_end_is_kept_apart() -> None:
    """It is named in the account, and taken up by a later run."""
    ongoing = replace(EVENT, event_id="e2", end_ms=None)

    assert of_day(ongoing, EVENT) == DayEvents(ended=(EVENT,), ongoing=(ongoing,))


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_reports_the_ended_one_counts(*, reverse: bool) -> None:
    """A page that was asked for later may know the end of what an earlier one called ongoing."""
    reports = [replace(EVENT, end_ms=None), EVENT]

    found = of_day(*(reversed(reports) if reverse else reports))

    assert found == DayEvents(ended=(EVENT,), ongoing=())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "shorter",
    [
        replace(EVENT, end_ms=NOON_MS + 5_000),
        replace(EVENT, start_ms=NOON_MS + 5_000),
        replace(EVENT, start_ms=NOON_MS + 15_000, end_ms=NOON_MS + 25_000),
    ],
    ids=["ends earlier", "starts later", "starts and ends later"],
)
def test_of_two_ended_reports_the_longer_counts(shorter: Event, *, reverse: bool) -> None:
    """Consoles correct an event's bounds after its end, and pages overlap."""
    reports = [EVENT, shorter]

    assert of_day(*(reversed(reports) if reverse else reports)).ended == (EVENT,)


@given(st.lists(REPORTS, max_size=12))
def test_each_event_is_there_once_and_as_it_was_reported(listed: list[Event]) -> None:
    """Nothing is invented, and nothing that belongs is lost."""
    found = of_day(*listed)
    taken = [*found.ended, *found.ongoing]

    belonging = {
        event.event_id
        for event in listed
        if event.camera_id == CAMERA
        and event.event_type in DEFAULT_EVENT_TYPES
        and DAY.start_ms <= event.start_ms < DAY.end_ms
    }
    assert sorted(event.event_id for event in taken) == sorted(belonging)
    assert set(taken) <= set(listed)
    assert all(event.end_ms is not None for event in found.ended)
    assert all(event.end_ms is None for event in found.ongoing)


@given(
    LISTED.flatmap(lambda listed: st.tuples(st.just(listed), st.permutations(listed))),
    st.sampled_from([(), ("person",), ("animal", "vehicle")]),
)
@example(
    (
        [EVENT, replace(EVENT, event_type="smartDetectZone")],
        [replace(EVENT, event_type="smartDetectZone"), EVENT],
    ),
    (),
)
def test_the_order_of_the_listing_does_not_matter(
    orders: tuple[list[Event], list[Event]], smart_types: tuple[str, ...]
) -> None:
    """Pages come in any order, and cut anywhere; the day is the same all the same."""
    listed, shuffled = orders

    assert of_day(*shuffled, smart_types=smart_types) == of_day(*listed, smart_types=smart_types)


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(5, 7)), max_size=12))
def test_events_are_in_the_order_of_the_film(bounds: list[tuple[int, int | None]]) -> None:
    """By start, then end, then id (specification §6 A)."""
    found = of_day(
        *(
            Event(f"e{-place}", "motion", NOON_MS + start, end and NOON_MS + end, CAMERA)
            for place, (start, end) in enumerate(bounds)
        )
    )

    ended = [(event.start_ms, event.end_ms or 0, event.event_id) for event in found.ended]
    ongoing = [(event.start_ms, event.event_id) for event in found.ongoing]
    assert len(ended) + len(ongoing) == len(bounds)
    assert ended == sorted(ended)
    assert ongoing == sorted(ongoing)


def test_an_event_without_end_comes_after_those_that_ended() -> None:
    """Its end lies after any that is known."""
    ongoing = replace(EVENT, event_id="e0", end_ms=None)
    last = replace(EVENT, event_id="e2")

    ordered = sorted([ongoing, last, EVENT], key=lambda event: event.timeline_key)

    assert ordered == [EVENT, last, ongoing]


def test_the_default_types_are_those_that_consoles_use() -> None:
    """The specification's ``smartDetect`` is no type on any console (console's own list)."""
    assert DEFAULT_EVENT_TYPES == (
        "motion",
        "smartDetectZone",
        "smartDetectLine",
        "smartDetectLoiterZone",
    )
