"""docs/schemas holds for the files that runs leave: a day that went well, and one that did not."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.pipeline.project import REPOSITORY, Project
from upvs_tasks.model.clip_index import ClipStatus
from upvs_tasks.model.damage import Damage, RunDamage
from upvs_tasks.model.event import Event
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.index_document import EntryDocument, IndexDocument
from upvs_tasks.phases.clip_records import FailureRecord, FootageRecord
from upvs_tasks.phases.render import SegmentRecord
from upvs_tasks.phases.timelapse import FilmStamp
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, SimulatedConsole

SCHEMAS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((REPOSITORY / "docs" / "schemas").glob("*.schema.json"))
}
# Each schema, and the files that it is for.
FILES = {
    "camera": "metadata/camera.json",
    "clip_index": "manifests/clip_index.json",
    "day": "metadata/day.json",
    "failure": ".upvs/failures/*.json",
    "film": ".upvs/film.json",
    "footage": ".upvs/footage/*.json",
    "overlaps": ".upvs/overlaps.json",
    "segment": ".upvs/segments/*.json",
    "timeline": "metadata/timeline.json",
}
# Records that are read back: a schema, or a part of one, has just the fields of the class.
RECORDS: Mapping[str, type] = {
    "clip_index": IndexDocument,
    "clip_index/clip": EntryDocument,
    "clip_index/event": Event,
    "failure": FailureRecord,
    "film": FilmStamp,
    "film/damage": Damage,
    "footage": FootageRecord,
    "footage/event": Event,
    "footage/footage": Footage,
    "segment": SegmentRecord,
    "segment/damage": RunDamage,
}


@pytest.fixture(scope="module")
def bad_day(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A day with a missing clip, a damaged one, two near each other, and an event without end."""
    with SimulatedConsole(behaviour=Behaviour(login_limit_per_minute=None)) as console:
        day = Project(tmp_path_factory.mktemp("bad-day") / "home", console)
        assert day.doit("run", "scan").code == 0
        first, second, *_, last = day.entries()
        end_ms = int(str(last["end_ms"]))
        console.add_event(end_ms + 7_000, end_ms + 12_000, camera_id=SPARROW.camera_id)
        console.add_event(end_ms + 600_000, None, camera_id=SPARROW.camera_id)
        console.order(Fault("status", status=404, start_ms=int(str(first["start_ms"])), times=None))
        day.doit("run", "fetch")
        _damage(day.out / str(second["file_path"]))
        start_ms = int(str(second["start_ms"]))
        console.order(Fault("status", status=404, start_ms=start_ms, times=None))
        run = day.doit("run", "timelapse")
        assert run.code == 1, run.output
    return day


def test_each_schema_is_for_some_file_and_each_file_has_a_schema(
    quiet_day: Project, bad_day: Project
) -> None:
    assert SCHEMAS.keys() == FILES.keys()
    for day in (quiet_day, bad_day):
        found = {path for path in day.out.rglob("*.json") if path.is_file()}
        assert found == {path for name in FILES for path in day.out.glob(FILES[name])}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_files_of_both_days_are_as_the_schema_says(
    name: str, quiet_day: Project, bad_day: Project
) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    validator = Draft202012Validator(SCHEMAS[name], format_checker=FormatChecker())
    documents = [*_documents(name, quiet_day), *_documents(name, bad_day)]
    assert documents, "nothing is held against the schema"
    for document in documents:
        assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("place", RECORDS)
def test_a_record_has_just_the_fields_of_its_schema(place: str) -> None:
    """Also those that neither day has."""
    name, _, part = place.partition("/")
    schema = SCHEMAS[name]["$defs"][part] if part else SCHEMAS[name]
    declared = fields(RECORDS[place])
    added = {"seal"} if place in {"footage", "clip_index"} else set[str]()
    assert schema["properties"].keys() == {field.name for field in declared} | added
    assert schema["additionalProperties"] is False
    optional = schema["properties"].keys() - set(schema["required"])
    assert optional == {field.name for field in declared if field.default is None}


def test_every_field_of_a_schema_is_explained() -> None:
    for name, schema in SCHEMAS.items():
        assert schema["title"], name
        unexplained = [path for path, field in _fields(schema, name) if not _is_explained(field)]
        assert unexplained == []


def test_the_schema_has_each_status_of_a_clip() -> None:
    status = SCHEMAS["clip_index"]["$defs"]["clip"]["properties"]["status"]
    assert status["enum"] == list(ClipStatus)


def _damage(clip: Path) -> None:
    """Overwrite some of a clip's pictures; neither its size nor its date tells."""
    content, status = bytearray(clip.read_bytes()), clip.stat()
    start = content.index(b"mdat") + 64
    content[start : start + 6_000] = bytes(6_000)
    clip.write_bytes(content)
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))


def _documents(name: str, day: Project) -> Iterator[object]:
    for path in day.out.glob(FILES[name]):
        yield json.loads(path.read_bytes())


def _fields(schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{place}.{name}", field
    for name, part in schema.get("$defs", {}).items():
        yield f"{place}/{name}", part
        yield from _fields(part, f"{place}/{name}")


def _is_explained(field: Mapping[str, Any]) -> bool:
    return "description" in field or "$ref" in field
