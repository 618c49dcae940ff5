"""Records become JSON and come back as they were, or are refused in a sentence."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pytest

from upvs_tasks import documents
from upvs_tasks.errors import DocumentError


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A record within another."""

    spokes: int
    is_flat: bool


@dataclass(frozen=True, slots=True)
class Bicycle:
    """A record with a field of each kind."""

    owner: str
    weight_kg: float
    colour: Colour
    shed: Path
    wheels: tuple[Wheel, ...]
    names: tuple[str, ...]
    bell: int | None
    extras: dict[str, Any]
    remark: str | None = None


BICYCLE = Bicycle(
    owner="Ada",
    weight_kg=12.5,
    colour=Colour.BLUE,
    shed=Path("/shed/1"),
    wheels=(Wheel(28, is_flat=False), Wheel(32, is_flat=True)),
    names=("one", "two"),
    bell=None,
    extras={"basket": [1, {"a": None}]},
)
DOCUMENT: dict[str, Any] = {
    "owner": "Ada",
    "weight_kg": 12.5,
    "colour": "blue",
    "shed": "/shed/1",
    "wheels": [{"spokes": 28, "is_flat": False}, {"spokes": 32, "is_flat": True}],
    "names": ["one", "two"],
    "bell": None,
    "extras": {"basket": [1, {"a": None}]},
}


def with_wheel(**changes: object) -> dict[str, Any]:
    """The document with another second wheel."""
    first, second = DOCUMENT["wheels"]
    return DOCUMENT | {"wheels": [first, second | changes]}


def test_a_record_is_an_object_of_its_fields() -> None:
    """A field that is None by default is left out where it is None; any other None is there."""
    assert orjson.loads(documents.encode(BICYCLE)) == DOCUMENT


def test_a_record_comes_back_as_it_was() -> None:
    assert documents.from_document(DOCUMENT, Bicycle) == BICYCLE
    assert documents.from_document(DOCUMENT | {"remark": "old"}, Bicycle).remark == "old"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (None, "not a valid Bicycle: it must be an object"),
        ([], "not a valid Bicycle: it must be an object"),
        ("bicycle", "not a valid Bicycle: it must be an object"),
        (DOCUMENT | {"owner": 7}, "not a valid Bicycle: owner must be text"),
        (DOCUMENT | {"owner": None}, "not a valid Bicycle: owner must be text"),
        (DOCUMENT | {"weight_kg": "12.5"}, "not a valid Bicycle: weight_kg must be a number"),
        (DOCUMENT | {"weight_kg": True}, "not a valid Bicycle: weight_kg must be a number"),
        (DOCUMENT | {"colour": "green"}, "not a valid Bicycle: colour must be one of red, blue"),
        (DOCUMENT | {"colour": ["red"]}, "not a valid Bicycle: colour must be one of red, blue"),
        (DOCUMENT | {"shed": 1}, "not a valid Bicycle: shed must be text"),
        (DOCUMENT | {"names": "one"}, "not a valid Bicycle: names must be a list"),
        (DOCUMENT | {"names": {"one": "two"}}, "not a valid Bicycle: names must be a list"),
        (DOCUMENT | {"names": ["one", 2]}, "not a valid Bicycle: names[1] must be text"),
        (DOCUMENT | {"bell": "1"}, "not a valid Bicycle: bell must be a whole number"),
        (DOCUMENT | {"bell": False}, "not a valid Bicycle: bell must be a whole number"),
        (DOCUMENT | {"extras": []}, "not a valid Bicycle: extras must be an object"),
        (with_wheel(spokes=True), "not a valid Bicycle: wheels[1].spokes must be a whole number"),
        (with_wheel(spokes=28.0), "not a valid Bicycle: wheels[1].spokes must be a whole number"),
        (with_wheel(is_flat=0), "not a valid Bicycle: wheels[1].is_flat must be true or false"),
        (with_wheel(tyre="old"), "not a valid Bicycle: wheels[1] has unknown fields: tyre"),
        (DOCUMENT | {"gear": 1}, "not a valid Bicycle: it has unknown fields: gear"),
        (DOCUMENT | {"wheels": [None]}, "not a valid Bicycle: wheels[0] must be an object"),
    ],
)
def test_anything_else_is_refused_and_the_field_is_named(document: object, sentence: str) -> None:
    """No number is taken for text, no truth for a number, no text for a list of its letters."""
    with pytest.raises(DocumentError) as caught:
        documents.from_document(document, Bicycle)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", DOCUMENT)
def test_a_missing_field_is_named(name: str) -> None:
    document = {other: value for other, value in DOCUMENT.items() if other != name}
    with pytest.raises(DocumentError, match=f"not a valid Bicycle: {name} is missing"):
        documents.from_document(document, Bicycle)


def test_several_records_are_a_list(tmp_path: Path) -> None:
    path = tmp_path / "wheels.json"
    path.write_bytes(documents.encode(BICYCLE.wheels))
    assert documents.read(path, tuple[Wheel, ...]) == BICYCLE.wheels


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(documents.encode({"b": 2, "a": 1}))
    assert documents.read(path, dict[str, int]) == {"a": 1, "b": 2}


@pytest.mark.parametrize("content", [b"[]", b"7", b'{"a": true}', b'{"a": 1, "b": "2"}', b"null"])
def test_a_table_of_other_values_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(content)
    assert documents.read(path, dict[str, int]) is None


def test_the_place_of_a_wrong_value_in_a_table_is_named() -> None:
    with pytest.raises(DocumentError) as caught:
        documents.from_document({"a": 1, "b": "2"}, dict[str, int])
    assert str(caught.value) == "not a valid dict: ['b'] must be a whole number"


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"null"])
def test_a_file_that_does_not_hold_the_record_holds_none(
    tmp_path: Path, content: bytes | None
) -> None:
    """Whether it is absent, cut off, or another one's."""
    path = tmp_path / "bicycle.json"
    if content is not None:
        path.write_bytes(content)
    assert documents.read(path, Bicycle) is None


def test_equal_records_are_equal_bytes_on_the_disk(tmp_path: Path) -> None:
    """Sorted, and with a newline at the end."""
    path = tmp_path / "bicycle.json"
    path.write_bytes(documents.encode(BICYCLE))
    known = documents.read(path, Bicycle)
    assert known == BICYCLE
    assert documents.encode(known) == path.read_bytes()
    assert path.read_bytes().endswith(b"}\n")
    assert path.read_bytes().index(b'"bell"') < path.read_bytes().index(b'"colour"')


@dataclass(frozen=True, slots=True)
class Route:
    """A record that reads and writes itself."""

    stops: tuple[str, ...]

    def to_document(self) -> str:
        """All stops in one text."""
        return ",".join(self.stops)

    @classmethod
    def from_document(cls, document: object) -> "Route":
        """Route that `to_document` gave."""
        if not isinstance(document, str):
            raise DocumentError("not a valid route")
        return cls(tuple(document.split(",")))


@dataclass(frozen=True, slots=True)
class Bus:
    """A record that holds one."""

    route: Route


def test_a_record_may_read_and_write_itself() -> None:
    bus = Bus(Route(("home", "work")))
    assert documents.to_document(bus) == {"route": "home,work"}
    assert documents.from_document({"route": "home,work"}, Bus) == bus


def test_what_such_a_record_refuses_is_named_like_all_else() -> None:
    with pytest.raises(DocumentError, match=r"not a valid Bus: route is not a valid route"):
        documents.from_document({"route": 7}, Bus)
