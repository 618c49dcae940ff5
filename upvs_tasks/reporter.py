"""Tells a run's story as doit carries it out, and turns its end into an exit code."""

import sys
from typing import Any

from doit.reporter import ConsoleReporter

from upvs_tasks.errors import UpvsError, UsageError
from upvs_tasks.run import Run
from upvs_tasks.signals import INTERRUPTED

_FETCH = "fetch:"
_RENDER = "render:"
_OFFLINE = frozenset({"verify"})


class StoryReporter(ConsoleReporter):  # type: ignore[misc]  # doit carries no types
    """doit's reporter with one line for each task that has something to say.

    doit calls `execute_task` from its workers and everything else from the main thread.
    """

    desc = "a sentence for each step, and an account at the end"

    def __init__(self, run: Run, *, is_offline: bool) -> None:
        super().__init__(sys.stdout, {})
        self._run = run
        self._is_offline = is_offline
        self._began = False
        self._tasks: dict[str, Any] = {}
        self._clips_done: set[str] = set()
        self._clips_asked_for = 0
        self._segments_done = self._segments_rendered = 0
        self._tasks_counted = self._clip_count = 0
        self._film_wanted = False

    def initialize(self, tasks: dict[str, Any], selected_tasks: list[str]) -> None:
        """Start the run, or end it here in one sentence."""
        self._tasks = tasks
        try:
            if not selected_tasks:
                raise UsageError("no task has that name: doit list shows what there is")
            offline = self._is_offline or _OFFLINE.issuperset(selected_tasks)
            self._run.begin(asks_console=not offline)
        except UpvsError as error:
            self._run.terminal.warn(f"ERROR: {error}")
            sys.exit(error.exit_code)
        self._began = True

    def execute_task(self, task: Any) -> None:
        """Show that a clip is on its way; what a task did is told once it is done."""
        if task.name.startswith(_FETCH):
            self._run.count_clips(len(self._clips_done), self._clips_in_all())

    def add_success(self, task: Any) -> None:
        """Tell what the task did."""
        self._count(task.name)
        if task.name.startswith(_FETCH):
            self._clips_asked_for += 1
        if task.name.startswith(_RENDER):
            self._segments_rendered += 1
        for story in task.values.get("stories", ()):
            self._run.terminal.tell(task.name, story)

    def skip_uptodate(self, task: Any) -> None:
        """Tell that there was nothing to do, but not for each clip."""
        self._count(task.name)
        is_part = task.name.startswith((_FETCH, _RENDER))
        is_left_out = self._is_offline and task.name == "scan"
        if task.actions and not is_part and not is_left_out:
            self._run.terminal.tell(task.name, "up to date")

    def add_failure(self, task: Any, fail: Any) -> None:
        """Tell why a task failed; tasks that wait for it have nothing to add."""
        self._count(task.name)
        if fail.get_name() != "UnmetDependency":
            self._run.terminal.end_work()
            self._run.terminal.warn(f"ERROR: {task.name}: {fail.message}")

    def complete_run(self) -> None:
        """Account for the day and leave with the run's own exit code."""
        if not self._began:
            return
        self._began = False
        match sys.exc_info()[1]:
            case None:
                names = frozenset(self._clips_done)
                sys.exit(self._run.end(clip_names=names, film_wanted=self._film_wanted))
            case KeyboardInterrupt():
                self._run.break_off("interrupted")
                sys.exit(INTERRUPTED)
            case SystemExit():
                self._run.break_off("terminated")
            case unforeseen:
                self._run.break_off(f"this is a bug in upvs ({unforeseen!r})")

    def _count(self, name: str) -> None:
        self._film_wanted = self._film_wanted or name == "timelapse"
        if name.startswith(_RENDER):
            self._segments_done += 1
            total = sum(known.startswith(_RENDER) for known in self._tasks)
            self._run.count_segments(self._segments_done, total)
        if name == "render":
            self._run.tell_rendered(self._segments_rendered, self._segments_done)
        if name == "fetch" and not self._is_offline:
            self._run.tell_fetched(self._clips_asked_for, len(self._clips_done))
        if name.startswith(_FETCH):
            self._clips_done.add(name.removeprefix(_FETCH))
            self._run.count_clips(len(self._clips_done), self._clips_in_all())

    def _clips_in_all(self) -> int:
        """Number of clip tasks; doit adds them to the tasks that it gave us once it made them."""
        if self._tasks_counted != len(self._tasks):
            self._tasks_counted = len(self._tasks)
            self._clip_count = sum(name.startswith(_FETCH) for name in self._tasks)
        return self._clip_count
