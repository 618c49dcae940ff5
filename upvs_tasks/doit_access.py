"""The one way into doit: its command line, carried out with commands of ours.

doit has no hook around a run. A plugin for `run` would be found only in the current folder's
pyproject.toml, or would reach every doit project of the environment. So dodo.py hands the command
line over to a doit of ours, whose commands work within a `Guard`: whichever reporter was asked for,
and however doit ends.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from doit import doit_cmd
from doit.cmd_base import DodoTaskLoader, ModuleTaskLoader

from upvs_tasks import program
from upvs_tasks.doit_commands import COMMANDS, Guard
from upvs_tasks.errors import ExitCode


def hand_over(namespace: Mapping[str, Any], guard: Guard) -> None:
    """Carry out doit's command line and exit; do nothing where doit is a part of another program.

    To be called at the end of dodo.py, with all that is defined there.
    """
    if program.is_doit():
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


def variables() -> dict[str, str]:
    """All ``name=value`` of doit's command line.

    doit hands out single ones only, by name, so that a misspelled one would go unnoticed.
    """
    words = sys.argv[1:] if program.is_doit() else []
    given = (word.partition("=") for word in words if not word.startswith("-"))
    return {name: value for name, equals, value in given if equals}


class _Loader(ModuleTaskLoader):  # type: ignore[misc]  # doit carries no types
    """Takes the tasks from a namespace; understands dodo.py's options, which are dealt with."""

    cmd_options = DodoTaskLoader.cmd_options

    def __init__(self, namespace: Mapping[str, Any], guard: Guard) -> None:
        super().__init__(dict(namespace))
        self.guard = guard


class _Doit(doit_cmd.DoitMain):  # type: ignore[misc]  # doit carries no types
    """doit, with commands of ours."""

    DOIT_CMDS = COMMANDS
