"""The trips that docs/architecture.md writes down, and the ways from hop to hop."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests import pages
from tests.sources import PACKAGE, REPOSITORY, SOURCES, Source

_MODULES = {source.name: source for source in SOURCES}
_ROW = re.compile(
    r"\| (?P<number>\d+) \| (?:(?P<way>[a-z]+) )?(?P<origin>\d*) ?"
    r"\| `(?P<file>[^`]+)`(?: `(?P<name>[^`]+)`)? \| .+ \|"
)
# Composes the layers that call each other through `Sender.send`.
_COMPOSER = f"{PACKAGE}.console.client"
# What a worker and the process that starts it send each other.
_PROTOCOL = f"{PACKAGE}.media.worker_protocol"


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop: the place, the number of the hop before it, and the way from there to here."""

    number: int
    way: str
    origin: int | None
    file: str
    name: str | None

    @property
    def module(self) -> Source:
        """The module of the place."""
        path = pages.located(self.file)
        assert path is not None, self
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        return _MODULES[".".join(parts)]


Trip = Mapping[int, Hop]


def trips_of(text: str) -> dict[str, Trip]:
    """Each trip of a section, by its heading."""
    headed = re.split(r"^### (.+)\n", text, flags=re.MULTILINE)[1:]
    return {
        heading: {hop.number: hop for hop in _hops(body)}
        for heading, body in zip(headed[::2], headed[1::2], strict=True)
    }


def _hops(text: str) -> Iterator[Hop]:
    rows = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    for row in rows:
        match = _ROW.fullmatch(row)
        assert match is not None, row
        yield Hop(
            int(match["number"]),
            match["way"] or "",
            int(match["origin"]) if match["origin"] else None,
            match["file"],
            match["name"],
        )


def is_linked(hop: Hop, trip: Trip) -> bool:
    """Whether the code goes from the hop before to this one in the way that is said."""
    if hop.origin is None or hop.origin >= hop.number:
        return hop.number == 1 and hop.origin is None
    before, here = trip[hop.origin].module, hop.module
    match hop.way:
        case "":
            is_made = before == here or uses(before, here)
        case "sender":
            composer = _MODULES[_COMPOSER]
            is_made = uses(composer, before) and uses(composer, here) and not uses(before, here)
        case "process":
            protocol = _MODULES[_PROTOCOL]
            is_made = uses(before, protocol) and uses(here, protocol) and not uses(before, here)
            is_made = is_made and here.name in _texts_of(before)
        case "raised":
            is_made = here in _callers(trip[hop.origin], trip)
        case "disk":
            is_made = before in _below(here) and not uses(before, here)
        case _:
            is_made = False
    return is_made


def uses(source: Source, other: Source) -> bool:
    """Whether a module imports another one, as a whole, a part of it, or by way of its package."""
    names = _names_of(source)
    return any(name == other.name or name.startswith(f"{other.name}.") for name in names)


@cache
def _names_of(source: Source) -> frozenset[str]:
    """What a module imports and uses, also under the name where it is defined."""
    names = {*source.imports(), *source.names_used()}
    for name in tuple(names):
        package, _, imported = name.rpartition(".")
        if package in _MODULES and _MODULES[package].is_package:
            handed_on = _MODULES[package].imports()
            names |= {each for each in handed_on if each.rpartition(".")[2] == imported}
    return frozenset(names)


def _texts_of(source: Source) -> set[object]:
    """Every text that a module holds, the names of programs among them."""
    return {node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)}


def _callers(hop: Hop, trip: Trip) -> list[Source]:
    """Modules of the hops that lead to a hop."""
    found = []
    while hop.origin is not None:
        hop = trip[hop.origin]
        found.append(hop.module)
    return found


def _below(source: Source) -> list[Source]:
    """All modules that a module reaches by imports."""
    found, pending = [source], [source]
    while pending:
        one = pending.pop()
        below = [other for other in SOURCES if other not in found and uses(one, other)]
        found.extend(below)
        pending.extend(below)
    return found
