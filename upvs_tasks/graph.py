"""The whole task graph: what there is to do, what waits for what, and when it is stale.

    scan -> fetch:<clip> ... -> manifest -> speed -> estimate -> render:<nnn> ... -> timelapse
    verify

Staleness is judged from the disk alone. doit has a database of its own, but writes it only when a
run ends, and would believe it after a kill: here it lives in memory and nothing relies on it.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from doit import create_after, doit_cmd
from doit.cmd_base import ModuleTaskLoader
from doit.exceptions import InvalidDodoFile, TaskFailed

from upvs_tasks import settings as configuration
from upvs_tasks.errors import UpvsError
from upvs_tasks.model.clip_index import ClipIndex, IndexEntry
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases import estimate, fetch, manifest, render, scan, speed, timelapse, verify
from upvs_tasks.phases.context import Context
from upvs_tasks.reporter import StoryReporter
from upvs_tasks.run import Run
from upvs_tasks.settings import Settings

log = logging.getLogger(__name__)

TaskDict = dict[str, Any]


class StartFrom(Enum):
    """How far back towards the console a run goes."""

    CONSOLE = "list the day anew, then whatever is missing"
    INDEX = "take the clip index as it is, where there is one"
    DISK = "take the footage as it is"


@dataclass(frozen=True, slots=True)
class UpToDateCheck:
    """Whether a task is up to date, with words for `doit info`."""

    words: str
    check: Callable[[], bool]

    def __call__(self) -> bool:
        """Judge from the disk."""
        return self.check()

    def __repr__(self) -> str:
        return self.words


class Graph:
    """The tasks of one camera and day; doit finds the methods called ``task_...``."""

    def __init__(
        self,
        settings: Settings,
        *,
        reach: StartFrom = StartFrom.CONSOLE,
        may_clean_clips: bool = False,
        verbose: bool = False,
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._may_clean_clips = may_clean_clips
        self._run = Run(settings, verbose=verbose)

    def doit_config(self) -> TaskDict:
        """What doit itself has to know."""
        return {
            "default_tasks": ["timelapse"],
            "backend": "sqlite3",
            "dep_file": ":memory:",
            "num_process": max(self._settings.max_workers, self._settings.renders_at_once),
            "par_type": "thread",
            "verbosity": 2,
            "reporter": StoryReporter(self._run, is_offline=self._reach is StartFrom.DISK),
        }

    def task_scan(self) -> TaskDict:
        """List the day's events: metadata/camera.json, manifests/clip_index.json."""
        job = self._job
        known = UpToDateCheck("there is a clip index", lambda: self._known_index is not None)
        return self._task(
            _need_index if self._reach is StartFrom.DISK else scan.run,
            targets=[job.layout.camera_json, job.layout.clip_index] if job else [],
            uptodate=[False if self._reach is StartFrom.CONSOLE else known],
        )

    @create_after(  # type: ignore[untyped-decorator]  # doit carries no types
        executed="scan", target_regex=r".*clip_\d+_\d+_[^/]+\.mp4"
    )
    def task_fetch(self) -> Iterator[TaskDict]:
        """Download the clips, one task each."""
        index = self._known_index
        clips = [self._clip(index.camera_id, entry) for entry in index.entries] if index else []
        group = UpToDateCheck(
            "every clip is on the disk", lambda: bool(clips) and self._all_current()
        )
        yield {
            "name": None,
            "doc": self.task_fetch.__doc__,
            "uptodate": [group],
            "task_dep": ["scan"],
        }
        if self._reach is not StartFrom.DISK:
            yield from clips

    def task_manifest(self) -> TaskDict:
        """Name the clips that are on the disk: manifests/concat.txt."""
        job = self._job
        return self._task(
            manifest.run,
            targets=[job.layout.concat_text] if job else [],
            uptodate=[self._claim("concat.txt names what is on the disk", manifest.is_current)],
            task_dep=["fetch"],
        )

    def task_speed(self) -> TaskDict:
        """Compute the speed from the footage: metadata/day.json."""
        job = self._job
        return self._task(
            speed.run,
            targets=[job.layout.day_json] if job else [],
            uptodate=[self._claim("day.json follows from the footage", speed.is_current)],
            task_dep=["manifest"],
        )

    def task_estimate(self) -> TaskDict:
        """Foresee the film's size and time, and whether the disk has room."""
        claim = UpToDateCheck("every part is on the disk, or in the film", self._all_rendered)
        return self._task(estimate.run, targets=[], uptodate=[claim], task_dep=["speed"])

    @create_after(executed="speed")  # type: ignore[untyped-decorator]  # doit carries no types
    def task_render(self) -> Iterator[TaskDict]:
        """Render the parts of the film, one task each."""
        segments = list(self._segments())
        group = UpToDateCheck("every part is on the disk, or in the film", self._all_rendered)
        yield {
            "name": None,
            "doc": self.task_render.__doc__,
            "uptodate": [group],
            "task_dep": ["estimate"],
        }
        yield from segments

    def task_timelapse(self) -> TaskDict:
        """Render the film and verify the day: timelapse/<camera>_<date>_timelapse.mp4."""
        index = self._known_index
        return self._task(
            timelapse.run,
            verify.run,
            targets=[timelapse.film_path(self._job, index)] if self._job and index else [],
            uptodate=[self._claim("the film is of these clips", timelapse.is_current)],
            task_dep=["render"],
        )

    def task_verify(self) -> TaskDict:
        """Check clips, manifests and film again; asks nothing of the console."""
        return self._task(lambda job: verify.run(job, decodes=True), targets=[], uptodate=[False])

    @property
    def _job(self) -> Context | None:
        return self._run.job

    @property
    def _known_index(self) -> ClipIndex | None:
        return self._job.inventory.known_index() if self._job else None

    def _clip(self, camera_id: str, entry: IndexEntry) -> TaskDict:
        job = self._job
        assert job is not None  # noqa: S101  there is an index, so there is a folder

        def bring(job: Context) -> None:
            fetch.run(job, camera_id, entry)

        claim = self._claim(
            "the clip is as it was measured", lambda job: fetch.is_current(job, entry)
        )
        task = self._task(
            bring,
            targets=[job.layout.at(entry.file_path)],
            uptodate=[claim],
            task_dep=["scan"],
        )
        if not self._may_clean_clips:
            del task["clean"]
        return task | {"name": entry.name, "doc": _span(entry)}

    def _segments(self) -> Iterator[TaskDict]:
        drawing, in_film = self._drawing(), self._claim("the film is made", timelapse.is_current)
        if drawing is None:
            return
        for segment in drawing.plan.segments:
            yield self._segment(drawing, segment, in_film) | {
                "name": f"{segment.number:03}",
                "doc": f"{segment.frame_count} frames",
            }

    def _segment(
        self, drawing: render.FilmPlan, segment: Segment, in_film: UpToDateCheck
    ) -> TaskDict:
        claim = self._claim(
            "the part is on the disk, or in the film",
            lambda job: render.is_current(job, drawing, segment) or in_film(),
        )
        return self._task(
            lambda job: render.run(job, drawing, segment),
            targets=[],
            uptodate=[claim],
            task_dep=["estimate"],
        )

    def _drawing(self) -> render.FilmPlan | None:
        """The film before it is made; None where there is no footage, or no need of parts."""
        index = self._known_index
        if self._job is None or index is None or self._settings.engine is Engine.CONCAT:
            return None
        has_footage = bool(self._job.inventory.recorded(index))
        return render.film_plan(self._job, index) if has_footage else None

    def _all_rendered(self) -> bool:
        job = self._job
        if job is None or timelapse.is_current(job):
            return job is not None
        drawing = self._drawing()
        return drawing is not None and all(
            render.is_current(job, drawing, segment) for segment in drawing.plan.segments
        )

    def _task(
        self,
        *phases: Callable[[Context], str | None],
        targets: list[Path],
        uptodate: list[UpToDateCheck | bool],
        task_dep: list[str] | None = None,
    ) -> TaskDict:
        return {
            "actions": [self._action(*phases)],
            "targets": [_as_typed(target) for target in targets],
            "uptodate": uptodate,
            "task_dep": task_dep or [],
            "clean": True,
            # doit would swap sys.stdout between threads to capture what tasks print.
            "io": {"capture": False},
        }

    def _claim(self, words: str, check: Callable[[Context], bool]) -> UpToDateCheck:
        job = self._job
        return UpToDateCheck(words, lambda: job is not None and check(job))

    def _action(self, *phases: Callable[[Context], str | None]) -> Callable[[], object]:
        """Let doit tell our own errors as sentences, and keep the traceback of any other."""

        def action() -> object:
            job = self._job
            assert job is not None  # noqa: S101  the run does not begin without
            try:
                stories = [phase(job) for phase in phases]
            except UpvsError as error:
                self._run.fail(error)
                log.error("task failed", extra={"reason": str(error)})  # noqa: TRY400  foreseen
                return TaskFailed(str(error))
            except Exception as error:
                self._run.fail(UpvsError())
                log.exception("task broke")
                return TaskFailed(f"this is a bug in upvs:\n{traceback.format_exc()}{error}")
            return {"stories": [story for story in stories if story]}

        return action

    def _all_current(self) -> bool:
        index = self._known_index
        return index is not None and all(
            fetch.is_current(self._job, entry) for entry in index.entries if self._job
        )


