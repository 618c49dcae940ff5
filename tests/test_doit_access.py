"""What upvs relies on in doit, one test each: it tells which part an upgrade has changed.

`doit_access`, `doit_commands`, `tasks`, `graph` and `reporter` alone import doit.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import doit
import pytest
from doit.__main__ import main as doit_main
from doit.cmd_run import Run
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed
from doit.reporter import ConsoleReporter

from upvs_tasks import doit_access, program

VERSION = ".".join(map(str, doit.__version__))


def changed(part: str) -> str:
    """The sentence for an upgrade that broke something."""
    return f"doit {VERSION} has changed {part}, on which upvs_tasks/doit_access.py relies"


@dataclass
class Recorder:
    """A guard that lets everything happen, and records it."""

    events: list[str] = field(default_factory=list)

    def run(self, work: Callable[[], int | None], words: Sequence[str]) -> int:
        """A run, which ends with a code of its own."""
        self.events.append(f"run {' '.join(words)}")
        try:
            work()
        finally:
            self.events.append("end")
        return 42

    def clean(self, work: Callable[[], int | None]) -> int:
        """A clean, likewise."""
        self.events.append("clean")
        work()
        return 43

    def remove(self, paths: Sequence[Path], *, pretends: bool) -> None:
        """What clean found to delete."""
        self.events.append(f"remove {' '.join(map(str, paths))}{' not' * pretends}")

    def check_day(self) -> None:
        """The day is known."""

    def note(self, sentence: str) -> None:
        """A sentence for whoever looks on."""
        self.events.append(f"note {sentence}")

    def namespace(self, **more: object) -> dict[str, object]:
        """Two tasks, one of them up to date, that are recorded in the order of doit's looks."""

        def looks(name: str, *, is_current: bool) -> Callable[[], bool]:
            def look() -> bool:
                in_main = threading.current_thread() is threading.main_thread()
                self.events.append(f"look {name}" if in_main else f"look {name} elsewhere")
                return is_current

            return look

        def task_first() -> dict[str, object]:
            return {"actions": None, "uptodate": [looks("first", is_current=True)]}

        def task_second() -> dict[str, object]:
            return {
                "actions": [lambda: self.events.append("act second")],
                "task_dep": ["first"],
                "uptodate": [looks("second", is_current=False)],
                "clean": [lambda: [Path("second.mp4")]],
            }

        config = {"backend": "sqlite3", "dep_file": ":memory:", "num_process": 2} | more
        return {"DOIT_CONFIG": config, "task_first": task_first, "task_second": task_second}

    def execute(self, *arguments: str, **more: object) -> int:
        """Carry out a command line."""
        return doit_access.execute(self.namespace(**more), self, arguments, config_names=())


class Reporter(ConsoleReporter):  # type: ignore[misc]  # doit carries no types
    """Says nothing."""

    def execute_task(self, task: object) -> None:
        """Nothing."""


def test_run_and_clean_are_among_the_commands() -> None:
    names = {command.get_name() for command in DoitMain.DOIT_CMDS}
    assert {"run", "clean", "list", "info"} <= names, changed("DoitMain.DOIT_CMDS")


def test_a_command_is_executed_within_the_guard_with_words_but_no_variables() -> None:
    recorder = Recorder()
    code = recorder.execute("run", "second", "name=value", reporter=Reporter)
    assert code == 42, changed("that a command's exit code is what execute() returns")
    assert recorder.events[0] == "run second", changed("Command.execute(params, args)")
    assert recorder.events[-1] == "end"


def test_a_run_need_not_be_named() -> None:
    recorder = Recorder()
    assert recorder.execute("second", reporter=Reporter) == 42
    assert recorder.events[0] == "run second", changed("that run is the default command")


def test_cleaning_is_executed_within_the_guard() -> None:
    recorder = Recorder()
    assert recorder.execute("clean", "second") == 43, changed("the command clean")
    assert recorder.events == ["clean", "remove second.mp4"], changed("Clean.clean_tasks")
    assert recorder.execute("clean", "-n", "first") == 43
    assert recorder.events[2:] == ["clean", "remove  not"], changed("Clean.clean_tasks")


