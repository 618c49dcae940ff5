import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import available_timezones

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from upvs_tasks import documents
from upvs_tasks.errors import DocumentError
from upvs_tasks.model.camera import Camera
from upvs_tasks.model.clip import Clip, Overlaps, clips_of
from upvs_tasks.model.clip_index import (
    PENDING,
    ClipIndex,
    ClipStatus,
    IndexEntry,
    Standing,
)
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event
from upvs_tasks.model.index_document import IndexDocument

DAY = Day.of(dt.date(2024, 1, 15), "Europe/Zurich")
NOON_MS = DAY.start_ms + 43_200_000
HOUR_MS = 3_600_000
CAMERA = Camera("66a0c1", "Front/Door")
PERSON = Event("e1", "smartDetectZone", NOON_MS, NOON_MS + 20_000, "66a0c1", ("person",), 70)
MOTION = Event("e2", "motion", NOON_MS + 9_000, NOON_MS + 60_000, "66a0c1", (), 85)
ONGOING = Event("e3", "motion", NOON_MS + HOUR_MS, None, "66a0c1")
CLIP = Clip(NOON_MS, NOON_MS + 60_000, (PERSON, MOTION))
INDEX = ClipIndex.of(CAMERA, DAY, (CLIP,), (ONGOING,))

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
HOSTILE = TEXTS | st.sampled_from(["", ".", "..", "../../etc", "/etc/passwd", "a/../b", "\0", "\n"])
EVENTS = st.builds(
    Event,
    event_id=TEXTS,
    event_type=TEXTS,
    start_ms=st.integers(DAY.start_ms, DAY.end_ms - 1),
    end_ms=st.integers(DAY.start_ms, DAY.end_ms + HOUR_MS),
    camera_id=st.none() | TEXTS,
    smart_types=st.lists(TEXTS, max_size=2).map(tuple),
    score=st.integers(0, 100),
)
STANDINGS = st.builds(Standing, st.sampled_from(ClipStatus), TEXTS)


@st.composite
def indexes(draw: st.DrawFn) -> ClipIndex:
    """Index of a day as a scan makes it, with what later tasks found out about its clips."""
    camera = Camera(draw(TEXTS), draw(TEXTS))
    date = draw(st.dates(dt.date(1971, 1, 1), dt.date(2100, 1, 1)))
    day = Day.of(date, draw(st.sampled_from(sorted(available_timezones()))))
    ongoing = tuple(replace(event, end_ms=None) for event in draw(st.lists(EVENTS, max_size=2)))
    events = draw(st.lists(EVENTS, max_size=4, unique_by=lambda event: event.event_id))
    clips = clips_of(events, overlaps=draw(st.sampled_from(Overlaps)), merge_gap_ms=5_000)
    channel = draw(st.integers(0, 2))
    clips = tuple(replace(clip, channel=channel) for clip in clips)
    return ClipIndex.of(camera, day, clips, ongoing).with_standings(lambda _: draw(STANDINGS))


def as_json(index: ClipIndex) -> Any:  # noqa: ANN401  parsed JSON
    """The document as a reader of the file gets it."""
    return orjson.loads(documents.encode(IndexDocument.of(index)))


def from_json(document: object) -> ClipIndex:
    """Index from what a file holds."""
    return documents.from_document(document, IndexDocument).index()


@thorough(0.5)
@given(indexes())
def test_an_index_comes_back_from_its_file_as_it_was(index: ClipIndex) -> None:
    """Every clip, every event, every standing."""
    assert from_json(as_json(index)) == index


def test_an_entry_has_the_fields_of_the_specification() -> None:
    """§6 A: of the first event, and of all that the clip covers together."""
    [entry] = as_json(INDEX)["clips"]

    assert {name: entry[name] for name in entry if name != "events"} == {
        "event_id": "e1",
        "start_ms": NOON_MS,
        "end_ms": NOON_MS + 60_000,
        "duration_ms": 60_000,
        "channel": 0,
        "event_type": "smartDetectZone",
        "smart_types": ["person"],
        "score": 85,
        "status": "pending",
        "file_path": f"clips/FrontDoor/2024-01-15/clip_{NOON_MS}_{NOON_MS + 60_000}_e1.mp4",
    }


