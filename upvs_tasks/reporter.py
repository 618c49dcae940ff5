"""Tells what each task of a run did, as doit carries it out."""

from typing import Any, TextIO

from doit.reporter import ConsoleReporter

from upvs_tasks.model.plural import counted
from upvs_tasks.output.progress import Terminal, Work

_FETCH, _RENDER = "fetch", "render"


class SummaryReporter(ConsoleReporter):  # type: ignore[misc]  # doit carries no types
    """doit's reporter with one line for each task that has something to say.

    It only tells: what a run promises holds with any other reporter. A subclass says to
    which terminal. doit calls `execute_task` from its workers and all else from the main thread.
    """

    desc = "a sentence for each step"
    terminal: Terminal
    work: Work
    is_offline: bool

    def __init__(self, outstream: TextIO, options: dict[str, Any]) -> None:
        super().__init__(outstream, options)
        self.terminal.tell_summaries_on(outstream)
        self._done = {_FETCH: 0, _RENDER: 0}
        self._carried_out = {_FETCH: 0, _RENDER: 0}

    def execute_task(self, task: Any) -> None:
        """Show that a clip is on its way; what a task did is told once it is done."""
        if _group_of(task.name) == _FETCH:
            self.work.begin_clip()

    def add_success(self, task: Any) -> None:
        """Tell what the task did."""
        if (group := _group_of(task.name)) is not None:
            self._carried_out[group] += 1
        self._count(task.name, failed=bool(task.values.get("failure")))
        for summary in task.values.get("summaries", ()):
            self.terminal.tell(task.name, summary)

    def skip_uptodate(self, task: Any) -> None:
        """Tell that there was nothing to do, but not for each clip."""
        self._count(task.name)
        is_left_out = self.is_offline and task.name == "scan"
        if task.actions and _group_of(task.name) is None and not is_left_out:
            self.terminal.tell(task.name, "up to date")

    def add_failure(self, task: Any, fail: Any) -> None:
        """Tell what only doit knows of; the run tells why a task of ours failed."""
        self._count(task.name, failed=True)
        if fail.get_name() not in {"TaskFailed", "UnmetDependency"}:
            self.terminal.warn(f"ERROR: {task.name}: {fail.get_msg()}")

    def complete_run(self) -> None:
        """Tell why doit gave up, where it did; the account is the run's."""
        for message in self.runtime_errors:
            self.terminal.warn(f"ERROR: {message}")
        self.terminal.end_summaries()

    def _count(self, name: str, *, failed: bool = False) -> None:
        match _group_of(name):
            case "fetch":
                self._done[_FETCH] += 1
                self.work.end_clip(failed=failed)
            case "render":
                self._done[_RENDER] += 1
                self.work.end_segment(name.partition(":")[2])
        if name == _FETCH and not self.is_offline:
            self._tell_fetched()
        if name == _RENDER:
            self._tell_rendered()

    def _tell_fetched(self) -> None:
        """How much there was to download, and how many clips were only read again."""
        total, found = self._done[_FETCH], self.work.clips_found
        asked_for = self._carried_out[_FETCH] - found
        clips = counted(total, "clip")
        parts = []
        if asked_for:
            failed = f"{self.work.clips_failed} failed, " if self.work.clips_failed else ""
            received = f"{self.work.megabytes_received:.1f} MB"
            parts.append(f"{asked_for} of {clips} asked for, {failed}{received}")
        if found:
            nothing = "" if asked_for else ", nothing downloaded"
            parts.append(f"{counted(found, 'clip')} checked again{nothing}")
        idle = f"{clips} up to date" if total else "no clips"
        self.terminal.tell(_FETCH, "; ".join(parts) or idle)

    def _tell_rendered(self) -> None:
        """How much there was to render."""
        total, rendered = self._done[_RENDER], self._carried_out[_RENDER]
        if total:
            segments = counted(total, "segment")
            self.terminal.tell(
                _RENDER, f"{rendered} of {segments}" if rendered else f"{segments} kept"
            )


def summary_reporter(terminal: Terminal, work: Work, *, is_offline: bool) -> type[SummaryReporter]:
    """The reporter of one run. doit makes reporters itself, and so takes a class."""
    facts = {"terminal": terminal, "work": work, "is_offline": is_offline}
    return type(SummaryReporter.__name__, (SummaryReporter,), facts)


def _group_of(name: str) -> str | None:
    """The group that a task is one of many of; None for a task that stands alone."""
    group, colon, _ = name.partition(":")
    return group if colon and group in {_FETCH, _RENDER} else None
