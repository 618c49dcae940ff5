from typing import Any

import orjson
import pytest

from upvs_tasks.console.wire import parse_bootstrap, parse_events
from upvs_tasks.errors import TransientError
from upvs_tasks.model.camera import Channel, Recording
from upvs_tasks.model.event import Event

CAMERA: dict[str, Any] = {"id": "c1", "name": "Door", "channels": [{"id": 0, "width": 640}]}
ROW: dict[str, Any] = {"id": "e1", "type": "motion", "start": 1_000, "end": 2_000, "camera": "c1"}


def bootstrap(**camera: object) -> bytes:
    nvr = {"id": "n1", "name": "Home", "timezone": "Europe/Zurich", "version": "7.1.87"}
    return orjson.dumps({"nvr": nvr, "cameras": [{**CAMERA, **camera}]})


def rows(**fields: object) -> bytes:
    return orjson.dumps([{**ROW, **fields}])


def test_a_bootstrap_becomes_recorder_and_cameras() -> None:
    """With what is absent left at its default."""
    parsed = parse_bootstrap(bootstrap(lastMotion=5, isConnected=False))
    assert parsed.nvr.timezone == "Europe/Zurich"
    camera = parsed.cameras[0]
    assert (camera.camera_id, camera.name, camera.last_motion_ms) == ("c1", "Door", 5)
    assert not camera.is_connected
    assert camera.channels == (Channel(0, "", enabled=True, width=640, height=0, fps=0),)


def test_a_camera_tells_what_it_keeps() -> None:
    """The low quality goes back furthest, and the longer padding counts."""
    settings = {"mode": "detections", "prePaddingSecs": 2, "smartDetectPrePaddingSecs": 5}
    video = {"recordingStart": 20, "recordingEnd": 90, "recordingStartLQ": 10}
    body = bootstrap(recordingSettings=settings, stats={"video": video})
    assert parse_bootstrap(body).cameras[0].recording == Recording("detections", 10, 90, 5_000, 0)


@pytest.mark.parametrize("video", [None, {}, {"recordingStart": None, "recordingEnd": None}])
def test_a_camera_that_keeps_nothing_says_so(video: object) -> None:
    """Newly adopted ones have null, older builds no such fields."""
    body = bootstrap(recordingSettings=None, stats={"video": video})
    assert parse_bootstrap(body).cameras[0].recording == Recording()


def test_a_camera_without_name_has_an_empty_one() -> None:
    """Devices that are not adopted have none."""
    assert parse_bootstrap(bootstrap(name=None)).cameras[0].name == ""


def test_a_recorder_may_keep_its_time_zone_to_itself() -> None:
    """The setting timezone can say it instead."""
    assert parse_bootstrap(b'{"nvr": {"id": "n1"}, "cameras": []}').nvr.timezone == ""


def test_an_event_becomes_a_record() -> None:
    """Fields that we do not know are passed over."""
    body = rows(score=85, smartDetectTypes=["person", None], metadata={"x": 1}, color="red")
    [event] = parse_events(body).events
    assert event == Event("e1", "motion", 1_000, 2_000, "c1", ("person",), 85)


def test_what_was_recognised_has_no_order() -> None:
    """The same event listed once more is the same record, however the console spells it."""
    listed = [["vehicle", "person"], ["person", "vehicle", "person"]]
    for smart_types in listed:
        parsed = parse_events(rows(smartDetectTypes=smart_types)).events
        assert parsed[0].smart_types == ("person", "vehicle")


def test_an_event_under_way_has_no_end() -> None:
    """The console says null."""
    assert parse_events(rows(end=None)).events[0].end_ms is None


def test_an_unknown_type_and_an_event_of_no_camera_are_rows_like_any_other() -> None:
    """A page is full by the number of its rows: none may be missing from the count."""
    parsed = parse_events(rows(type="somethingNew", camera=None, score=None)).events
    assert (parsed[0].event_type, parsed[0].camera_id, parsed[0].score) == ("somethingNew", None, 0)


