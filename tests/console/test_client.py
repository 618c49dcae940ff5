import socket
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from threading import Thread

import pytest

from tests.console.conftest import Running
from tests.console.harness import CAMERA_ID, DAY, ConsoleHarness
from upvs_tasks.errors import (
    ConsoleError,
    MaxAttemptsExceeded,
    MissingPermissionError,
    UnreachableError,
)
from upvs_tasks.model.camera import resolve_camera
from upvs_tasks.model.event import (
    DEFAULT_EVENT_TYPES,
    EventChoice,
    ListedEvents,
    UnreadableEvent,
    events_of_day,
)
from upvs_tasks.simulator import (
    DRIVEWAY,
    FRONT_DOOR,
    Behaviour,
    EventIds,
    Fault,
    FaultKind,
    LimitKeeps,
    SimulatedEvent,
    WindowMatch,
)


def test_the_recorder_tells_its_time_zone_and_cameras(harness: ConsoleHarness) -> None:
    """Those without a name included."""
    bootstrap = harness.console.bootstrap()
    assert bootstrap.nvr.timezone == "America/New_York"
    assert bootstrap.nvr.version
    names = {camera.camera_id: camera.name for camera in bootstrap.cameras}
    assert names == {camera.camera_id: camera.name or "" for camera in harness.simulated.cameras}


def test_events_are_asked_for_with_repeated_parameters(harness: ConsoleHarness) -> None:
    """Joined with commas, they match nothing on some consoles; there is no ``after``."""
    harness.events("motion", "ring")
    query = next(one.query for one in harness.simulated.requests if one.endpoint == "events")
    assert query == (
        ("cameras", CAMERA_ID),
        ("start", str(DAY.start_ms - 1)),
        ("end", str(DAY.end_ms)),
        ("types", "motion"),
        ("types", "ring"),
        ("limit", "500"),
        ("orderDirection", "ASC"),
    )


@pytest.mark.parametrize("kept", list(LimitKeeps))
@pytest.mark.parametrize("window", list(WindowMatch))
@pytest.mark.parametrize("page_cap", [None, 20, 33])
@pytest.mark.parametrize("event_ids", list(EventIds))
def test_a_day_is_listed_completely_whatever_the_console_s_habits(
    running: Running,
    kept: LimitKeeps,
    window: WindowMatch,
    page_cap: int | None,
    event_ids: EventIds,
) -> None:
    """67 events of the shipped day, and those of other cameras where it heeds no filter."""
    behaviour = Behaviour(
        limit_keeps_ascending=kept,
        window=window,
        page_cap=page_cap,
        event_ids=event_ids,
        shuffles_ties=True,
        honours_cameras=page_cap is None,
    )
    harness = running(behaviour)
    listed = events_of_day(harness.events(), EventChoice(DAY, CAMERA_ID, DEFAULT_EVENT_TYPES))
    expected = {
        event.event_id
        for event in harness.simulated.events_of(CAMERA_ID, DAY.start_ms, DAY.end_ms)
        if event.kind in DEFAULT_EVENT_TYPES
    }
    assert {event.event_id for event in listed.ended + listed.ongoing} == expected
    assert len(expected) > 60


def test_more_events_than_a_page_holds_are_listed_completely(harness: ConsoleHarness) -> None:
    """Twelve hundred in an hour, some of them at the same instant."""
    added = {
        harness.simulated.add_event(
            DAY.start_ms + number // 2 * 6_000, DAY.start_ms + number // 2 * 6_000 + 20_000
        ).event_id
        for number in range(1_200)
    }
    listed = {event.event_id for event in harness.events()}
    assert added <= listed
    assert harness.asked("events") <= 2 * 3 + 20


def test_events_that_concern_no_camera_are_left_out(running: Running) -> None:
    """The console lists its own doings among them."""
    harness = running(Behaviour(honours_cameras=False))
    harness.simulated.add_event(DAY.start_ms, DAY.start_ms + 1_000, camera_id=None, event_id="own")
    listed = harness.events()
    assert "own" not in {event.event_id for event in listed}
    assert {FRONT_DOOR.camera_id, DRIVEWAY.camera_id} <= {event.camera_id for event in listed}


def test_no_events_is_an_empty_answer(harness: ConsoleHarness) -> None:
    """A quiet day is no error."""
    start_ms = DAY.start_ms
    listed = harness.console.events(
        CAMERA_ID, start_ms=start_ms, end_ms=start_ms + 1, event_types=("doorAccess",)
    )
    assert listed == ListedEvents(())


def others_events(harness: ConsoleHarness) -> list[SimulatedEvent]:
    """What another camera saw on that day."""
    day = harness.simulated.events_of(DRIVEWAY.camera_id, DAY.start_ms, DAY.end_ms)
    return [event for event in day if event.kind in DEFAULT_EVENT_TYPES]


