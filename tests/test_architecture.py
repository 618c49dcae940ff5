"""Who may import and call what: the house as a table, and a reader of the sources.

Imports point down only. What is a table here is a decision; a room that is not in it is none yet.
"""

import ast

import pytest

from tests.sources import PACKAGE, SOURCES, Source, read_all

# Room: the rooms that it may import from besides itself. The package's own page is a room, too.
ALLOWED_ROOMS = {
    "dodo": {"program", "doit_access", "graph", "settings"},
    "__main__": {"program", "cli"},
    "cli": {"graph", "settings", "errors"},
    "graph": {"doit_access", "tasks", "reporter", "run", "phases", "model", "settings", "errors"},
    "tasks": {"run", "phases", "errors"},
    "doit_access": {"program", "doit_commands", "errors"},
    "program": {"output", "signals"},
    "doit_commands": {"errors"},
    "reporter": {"output", "model"},
    "run": {
        "phases",
        "output",
        "model",
        "redaction",
        "clock",
        "lock",
        "durable",
        "signals",
        "settings",
        "errors",
    },
    "phases": {
        "console",
        "media",
        "model",
        "documents",
        "durable",
        "settings",
        "redaction",
        "clock",
        "errors",
    },
    "console": {"model", "lock", "durable", "clock", "redaction", "machine", "errors"},
    "media": {"model", "documents", "machine", "escaping", "errors", PACKAGE},
    "settings": {"model", "machine", "errors"},
    "output": {"durable", "redaction", "clock", "escaping", "errors"},
    "documents": {"durable", "errors"},
    "lock": {"durable", "machine", "errors"},
    "durable": {"machine", "escaping", "errors"},
    "clock": set[str](),
    "redaction": set[str](),
    "signals": {"machine", "errors"},
    "machine": set[str](),
    "model": {"escaping", "errors"},
    "escaping": set[str](),
    "errors": set[str](),
    "simulator": set[str](),
    PACKAGE: set[str](),
}

# Module of others: the rooms, or single modules, that alone may import it.
RESERVED_IMPORTS = {
    "doit": {"doit_access", "doit_commands", "tasks", "graph", "reporter"},
    "requests": {"console"},
    "urllib3": {"console"},
    "cryptography": {"console"},
    "av": {"media"},
    "ffmpeg": {"media"},
    "imageio_ffmpeg": {"media"},
    "subprocess": {"media", "console.embedded"},
    "multiprocessing": {"media"},
}

# The model has no disk, no network, no clock, no chance, no environment and no log.
NOT_IN_THE_MODEL = {
    "asyncio",
    "concurrent",
    "fcntl",
    "glob",
    "io",
    "logging",
    "multiprocessing",
    "orjson",
    "os",
    "random",
    "secrets",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
# Methods of paths that look at the disk, or at the environment.
PATH_EFFECTS = {
    "absolute",
    "chmod",
    "cwd",
    "exists",
    "expanduser",
    "glob",
    "home",
    "is_dir",
    "is_file",
    "is_symlink",
    "iterdir",
    "lstat",
    "mkdir",
    "open",
    "read_bytes",
    "read_text",
    "resolve",
    "rglob",
    "rmdir",
    "samefile",
    "stat",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
}
CLOCKS = {"now", "utcnow", "today"}

# What makes a file whole under its name, or changes its name.
DURABLE_FUNCTIONS = {
    "os.fsync",
    "os.fdatasync",
    "os.sync",
    "os.replace",
    "os.rename",
    "os.renames",
    "os.link",
    "shutil.move",
    "shutil.copy",
    "shutil.copy2",
    "shutil.copyfile",
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}

# What not every operating system has, and who alone may ask for it.
MODULES_NOT_EVERYWHERE = {"ctypes", "fcntl", "grp", "pwd", "resource", "termios"}
NOT_EVERYWHERE = {
    "os.fchmod",
    "os.fork",
    "os.forkpty",
    "os.getpgid",
    "os.getuid",
    "os.killpg",
    "os.memfd_create",
    "os.nice",
    "os.pidfd_open",
    "os.posix_fadvise",
    "os.posix_fallocate",
    "os.posix_spawn",
    "os.process_cpu_count",
    "os.sched_getaffinity",
    "os.sched_setaffinity",
    "os.sendfile",
    "os.setpriority",
    "os.setsid",
    "signal.pthread_kill",
    "signal.pthread_sigmask",
    "signal.setitimer",
    "signal.sigtimedwait",
    "signal.sigwait",
    "sys.platform",
}
MACHINE = {"machine", "media.parent_death"}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "core"}
MOST_LINES = 400


OURS = [source for source in SOURCES if source.room != "simulator"]
MODEL = [source for source in SOURCES if source.room == "model"]


def by_name(source: Source) -> str:
    """Name of a case."""
    return source.name


