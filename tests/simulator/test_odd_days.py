"""A console keeps less than it did, lists what nobody can read, or exports other bytes."""

from collections.abc import Iterator
from datetime import date

import pytest

from tests.simulator.browser import Browser, at, instants
from upvs_tasks.simulator import (
    FRONT_DOOR,
    SPARROW,
    Behaviour,
    RepeatedExport,
    SimulatedConsole,
    SimulatedEvent,
)

DAY = date(2024, 1, 15)
NOON = at(DAY, 12, 0)
TIMES = {"first": NOON, "second": NOON + 60_000, "third": NOON + 120_000}


def row_of(name: str, camera_id: str = SPARROW.camera_id) -> SimulatedEvent:
    """An event of ten seconds."""
    return SimulatedEvent(name, "motion", camera_id, TIMES[name], TIMES[name] + 10_000)


@pytest.fixture
def visitor() -> Iterator[Browser]:
    """A client of a console on which Sparrow saw three things, a minute apart."""
    with SimulatedConsole() as console, Browser(console) as browser:
        console.set_events(map(row_of, TIMES), camera_id=SPARROW.camera_id)
        browser.log_in()
        yield browser


def listed(visitor: Browser) -> list[object]:
    """Ids of what is listed of Sparrow's day."""
    return [row["id"] for row in visitor.events(DAY, ("cameras", SPARROW.camera_id))]


def answers(visitor: Browser) -> list[int]:
    """What the exports of the three events are answered with."""
    return [
        visitor.export(start_ms, start_ms + 10_000, SPARROW.camera_id).status_code
        for start_ms in TIMES.values()
    ]


def test_what_retention_has_passed_is_neither_listed_nor_exported(visitor: Browser) -> None:
    visitor.console.forget(before_ms=NOON + 60_000, camera_id=SPARROW.camera_id)
    assert listed(visitor) == ["second", "third"]
    assert answers(visitor) == [404, 200, 200]
    visitor.console.forget(before_ms=NOON, camera_id=SPARROW.camera_id)
    assert listed(visitor) == ["second", "third"]


def test_what_came_last_can_be_lost_as_well(visitor: Browser) -> None:
    visitor.console.forget(after_ms=NOON + 100_000, camera_id=SPARROW.camera_id)
    assert listed(visitor) == ["first", "second"]
    assert answers(visitor) == [200, 200, 404]


def test_single_events_can_be_lost(visitor: Browser) -> None:
    visitor.console.forget("second", camera_id=SPARROW.camera_id)
    assert listed(visitor) == ["first", "third"]
    assert answers(visitor) == [200, 404, 200]
    with pytest.raises(KeyError):
        visitor.console.forget("second", camera_id=SPARROW.camera_id)


def test_another_camera_keeps_what_it_has(visitor: Browser) -> None:
    before = visitor.events(DAY, ("cameras", FRONT_DOOR.camera_id))
    visitor.console.forget(after_ms=0, camera_id=SPARROW.camera_id)
    assert listed(visitor) == []
    assert visitor.events(DAY, ("cameras", FRONT_DOOR.camera_id)) == before


def test_an_event_can_be_listed_oddly(visitor: Browser) -> None:
    visitor.console.spoil_event("first", start=None)
    visitor.console.spoil_event("second", row="no object")
    first, second, _ = visitor.events(DAY, ("cameras", SPARROW.camera_id))
    assert first["id"] == "first"
    assert first["start"] is None
    assert str(second) == "no object"


def exported_twice(kind: RepeatedExport) -> tuple[bytes, bytes]:
    """Two exports of the same ten seconds."""
    behaviour = Behaviour(repeated_export=kind)
    with SimulatedConsole(behaviour=behaviour) as console, Browser(console) as browser:
        browser.log_in()
        first, second = (browser.export(NOON, NOON + 10_000).content for _ in range(2))
    return first, second


def test_another_export_has_the_same_bytes() -> None:
    first, second = exported_twice(RepeatedExport.SAME)
    assert first == second


def test_another_export_may_have_another_date() -> None:
    first, second = exported_twice(RepeatedExport.STAMPED)
    assert len(first) == len(second)
    assert sum(one != other for one, other in zip(first, second, strict=True)) == 1
    assert instants(first) == instants(second)


def test_another_export_may_be_encoded_anew() -> None:
    first, second = exported_twice(RepeatedExport.ENCODED_ANEW)
    assert len(first) != len(second)
    assert instants(first) == instants(second)
