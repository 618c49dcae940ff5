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
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from doit import create_after
from doit.exceptions import InvalidDodoFile, TaskFailed

from upvs_tasks import doit_access
from upvs_tasks import settings as configuration
from upvs_tasks.errors import UpvsError
from upvs_tasks.model.clip_index import ClipIndex, IndexEntry
from upvs_tasks.model.encoding import Engine
from upvs_tasks.model.plan import Segment
from upvs_tasks.phases import estimate, fetch, manifest, render, scan, speed, timelapse, verify
from upvs_tasks.phases.context import Context
from upvs_tasks.reporter import story_reporter
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
    look_at: Callable[[], None] = lambda: None

    def __call__(self) -> bool:
        """Let the run know that the task's turn has come, and judge from the disk."""
        self.look_at()
        return self.check()

    def __repr__(self) -> str:
        return self.words


_ALWAYS = UpToDateCheck("never: it looks anew each time", lambda: False)


class Graph:
    """The tasks of one camera and day; doit finds the methods called ``task_...``."""

    def __init__(
        self,
        settings: Settings,
        *,
        start_from: StartFrom = StartFrom.CONSOLE,
        may_clean_clips: bool = False,
        verbose: bool = False,
    ) -> None:
        self._settings = settings
        self._start_from = start_from
        self._may_clean_clips = may_clean_clips
        self.run = Run(settings, verbose=verbose)

    def doit_config(self) -> TaskDict:
        """What doit itself has to know."""
        return {
            "default_tasks": ["timelapse"],
            "backend": "sqlite3",
            "dep_file": ":memory:",
            "num_process": max(self._settings.max_workers, self._settings.renders_at_once),
            "verbosity": 2,
            "reporter": story_reporter(
                self.run.terminal, self.run.work, is_offline=self._start_from is StartFrom.DISK
            ),
        }

    def task_scan(self) -> TaskDict:
        """List the day's events: metadata/camera.json, manifests/clip_index.json."""
        job = self._job
        known = UpToDateCheck("there is a clip index", lambda: self._known_index is not None)
        is_offline = self._start_from is StartFrom.DISK
        return self._task(
            "scan",
            _need_index if is_offline else scan.run,
            targets=[job.layout.camera_json, job.layout.clip_index] if job else [],
            check=_ALWAYS if self._start_from is StartFrom.CONSOLE else known,
            asks_console=not is_offline,
        )

    @create_after(  # type: ignore[untyped-decorator]  # doit carries no types
        executed="scan", target_regex=r".*clip_\d+_\d+_[^/]+\.mp4"
    )
    def task_fetch(self) -> Iterator[TaskDict]:
        """Download the clips, one task each."""
        index = self._known_index
        clips = [self._clip(index.camera_id, entry) for entry in index.entries] if index else []
        self.run.work.expect_clips(len(clips))
        group = UpToDateCheck(
            "every clip is on the disk", lambda: bool(clips) and self._all_current()
        )
        yield {
            "name": None,
            "doc": self.task_fetch.__doc__,
            "uptodate": [self._looked_at("fetch", group)],
            "task_dep": ["scan"],
        }
        if self._start_from is not StartFrom.DISK:
            yield from clips

    def task_manifest(self) -> TaskDict:
        """Name the clips that are on the disk: manifests/concat.txt."""
        job = self._job
        return self._task(
            "manifest",
            manifest.run,
            targets=[job.layout.concat_text] if job else [],
            check=self._claim("concat.txt names what is on the disk", manifest.is_current),
            task_dep=["fetch"],
        )

    def task_speed(self) -> TaskDict:
        """Compute the speed from the footage: metadata/day.json."""
        job = self._job
        return self._task(
            "speed",
            speed.run,
            targets=[job.layout.day_json] if job else [],
            check=self._claim("day.json follows from the footage", speed.is_current),
            task_dep=["manifest"],
        )

    def task_estimate(self) -> TaskDict:
        """Foresee the film's size and time, and whether the disk has room."""
        claim = UpToDateCheck("every part is on the disk, or in the film", self._all_rendered)
        return self._task("estimate", estimate.run, targets=[], check=claim, task_dep=["speed"])

    @create_after(executed="speed")  # type: ignore[untyped-decorator]  # doit carries no types
    def task_render(self) -> Iterator[TaskDict]:
        """Render the parts of the film, one task each."""
        segments = list(self._segments())
        self.run.work.expect_segments(len(segments))
        group = UpToDateCheck("every part is on the disk, or in the film", self._all_rendered)
        yield {
            "name": None,
            "doc": self.task_render.__doc__,
            "uptodate": [self._looked_at("render", group)],
            "task_dep": ["estimate"],
        }
        yield from segments

    def task_timelapse(self) -> TaskDict:
        """Render the film and verify the day: timelapse/<camera>_<date>_timelapse.mp4."""
        index = self._known_index
        return self._task(
            "timelapse",
            timelapse.run,
            verify.run,
            targets=[timelapse.film_path(self._job, index)] if self._job and index else [],
            check=self._claim("the film is of these clips", timelapse.is_current),
            task_dep=["render"],
        )

    def task_verify(self) -> TaskDict:
        """Check clips, manifests and film again; asks nothing of the console."""
        return self._task(
            "verify", lambda job: verify.run(job, decodes=True), targets=[], check=_ALWAYS
        )

    @property
    def _job(self) -> Context | None:
        return self.run.job

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
            f"fetch:{entry.name}",
            bring,
            targets=[job.layout.at(entry.file_path)],
            check=claim,
            task_dep=["scan"],
            asks_console=True,
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
            f"render:{segment.number:03}",
            lambda job: render.run(job, drawing, segment),
            targets=[],
            check=claim,
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
        name: str,
        *phases: Callable[[Context], str | None],
        targets: list[Path],
        check: UpToDateCheck,
        task_dep: list[str] | None = None,
        asks_console: bool = False,
    ) -> TaskDict:
        return {
            "actions": [self._action(name, *phases)],
            "targets": [_as_typed(target) for target in targets],
            "uptodate": [self._looked_at(name, check, asks_console=asks_console)],
            "task_dep": task_dep or [],
            "clean": True,
            # doit would swap sys.stdout between threads to capture what tasks print.
            "io": {"capture": False},
        }

    def _looked_at(
        self, name: str, check: UpToDateCheck, *, asks_console: bool = False
    ) -> UpToDateCheck:
        return replace(check, look_at=lambda: self.run.look_at(name, asks_console=asks_console))

    def _claim(self, words: str, check: Callable[[Context], bool]) -> UpToDateCheck:
        job = self._job
        return UpToDateCheck(words, lambda: job is not None and check(job))

    def _action(self, name: str, *phases: Callable[[Context], str | None]) -> Callable[[], object]:
        """Let the run tell our own errors as sentences, and keep the traceback of any other."""

        def action() -> object:
            try:
                job = self.run.working_context()
                stories = [phase(job) for phase in phases]
            except UpvsError as error:
                sentence = str(error)
                self.run.fail(name, error, sentence)
                log.error("task failed", extra={"reason": sentence})  # noqa: TRY400  foreseen
                return TaskFailed(sentence)
            except Exception as error:
                sentence = f"this is a bug in upvs:\n{traceback.format_exc()}{error}"
                self.run.fail(name, UpvsError(), sentence)
                log.exception("task broke")
                return TaskFailed(sentence)
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
            configuration.load(config_path=config_path, variables=doit_access.variables()),
            may_clean_clips=_names_clips(sys.argv[1:]),
        )
    except UpvsError as error:
        raise InvalidDodoFile(str(error)) from error


def execute(graph: Graph, task: str) -> int:
    """Run one task and what it needs, as `doit run` does; returns the exit code."""
    names = [name for name in dir(graph) if name.startswith("task_")]
    namespace = {name: getattr(graph, name) for name in names}
    namespace["DOIT_CONFIG"] = graph.doit_config()
    return doit_access.execute(namespace, graph.run, ["run", task], config_names=())


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
