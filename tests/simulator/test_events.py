from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest

from tests.simulator.browser import DETECTIONS, Browser, at, bounds
from upvs_tasks.simulator import (
    FRONT_DOOR,
    SPARROW,
    Behaviour,
    EventIds,
    JoinedTypes,
    LimitKeeps,
    SimulatedConsole,
    SimulatedEvent,
    WindowMatch,
)

MODERATE = date(2024, 1, 15)
BUSY = date(2024, 1, 16)
FRONT = ("cameras", FRONT_DOOR.camera_id)
ASCENDING = ("orderDirection", "ASC")


def listed(behaviour: Behaviour, *parameters: tuple[str, object]) -> list[str]:
    """Return the ids of one page of ten small events, number 0 being the oldest."""
    with SimulatedConsole(behaviour=behaviour) as console, Browser(console) as browser:
        start_ms, _ = bounds(MODERATE)
        console.set_events(
            SimulatedEvent(f"{number}", "motion", FRONT_DOOR.camera_id, start, start + 5_000)
            for number, start in enumerate(range(start_ms, start_ms + 100_000, 10_000))
        )
        browser.log_in()
        return [row["id"] for row in browser.events(MODERATE, FRONT, *parameters)]


def test_rows_are_sorted_by_start_when_no_order_is_requested() -> None:
    assert listed(Behaviour()) == list("0123456789")
    assert listed(Behaviour(), ("orderDirection", "DESC")) == list("9876543210")


@pytest.mark.parametrize(
    ("kept", "expected"), [(LimitKeeps.OLDEST, "012"), (LimitKeeps.NEWEST, "789")]
)
def test_an_ascending_page_keeps_the_oldest_or_the_newest(kept: LimitKeeps, expected: str) -> None:
    behaviour = Behaviour(limit_keeps_ascending=kept)
    assert "".join(listed(behaviour, ASCENDING, ("limit", 3))) == expected


@pytest.mark.parametrize(
    ("kept", "expected"), [(LimitKeeps.OLDEST, "345"), (LimitKeeps.NEWEST, "456")]
)
def test_an_offset_counts_from_the_end_that_is_kept(kept: LimitKeeps, expected: str) -> None:
    behaviour = Behaviour(limit_keeps_ascending=kept)
    page = listed(behaviour, ASCENDING, ("limit", 3), ("offset", 3))
    assert "".join(page) == expected


def test_without_an_order_the_newest_are_kept_and_shown_oldest_first() -> None:
    assert "".join(listed(Behaviour(), ("limit", 3))) == "789"


def test_a_console_may_cap_its_pages() -> None:
    assert len(listed(Behaviour(page_cap=4), ASCENDING, ("limit", 100))) == 4


def test_there_is_no_cursor_parameter() -> None:
    assert listed(Behaviour(), ASCENDING, ("after", "4")) == list("0123456789")


@pytest.mark.parametrize(
    ("window", "expected"), [(WindowMatch.OVERLAP, "012"), (WindowMatch.START, "12")]
)
def test_a_window_matches_by_overlap_or_by_start(window: WindowMatch, expected: str) -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(window=window)) as console,
        Browser(console) as browser,
    ):
        console.set_events(
            SimulatedEvent(f"{number}", "motion", FRONT_DOOR.camera_id, start, start + 15_000)
            for number, start in enumerate(range(at(MODERATE, 9, 0), at(MODERATE, 9, 1), 10_000))
        )
        browser.log_in()
        rows = browser.get(
            "events",
            ("start", at(MODERATE, 9, 0, 9)),
            ("end", at(MODERATE, 9, 0, 21)),
            ("types", "motion"),
            FRONT,
        ).json()
    assert "".join(row["id"] for row in rows) == expected


@pytest.mark.parametrize(("joined", "some"), [(JoinedTypes.NOTHING, 0), (JoinedTypes.SPLIT, 1)])
def test_types_joined_by_commas_match_nothing_or_each(joined: JoinedTypes, some: int) -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(joined_types=joined)) as console,
        Browser(console) as browser,
    ):
        browser.log_in()
        start_ms, end_ms = bounds(MODERATE)
        rows = browser.get(
            "events", ("start", start_ms), ("end", end_ms), ("types", "motion,smartDetectZone")
        ).json()
    assert bool(rows) is bool(some)


@pytest.mark.parametrize("side", ["start", "end"])
def test_a_window_needs_start_and_end(browser: Browser, side: str) -> None:
    window = (side, at(MODERATE, 9, 0))
    assert browser.get("events", window, ("types", "motion")).status_code == 400
    assert browser.get("events", window, ("types", "motion"), ("limit", 5)).status_code == 200


def test_without_types_the_window_is_ignored(browser: Browser) -> None:
    start_ms, end_ms = bounds(MODERATE)
    rows = browser.get("events", ("start", start_ms), ("end", end_ms)).json()
    assert any(row["start"] < start_ms for row in rows)
    assert any(row["start"] > end_ms for row in rows)


