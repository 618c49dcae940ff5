"""What the documentation names exists, its links lead somewhere, its commands can be typed."""

import ast
import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import upvs_tasks
from tests import pages
from tests.commands import is_command, tasks
from tests.pages import Page, Span
from tests.sources import PACKAGE, REPOSITORY
from tests.test_architecture import ALLOWED_ROOMS
from tests.test_names import PICTURES
from tests.trips import Hop, Trip, is_linked, trips_of
from upvs_tasks import errors, settings
from upvs_tasks.errors import ExitCode, UpvsError
from upvs_tasks.model.layout import Layout
from upvs_tasks.phases.render import record_path

DOCS = REPOSITORY / "docs"
PAGES = [
    pages.read(path)
    for path in (
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *sorted(DOCS.rglob("*.md")),
    )
]
# Pages on the code: every word in their backticks is one of ours, or stands here.
ON_THE_CODE = [
    page
    for page in PAGES
    if page.path.parent == DOCS / "decisions"
    or page.path.name in {"CONTRIBUTING.md", "architecture.md", "glossary.md"}
]
ARCHITECTURE = pages.read(DOCS / "architecture.md")
TRIPS = trips_of(ARCHITECTURE.section("Three trips through the code"))
OTHERS_WORDS = {
    "after": "the specification's cursor",
    "hashlib": "a module of Python",
    "run": "a command of doit",
    "clean": "a command of doit",
    "-P": "an option of doit",
    "-P process": "an option of doit",
    "events": "a field of clip_index.json",
    "<name>.partial": "any file while it is written",
    "UPVS_NAME": "any setting in the environment",
}
# Words that were pictures in the code; in a sentence they say what they mean.
ORDINARY_WORDS = {"passes"}


def by_name(page: Page) -> str:
    """Name of a case."""
    return page.name


def test_the_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/glossary.md", "docs/protocol.md"} <= {
        page.name for page in PAGES
    }
    assert len(ON_THE_CODE) > 10


