"""Whatever day it was and whichever way a console answers, every event is found exactly once."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given
from hypothesis import strategies as st

from tests.contract.random_days import (
    CAMERA_ID,
    DAY,
    Burst,
    RandomDay,
    behaviours,
    days,
    held,
    wanted,
)
from tests.listing import most_requests
from tests.thorough import thorough
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.export import as_received
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES, DayEvents, EventChoice, events_of_day
from upvs_tasks.simulator import (
    Behaviour,
    LimitKeeps,
    SimulatedConsole,
    SimulatedEvent,
    WindowMatch,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What our client made of a console's lists, and how often it asked."""

    found: DayEvents
    requests: int
    largest_limit: int


def listed(
    events: list[SimulatedEvent], behaviour: Behaviour, page_limit: int, state_dir: Path
) -> Listing:
    """Ask a console that holds these events, and no others, for the day."""
    with SimulatedConsole(behaviour=behaviour, state_dir=state_dir) as simulated:
        for camera in simulated.cameras:
            simulated.set_events((), camera_id=camera.camera_id)
        simulated.set_events(events)
        with Console(
            Endpoint(simulated.host, Path(simulated.ca_file)),
            Credentials(simulated.username, simulated.password),
            policy=RetryPolicy(attempts=1),
            page_limit=page_limit,
        ) as console:
            listed = console.events(
                CAMERA_ID,
                start_ms=DAY.start_ms,
                end_ms=DAY.end_ms,
                event_types=DEFAULT_EVENT_TYPES,
            )
            noon_ms = DAY.start_ms + 43_200_000
            console.export(
                CAMERA_ID,
                start_ms=noon_ms,
                end_ms=noon_ms + 2_000,
                into=BytesIO(),
                accept=as_received,
            )
            assert (console.usage.logins, console.usage.retries) == (1, 0)
        asked = [request for request in simulated.requests if request.endpoint == "events"]
    found = events_of_day(listed.events, EventChoice(DAY, CAMERA_ID, DEFAULT_EVENT_TYPES))
    limits = (int(request.value("limit") or 0) for request in asked)
    return Listing(found, len(asked), max(limits))


def assert_it_is_all(found: DayEvents, events: list[SimulatedEvent]) -> None:
    """Each event of the film once, with its bounds; those under way apart."""
    expected = wanted(events)
    ours = [*found.ended, *found.ongoing]
    assert sorted(event.event_id for event in ours) == sorted(expected)
    assert all(event.end_ms is None for event in found.ongoing)
    assert {(event.event_id, event.start_ms, event.end_ms) for event in ours} == {
        (event.event_id, event.start_ms, event.end_ms) for event in expected.values()
    }


def crowd(events: list[SimulatedEvent], behaviour: Behaviour) -> int:
    """The highest number of rows for one instant."""
    return max(
        (
            len(held(events, behaviour, (event.start_ms - 4, event.start_ms + 4)))
            for event in events
        ),
        default=0,
    )


@pytest.mark.slow
@thorough(5, HealthCheck.filter_too_much)
@given(
    day=days,
    behaviour=behaviours(st.none()),
    page_limit=st.sampled_from([20, 30, 50, 100]),
)
def test_every_event_of_a_day_is_found_once_with_few_requests_a_page(
    state_dir: Path, day: RandomDay, behaviour: Behaviour, page_limit: int
) -> None:
    """No more than is proven, where no page is full of events of one instant."""
    events = day.events(behaviour.event_ids)
    listing = listed(events, behaviour, page_limit, state_dir)
    assert_it_is_all(listing.found, events)
    event(f"{listing.requests} requests")
    most = most_requests(
        (one.start_ms for one in held(events, behaviour, (DAY.start_ms - 1, DAY.end_ms))),
        limit=page_limit,
        largest_limit=listing.largest_limit,
    )
    assert most is None or listing.requests <= most


@pytest.mark.slow
@thorough(1, HealthCheck.filter_too_much)
@given(
    day=days,
    behaviour=behaviours(st.integers(20, 40)),
    page_limit=st.sampled_from([20, 30, 500]),
)
def test_a_console_that_caps_its_pages_hides_nothing(
    state_dir: Path, day: RandomDay, behaviour: Behaviour, page_limit: int
) -> None:
    """Unless half of a page happens at one instant, as no window is narrower."""
    events = day.events(behaviour.event_ids)
    assert behaviour.page_cap is not None
    assume(crowd(events, behaviour) < behaviour.page_cap // 2)
    assert_it_is_all(listed(events, behaviour, page_limit, state_dir).found, events)


def motions(start_ms: int, count: int, *, lasts_ms: int | None = 20_000) -> Burst:
    """Motions of our camera, a minute from one to the next."""
    return Burst(start_ms, count, 60_000, lasts_ms, "motion", CAMERA_ID)


EVENING_MS = DAY.start_ms + 20 * 3_600_000
CAPPED = Behaviour(page_cap=20, window=WindowMatch.OVERLAP, limit_keeps_ascending=LimitKeeps.OLDEST)


@pytest.mark.parametrize(
    ("page_limit", "bursts"),
    [
        (500, (motions(EVENING_MS - 60_000, 1, lasts_ms=None), motions(EVENING_MS, 20))),
        (20, (motions(EVENING_MS, 3, lasts_ms=7_200_000), motions(EVENING_MS + 600_000, 40))),
    ],
    ids=["below the limit", "at the limit"],
)
def test_a_cap_is_noticed_though_what_goes_on_fills_each_page_anew(
    state_dir: Path, page_limit: int, bursts: tuple[Burst, ...]
) -> None:
    """A page of as many rows as the one before, and none of them new, proves nothing."""
    events = RandomDay(bursts).events(CAPPED.event_ids)
    assert crowd(events, CAPPED) < 6
    assert_it_is_all(listed(events, CAPPED, page_limit, state_dir).found, events)
