"""The documentation as it is written: its links, its words in backticks, its tables and lists."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.sources import PACKAGE, REPOSITORY

# A file with a name beside it, "`file` `name`" or "`name` in `file`": the name is of that file.
_PAIR = re.compile(
    r"`(?P<file>[^`]+)`\s+`(?P<name>[^`]+)`|`(?P<inner>[^`]+)` in `(?P<outer>[^`]+)`"
)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(
    r"(?:[\w.-]+/)*[\w.-]*\w\.(?:py|md|toml|json|txt|yaml|yml|log|mp4|vtt)|[\w./-]+/"
)


@dataclass(frozen=True, slots=True)
class Span:
    """What a page sets in backticks; ``file`` is the file that stands beside it, where one does."""

    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the documentation."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(REPOSITORY))

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """Content of the fenced blocks of a language; those without one have an empty one."""
        return [body for name, body in _FENCE.findall(self.text) if name == language]

    def section(self, heading: str) -> str:
        """What stands under a heading, up to the next one of the same level or above."""
        marks, _, below = self.text.partition(f" {heading}\n")
        level = len(marks) - len(marks.rstrip("#"))
        assert below, f"{self.name} has no section {heading!r}"
        return re.split(rf"^#{{1,{level}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]

    def links(self) -> Iterator[str]:
        """Where its links lead to."""
        yield from _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """What a link may name behind ``#``, by GitHub's rule."""
        plain = (
            re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(self.text)
        )
        return {heading.replace(" ", "-") for heading in plain}

    def spans(self) -> Iterator[Span]:
        """Everything in backticks."""
        yield from spans_of(self.prose)


def spans_of(text: str) -> Iterator[Span]:
    """Everything in backticks of a text; a name knows the file that stands beside it."""
    for match in _PAIR.finditer(text):
        file, name = match["file"] or match["outer"], match["name"] or match["inner"]
        if is_file(file):
            yield Span(name, file)
    yield from map(Span, _SPAN.findall(text))


def is_file(text: str) -> bool:
    """Whether a text in backticks is the name of a file or a folder."""
    return _FILE.fullmatch(text) is not None


def located(file: str) -> Path | None:
    """A file or folder that a page names: of the repository, or below the package."""
    for root in (REPOSITORY, REPOSITORY / PACKAGE):
        if (root / file).exists():
            return root / file
    return None


@cache
def defined_in(path: Path) -> frozenset[str]:
    """Names that a module defines: ``name``, and ``Class.member``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(_defined(tree))


def _defined(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.ClassDef(name):
                yield prefix + name
                yield from _defined(node, f"{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                yield prefix + name
            case ast.Assign(targets):
                yield from (prefix + each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(ast.Name(name)):
                yield prefix + name


def read(path: Path) -> Page:
    """Page of a file."""
    return Page(path, path.read_text(encoding="utf-8"))
