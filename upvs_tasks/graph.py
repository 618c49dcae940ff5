"""The whole task graph as a table: what there is to do, what waits for what, and when it is stale.

    scan -> fetch:<clip> ... -> manifest -> speed -> estimate -> render:<nnn> ... -> timelapse
    verify

Staleness is judged from the disk alone. doit has a database of its own, but writes it only when a
run ends, and would believe it after a kill: here it lives in memory and nothing relies on it.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import InvalidDodoFile

from upvs_tasks import doit_access
from upvs_tasks import settings as configuration
from upvs_tasks.errors import UpvsError
from upvs_tasks.model.clip import CONTINUOUS
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.day import Day
from upvs_tasks.model.plan import Segment
from upvs_tasks.model.plural import counted
from upvs_tasks.phases import (
    estimate,
    fetch,
    manifest,
    render,
    report,
    scan,
    speed,
    timelapse,
    verify,
)
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.film_plan import FilmPlan
from upvs_tasks.reporter import summary_reporter
from upvs_tasks.run import Run
from upvs_tasks.settings import Settings
from upvs_tasks.tasks import Row, SubTasks, UpToDateCheck, task_creators

_NEVER = UpToDateCheck("it looks anew each time", lambda _: False)
_NO_CLIP = "the clip is absent, or not as it was measured"
_NO_SEGMENT = "a segment is absent, and the film is not made"


class StartFrom(Enum):
    """How far back towards the console a run goes."""

    CONSOLE = "list the day anew, then whatever is missing"
    INDEX = "take the clip index as it is, where there is one"
    DISK = "take the footage as it is"


@dataclass(frozen=True, slots=True)
class Graph:
    """The tasks of one camera and day, as doit looks for them, and the run that they belong to."""

    run: Run
    namespace: dict[str, Any]

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        start_from: StartFrom = StartFrom.CONSOLE,
        may_clean_clips: bool = False,
        verbose: bool = False,
    ) -> "Graph":
        """Graph of what is asked for."""
        table = rows(start_from, may_clean_clips=may_clean_clips)
        run = Run(settings, offline_tasks=offline_tasks(table), verbose=verbose)
        config = {
            "default_tasks": ["timelapse"],
            "backend": "sqlite3",
            "dep_file": ":memory:",
            "num_process": max(settings.max_workers, settings.renders_at_once),
            "verbosity": 2,
            "reporter": summary_reporter(
                run.terminal, run.work, is_offline=start_from is StartFrom.DISK
            ),
        }
        return cls(run, {"DOIT_CONFIG": config} | task_creators(table, run))


def rows(start_from: StartFrom, *, may_clean_clips: bool) -> tuple[Row, ...]:
    """All tasks, in the order in which a run comes to them."""
    may_ask = start_from is not StartFrom.DISK
    return (
        _scan(start_from),
        Row(
            "fetch",
            "Download the clips, one task each.",
            UpToDateCheck(
                "a clip is absent or changed, or the day is not listed yet", fetch.all_current
            ),
            waits_for=("scan",),
            sub_tasks=SubTasks(
                after="scan",
                rows=partial(_clips, start_from=start_from, may_be_cleaned=may_clean_clips),
                target_pattern=r".*clip_\d+_\d+_[^/]+\.mp4",
            ),
        ),
        Row(
            "manifest",
            "Name the clips that are on the disk: manifests/concat.txt.",
            UpToDateCheck("concat.txt does not name what is on the disk", manifest.is_current),
            phases=(manifest.run,),
            targets=lambda context: [context.layout.concat_text],
            leavings=lambda context: [context.layout.concat_text],
            waits_for=("fetch",),
        ),
        Row(
            "speed",
            "Compute the speed from the footage: metadata/day.json.",
            UpToDateCheck("day.json does not follow from the footage", speed.is_current),
            phases=(speed.run,),
            targets=lambda context: [context.layout.day_json],
            leavings=lambda context: [context.layout.day_json],
            waits_for=("manifest",),
        ),
        Row(
            "estimate",
            "Estimate the film's size and time, and whether the disk has room.",
            UpToDateCheck(_NO_SEGMENT, _has_all_segments),
            phases=(estimate.run,),
            waits_for=("speed",),
        ),
        Row(
            "render",
            "Render the segments of the film, one task each.",
            UpToDateCheck(_NO_SEGMENT, _has_all_segments),
            waits_for=("estimate",),
            sub_tasks=SubTasks(after="speed", rows=partial(_segments, may_ask=may_ask)),
            leavings=render.leavings,
        ),
        Row(
            "timelapse",
            "Render the film and verify the day: timelapse/<camera>_<date>_timelapse.mp4.",
            UpToDateCheck(
                "the film is not there, or not of these clips and settings", timelapse.is_current
            ),
            phases=(partial(timelapse.run, may_ask=may_ask), verify.run),
            targets=timelapse.targets,
            waits_for=("render",),
            leavings=timelapse.leavings,
        ),
        Row(
            "verify",
            "Check clips, manifests and film again; asks nothing of the console.",
            _NEVER,
            phases=(partial(verify.run, reads_all=True), report.verdict),
        ),
    )


def offline_tasks(table: Sequence[Row]) -> frozenset[str]:
    """Names of the tasks that need no console, nor does anything that they wait for."""
    by_name = {row.name: row for row in table}

    def asks(name: str) -> bool:
        row = by_name[name]
        return row.asks_console or any(map(asks, row.waits_for))

    return frozenset(name for name in by_name if not asks(name))


def _scan(start_from: StartFrom) -> Row:
    """The first row, which is where runs differ: how the day's clips become known."""
    has_index = UpToDateCheck("there is no clip index", scan.has_index)
    is_offline = start_from is StartFrom.DISK
    return Row(
        "scan",
        "List the day's events: metadata/camera.json, manifests/clip_index.json.",
        _NEVER if start_from is StartFrom.CONSOLE else has_index,
        phases=(scan.need_index if is_offline else scan.run,),
        targets=lambda context: [context.layout.camera_json, context.layout.clip_index],
        asks_console=not is_offline,
    )