def misplaced_imports(source: Source) -> set[str]:
    """Rooms of ours that the module may not import from, and libraries that are others'."""
    found = set()
    for name in source.imports():
        parts = name.split(".")
        if parts[0] == PACKAGE:
            room = parts[1] if len(parts) > 1 and parts[1] in ALLOWED_ROOMS else PACKAGE
            if room != source.room and room not in ALLOWED_ROOMS[source.room]:
                found.add(name)
        elif parts[0] in RESERVED_IMPORTS and source.room != "simulator":
            is_allowed = {source.room, source.place} & RESERVED_IMPORTS[parts[0]]
            found |= set() if is_allowed else {name}
    return found


def renames(source: Source) -> set[str]:
    """Calls that sync, rename or replace files.

    A path's ``replace`` is told from a text's and a date's by its one argument: texts take two, and
    dates and records take theirs by name.
    """
    found = DURABLE_FUNCTIONS & set(source.names_used())
    for method, call in source.calls():
        by_position = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
        by_name_only = {keyword.arg for keyword in call.keywords}
        is_path_replace = (len(by_position) == 1 and not by_name_only) or by_name_only == {"target"}
        if method == "rename" or (method == "replace" and is_path_replace):
            found.add(ast.unparse(call))
    return found


def effects(source: Source) -> set[str]:
    """What a module of the model does that is not for a value to do."""
    found = {name for name in source.imports() if name.split(".")[0] in NOT_IN_THE_MODEL}
    found |= {
        ast.unparse(call) for method, call in source.calls() if method in PATH_EFFECTS | CLOCKS
    }
    found |= {
        ast.unparse(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"open", "print", "input", "exec", "eval", "__import__"}
    }
    return found


def rarities(source: Source) -> set[str]:
    """What a module asks for that not every operating system has."""
    imported = set(source.imports())
    found = {name for name in imported if name.split(".")[0] in MODULES_NOT_EVERYWHERE}
    found |= NOT_EVERYWHERE & (imported | set(source.names_used()))
    return found | {
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(("/proc/", "/sys/"))
    }


def writes(source: Source) -> set[str]:
    """Calls that open a file for writing."""
    found = {
        ast.unparse(call)
        for method, call in source.calls()
        if method in {"write_text", "write_bytes", "touch"}
    }
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name("open"), args=[_, ast.Constant(mode), *_]):
                pass
            case ast.Call(func=ast.Attribute(_, "open"), args=[ast.Constant(mode), *_]):
                pass
            case _:
                continue
        if isinstance(mode, str) and set(mode) & set("wax+"):
            found.add(ast.unparse(node))
    return found


def test_the_sources_are_found() -> None:
    """A rule that nothing is held against would never fail."""
    assert {"dodo", "upvs_tasks.settings.sources", "upvs_tasks.model.day"} <= {
        source.name for source in SOURCES
    }


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_every_module_belongs_to_a_room(source: Source) -> None:
    """A new room is a decision, to be entered in the table above."""
    assert source.room in ALLOWED_ROOMS


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_imports_point_down(source: Source) -> None:
    """And libraries stay where they belong; the simulator has none of ours, nor we of it."""
    assert misplaced_imports(source) == set()


def test_the_table_has_no_circles() -> None:
    """Whoever allows an import here cannot allow one back."""
    seen: set[str] = set()
    while len(seen) < len(ALLOWED_ROOMS):
        lowest = {room for room, below in ALLOWED_ROOMS.items() if below <= seen} - seen
        assert lowest, f"a circle among {sorted(set(ALLOWED_ROOMS) - seen)}"
        seen |= lowest


@pytest.mark.parametrize("source", OURS, ids=by_name)
def test_only_settings_read_the_environment(source: Source) -> None:
    """One name for one thing, in one place."""
    if source.place != "settings.sources":
        assert ENVIRONMENT & set(source.names_used()) == set()


@pytest.mark.parametrize("source", OURS, ids=by_name)
def test_only_durable_syncs_and_renames(source: Source) -> None:
    """That a file is whole or absent is decided in one place."""
    if source.room != "durable":
        assert renames(source) == set()


@pytest.mark.parametrize("source", OURS, ids=by_name)
def test_only_durable_opens_files_for_writing(source: Source) -> None:
    """Everything else hands its bytes over."""
    if source.room != "durable":
        assert writes(source) == set()


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_only_the_machine_is_asked_for_what_not_every_system_has(source: Source) -> None:
    """So that what is done without it stands beside it."""
    if source.place not in MACHINE:
        assert rarities(source) == set()