@pytest.mark.parametrize(
    "fields",
    [{"start": None}, {"id": None}, {"end": "soon"}, {"end": 1e300}, {"id": 7, "start": []}],
)
def test_an_odd_row_of_another_camera_costs_nothing(
    running: Running, fields: dict[str, object]
) -> None:
    harness = running(Behaviour(honours_cameras=False))
    expected = {event for event in harness.events() if event.camera_id == CAMERA_ID}
    harness.simulated.spoil_event(others_events(harness)[0].event_id, **fields)
    listed = harness.listed()
    assert {event for event in listed.events if event.camera_id == CAMERA_ID} == expected
    assert listed.unreadable == ()


def test_odd_rows_of_ours_are_named_and_the_others_are_listed(harness: ConsoleHarness) -> None:
    before = harness.events()
    first, second, third = (event.event_id for event in before[:3])
    harness.simulated.spoil_event(first, start=None)
    harness.simulated.spoil_event(second, id=None)
    harness.simulated.spoil_event(third, end=before[2].start_ms + 8 * 86_400_000)
    listed = harness.listed()
    assert listed.events == before[3:]
    assert set(listed.unreadable) == {
        UnreadableEvent(first, "start is not an instant"),
        UnreadableEvent("", "id is not text"),
        UnreadableEvent(third, "end is not within a week of its start"),
    }


@pytest.mark.parametrize("row", ["no object", 5, [], {"start": DAY.start_ms, "camera": {}}])
def test_a_row_that_may_be_ours_is_named_once_on_however_many_pages(
    running: Running, row: object
) -> None:
    """Nobody can know whose it is."""
    harness = running(Behaviour(page_cap=20))
    first, second, *_ = harness.events()
    harness.simulated.spoil_event(first.event_id, row=row)
    harness.simulated.spoil_event(second.event_id, row=row)
    assert harness.asked("events") > 5
    [unreadable] = harness.listed().unreadable
    assert unreadable.event_id == ""


def test_an_odd_row_that_cannot_be_of_the_day_or_was_not_asked_for_is_no_gap(
    running: Running,
) -> None:
    harness = running(Behaviour(honours_cameras=False))
    first, second, third, *_ = (event.event_id for event in harness.events())
    harness.simulated.spoil_event(first, id=None, type="videoExported")
    harness.simulated.spoil_event(second, id=None, start=DAY.end_ms + 1)
    harness.simulated.spoil_event(third, id=None, camera=None)
    assert harness.listed().unreadable == ()


def test_an_event_that_can_be_read_on_another_page_is_no_gap(harness: ConsoleHarness) -> None:
    """It changed while the list was read."""
    event = harness.events()[0]
    harness.simulated.spoil_event(event.event_id, start=None)
    harness.simulated.add_event(event.start_ms, event.end_ms, event_id=event.event_id)
    odd = harness.simulated.add_event(event.start_ms, event.end_ms)
    harness.simulated.spoil_event(odd.event_id, id=event.event_id, end=[])
    assert harness.listed().unreadable == ()


def test_an_odd_camera_costs_the_others_nothing(harness: ConsoleHarness) -> None:
    odd = replace(DRIVEWAY, extra=(("channels", ["high"]), ("lastMotion", 1e300)))
    harness.simulated.add_camera(odd)
    cameras = harness.console.bootstrap().cameras
    assert resolve_camera(FRONT_DOOR.name or "", cameras).camera_id == FRONT_DOOR.camera_id
    with pytest.raises(ConsoleError, match=r"not understood: cameras\[1\].* is not"):
        resolve_camera(DRIVEWAY.name or "", cameras)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.STATUS, path="events", status=500, times=None),
        Fault(FaultKind.STATUS, path="events", status=404, times=None),
        Fault(FaultKind.STATUS, path="events", status=400, times=None),
        Fault(FaultKind.STATUS, path="events", status=429, times=None),
        Fault(FaultKind.STATUS, path="events", status=200, body='{"error":1}', times=None),
        Fault(FaultKind.STATUS, path="events", status=200, body="null", times=None),
        Fault(FaultKind.HTML, path="events", times=None),
        Fault(FaultKind.EMPTY, path="events", times=None),
        Fault(FaultKind.CUT_BODY, path="events", times=None),
        Fault(FaultKind.RESET, path="events", times=None),
        Fault(FaultKind.WRONG_BYTES, path="events", times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_failure_is_never_an_empty_day(harness: ConsoleHarness, fault: Fault) -> None:
    """After the policy's attempts the call fails, and says after how many."""
    harness.simulated.order(fault)
    with pytest.raises(MaxAttemptsExceeded, match="the list of events: given up after 3 attempts"):
        harness.events()
    assert harness.asked("events") == 3
    assert harness.waits_secs == [1, 2]


def test_a_struggle_that_ends_is_waited_out(harness: ConsoleHarness) -> None:
    """And counted."""
    expected = harness.events()
    retries = harness.console.usage.retries
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="events", status=503), Fault(FaultKind.RESET, path="events")
    )
    assert harness.events() == expected
    assert harness.waits_secs == [1, 2]
    assert harness.console.usage.retries == retries + 2