def test_instants_may_be_written_with_a_fraction() -> None:
    """They are rounded to whole milliseconds."""
    assert parse_events(rows(start=1705334400000.4)).events[0].start_ms == 1705334400000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "id is not text"),
        ({"id": 7}, "id is not text"),
        ({"start": None}, "start is not an instant"),
        ({"start": "soon"}, "start is not a number"),
        ({"start": True}, "start is not a number"),
        ({"start": -1}, "start is not an instant"),
        ({"start": 253_402_300_800_000}, "start is not an instant"),
        ({"start": 1e300}, "start is not a number"),
        ({"end": []}, "end is not a number"),
        ({"end": 1_000 + 604_800_001}, "end is not within a week of its start"),
        ({"camera": {}}, "camera is not text"),
    ],
)
def test_an_event_that_is_not_understood_is_an_odd_row_with_its_reason(
    fields: dict[str, object], reason: str
) -> None:
    """It counts among the rows of the page, and the others are there."""
    page = parse_events(orjson.dumps([{**ROW, **fields}, ROW]))
    [odd] = page.odd_rows
    assert odd.reason == reason
    assert [event.event_id for event in page.events] == ["e1"]
    assert page.row_count == 2


def test_of_an_odd_row_all_is_told_that_can_be_read() -> None:
    [odd] = parse_events(rows(end={})).odd_rows
    assert (odd.event_id, odd.camera_id, odd.event_type, odd.start_ms) == (
        "e1",
        "c1",
        "motion",
        1_000,
    )
    [odd] = parse_events(b"[5]").odd_rows
    assert (odd.event_id, odd.camera_id, odd.event_type, odd.start_ms) == ("", None, None, None)
    assert odd.reason == "the row is not an object"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"id": None}, "cameras[0].id is not text"),
        ({"name": 5}, "cameras[0].name is not text"),
        ({"channels": [{"id": "high"}]}, "cameras[0].channels[0].id is not a number"),
        ({"channels": ["high"]}, "cameras[0].channels[0] is not an object"),
        ({"channels": [{"id": 0, "width": 1e300}]}, "cameras[0].channels[0].width is not a number"),
        ({"lastMotion": -5}, "cameras[0].lastMotion is not an instant"),
        (
            {"recordingSettings": {"prePaddingSecs": 1 << 40}},
            "cameras[0].recordingSettings.prePaddingSecs is not a number of seconds up to an hour",
        ),
    ],
)
def test_a_camera_that_is_not_understood_has_a_fault_that_names_the_field(
    fields: dict[str, object], named: str
) -> None:
    """With its place in the list. Its name and its id are still known, as far as they are texts."""
    parsed = parse_bootstrap(orjson.dumps({"nvr": {}, "cameras": [{**CAMERA, **fields}, CAMERA]}))
    odd, good = parsed.cameras
    assert odd.fault == f"the console's answer is not understood: {named}"
    assert odd.camera_id in ("c1", "")
    assert odd.name in ("Door", "")
    assert not good.fault


@pytest.mark.parametrize("odd", [5, None, [], {}, {"id": 5, "name": None}])
def test_what_has_neither_name_nor_id_is_no_camera(odd: object) -> None:
    parsed = parse_bootstrap(orjson.dumps({"nvr": {}, "cameras": [odd, CAMERA]}))
    assert [camera.camera_id for camera in parsed.cameras] == ["c1"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"null", b'{"error": 5}', b'"x"', b"\xff"])
def test_what_is_no_list_is_no_empty_list(body: bytes) -> None:
    """A console that starts up says many things; it is asked again."""
    with pytest.raises(TransientError):
        parse_events(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"cameras": null}'])
def test_what_is_no_bootstrap_is_asked_for_again(body: bytes) -> None:
    """Likewise."""
    with pytest.raises(TransientError):
        parse_bootstrap(body)