def test_an_entry_names_every_event_that_its_clip_covers() -> None:
    """What the specification's entry has no room for."""
    [entry] = as_json(INDEX)["clips"]

    assert [event["event_id"] for event in entry["events"]] == ["e1", "e2"]
    assert entry["events"][0] == {
        "event_id": "e1",
        "event_type": "smartDetectZone",
        "start_ms": NOON_MS,
        "end_ms": NOON_MS + 20_000,
        "camera_id": "66a0c1",
        "smart_types": ["person"],
        "score": 70,
    }


def test_an_index_says_of_which_camera_and_day_it_is() -> None:
    """Events under way are listed apart from the clips."""
    document = as_json(INDEX)

    assert {name: document[name] for name in document if name not in {"clips", "ongoing"}} == {
        "camera_id": "66a0c1",
        "camera_name": "Front/Door",
        "camera_folder": "FrontDoor",
        "date": "2024-01-15",
        "timezone": "Europe/Zurich",
        "is_final": False,
    }
    assert [(event["event_id"], event["end_ms"]) for event in document["ongoing"]] == [("e3", None)]


def test_smart_types_of_a_clip_are_told_once_each() -> None:
    """In the order of the alphabet, so that the file is the same bytes every time."""
    first = replace(PERSON, smart_types=("vehicle", "person"))
    second = replace(MOTION, smart_types=("person", "animal"))
    index = ClipIndex.of(CAMERA, DAY, (Clip(NOON_MS, NOON_MS + 60_000, (first, second)),), ())

    assert as_json(index)["clips"][0]["smart_types"] == ["animal", "person", "vehicle"]


def test_a_failed_clip_says_why_and_another_has_no_reason() -> None:
    """An empty reason would read as if something were missing."""
    failed = INDEX.with_standings(lambda _: Standing(ClipStatus.FAILED, "the console has none"))

    assert as_json(failed)["clips"][0]["status"] == "failed"
    assert as_json(failed)["clips"][0]["reason"] == "the console has none"
    assert "reason" not in as_json(INDEX)["clips"][0]


@pytest.mark.parametrize("status", ["pending", "complete", "failed"])
def test_a_status_is_spelt_as_in_the_specification(status: str) -> None:
    """§6 B names four."""
    index = INDEX.with_standings(lambda _: Standing(ClipStatus(status)))

    assert as_json(index)["clips"][0]["status"] == status


def test_only_complete_clips_can_be_in_the_film() -> None:
    """In the order of the index."""
    clips = tuple(
        Clip(NOON_MS + step, NOON_MS + step + 1, (PERSON,)) for step in range(len(ClipStatus))
    )
    standings = dict(zip((clip.name for clip in clips), ClipStatus, strict=True))
    index = ClipIndex.of(CAMERA, DAY, clips, ())

    standing = index.with_standings(lambda entry: Standing(standings[entry.name]))

    assert [entry.clip for entry in standing.complete] == [
        clip for clip in clips if standings[clip.name] is ClipStatus.COMPLETE
    ]
    assert index.complete == ()


def test_a_new_index_knows_nothing_of_its_clips_yet() -> None:
    """What is on the disk is for the tasks to find out."""
    assert [entry.standing for entry in INDEX.entries] == [PENDING]
    assert Standing(ClipStatus.PENDING, "") == PENDING


def test_an_event_that_was_cut_into_several_clips_counts_once() -> None:
    """People count events, not exports."""
    long_event = replace(MOTION, end_ms=NOON_MS + 5 * HOUR_MS)
    clips = clips_of([long_event, PERSON], overlaps=Overlaps.MERGE, merge_gap_ms=5_000)

    assert len(clips) == 5
    assert ClipIndex.of(CAMERA, DAY, clips, ()).event_count == 2


