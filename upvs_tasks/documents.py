"""Records of ours as plain values for JSON, and back again.

Reading is strict: a value of another type, a field that is missing and one that is unknown are
refused, in a sentence that names the field. A field whose default is None is left out where it is
None; all others are always there. Besides records, ``dict[str, X]`` can be read and written, and
what has ``from_document`` and ``to_document`` of its own.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin

from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from upvs_tasks import durable
from upvs_tasks.errors import DocumentError

Record = TypeVar("Record")

_Reader = Callable[[Any, Any], Any]

_VALUES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_PLAIN_OBJECT = dict[str, Any]  # handed on as it is
_REFUSALS = (BaseValidationError, ForbiddenExtraKeysError, KeyError, TypeError, ValueError)


def to_document(record: object) -> Any:  # noqa: ANN401  plain values
    """The record as plain values that JSON can hold."""
    return _converter(explains=False).unstructure(record)


def from_document(document: object, kind: type[Record]) -> Record:
    """Record of that kind from parsed JSON. Raises DocumentError for anything else."""
    try:
        return _converter(explains=False).structure(document, kind)
    except _REFUSALS:  # to know the place of an error makes reading slower, so it is read again
        pass
    try:
        return _converter(explains=True).structure(document, kind)
    except _REFUSALS as error:
        raise DocumentError(f"not a valid {kind.__name__}: {_sentence(error)}") from error


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
def _converter(*, explains: bool) -> Converter:
    """The rules. One that ``explains`` knows the place of an error, and is slower."""
    converter = Converter(detailed_validation=explains, forbid_extra_keys=True)
    for kind in _VALUES:
        converter.register_structure_hook(kind, _value)
    converter.register_structure_hook(StrEnum, _choice)
    converter.register_structure_hook(Path, _path)
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook_func(_is_plain_object, _plain_object)
    converter.register_unstructure_hook_func(_is_plain_object, lambda value: value)
    converter.register_structure_hook_factory(_is_table, _table_reader)
    converter.register_structure_hook_factory(_is_tuple, _tuple_reader)
    converter.register_structure_hook_factory(is_dataclass, _record_reader)
    converter.register_unstructure_hook_factory(is_dataclass, _record_writer)
    converter.register_structure_hook_func(_has_own_document, _own_record)
    converter.register_unstructure_hook_func(_has_own_document, lambda own: own.to_document())
    return converter


def _value(document: object, kind: type) -> object:
    if type(document) is not kind:
        raise TypeError(f"must be {_VALUES[kind]}")
    return document


def _path(document: object, _: type) -> Path:
    return Path(str(_value(document, str)))


def _is_plain_object(kind: object) -> bool:
    return kind == _PLAIN_OBJECT


def _plain_object(document: object, _: object) -> object:
    if type(document) is not dict:
        raise TypeError("must be an object")
    return document


def _has_own_document(kind: object) -> bool:
    return hasattr(kind, "from_document") and hasattr(kind, "to_document")


def _own_record(document: object, kind: Any) -> object:  # noqa: ANN401  a class
    return kind.from_document(document)


def _is_table(kind: object) -> bool:
    return get_origin(kind) is dict and not _is_plain_object(kind)


def _table_reader(kind: Any, converter: Converter) -> _Reader:  # noqa: ANN401  a type
    """Reader of ``dict[str, X]``; cattrs alone would take anything that has items."""
    read_items: _Reader = converter.gen_structure_mapping(kind)

    def read_table(document: object, _: object) -> object:
        return read_items(_plain_object(document, kind), kind)

    return read_table


def _choice(document: str, kind: type[StrEnum]) -> StrEnum:
    try:
        return kind(document)
    except ValueError as error:
        raise ValueError(f"must be one of {', '.join(kind)}") from error


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis


def _tuple_reader(kind: object, converter: Converter) -> _Reader:
    """Reader of ``tuple[X, ...]``; cattrs alone would take a text for a list of its letters."""
    as_list: Any = GenericAlias(list, get_args(kind)[:1])
    read_list = converter.get_structure_hook(as_list)

    def read_tuple(document: object, _: object) -> tuple[object, ...]:
        if type(document) is not list:
            raise TypeError("must be a list")
        return tuple(read_list(document, as_list))

    return read_tuple


def _record_reader(kind: type, converter: Converter) -> _Reader:
    read_fields: _Reader = make_dict_structure_fn(kind, converter)

    def read_record(document: object, _: object) -> object:
        return read_fields(_plain_object(document, kind), kind)

    return read_record


def _record_writer(kind: type, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    optional = [field.name for field in fields(kind) if field.default is None]
    left_out: dict[str, Any] = {name: override(omit_if_default=True) for name in optional}
    return make_dict_unstructure_fn(kind, converter, **left_out)


def _sentence(error: BaseException) -> str:
    """The first of the errors, with the place where it is."""
    what, _, place = transform_error(error, format_exception=_words)[0].rpartition(" @ $")
    return f"{place.removeprefix('.') or 'it'} {what}"


def _words(error: BaseException, _: object) -> str:
    match error:
        case KeyError():
            return "is missing"
        case ForbiddenExtraKeysError(extra_fields=names):
            return f"has unknown fields: {', '.join(sorted(map(str, names)))}"
    return str(error)
