"""What the files of the command line hold, checked: how the console behaves, and what fails.

Each mistake is one sentence, which names the option and the file.
"""

from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_type_hints
from zoneinfo import ZoneInfo

import orjson

from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.faults import Fault, FaultKind

T = TypeVar("T")

HIGHEST_PORT = 65_535


class OptionError(ValueError):
    """The sentence about an option that cannot be used."""


def port_of(text: str) -> int:
    """A port to listen on; 0 is any free one. Raises OptionError."""
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= HIGHEST_PORT:
        raise OptionError(f"{text!r} is no port: give a whole number from 0 to {HIGHEST_PORT}")
    return port


def behaviour_of(path: Path | None) -> Behaviour:
    """How the console behaves, as a file says. Raises OptionError."""
    if path is None:
        return Behaviour()
    place = f"--behaviour {path}"
    given = _read(path, place)
    if not isinstance(given, dict):
        raise OptionError(f'{place} must hold one object, such as {{"csrf": "absent"}}')
    behaviour = _made(Behaviour, given, place)
    try:
        ZoneInfo(behaviour.timezone)
    except (ValueError, OSError, LookupError) as error:
        raise OptionError(f"{place}: timezone {behaviour.timezone!r} is not known") from error
    return behaviour


def faults_of(path: Path | None) -> tuple[Fault, ...]:
    """The failures to come, as a file says. Raises OptionError."""
    if path is None:
        return ()
    place = f"--faults {path}"
    given = _read(path, place)
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise OptionError(f'{place} must hold a list of objects, such as [{{"kind": "html"}}]')
    return tuple(_made(Fault, each, f"{place}, number {at}") for at, each in enumerate(given, 1))


def _read(path: Path, place: str) -> Any:  # noqa: ANN401  parsed JSON
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise OptionError(f"{place} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise OptionError(f"{place} is no JSON: {error}") from error


def _made(kind: type[T], given: dict[str, Any], place: str) -> T:
    """A value with the given fields, each of its type."""
    hints = get_type_hints(kind)
    if unknown := sorted(given.keys() - hints.keys()):
        raise OptionError(f"{place} has no field {unknown[0]!r}; there are: {', '.join(hints)}")
    checked = {name: _checked(name, value, hints[name], place) for name, value in given.items()}
    if "kind" in hints and "kind" not in given:
        raise OptionError(f"{place} needs a kind; there are: {', '.join(FaultKind)}")
    return kind(**checked)


def _checked(name: str, value: object, hint: Any, place: str) -> object:  # noqa: ANN401  a type
    words = FaultKind if name == "kind" else hint
    if isinstance(words, type) and issubclass(words, StrEnum):
        if not isinstance(value, str) or value not in list(words):
            raise OptionError(f"{place}: {name} is {value!r}; there are: {', '.join(words)}")
        return words(value)
    kinds = hint.__args__ if isinstance(hint, UnionType) else (hint,)
    allowed = (*kinds, int) if float in kinds else kinds
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join("null" if each is type(None) else each.__name__ for each in kinds)
        raise OptionError(f"{place}: {name} is {orjson.dumps(value).decode()}, but must be {names}")
    return value