def _clips(context: Context, *, start_from: StartFrom, may_be_cleaned: bool) -> list[Row]:
    """A row for each clip of the day; none where the footage is taken as it is."""
    index = context.clips.known_index()
    if index is None or start_from is StartFrom.DISK:
        return []
    context.progress.expect_clips(len(index.entries))
    return [
        Row(
            f"fetch:{entry.name}",
            _clip_in_words(entry, index.day),
            UpToDateCheck(_NO_CLIP, partial(fetch.is_current, entry=entry)),
            phases=(partial(fetch.run, camera_id=index.camera_id, entry=entry),),
            targets=partial(_clip_target, entry=entry),
            waits_for=("scan",),
            asks_console=True,
            leavings=partial(_clip_target, entry=entry) if may_be_cleaned else _nothing,
            failure=partial(fetch.failure, entry=entry),
        )
        for entry in index.entries
    ]


def _segments(context: Context, *, may_ask: bool) -> Iterator[Row]:
    """A row for each segment of the film, equal ones once; none where it is made at once."""
    film = context.planner.film()
    if film is None:
        return
    segments, is_made = film.different_segments, timelapse.is_made(context.layout, film)
    counts = {render.segment_name(segment): segment.frame_count for segment in segments}
    context.progress.expect_segments(counts)
    for segment in segments:
        yield Row(
            f"render:{render.segment_name(segment)}",
            counted(segment.frame_count, "frame"),
            UpToDateCheck(
                _NO_SEGMENT, partial(_has_segment, film=film, segment=segment, is_made=is_made)
            ),
            phases=(partial(render.run, film=film, segment=segment, may_ask=may_ask),),
            waits_for=("estimate",),
            leavings=partial(render.leavings_of, film=film, segment=segment),
        )


def _nothing(_context: Context) -> tuple[Path, ...]:
    return ()


def _has_segment(context: Context, *, film: FilmPlan, segment: Segment, is_made: bool) -> bool:
    return is_made or render.is_rendered(context.layout, film, segment)


def _has_all_segments(context: Context) -> bool:
    film = context.planner.film()
    if film is None or not film.recorded:
        return film is not None and not film.index.entries
    return timelapse.is_made(context.layout, film) or render.all_rendered(context.layout, film)


def _clip_target(context: Context, *, entry: IndexEntry) -> list[Path]:
    return [context.layout.at(entry.file_path)]


def _clip_in_words(entry: IndexEntry, day: Day) -> str:
    """When it was, by the clock of the day, and what happened."""
    clip = entry.clip
    span = day.clock_span(clip.start_ms, clip.end_ms)
    if clip.events[0].event_type == CONTINUOUS:
        return span
    kinds = sorted({kind for event in clip.events for kind in event.smart_types})
    shown = filter(str.isprintable, kinds)
    return ", ".join((span, counted(len(clip.events), "event"), *shown))


def from_command_line(folder: Path) -> Graph:
    """Graph of doit's command line, with the settings of a folder.

    A setting that is wrong ends doit in one sentence.
    """
    try:
        return Graph.of(
            configuration.load(
                config_path=folder / configuration.CONFIG_NAME,
                own_path=folder / configuration.OWN_NAME,
                variables=doit_access.variables(),
            ),
            may_clean_clips=_names_clips(sys.argv[1:]),
        )
    except UpvsError as error:
        raise InvalidDodoFile(str(error)) from error


def execute(graph: Graph, task: str) -> int:
    """Run one task and what it needs, as `doit run` does; returns the exit code."""
    return doit_access.execute(graph.namespace, graph.run, ["run", task], config_names=())


def _names_clips(arguments: Sequence[str]) -> bool:
    """Whether the command names clips: `doit clean` deletes footage for nothing less."""
    return any(argument.startswith("fetch:") for argument in arguments)