@pytest.mark.parametrize("header", [40, formatdate(4e9, usegmt=True)])
def test_the_console_s_wish_to_wait_is_honoured(harness: ConsoleHarness, header: int | str) -> None:
    """Up to five minutes."""
    harness.simulated.order(
        Fault(FaultKind.STATUS, path="bootstrap", status=429, retry_after=header)
    )
    assert harness.console.bootstrap().cameras
    assert harness.waits_secs == [40 if header == 40 else 300]


def test_a_console_that_restarts_is_asked_again(harness: ConsoleHarness) -> None:
    """For a while it says 404 to everything, the login included."""
    harness.simulated.order(Fault(FaultKind.REBOOT, path="any", status=404, requests=2))
    assert harness.console.bootstrap().cameras
    assert harness.waits_secs == [1, 2]


def test_a_list_that_the_account_may_not_see_names_the_permission(harness: ConsoleHarness) -> None:
    """And is asked for once."""
    harness.simulated.order(Fault(FaultKind.STATUS, path="events", status=403))
    with pytest.raises(MissingPermissionError, match="Playback"):
        harness.events()
    assert harness.asked("events") == 1


def test_a_row_that_is_not_understood_is_no_reason_to_ask_again(harness: ConsoleHarness) -> None:
    """The answer would be the same."""
    body = f'[{{"id": "e1", "type": "motion", "camera": "{CAMERA_ID}"}}]'
    harness.simulated.order(Fault(FaultKind.STATUS, path="events", status=200, body=body))
    assert harness.listed().unreadable == (UnreadableEvent("e1", "start is not an instant"),)
    assert harness.asked("events") == 1


def test_a_host_that_nobody_answers_is_given_up_on_with_the_reason(harness: ConsoleHarness) -> None:
    """Not an endless wait."""
    nowhere = harness.client(replace(harness.endpoint(), host="127.0.0.1:1"))
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1.*connection refused"):
        nowhere.bootstrap()
    asked = nowhere.usage.requests
    with pytest.raises(UnreachableError):
        nowhere.events(CAMERA_ID, start_ms=0, end_ms=1, event_types=("motion",))
    assert nowhere.usage.requests == asked


def test_a_name_that_nobody_knows_is_an_unreachable_console(harness: ConsoleHarness) -> None:
    nowhere = harness.client(replace(harness.endpoint(), host="console.invalid"))
    with pytest.raises(UnreachableError, match="name is not known"):
        nowhere.bootstrap()


def test_a_port_that_does_not_speak_tls_is_an_unreachable_console(harness: ConsoleHarness) -> None:
    """It closes the connection in the middle of the greeting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=close_all_from, args=[server], daemon=True).start()
        port = server.getsockname()[1]
        nowhere = harness.client(replace(harness.endpoint(), host=f"127.0.0.1:{port}"))
        with pytest.raises(UnreachableError):
            nowhere.bootstrap()


def close_all_from(server: socket.socket) -> None:
    """Accept connections and close them."""
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def test_a_client_may_be_closed_twice(harness: ConsoleHarness) -> None:
    """Closing is idempotent."""
    harness.console.bootstrap()
    harness.console.close()
    harness.console.close()


def test_each_request_is_logged_for_who_wants_to_know(
    harness: ConsoleHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """What was asked and what came, but neither a body nor a header."""
    caplog.set_level("DEBUG", logger="upvs_tasks.console.transport")
    harness.console.bootstrap()
    download = harness.export()
    harness.simulated.order(Fault(FaultKind.RESET, path="events", times=1))
    harness.events()
    requests = [vars(each) for each in caplog.records if each.getMessage() == "request"]
    shown = [(each["method"], each["path"], each.get("status")) for each in requests]
    assert shown[:4] == [
        ("POST", "/api/auth/login", 200),
        ("GET", "/proxy/protect/api/bootstrap", 200),
        ("GET", "/proxy/protect/api/video/export", 200),
        ("GET", "/proxy/protect/api/events", None),
    ]
    assert shown[-1] == ("GET", "/proxy/protect/api/events", 200)
    assert requests[2]["bytes"] == download.size_bytes
    assert "start=" in requests[2]["query"]
    assert all(isinstance(each["ms"], int) for each in requests)
    assert harness.simulated.password not in str(requests)
