"""The one way into doit: all that we extend of it, and all that we rely on.

doit has no hook around a run. A plugin for `run` would be found only in the current folder's
pyproject.toml, or would reach every doit project of the environment. So dodo.py hands the command
line over to a doit of ours, which has the same commands, and whose `run` and `clean` work within a
`Guard`: whichever reporter was asked for, and however doit ends.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from doit import doit_cmd
from doit.cmd_base import DodoTaskLoader, ModuleTaskLoader
from doit.cmd_clean import Clean
from doit.cmd_info import Info
from doit.cmd_run import Run as DoitRun
from doit.exceptions import InvalidCommand

from upvs_tasks.errors import ExitCode, UsageError

_PARALLEL, _THREADS = "par_type", "thread"
_NO_ARGUMENTS = " (args=[], kwargs={})"


class Guard(Protocol):
    """What is held while doit is at work, and what turns its end into an exit code."""

    def run(self, work: Callable[[], int | None], words: Sequence[str]) -> int:
        """Carry out tasks; ``words`` are the tasks and targets that were asked for."""

    def clean(self, work: Callable[[], int | None]) -> int:
        """Delete what tasks have made."""

    def note(self, sentence: str) -> None:
        """Tell something about the way in which the tasks are carried out."""


def hand_over(namespace: Mapping[str, Any], guard: Guard) -> None:
    """Carry out doit's command line and exit; do nothing where doit is a part of another program.

    To be called at the end of dodo.py, with all that is defined there.
    """
    if is_program():
        sys.exit(execute(namespace, guard, sys.argv[1:]))


def execute(
    namespace: Mapping[str, Any],
    guard: Guard,
    arguments: Sequence[str],
    *,
    config_names: Sequence[str] = ("pyproject.toml", "doit.cfg"),
) -> int:
    """Carry out a command line of doit with the tasks of a namespace; returns the exit code."""
    doit = _Doit(_Loader(namespace, guard), config_filenames=config_names)
    try:
        return doit.run(list(arguments)) or ExitCode.WHOLE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED


def is_program() -> bool:
    """Whether the program that runs is doit's own, as `doit` or as `python -m doit`."""
    program = Path(sys.argv[0])
    return program.stem == "doit" or program.parts[-2:] == ("doit", "__main__.py")


def variables() -> dict[str, str]:
    """All ``name=value`` of doit's command line.

    doit hands out single ones only, by name, so that a misspelled one would go unnoticed.
    """
    words = sys.argv[1:] if is_program() else []
    given = (word.partition("=") for word in words if not word.startswith("-"))
    return {name: value for name, equals, value in given if equals}


class _Loader(ModuleTaskLoader):  # type: ignore[misc]  # doit carries no types
    """Takes the tasks from a namespace; understands dodo.py's options, which are dealt with."""

    cmd_options = DodoTaskLoader.cmd_options

    def __init__(self, namespace: Mapping[str, Any], guard: Guard) -> None:
        super().__init__(dict(namespace))
        self.guard = guard


class _GuardedRun(DoitRun):  # type: ignore[misc]  # doit carries no types
    """`doit run`, within the guard and in threads.

    The tasks of a run share a lock, a log and a session, which other processes would not have.
    """

    name = "run"
    cmd_options = tuple(
        option | {"default": _THREADS} if option["name"] == _PARALLEL else option
        for option in DoitRun.cmd_options
    )

    def execute(self, params: dict[str, Any], args: list[str]) -> int:
        guard: Guard = self.loader.guard
        if params[_PARALLEL] != _THREADS:
            guard.note("tasks run in threads of one process, whatever -P says")
        params[_PARALLEL] = _THREADS
        work = partial(super().execute, params, args)
        return guard.run(partial(_known_tasks_only, work), words=args)


def _known_tasks_only(work: Callable[[], int | None]) -> int | None:
    """Do the work. Raises UsageError for a task or a target that doit does not know."""
    try:
        return work()
    except InvalidCommand as error:
        name = error.not_found or error
        raise UsageError(f"there is no task {name}: doit list --all shows what there is") from error


class _GuardedClean(Clean):  # type: ignore[misc]  # doit carries no types
    """`doit clean`, within the guard."""

    name = "clean"

    def execute(self, params: dict[str, Any], args: list[str]) -> int:
        guard: Guard = self.loader.guard
        return guard.clean(partial(super().execute, params, args))


class _WordedInfo(Info):  # type: ignore[misc]  # doit carries no types
    """`doit info`, with the words of a check and not how it is called."""

    name = "info"

    @staticmethod
    def get_reasons(reasons: Mapping[str, Any]) -> str:
        text: str = Info.get_reasons(reasons)
        return text.replace(_NO_ARGUMENTS, "")


class _Doit(doit_cmd.DoitMain):  # type: ignore[misc]  # doit carries no types
    """doit, with some of its commands replaced."""

    DOIT_CMDS = tuple(
        {DoitRun: _GuardedRun, Clean: _GuardedClean, Info: _WordedInfo}.get(command, command)
        for command in doit_cmd.DoitMain.DOIT_CMDS
    )