def test_smart_types_narrow_the_list(browser: Browser) -> None:
    rows = browser.events(MODERATE, ("smartDetectTypes", "person"))
    assert rows
    assert all("person" in row["smartDetectTypes"] for row in rows)


@pytest.mark.parametrize("honoured", [True, False])
def test_the_camera_parameter_is_honoured_or_not(*, honoured: bool) -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(honours_cameras=honoured)) as console,
        Browser(console) as browser,
    ):
        browser.log_in()
        cameras = {row["camera"] for row in browser.events(MODERATE, FRONT)}
    assert (cameras == {FRONT_DOOR.camera_id}) is honoured


def test_every_day_has_rows_that_a_timelapse_does_not_need(browser: Browser) -> None:
    for day in (date(2024, 1, 15), date(2024, 1, 16), date(2024, 1, 18), date(2025, 6, 1)):
        start_ms, end_ms = bounds(day)
        rows = browser.get("events", ("start", start_ms), ("end", end_ms), ("limit", 9999)).json()
        of_day = [row for row in rows if start_ms <= row["start"] < end_ms]
        kinds = {row["type"] for row in of_day}
        assert {"ring", "smartAudioDetect", "access", "videoExported", "petFeederJammed"} <= kinds
        assert any(row["camera"] is None for row in of_day)


@pytest.mark.parametrize(
    ("id_format", "length"), [(EventIds.HEX, 24), (EventIds.UUID, 36)], ids=["hex", "uuid"]
)
def test_event_ids_have_one_of_two_formats(id_format: EventIds, length: int) -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(event_ids=id_format)) as console,
        Browser(console) as browser,
    ):
        browser.log_in()
        rows = browser.events(MODERATE)
        assert {len(row["id"]) for row in rows} == {length}
        assert browser.get(f"events/{rows[0]['id']}").json() == rows[0]
        assert browser.get("events/unheard-of").status_code == 404


def test_equal_starts_may_come_in_another_order_each_time() -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(shuffles_ties=True)) as console,
        Browser(console) as browser,
    ):
        start_ms = at(MODERATE, 9, 0)
        console.set_events(
            SimulatedEvent(f"{number}", "motion", FRONT_DOOR.camera_id, start_ms, start_ms + 9_000)
            for number in range(8)
        )
        browser.log_in()
        orders = {"".join(row["id"] for row in browser.events(MODERATE, FRONT)) for _ in range(5)}
    assert len(orders) > 1
    assert {"".join(sorted(order)) for order in orders} == {"01234567"}


def test_an_ongoing_event_has_no_end_and_a_future_event_is_not_listed() -> None:
    noon_ms = at(MODERATE, 12, 0)
    with SimulatedConsole(now_ms=noon_ms) as console, Browser(console) as browser:
        console.set_events(
            SimulatedEvent(name, "motion", FRONT_DOOR.camera_id, start_ms, start_ms + 20_000)
            for name, start_ms in (
                ("past", noon_ms - 60_000),
                ("now", noon_ms - 5_000),
                ("future", noon_ms + 5_000),
            )
        )
        browser.log_in()
        rows = {row["id"]: row["end"] for row in browser.events(MODERATE, FRONT)}
    assert rows == {"past": noon_ms - 40_000, "now": None}


def test_an_event_of_any_day_is_found_by_its_id_once_it_was_listed(browser: Browser) -> None:
    row = browser.events(date(2025, 6, 1), FRONT)[0]
    assert browser.get(f"events/{row['id']}").json() == row
    browser.console.remove_event(row["id"])
    assert browser.get(f"events/{row['id']}").status_code == 404


def test_an_ongoing_event_can_be_ended_later(browser: Browser) -> None:
    start_ms = at(MODERATE, 3, 0)
    event = browser.console.add_event(start_ms, None)
    assert browser.get(f"events/{event.event_id}").json()["end"] is None
    browser.console.end_event(event.event_id, start_ms + 9_000)
    assert browser.get(f"events/{event.event_id}").json()["end"] == start_ms + 9_000


def test_a_shipped_event_can_be_extended_or_removed_while_the_console_runs(
    browser: Browser,
) -> None:
    first, second, *_ = browser.events(MODERATE, FRONT)
    browser.console.end_event(first["id"], first["end"] + 60_000)
    browser.console.remove_event(second["id"])
    rows = {row["id"]: row for row in browser.events(MODERATE, FRONT)}
    assert rows[first["id"]]["end"] == first["end"] + 60_000
    assert second["id"] not in rows