@pytest.mark.parametrize("page", ON_THE_CODE, ids=by_name)
def test_whatever_stands_in_backticks_exists(page: Page) -> None:
    unknown = [span.text for span in page.spans() if not is_known(span)]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_within_the_repository_leads_somewhere(page: Page) -> None:
    for link in page.links():
        if re.match(r"\w+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.path.parent / file if file else page.path
        assert target.exists(), link
        assert not anchor or anchor in pages.read(target).anchors(), link


@pytest.mark.parametrize("page", ON_THE_CODE, ids=by_name)
def test_every_command_can_be_typed(page: Page) -> None:
    commands = [line for block in page.blocks("sh") for line in block.splitlines() if line]
    assert [line for line in commands if not is_command(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_test_and_module_that_a_page_lets_one_run_is_there(page: Page) -> None:
    lines = [span.text for span in page.spans() if re.match(r"(pytest|python3? -m) ", span.text)]
    assert [line for line in lines if not is_command(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_no_page_uses_a_picture_in_place_of_a_term(page: Page) -> None:
    plain = re.sub(r"`[^`]*`", "", page.prose)
    words = set(re.findall(r"[a-z]+", plain.lower()))
    assert words & (PICTURES.keys() - ORDINARY_WORDS) == set()


def test_the_list_of_decisions_has_each_page_with_its_title() -> None:
    listed = re.findall(
        r"^\| \[(\d{4})\]\((.+)\) \| (.+) \|$",
        pages.read(DOCS / "decisions" / "README.md").text,
        re.MULTILINE,
    )
    there = [page for page in PAGES if re.match(r"docs/decisions/\d", page.name)]
    assert [
        (f"docs/decisions/{file}", f"# {number}: {title}") for number, file, title in listed
    ] == [(page.name, page.text.splitlines()[0]) for page in there]


@pytest.mark.parametrize(
    "text",
    [
        "`FilmRecipe`",
        "`console/weather.py`",
        "`console/retry.py` `Patience`",
        "`console/retry.py` `CircuitBreaker`",
        "`Plan.key`",
        "`gamma = 2`",
        "`crf = 99`",
        "`pytest -m thorough`",
        "`doit run develop`",
        "`python -m benchmarks.uploads`",
        "`pip install -e '.[all]'`",
        "`.ci/walk`",
    ],
)
def test_what_does_not_exist_is_seen(text: str) -> None:
    """As if something had been renamed."""
    assert not all(map(is_known, pages.spans_of(text)))


def test_the_picture_of_the_rooms_is_the_table_of_the_architecture() -> None:
    """The same rooms with the same arrows, and every arrow points down."""
    arrows = rooms_of(ARCHITECTURE.blocks("text")[0])
    assert {room: set(below) for room, below in arrows.items()} == ALLOWED_ROOMS
    order = list(arrows)
    for room, below in arrows.items():
        assert all(order.index(room) < order.index(other) for other in below), room


def test_the_map_of_the_package_has_its_rooms_in_the_order_of_the_picture() -> None:
    names = re.findall(r"^    (\w+) +\S", upvs_tasks.__doc__ or "", re.MULTILINE)
    assert names == [room for room in rooms_of(ARCHITECTURE.blocks("text")[0]) if room in names]
    assert set(names) == ALLOWED_ROOMS.keys() - {"dodo", PACKAGE}


def test_the_readme_has_every_exit_code_with_its_meaning() -> None:
    text = pages.read(REPOSITORY / "README.md").text
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == meanings_of_exit_codes()
    assert {int(code) for code, _ in rows} == set(ExitCode)


def test_there_are_three_trips_and_each_is_long_enough_to_get_lost_on() -> None:
    assert len(TRIPS) == 3
    assert all(len(trip) > 10 for trip in TRIPS.values())


@pytest.mark.parametrize("heading", TRIPS)
def test_each_hop_of_a_trip_is_one_that_the_code_makes(heading: str) -> None:
    trip = TRIPS[heading]
    assert list(trip) == list(range(1, len(trip) + 1))
    assert [hop for hop in trip.values() if not is_linked(hop, trip)] == []


@pytest.mark.parametrize(
    ("file", "way", "other"),
    [
        ("model/event.py", "", "console/wire.py"),
        ("console/retry.py", "", "console/circuit_breaker.py"),
        ("phases/scan.py", "sender", "console/auth.py"),
        ("console/client.py", "sender", "console/retry.py"),
        ("console/transport.py", "raised", "console/paging.py"),
        ("phases/scan.py", "disk", "phases/clip_store.py"),
        ("media/worker_pool.py", "process", "media/encode.py"),
        ("phases/scan.py", "by magic", "phases/clip_store.py"),
    ],
)
def test_a_hop_that_the_code_does_not_make_is_seen(file: str, way: str, other: str) -> None:
    """As if an import had gone."""
    trip: Trip = {1: Hop(1, "", None, file, None), 2: Hop(2, way, 1, other, None)}
    assert not is_linked(trip[2], trip)


def meanings_of_exit_codes() -> dict[int, str]:
    """The text below each member of ExitCode."""
    module = ast.parse(Path(errors.__file__).read_text())
    [body] = [
        node.body
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == ExitCode.__name__
    ]
    return {
        member.value.value: " ".join(meaning.value.value.split())
        for member, meaning in pairwise(body)
        if isinstance(member, ast.Assign)
        and isinstance(member.value, ast.Constant)
        and isinstance(meaning, ast.Expr)
        and isinstance(meaning.value, ast.Constant)
        and isinstance(member.value.value, int)
        and isinstance(meaning.value.value, str)
    }


def rooms_of(picture: str) -> dict[str, list[str]]:
    """Each room of the picture with the rooms behind its arrow, which may take several lines."""
    rooms: dict[str, list[str]] = {}
    for line in picture.splitlines()[1:]:
        head, _, names = line.partition("->") if "->" in line else ("", "", line)
        if head:
            rooms[head.split()[0]] = []
        rooms[list(rooms)[-1]] += [name.strip() for name in names.split(",") if name.strip()]
    return rooms


def is_known(span: Span) -> bool:
    """Whether what stands in backticks exists."""
    text = span.text.removesuffix("()")
    if span.file:
        path = pages.located(span.file)
        return path is not None and path.suffix == ".py" and text in pages.defined_in(path)
    if text in OTHERS_WORDS or text in known_names() or text in output_files():
        return True
    if pages.is_file(text):
        return pages.located(text) is not None
    return is_setting(text) or is_command(text)


def is_setting(text: str) -> bool:
    """Whether a text is a setting with a value that it may have, as in TOML or behind doit."""
    name, equals, value = text.partition("=")
    try:
        named = tomllib.loads(text) if " = " in text else {name: value}
        settings.load(config_path=Path("none.toml"), variables=named, environment={})
    except (UpvsError, tomllib.TOMLDecodeError):
        return False
    return bool(equals)


@cache
def known_names() -> frozenset[str]:
    """What any module defines, by its plain name, as ``Class.member`` and as ``module.name``."""
    known = {*settings.NAMES, *tasks(), *ALLOWED_ROOMS}
    modules = [REPOSITORY / "dodo.py"]
    for folder in (PACKAGE, "tests", "samples", "benchmarks"):
        modules.extend((REPOSITORY / folder).rglob("*.py"))
    for path in modules:
        names = pages.defined_in(path)
        known |= names | {name.rpartition(".")[2] for name in names}
        known |= {f"{path.stem}.{name}" for name in names}
    return frozenset(known)


@cache
def output_files() -> frozenset[str]:
    """Names of the files that a run leaves, alone and below the output folder."""
    layout = Layout(Path("/out"))
    fixed = [
        getattr(layout, name) for name, one in vars(Layout).items() if isinstance(one, property)
    ]
    paths = [path for path in fixed if isinstance(path, Path)]
    segment = layout.segment("<digest>")
    paths += [segment, record_path(segment), layout.film("<camera>", "<date>")]
    paths += [record("<clip>.mp4") for record in (layout.footage_record, layout.failure_record)]
    paths += [layout.at(name.partition("/")[0]) for name in layout.own_names]
    below = {str(path.relative_to(layout.out_dir)) for path in paths}
    return frozenset(below | {path.name for path in paths})