@given(HOSTILE, HOSTILE, HOSTILE)
def test_every_clip_lies_below_the_output_folder(
    camera_id: str, camera_name: str, event_id: str
) -> None:
    """Whatever the console calls its cameras and events."""
    clip = Clip(NOON_MS, NOON_MS + 20_000, (replace(PERSON, event_id=event_id),))

    [entry] = ClipIndex.of(Camera(camera_id, camera_name), DAY, (clip,), ()).entries

    parts = PurePosixPath(entry.file_path).parts
    assert (parts[0], *parts[2:]) == ("clips", "2024-01-15", f"{clip.name}.mp4")
    assert len(parts) == 4
    assert ".." not in parts


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(["2024-01-15", "9999-12-31", "Europe/Zurich", "Nowhere/Atlantis", "../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged_documents(draw: st.DrawFn) -> object:
    """An index's document in which one value, however deep, is replaced or gone."""
    document = as_json(INDEX)
    here = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = draw(st.sampled_from(keys))
        inner = here[key]
        if not (isinstance(inner, dict | list) and inner) or draw(st.integers(0, 3)) == 0:
            break
        here = inner
    if draw(st.booleans()):
        here[key] = draw(ANY_JSON)
    else:
        del here[key]
    return document


def use(index: ClipIndex) -> None:
    """Do with an index what the tasks do with it."""
    instants_ms = [event.start_ms for event in index.ongoing]
    for entry in index.entries:
        assert entry.name.startswith("clip_")
        instants_ms += [entry.clip.start_ms, entry.clip.start_ms + entry.clip.duration_ms]
    assert all(index.day.clock(instant_ms).tzinfo for instant_ms in instants_ms)
    assert from_json(as_json(index)) == index


@given(ANY_JSON)
def test_a_document_of_somebody_else_is_refused(document: object) -> None:
    """With a DocumentError and nothing else."""
    with pytest.raises(DocumentError):
        from_json(document)


@thorough(2)
@given(damaged_documents())
def test_a_damaged_document_is_refused_or_can_be_used(document: object) -> None:
    """It never breaks a task that took it for an index."""
    try:
        index = from_json(document)
    except DocumentError:
        return
    use(index)


def _without_events(document: dict[str, Any]) -> None:
    document["clips"][0]["events"] = []


def _in_an_unknown_zone(document: dict[str, Any]) -> None:
    document["timezone"] = "Nowhere/Atlantis"


def _on_the_last_day_of_all(document: dict[str, Any]) -> None:
    document["date"] = "9999-12-31"


def _with_an_unknown_status(document: dict[str, Any]) -> None:
    document["clips"][0]["status"] = "done"


def _with_text_for_a_time(document: dict[str, Any]) -> None:
    document["clips"][0]["start_ms"] = "noon"


def _with_a_clip_elsewhere(document: dict[str, Any]) -> None:
    document["clips"][0]["file_path"] = "../../../etc/passwd"


def _with_a_folder_elsewhere(document: dict[str, Any]) -> None:
    document["camera_folder"] = "../.."


@pytest.mark.parametrize(
    "damage",
    [
        _without_events,
        _in_an_unknown_zone,
        _on_the_last_day_of_all,
        _with_an_unknown_status,
        _with_text_for_a_time,
        _with_a_clip_elsewhere,
        _with_a_folder_elsewhere,
    ],
)
def test_a_document_that_no_scan_writes_is_refused(
    damage: Callable[[dict[str, Any]], None],
) -> None:
    """With a DocumentError, so that the day is scanned anew."""
    document = as_json(INDEX)
    damage(document)

    with pytest.raises(DocumentError):
        from_json(document)


def test_an_entry_is_called_like_its_clip() -> None:
    """One name for the task, the file and the entry."""
    entry = IndexEntry(CLIP, "clips/x/y/z.mp4")

    assert entry.name == CLIP.name
