"""Records of ours as plain values for JSON, and back again.

Reading is strict: a value of another type, a field that is missing and one that is unknown are
refused, in a sentence that names the field. A field whose default is None is left out where it is
None; all others are always there. Besides records, ``dict[str, X]`` can be read and written, and
what has ``from_document`` and ``to_document`` of its own.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from upvs_tasks import durable
from upvs_tasks.errors import DocumentError

Record = TypeVar("Record")

_Converter = Callable[[Any], Any]

_VALUES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def to_document(record: object) -> Any:  # noqa: ANN401  plain values
    """The record as plain values that JSON can hold."""
    kind: Any = type(record)
    return _writer(kind)(record)


def from_document(document: object, kind: type[Record]) -> Record:
    """Record of that kind from parsed JSON. Raises DocumentError for anything else."""
    any_kind: Any = kind
    try:
        record: Record = _reader(any_kind)(document)
    except _MisfitError as misfit:
        raise DocumentError(f"not a valid {kind.__name__}: {misfit}") from misfit
    return record


def read(path: Path, kind: type[Record]) -> Record | None:
    """Record that a file holds; None where there is no file or it holds something else."""
    document = durable.read_json(path)
    try:
        return None if document is None else from_document(document, kind)
    except DocumentError:
        return None


def encode(record: object) -> bytes:
    """The record as the bytes of its file; equal records give equal bytes."""
    return durable.encode_json(to_document(record))


@cache
def _writer(kind: Any) -> _Converter:  # noqa: ANN401  a type
    """What makes plain values of a value of that type."""
    if _has_own_document(kind):
        return lambda record: record.to_document()
    if is_dataclass(kind):
        return _record_writer(kind)
    if issubclass(kind, tuple):
        return lambda items: [to_document(item) for item in items]
    if issubclass(kind, dict):
        return lambda table: {key: to_document(value) for key, value in table.items()}
    return str if issubclass(kind, StrEnum | Path) else _as_it_is


def _record_writer(kind: Any) -> _Converter:  # noqa: ANN401  a dataclass
    can_be_left_out = {field.name: field.default is None for field in fields(kind)}

    def write(record: object) -> dict[str, Any]:
        values = {name: getattr(record, name) for name in can_be_left_out}
        return {
            name: to_document(value)
            for name, value in values.items()
            if value is not None or not can_be_left_out[name]
        }

    return write


class _MisfitError(Exception):
    """A value is not what it should be; ``place`` leads to it."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.place = ""

    def __str__(self) -> str:
        return f"{self.place.removeprefix('.') or 'it'} {self.args[0]}"

    def within(self, place: str) -> "_MisfitError":
        """The same, seen from what holds the value at that place."""
        self.place = place + self.place
        return self


@cache
def _reader(kind: Any) -> _Converter:  # noqa: ANN401  a type
    """What makes a value of that type of plain values. It raises _MisfitError."""
    match get_origin(kind), get_args(kind):
        case origin, (item, end) if origin is tuple and end is Ellipsis:
            return _tuple_reader(item)
        case origin, (_, value) if origin is dict:
            return _table_reader(value)
        case origin, (value, other) if origin is UnionType and other is NoneType:
            return _optional_reader(value)
    return _as_it_is if kind is Any else _class_reader(kind)


def _class_reader(kind: type) -> _Converter:
    if _has_own_document(kind):
        return _own_reader(kind)
    if is_dataclass(kind):
        return _record_reader(kind)
    if kind is Path:
        return lambda document: Path(_checked(document, str))
    return _choice_reader(kind) if issubclass(kind, StrEnum) else lambda doc: _checked(doc, kind)


def _as_it_is(value: object) -> object:
    return value


def _checked(document: Any, kind: type, words: str = "") -> Any:  # noqa: ANN401  plain values
    if type(document) is not kind:
        raise _MisfitError(f"must be {words or _VALUES[kind]}")
    return document


def _record_reader(kind: Any) -> _Converter:  # noqa: ANN401  a dataclass
    types = get_type_hints(kind)
    readers = {field.name: _reader(types[field.name]) for field in fields(kind)}
    needed = [field.name for field in fields(kind) if field.default is MISSING]

    def read_record(document: object) -> object:
        values = _checked(document, dict, "an object")
        if unknown := values.keys() - readers.keys():
            raise _MisfitError(f"has unknown fields: {', '.join(sorted(unknown))}")
        for name in needed:
            if name not in values:
                raise _MisfitError("is missing").within(f".{name}")
        return kind(**{name: _at(f".{name}", readers[name], values[name]) for name in values})

    return read_record


def _has_own_document(kind: type) -> bool:
    return hasattr(kind, "from_document") and hasattr(kind, "to_document")


def _own_reader(kind: Any) -> _Converter:  # noqa: ANN401  a class
    def read_own(document: object) -> object:
        try:
            return kind.from_document(document)
        except DocumentError as error:
            raise _MisfitError(f"is {error}") from error

    return read_own


def _at(place: str, read_value: _Converter, document: object) -> object:
    try:
        return read_value(document)
    except _MisfitError as misfit:
        raise misfit.within(place) from None


def _tuple_reader(kind: object) -> _Converter:
    """Reader of ``tuple[X, ...]``."""
    read_item = _reader(kind)

    def read_tuple(document: object) -> tuple[object, ...]:
        items = enumerate(_checked(document, list, "a list"))
        return tuple(_at(f"[{place}]", read_item, item) for place, item in items)

    return read_tuple


def _table_reader(kind: object) -> _Converter:
    """Reader of ``dict[str, X]``."""
    read_value = _reader(kind)

    def read_table(document: object) -> dict[str, object]:
        items = _checked(document, dict, "an object").items()
        return {key: _at(f"[{key!r}]", read_value, value) for key, value in items}

    return read_table


def _optional_reader(kind: object) -> _Converter:
    """Reader of ``X | None``."""
    read_value = _reader(kind)
    return lambda document: None if document is None else read_value(document)


def _choice_reader(kind: type[StrEnum]) -> _Converter:
    choices = {str(choice): choice for choice in kind}

    def read_choice(document: object) -> StrEnum:
        if type(document) is not str or document not in choices:
            raise _MisfitError(f"must be one of {', '.join(choices)}")
        return choices[document]

    return read_choice