def _need_index(job: Context) -> None:
    job.index()


def from_command_line(config_path: Path) -> Graph:
    """Graph of what doit was told. A setting that is wrong ends doit in one sentence."""
    try:
        return Graph(
            configuration.load(config_path=config_path, variables=_variables()),
            may_clean_clips=_names_clips(sys.argv[1:]),
        )
    except UpvsError as error:
        raise InvalidDodoFile(str(error)) from error


def execute(graph: Graph, task: str) -> int:
    """Run one task and what it needs, as `doit run` does; returns the exit code."""
    names = [name for name in dir(graph) if name.startswith("task_")]
    namespace = {name: getattr(graph, name) for name in names}
    namespace["DOIT_CONFIG"] = graph.doit_config()
    main = doit_cmd.DoitMain(ModuleTaskLoader(namespace), config_filenames=())
    try:
        return int(main.run(["run", task]))
    except SystemExit as leaving:
        return int(leaving.code or 0)


def _variables() -> dict[str, object]:
    """All ``name=value`` of the command line.

    doit hands out single ones only, by name, so that a misspelled one would go unnoticed.
    """
    return dict(doit_cmd._CMDLINE_VARS or {})  # noqa: SLF001  see above


def _names_clips(arguments: list[str]) -> bool:
    """Whether `doit clean` was told of clips by name; footage goes for nothing less."""
    return any(argument.split(":")[0] == "fetch" for argument in arguments)


def _as_typed(target: Path) -> str:
    """A target as one would type it: relative where it lies below the current folder."""
    return os.path.relpath(target) if target.is_relative_to(Path.cwd()) else str(target)


def _span(entry: IndexEntry) -> str:
    secs = entry.clip.duration_ms / 1000
    kinds = sorted({kind for event in entry.clip.events for kind in event.smart_types})
    count = len(entry.clip.events)
    events = "1 event" if count == 1 else f"{count} events"
    return f"{secs:.0f} s, {events} {' '.join(kinds)}".rstrip()
