"""One word for one thing, one thing for one word: names that are terms of the field."""

import ast
import re
from collections import defaultdict

import pytest

from tests.sources import SOURCES, Source

# Pictures that the code once used in place of the field's terms: no name holds such a word.
PICTURES = {
    "weather": "circuit breaker",
    "shelter": "circuit breaker",
    "entrance": "authenticator",
    "conversation": "authenticator",
    "passes": "session",
    "pace": "adaptive limit",
    "pacing": "adaptive limit",
    "gate": "concurrency limiter",
    "strain": "overload",
    "strained": "overload",
    "refusal": "error response",
    "refusals": "failures",
    "trouble": "failed request",
    "trickle": "slow transfer",
    "steady": "slow transfer",
    "surroundings": "clock",
    "patience": "retry policy",
    "leash": "parent death",
    "fitter": "frame converter",
    "inventory": "clip store",
    "journal": "run log",
    "dice": "pseudo-random numbers",
    "knock": "log in",
    "heed": "handle",
    "heeded": "handled",
    "teller": "reporter",
    "kin": "the like",
}
# Names that were words for something else, or for several things.
FORMER_NAMES = {
    "Access": "Endpoint, Credentials",
    "Account": "ConsoleUsage",
    "AttemptsExhausted": "MaxAttemptsExceeded",
    "Claim": "UpToDateCheck",
    "Drawing": "FilmPlan",
    "drawn": "film_plan",
    "FilmFormat": "Encoding",
    "FilmRecipe": "FilmFingerprint",
    "Job": "Context",
    "Pass": "Session",
    "persist": "retry",
    "Question": "ApiRequest",
    "Reach": "StartFrom",
    "Source": "StitchedFootage",
    "Stretch": "Chapter",
    "Turn": "Slot",
}
PRODUCT = [source for source in SOURCES if source.room != "simulator"]


def words_of(name: str) -> list[str]:
    """The words of a name in snake case or camel case, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in spaced.lower().split("_") if word]


def names_of(source: Source) -> set[str]:
    """The names of a module, and of all classes and functions that it defines."""
    defined = {
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return defined | {source.name.rpartition(".")[2]}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_module_class_or_function_is_named_by_a_picture(source: Source) -> None:
    """Where a picture and a term of the field compete, the term wins."""
    found = {
        name: PICTURES[word]
        for name in names_of(source)
        for word in words_of(name)
        if word in PICTURES
    }
    former = {name: FORMER_NAMES[name] for name in names_of(source) if name in FORMER_NAMES}
    assert found | former == {}


def test_no_two_classes_of_the_product_share_a_name() -> None:
    """The simulator is a program of its own, and may use the words of the protocol as well."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for source in PRODUCT:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(source.name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [("FilmPlan", ["film", "plan"]), ("_note_retry", ["note", "retry"]), ("Nvr", ["nvr"])],
)
def test_a_name_is_taken_apart_into_its_words(name: str, words: list[str]) -> None:
    """However it is written."""
    assert words_of(name) == words


def test_a_picture_is_seen() -> None:
    """A rule that nothing fails would hold nothing."""
    source = Source("upvs_tasks.console.client", "class WeatherReport:\n    def persist(self): ...")
    assert {word for name in names_of(source) for word in words_of(name)} >= {"weather", "persist"}
