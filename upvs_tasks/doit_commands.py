"""doit's commands as they are here: within the guard, without a database, and in words.

What doit would answer with several lines, a traceback or in its own terms is one sentence. A
command that only changes doit's database is refused: nothing here is read from a database.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from doit.cmd_base import Command
from doit.cmd_clean import Clean, opt_clean_cleanall, opt_clean_cleandep, opt_clean_dryrun
from doit.cmd_completion import TabCompletion
from doit.cmd_forget import Forget
from doit.cmd_help import Help
from doit.cmd_ignore import Ignore
from doit.cmd_info import Info
from doit.cmd_list import List
from doit.cmd_resetdep import ResetDep
from doit.cmd_run import Run
from doit.cmd_strace import Strace
from doit.cmdparse import CmdParseError
from doit.exceptions import InvalidCommand, InvalidDodoFile, InvalidTask
from doit.reporter import JsonReporter

from upvs_tasks.errors import UpvsError, UsageError, explained_error

_THREADS = "thread"
_JSON = "json"
_FAILURE = "failure"
# What doit needs to know of its database: there is none, and no option that names one.
_NO_DATABASE = {
    "backend": "sqlite3",
    "dep_file": ":memory:",
    "check_file_uptodate": "md5",
    "codec_cls": "json",
    "cleanforget": False,
}
_REFUSALS = (CmdParseError, InvalidCommand, InvalidDodoFile, InvalidTask)
_NO_OPTION = re.compile(r"option (\S+) not recognized")


class Guard(Protocol):
    """What is held while doit is at work, and what turns its end into an exit code."""

    def run(self, work: Callable[[], int | None], words: Sequence[str]) -> int:
        """Carry out tasks; ``words`` are the tasks and targets that were asked for."""

    def clean(self, work: Callable[[], int | None]) -> int:
        """Delete what tasks have made."""

    def remove(self, paths: Sequence[Path], *, pretends: bool) -> None:
        """Delete these files, or only say which."""

    def check_day(self) -> None:
        """Raise UpvsError where it is not said which day's tasks are meant."""

    def note(self, sentence: str) -> None:
        """Tell something about the way in which the tasks are carried out."""


class _Worded:
    """A command of doit that refuses in one sentence, and that has no database."""

    base_options = ()
    name: str

    def parse_execute(self, arguments: list[str]) -> Any:
        try:
            return super().parse_execute(arguments)  # type: ignore[misc]  # of doit's commands
        except (*_REFUSALS, UpvsError, OSError) as error:
            explained = explained_error(error)
            if explained is None and isinstance(error, OSError):
                raise
            sys.stderr.write(f"ERROR: {_sentence_of(explained or error, self.name)}\n")
            return explained.exit_code if explained else UsageError.exit_code

    def execute(self, params: Any, args: list[str]) -> Any:
        for name, value in _NO_DATABASE.items():
            params.set_default(name, value)
        return super().execute(params, args)  # type: ignore[misc]  # likewise


def _sentence_of(error: Exception, command: str) -> str:
    text = str(error)
    if isinstance(error, CmdParseError) and (found := _NO_OPTION.search(text)):
        return f"there is no option {found[1]}: doit help {command} shows what there is"
    return " ".join(text.split())


def _unknown(name: object) -> UsageError:
    return UsageError(f"there is no task {name}: doit list --all shows what there is")


class _GuardedRun(_Worded, Run):  # type: ignore[misc]  # doit carries no types
    """`doit run`, within the guard and in threads.

    The tasks of a run share a lock, a log and a session, which other processes would not have.
    """

    name = "run"
    cmd_options = tuple(
        option | {"default": _THREADS} if option["name"] == "par_type" else option
        for option in Run.cmd_options
    )

    def get_reporters(self) -> dict[str, type]:
        reporters: dict[str, type] = super().get_reporters()
        return reporters | {_JSON: _WholeJsonReporter}

    def execute(self, params: dict[str, Any], args: list[str]) -> int:
        guard: Guard = self.loader.guard
        if params["par_type"] != _THREADS:
            guard.note("tasks run in threads of one process, whatever -P says")
        params["par_type"] = _THREADS
        if not isinstance(params["outfile"], str):
            params["outfile"] = sys.stdout  # doit took that of its own start
        work = partial(super().execute, params, args)
        return guard.run(partial(_checked, work, params), words=args)


def _checked(work: Callable[[], int | None], params: Mapping[str, Any]) -> int | None:
    """Do the work. Raises UsageError for options and tasks that cannot be."""
    if params["num_process"] < 0:
        raise UsageError(
            f"-n is {params['num_process']}, but it must be how many tasks may run at the same "
            "time, or 0 for one after the other"
        )
    try:
        return work()
    except OSError as error:
        if error.filename is None or error.filename != params["outfile"]:
            raise
        raise UsageError(f"-o {error.filename} cannot be written ({error.strerror})") from error
    except InvalidCommand as error:
        if error.not_found is None:
            raise
        raise _unknown(error.not_found) from error


