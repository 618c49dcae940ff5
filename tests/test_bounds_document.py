"""docs/bounds.md is held to the code: each bound has its constant, and each row a test."""

import ast
import importlib
import re
from operator import attrgetter

import pytest

from tests.sources import PACKAGE, REPOSITORY

ROW = re.compile(r"^\| (?P<what>[^|]+) \|.*\| (?P<constant>[^|]+) \| (?P<test>[^|]+) \|$")
CONSTANT = re.compile(r"`(?P<module>[\w/]+)\.py` `(?P<name>[\w.]+)` = `(?P<value>[\d_.]+)`")
TEST = re.compile(r"`(?P<file>[\w/]+\.py)` `(?P<name>\w+)`")


def rows() -> list[re.Match[str]]:
    """Each row of the tables of the page."""
    lines = (REPOSITORY / "docs" / "bounds.md").read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := ROW.match(line))]
    return [row for row in found if row["what"] != "what" and not row["what"].startswith("--")]


ROWS = rows()


def by_what(row: re.Match[str]) -> str:
    """Name of a case."""
    return row["what"]


def test_the_rows_are_found() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", [row for row in ROWS if row["constant"] != "none"], ids=by_what)
def test_a_bound_is_that_of_the_code(row: re.Match[str]) -> None:
    said = CONSTANT.fullmatch(row["constant"])
    assert said, row["constant"]
    module = importlib.import_module(f"{PACKAGE}.{said['module'].replace('/', '.')}")
    assert attrgetter(said["name"])(module) == ast.literal_eval(said["value"])


@pytest.mark.parametrize("row", ROWS, ids=by_what)
def test_a_bound_has_a_test(row: re.Match[str]) -> None:
    said = TEST.fullmatch(row["test"])
    assert said, row["test"]
    tree = ast.parse((REPOSITORY / said["file"]).read_text(encoding="utf-8"))
    assert said["name"] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
