"""docs/protocol.md and the contract say the same."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.contract import (
    export_statements,
    list_statements,
    login_statements,
    test_genuine_clients,
)
from tests.contract.statements import STATEMENTS
from upvs_tasks.simulator import Behaviour

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
GROUPS = {
    "Sessions and cameras": login_statements,
    "Events": list_statements,
    "Exports": export_statements,
}
KEY = re.compile(r"\b[UB]\d\b")


def body(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, its two head lines apart."""
    below = DOCUMENT.read_text(encoding="utf-8").partition(f"# {heading}\n")[2]
    section = re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("heading", GROUPS)
def test_the_table_has_each_statement_in_its_words_and_order(heading: str) -> None:
    of_group = [
        [f"`{statement.name}`", statement.sentence]
        for statement in STATEMENTS.values()
        if statement.check.__module__ == GROUPS[heading].__name__
    ]
    assert [row[:2] for row in body(heading)] == of_group


@pytest.mark.parametrize("heading", GROUPS)
def test_each_statement_says_where_it_was_seen_and_what_we_make_of_it(heading: str) -> None:
    keys = {row[0] for row in body("Statements")}
    for _, _, seen, ours in body(heading):
        assert seen.startswith("embedded")
        assert set(KEY.findall(seen)) <= keys
        assert ours.endswith(".")


def test_what_the_table_calls_a_test_is_one() -> None:
    named = {row[1].strip("`") for row in body("Statements")}
    assert named
    assert all(hasattr(test_genuine_clients, name) for name in named)


def test_two_answers_are_settings_of_the_embedded_console() -> None:
    settings = [row[2].strip("`") for row in body("Two answers")]
    assert len(settings) > 12
    assert set(settings) <= {field.name for field in fields(Behaviour)}