def test_last_motion_is_the_latest_motion_that_has_begun() -> None:
    with SimulatedConsole(now_ms=at(date(2024, 1, 14), 23, 0)) as console:
        with Browser(console) as browser:
            browser.log_in()
            camera = browser.get(f"cameras/{FRONT_DOOR.camera_id}").json()
            before = browser.events(date(2024, 1, 13), FRONT)
        assert camera["lastMotion"] == max(
            row["start"] for row in before if row["type"] == "motion"
        )


def detections(
    console: SimulatedConsole, day: date, camera_id: str = FRONT_DOOR.camera_id
) -> list[SimulatedEvent]:
    """Return the ended detections of a day."""
    found = console.events_of(camera_id, *bounds(day))
    return [event for event in found if event.kind in DETECTIONS and event.end_ms is not None]


def union_ms(events: list[SimulatedEvent]) -> int:
    """Return how much time the events cover together."""
    total = reached = 0
    for event in events:
        end_ms = event.end_ms or 0
        total += max(0, end_ms - max(event.start_ms, reached))
        reached = max(reached, end_ms)
    return total


def test_the_demo_day_is_moderate(console: SimulatedConsole) -> None:
    events = detections(console, MODERATE)
    assert 60 <= len(events) <= 80
    assert 35 <= union_ms(events) / 60_000 <= 45
    kinds = {kind for event in events for kind in event.smart_types}
    assert kinds == {"person", "vehicle", "animal", "package"}


@pytest.mark.parametrize("number", [0, 1, 5])
def test_the_busy_day_repeats_footage_as_real_days_do(
    console: SimulatedConsole, number: int
) -> None:
    events = detections(console, BUSY, console.cameras[number].camera_id)
    whole = sum((event.end_ms or 0) - event.start_ms for event in events)
    starts = [event.start_ms for event in events]
    assert len(events) >= 320
    assert 0.18 <= 1 - union_ms(events) / whole <= 0.39
    assert len(set(starts)) < len(starts)
    assert 110 <= union_ms(events) / 60_000 <= 140


def test_some_days_are_quiet_or_empty(console: SimulatedConsole) -> None:
    assert len(detections(console, date(2024, 1, 17))) == 6
    assert detections(console, date(2024, 1, 14)) == []


def test_the_crowded_day_has_thousands_of_events_and_none_are_close_together(
    console: SimulatedConsole,
) -> None:
    events = detections(console, date(2024, 1, 19), SPARROW.camera_id)
    gaps = [later.start_ms - (earlier.end_ms or 0) for earlier, later in pairwise(events)]
    assert len(events) > 2_500
    assert min(gaps) > 10_000


def test_clock_changes_have_events_where_mistakes_are_visible(console: SimulatedConsole) -> None:
    spring, autumn = date(2024, 3, 10), date(2024, 11, 3)
    for day, hours in ((spring, 23), (autumn, 25)):
        start_ms, end_ms = bounds(day)
        assert end_ms - start_ms == hours * 3_600_000
        near = console.events_of(FRONT_DOOR.camera_id, start_ms - 120_000, end_ms + 120_000)
        assert any(start_ms - 120_000 < event.start_ms < start_ms - 60_000 for event in near)
        assert any(event.start_ms < start_ms < (event.end_ms or 0) for event in near)
        assert any(start_ms < event.start_ms < start_ms + 120_000 for event in near)
        assert any(event.start_ms < end_ms < (event.end_ms or 0) for event in near)
        assert any(end_ms < event.start_ms < end_ms + 120_000 for event in near)
    starts = {event.start_ms for event in detections(console, autumn)}
    half_past_one = at(autumn, 1, 30)
    assert {half_past_one, half_past_one + 3_600_000} <= starts


def test_any_other_day_has_few_events_and_always_the_same() -> None:
    days = [date(2025, 2, 28) + timedelta(days=step) for step in range(40)]

    def listed_days() -> list[tuple[SimulatedEvent, ...]]:
        with SimulatedConsole() as console:
            return [console.events_of(FRONT_DOOR.camera_id, *bounds(day)) for day in days]

    first = listed_days()
    assert first == listed_days()
    assert all(8 <= len([e for e in events if e.kind in DETECTIONS]) <= 18 for events in first)


def test_yesterday_has_events(browser: Browser) -> None:
    now = datetime.now(UTC)
    yesterday = now.date() - timedelta(days=1)
    rows: list[dict[str, Any]] = browser.events(yesterday, FRONT)
    assert len(rows) >= 6
    assert all(row["start"] <= now.timestamp() * 1000 for row in rows)


def test_a_pager_by_offset_sees_each_row_once(browser: Browser) -> None:
    seen: list[str] = []
    for offset in count(0, 50):
        page = browser.events(BUSY, FRONT, ASCENDING, ("limit", 50), ("offset", offset))
        seen += [row["id"] for row in page]
        if len(page) < 50:
            break
    assert len(seen) == len(set(seen)) == len(browser.events(BUSY, FRONT))
