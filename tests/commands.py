"""Whether a command that a page shows can be typed: all that it names is there."""

import re
import shlex
import tomllib
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from tests.sources import PACKAGE, REPOSITORY
from upvs_tasks.graph import StartFrom, rows

_OURS = (PACKAGE, "tests", "samples", "benchmarks")
_PROGRAMS = {"ruff", "mypy", "pre-commit", "git", "upvs", "."}
_OF_DOIT = {"list", "info", "clean", "forget", "ignore"}


def is_command(line: str) -> bool:
    """Whether a line can be typed: its programs, modules, tasks, markers and files are there."""
    try:
        return all(_is_known(shlex.split(part)) for part in line.split(" && "))
    except ValueError:  # quotes that do not end
        return False


def _is_known(words: list[str]) -> bool:
    match words:
        case ["python" | "python3", "-m", module, *_]:
            is_known = _is_module(module)
        case ["pytest", *arguments]:
            is_known = _is_for_pytest(arguments)
        case ["doit", "run", *arguments]:
            is_known = {word.partition(":")[0] for word in _positional(arguments)} <= tasks()
        case ["doit", command, *_]:
            is_known = command in _OF_DOIT
        case ["pip", "install", "-e", wanted]:
            extras = project()["project"]["optional-dependencies"]
            is_known = wanted in {".", *(f".[{extra}]" for extra in extras)}
        case [program, *_]:
            is_known = program in _PROGRAMS or (REPOSITORY / program).is_file()
        case _:
            is_known = False
    return is_known


def _positional(arguments: list[str]) -> list[str]:
    """Arguments without options, which here are one letter and a value, and without settings."""
    values = {after for option, after in pairwise(arguments) if option.startswith("-")}
    plain = [word for word in arguments if not word.startswith("-") and "=" not in word]
    return [word for word in plain if word not in values]


def _is_module(name: str) -> bool:
    return not name.startswith(_OURS) or find_spec(name) is not None


def _is_for_pytest(arguments: list[str]) -> bool:
    """Whether files and folders are there, and the expression behind ``-m`` is of our markers."""
    chosen = [after for option, after in pairwise(arguments) if option == "-m"]
    named = {name for expression in chosen for name in re.findall(r"\w+", expression)}
    markers = project()["tool"]["pytest"]["ini_options"]["markers"]
    known = {"or", "and", "not", "hypothesis", *(marker.partition(":")[0] for marker in markers)}
    return named <= known and all((REPOSITORY / path).exists() for path in _positional(arguments))


@cache
def tasks() -> frozenset[str]:
    """The tasks of the graph."""
    return frozenset(row.name for row in rows(StartFrom.CONSOLE, may_clean_clips=False))


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