def test_info_says_why_a_task_is_not_up_to_date_in_words_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Check:
        def __call__(self) -> bool:
            return False

        def __repr__(self) -> str:
            return "all is well"

    def task_only() -> dict[str, object]:
        return {"actions": None, "uptodate": [Check()]}

    recorder = Recorder()
    namespace = recorder.namespace() | {"task_only": task_only}
    code = doit_access.execute(namespace, recorder, ["info", "only"], config_names=())
    assert code == 1
    assert "would run, because:\n  all is well\n" in capsys.readouterr().out, changed(
        "the words of doit info"
    )


def test_each_task_is_looked_at_in_the_main_thread_before_it_acts() -> None:
    """The first look begins the run, which sets up signals' surroundings and the lock."""
    recorder = Recorder()
    recorder.execute("run", "second", reporter=Reporter)
    expected = ["run second", "look first", "look second", "act second", "end"]
    assert recorder.events == expected, changed("when it calls what a task has as uptodate")


def test_what_a_look_raises_ends_the_run_and_comes_out() -> None:
    recorder = Recorder()
    namespace = recorder.namespace(reporter=Reporter)

    def refuse() -> bool:
        raise KeyError("refused")

    namespace["task_first"] = lambda: {"actions": None, "uptodate": [refuse]}
    code = doit_access.execute(namespace, recorder, ["run", "second"], config_names=())
    assert code == 3
    assert recorder.events == ["run second", "end"], changed("what errors of uptodate do")


def test_processes_become_threads() -> None:
    recorder = Recorder()
    recorder.execute("run", "-P", "process", "second", reporter=Reporter)
    assert recorder.events[0].startswith("note "), changed("the option -P")
    assert "act second" in recorder.events, changed("what threads are called")


def test_threads_are_the_default() -> None:
    options = {option["name"]: option for option in Run.cmd_options}
    assert options["par_type"]["default"] == "process", changed("the option par_type")
    recorder = Recorder()
    recorder.execute("run", "second", reporter=Reporter, par_type="process")
    assert recorder.events[0] == "run second", changed("the default of an option")
    assert "act second" in recorder.events, changed("that what is set goes before DOIT_CONFIG")


def test_a_reporter_has_what_ours_reads() -> None:
    reporter = ConsoleReporter(sys.stdout, {})
    assert reporter.runtime_errors == [], changed("ConsoleReporter.runtime_errors")
    failed = TaskFailed("why")
    names = (failed.get_name(), failed.get_msg())
    assert names == ("TaskFailed", "why\n"), changed("the names of failures")


class Main:
    """What Python knows of the program that it runs."""

    def __init__(self, name: str | None, main: object = None) -> None:
        self.__spec__ = SimpleNamespace(name=name) if name else None
        self.main = main


@pytest.mark.parametrize(
    ("main", "variables"),
    [
        (Main(None, doit_main), {"date": "2024-01-15", "crf": ""}),
        (Main("doit.__main__"), {"date": "2024-01-15", "crf": ""}),
        (Main(None, pytest.main), {}),
        (Main("pytest.__main__"), {}),
        (Main(None), {}),
    ],
)
def test_only_the_command_line_of_doits_own_program_counts(
    monkeypatch: pytest.MonkeyPatch, main: Main, variables: dict[str, str]
) -> None:
    """By whatever name it was started."""
    monkeypatch.setitem(sys.modules, "__main__", cast("ModuleType", main))
    monkeypatch.setattr(sys, "argv", ["day", "run", "date=2024-01-15", "crf=", "-x=1", "-"])
    assert program.is_doit() is bool(variables), changed("doit.__main__.main")
    assert doit_access.variables() == variables


DODO = """
from upvs_tasks import doit_access

class Guard:
    def run(self, work, words):
        work()
        return 42

def task_only():
    return {"actions": [lambda: print("acted")], "io": {"capture": False}}

DOIT_CONFIG = {"backend": "sqlite3", "dep_file": ":memory:", "verbosity": 2}
doit_access.hand_over(globals(), Guard())
"""


@pytest.mark.parametrize("program", [("-m", "doit"), (str(Path(sys.executable).parent / "doit"),)])
@pytest.mark.parametrize(
    ("folder", "arguments"),
    [("home", ("run",)), ("home", ("only",)), (".", ("run", "-f", "home/dodo.py"))],
)
def test_the_file_of_tasks_hands_its_command_line_over(
    tmp_path: Path, program: tuple[str, ...], folder: str, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dodo.py").write_text(DODO)
    ended = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=tmp_path / folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 42, changed(f"how it loads dodo.py: {ended.stderr}")
    assert ended.stdout.count("acted") == 1