@pytest.mark.parametrize("source", MODEL, ids=by_name)
def test_the_model_only_decides(source: Source) -> None:
    """No disk, no network, no clock, no chance, no environment, no log."""
    assert effects(source) == set()


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_no_module_has_a_name_that_says_nothing(source: Source) -> None:
    """Such rooms fill up with what nobody finds again."""
    assert not VAGUE_NAMES & set(source.name.split("."))


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_a_module_fits_into_a_head(source: Source) -> None:
    """Longer ones are two."""
    assert len(source.text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("source", [*read_all("benchmarks"), *read_all("samples")], ids=by_name)
def test_what_is_no_test_imports_none(source: Source) -> None:
    """Benchmarks run wherever the product does."""
    origins = {name.partition(".")[0] for name in source.imports()}
    assert origins & {"tests", "pytest", "hypothesis"} == set()


@pytest.mark.parametrize("source", read_all("tests"), ids=by_name)
def test_only_one_module_of_the_tests_sleeps(source: Source) -> None:
    """It has a deadline; and what a test waits for by the clock alone is late or comes too soon."""
    if source.name != "tests.waiting":
        assert "time.sleep" not in set(source.names_used())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("upvs_tasks.model.day", "from upvs_tasks.settings import Settings"),
        ("upvs_tasks.model.day", "from upvs_tasks import durable"),
        ("upvs_tasks.model.day", "from ..durable import replacing"),
        ("upvs_tasks.model.day", "def late():\n    import upvs_tasks.console.client"),
        ("upvs_tasks.media.probe", "from upvs_tasks.console import client"),
        ("upvs_tasks.media.probe", "from upvs_tasks.durable import replacing"),
        ("upvs_tasks.phases.scan", "from upvs_tasks.graph import Graph"),
        ("upvs_tasks.phases.scan", "from upvs_tasks.simulator import world"),
        ("upvs_tasks.simulator.world", "from upvs_tasks.model.day import Day"),
        ("upvs_tasks.simulator.world", "from .. import errors"),
        ("upvs_tasks.errors", "import upvs_tasks"),
        ("upvs_tasks.phases.scan", "import requests"),
        ("upvs_tasks.phases.scan", "from doit import create_after"),
        ("upvs_tasks.phases.scan", "import subprocess"),
        ("upvs_tasks.console.client", "from subprocess import run"),
        ("upvs_tasks.phases.scan", "from av.video import stream"),
        ("upvs_tasks.media.probe", "import urllib3.util"),
    ],
)
def test_an_import_that_points_elsewhere_is_seen(name: str, text: str) -> None:
    """However it is written."""
    assert misplaced_imports(Source(name, text))


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.replace(a, b)",
        "import os as system\nsystem.rename(a, b)",
        "from os import replace as put\nput(a, b)",
        "import os\nmove = os.replace",
        "import os\nos.fsync(descriptor)",
        "from shutil import move\nmove(a, b)",
        "path.replace(target)",
        "path.with_suffix('.x').replace(target)",
        "path.replace(target=other)",
        "path.rename(target)",
        "Path.replace(path)",
    ],
)
def test_a_rename_is_seen(text: str) -> None:
    """However it is written."""
    assert renames(Source("upvs_tasks.phases.scan", text))


@pytest.mark.parametrize(
    "text",
    [
        "text.replace('a', 'b')",
        "text.replace('a', 'b', 1)",
        "moment.replace(hour=0)",
        "moment.replace(2024, 1, 15)",
        "from dataclasses import replace\nreplace(record, name='x')",
        "import dataclasses\ndataclasses.replace(record, name='x')",
        "import os\nos.fspath(path)",
    ],
)
def test_what_is_no_rename_is_let_be(text: str) -> None:
    """Texts, dates and records have a method of the same name."""
    assert renames(Source("upvs_tasks.phases.scan", text)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "import logging",
        "from time import monotonic",
        "import os.path",
        "path.read_text()",
        "Path.home()",
        "Path('~').expanduser()",
        "datetime.now()",
        "date.today()",
        "open('x')",
        "print('x')",
    ],
)
def test_what_is_not_for_a_value_to_do_is_seen(text: str) -> None:
    """Of all that the model leaves to others."""
    assert effects(Source("upvs_tasks.model.day", text))


@pytest.mark.parametrize(
    "text",
    [
        "open('x', 'w')",
        "path.open('ab')",
        "path.open('r+')",
        "path.write_text('x')",
        "path.touch()",
    ],
)
def test_opening_for_writing_is_seen(text: str) -> None:
    """And opening for reading is not."""
    assert writes(Source("upvs_tasks.phases.scan", text))
    assert writes(Source("upvs_tasks.phases.scan", "path.open('rb')\nopen('x')")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['HOME']",
        "from os import environ\nenviron.get('HOME')",
        "from os import getenv\ngetenv('HOME')",
        "import os as system\nsystem.getenv('HOME')",
    ],
)
def test_reading_the_environment_is_seen(text: str) -> None:
    """However it is written."""
    assert ENVIRONMENT & set(Source("upvs_tasks.run", text).names_used())


@pytest.mark.parametrize(
    "text",
    [
        "import os\nlen(os.sched_getaffinity(0))",
        "from os import sched_getaffinity",
        "import ctypes\nctypes.CDLL(None)",
        "from fcntl import flock\nflock(stream, 2)",
        "import signal\nsignal.pthread_kill(1, 2)",
        "import os\nos.fchmod(descriptor, 0o600)",
        "import sys\nif sys.platform == 'linux':\n    pass",
        "path = '/proc/self/status'",
    ],
)
def test_asking_for_what_not_every_system_has_is_seen(text: str) -> None:
    """However it is written."""
    assert rarities(Source("upvs_tasks.settings.table", text))
