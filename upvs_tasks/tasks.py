"""A row of the task table, and the doit task that it becomes."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doit import create_after
from doit.exceptions import TaskFailed

from upvs_tasks.errors import UpvsError, as_typed, explained_error
from upvs_tasks.phases.context import Context
from upvs_tasks.run import Run

log = logging.getLogger(__name__)

TaskDict = dict[str, Any]
Phase = Callable[[Context], str | None]


@dataclass(frozen=True, slots=True)
class UpToDateCheck:
    """Whether a task is up to date, judged from the disk.

    ``words`` say why it would run where it is not, for `doit info`.
    """

    words: str
    check: Callable[[Context], bool]


@dataclass(frozen=True, slots=True)
class SubTasks:
    """The tasks that a group consists of; they are known once the task ``after`` has run.

    ``target_pattern`` is what their targets look like, so that one can be asked for by its path.
    """

    after: str
    rows: "Callable[[Context], Iterable[Row]]"
    target_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One task: what it does, when it is up to date, what it makes and what it waits for.

    ``phases`` are carried out one after the other; a group has ``sub_tasks`` instead.
    ``asks_console``: it needs the console's address and an account. ``leavings`` is what `doit
    clean` deletes. ``failure`` says why what it makes is not there though nothing went wrong.
    """

    name: str
    doc: str
    is_current: UpToDateCheck
    phases: tuple[Phase, ...] = ()
    targets: Callable[[Context], Sequence[Path]] = lambda _: ()
    waits_for: tuple[str, ...] = ()
    sub_tasks: SubTasks | None = None
    asks_console: bool = False
    leavings: Callable[[Context], Sequence[Path]] = lambda _: ()
    failure: Callable[[Context], str] = lambda _: ""


def task_creators(rows: Iterable[Row], run: Run) -> dict[str, Callable[[], object]]:
    """What doit looks for to find the tasks: functions called ``task_...``."""
    return {f"task_{row.name}": _creator(row, run) for row in rows}


def _creator(row: Row, run: Run) -> Callable[[], object]:
    if row.sub_tasks is None:
        return lambda: _task(row, run)
    sub_tasks = row.sub_tasks

    def create() -> Iterator[TaskDict]:
        rows = sub_tasks.rows(run.context) if run.context else ()
        tasks = [_task(each, run, name=each.name.removeprefix(f"{row.name}:")) for each in rows]
        yield _group(row, run)
        yield from tasks

    create.__doc__ = row.doc
    delayed = create_after(executed=sub_tasks.after, target_regex=sub_tasks.target_pattern)
    creator: Callable[[], object] = delayed(create)
    return creator


def _group(row: Row, run: Run) -> TaskDict:
    return {
        "name": None,
        "doc": row.doc,
        "uptodate": [_Look(row, run, run.context)],
        "task_dep": list(row.waits_for),
        "clean": [_leavings(row, run)],
    }


def _task(row: Row, run: Run, *, name: str | None = None) -> TaskDict:
    task: TaskDict = {
        "doc": row.doc,
        "actions": [_action(row, run)],
        "targets": _targets(row, run),
        "uptodate": [_Look(row, run, run.context)],
        "task_dep": list(row.waits_for),
        # doit would swap sys.stdout between threads to capture what tasks print.
        "io": {"capture": False},
        "clean": [_leavings(row, run)],
    }
    return task if name is None else task | {"name": name}


def _targets(row: Row, run: Run) -> list[str]:
    targets = row.targets(run.context) if run.context else ()
    return [as_typed(target) for target in targets]


def _leavings(row: Row, run: Run) -> Callable[[], Sequence[Path]]:
    """What `doit clean` deletes; our own clean calls this and does the rest."""
    return lambda: row.leavings(run.context) if run.context else ()


@dataclass(frozen=True, slots=True)
class _Look:
    """Lets the run know that a task's turn has come, and judges whether it is up to date."""

    row: Row
    run: Run
    known: Context | None

    def __call__(self, task: Any) -> bool:  # noqa: ANN401  doit's, which carries no types
        self.run.look_at(self.row.name, asks_console=self.row.asks_console)
        context = self.run.context
        if context is not self.known:  # the folder is known only now
            task.targets = _targets(self.row, self.run)
        return context is not None and self.row.is_current.check(context)

    def __repr__(self) -> str:
        return self.row.is_current.words


def _action(row: Row, run: Run) -> Callable[[], object]:
    """Carry out a task's phases: the run tells what fails, in a sentence or as a bug."""

    def action() -> object:
        try:
            context = run.working_context(row.name)
            summaries = [phase(context) for phase in row.phases]
            failure = row.failure(context)
        except Exception as error:
            explained = explained_error(error)
            if explained is not None:
                sentence = str(explained)
                run.fail(row.name, explained, sentence)
                log.error("task failed", extra={"reason": sentence})  # noqa: TRY400  no bug
                return TaskFailed(sentence)
            sentence = f"this is a bug in upvs, please report what follows: {error!r}"
            run.fail(row.name, UpvsError(), sentence, details=traceback.format_exc().splitlines())
            log.exception("task broke")
            return TaskFailed(sentence)
        return {"summaries": [summary for summary in summaries if summary], "failure": failure}

    return action