class _WholeJsonReporter(JsonReporter):  # type: ignore[misc]  # doit carries no types
    """doit's JSON, also of a run that was broken off; what a task did not get is a failure."""

    def add_success(self, task: Any) -> None:
        if failure := (task.values or {}).get(_FAILURE):
            self.t_results[task.name].set_result("fail", failure)
        else:
            super().add_success(task)

    def complete_run(self) -> None:
        for result in self.t_results.values():
            if result.result is None:
                result.set_result("broken off")
        super().complete_run()


class _GuardedClean(_Worded, Clean):  # type: ignore[misc]  # doit carries no types
    """`doit clean`, within the guard: it deletes what tasks say of themselves, and tells it."""

    name = "clean"
    cmd_options = (opt_clean_cleandep, opt_clean_cleanall, opt_clean_dryrun)

    def execute(self, params: dict[str, Any], args: list[str]) -> int:
        guard: Guard = self.loader.guard
        return guard.clean(partial(super().execute, params, args))

    def _execute(
        self, *, dryrun: bool, cleandep: bool, cleanall: bool, cleanforget: bool, pos_args: Any
    ) -> None:
        names = [task.name for task in self.task_list]
        _check_known(names, [word for word in pos_args if "*" not in word])
        super()._execute(dryrun, cleandep, cleanall, cleanforget, pos_args)

    def clean_tasks(self, tasks: Iterable[Any], dryrun: bool, cleanforget: bool) -> None:  # noqa: ARG002, FBT001  doit's own
        actions = (action for task in tasks for action in task.clean_actions)
        paths = dict.fromkeys(path for action in actions for path in action.py_callable())
        self.loader.guard.remove(tuple(paths), pretends=dryrun)
        self.dep_manager.close()


def _check_known(names: Iterable[str], words: Iterable[str]) -> None:
    """Raise UsageError for a task that does not exist."""
    for unknown in set(words) - set(names):
        raise _unknown(unknown)


class _WordedList(_Worded, List):  # type: ignore[misc]  # doit carries no types
    """`doit list`."""

    name = "list"

    def execute(self, params: dict[str, Any], args: list[str]) -> int:
        _check_template(params["template"] or "")
        if params["status"]:
            self.loader.guard.check_day()
        code: int = super().execute(params, args)
        return code

    @staticmethod
    def _list_filtered(tasks: Mapping[str, Any], words: list[str], subtasks: bool) -> Any:  # noqa: FBT001  doit's own
        _check_known(tasks, words)
        return List._list_filtered(tasks, words, subtasks)  # noqa: SLF001  it replaces that


def _check_template(template: str) -> None:
    try:
        template.format(name="", doc="", status="")
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--template {template} is not understood: it may hold {{name}}, {{doc}} and, with "
            "--status, {status}"
        ) from error


class _WordedInfo(_Worded, Info):  # type: ignore[misc]  # doit carries no types
    """`doit info`: whether a task would run, and why."""

    name = "info"

    def _execute(self, pos_args: Sequence[str], hide_status: bool = False) -> int:  # noqa: FBT001, FBT002  doit's own
        if len(pos_args) != 1:
            raise UsageError("doit info takes one task, for example: doit info timelapse")
        tasks = {task.name: task for task in self.task_list}
        _check_known(tasks, pos_args)
        task = tasks[pos_args[0]]
        self.outstream.write(f"{task.name}: {task.doc}\n")
        reasons = [] if hide_status else self._reasons(task, tasks)
        if not hide_status:
            self.outstream.write("would run, because:\n" if reasons else "up to date\n")
        self._write_list(reasons)
        for title, listed in (("waits for", task.task_dep), ("makes", task.targets)):
            if listed:
                self.outstream.write(f"{title}:\n")
                self._write_list(listed)
        return int(bool(reasons))

    def _reasons(self, task: Any, tasks: Mapping[str, Any]) -> list[str]:
        """Why the task would run, in words; none where it would not."""
        self.loader.guard.check_day()
        status = self.dep_manager.get_status(task, tasks, get_log=True)
        if status.status == "up-to-date":
            return []
        judged = [f"{check!r}" for check, _, _ in status.reasons["uptodate_false"]]
        absent = [f"{target} is not there" for target in status.reasons["missing_target"]]
        return judged + absent

    def _write_list(self, lines: Iterable[str]) -> None:
        self.outstream.writelines(f"  {line}\n" for line in lines)


def _refused(command: type, instead: str) -> type:
    """A command that would only change doit's database, as one that says what to do instead."""

    def execute(self: Command, _params: object, _args: object) -> None:
        raise UsageError(
            f"doit {self.name} has nothing to change: whether a task is up to date is read from "
            f"the disk alone; {instead}"
        )

    facts = {
        "name": command.get_name(),  # type: ignore[attr-defined]  # doit carries no types
        "doc_purpose": f"not here: {instead}",
        "execute": execute,
    }
    return type(command.__name__, (_Worded, command), facts)


_AGAIN = "to have a task carried out again, delete what it made with doit clean"
_LOOK = "doit list --all --status shows what is done"
COMMANDS = (
    Help,
    _GuardedRun,
    _WordedList,
    _WordedInfo,
    _GuardedClean,
    _refused(Forget, _AGAIN),
    _refused(Ignore, "to leave footage out, use event_types, smart_types, start or end"),
    _refused(ResetDep, _LOOK),
    _refused(Strace, _LOOK),
    TabCompletion,
)
