"""What was not recorded takes no time of the film, and is named."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from shutil import rmtree

import orjson
import pytest

from samples.odd_files import leap
from tests.film import shown_instants
from tests.pipeline.project import Finished, Project
from upvs_tasks.simulator import SimulatedConsole

HOUR_SECS = 3_600


def run_with(project: Project, change: Callable[[Path], None]) -> Finished:
    """A run in a folder that holds the third clip alone, changed as if it had come so."""
    fetched = project.doit("run", "fetch")
    assert fetched.code == 0, fetched.output
    clip = project.clips[2]
    change(clip)
    content = clip.read_bytes()
    rmtree(project.out)
    clip.parent.mkdir(parents=True)
    clip.write_bytes(content)
    return project.doit("run", "timelapse")


@pytest.mark.parametrize("engine", ["segments", "concat"])
def test_a_wrong_time_stamp_takes_no_other_event_out_of_the_film(
    project: Project, engine: str
) -> None:
    project.configure(engine=engine)
    run = run_with(project, lambda clip: leap(clip, secs=3 * HOUR_SECS))
    assert run.code == 0, run.output
    assert f"{project.clips[2].stem}: the time stamps leap by 10800 s" in run.output
    instants = shown_instants(project.film)
    assert abs(len(instants) - 600) <= 1
    for entry in project.entries():
        start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
        shown = sum(
            start_ms - 5_000 <= instant <= end_ms + 5_000 for instant in instants if instant
        )
        assert shown > 10


@pytest.mark.parametrize("engine", ["segments", "concat"])
def test_what_was_not_recorded_within_a_clip_is_named_and_takes_no_time(
    project: Project, console: SimulatedConsole, engine: str
) -> None:
    """The recorder was off for 40 s: no frame stands still, and the clock is right afterwards.

    It stops and begins with a group of pictures, so up to 5 s later.
    """
    project.configure(engine=engine, padding_secs=60)
    project.doit("run", "scan")
    start_ms = int(str(project.entries()[2]["start_ms"]))
    off = (start_ms + 30_000, start_ms + 70_000)
    sparrow = next(camera for camera in console.cameras if camera.name == "Sparrow")
    console.add_camera(replace(sparrow, gaps=(off,)))
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert re.search(rf"{project.clips[2].stem}: nothing was recorded for (39|40) s", run.output)
    assert "as far as they were recorded" in run.output
    instants = [instant for instant in shown_instants(project.film) if instant]
    longest = max(len(list(same)) for _, same in groupby(instants))
    assert longest <= 2
    assert not any(off[0] + 5_000 < instant < off[1] for instant in instants)
    if engine == "segments":
        timeline = orjson.loads((project.out / "metadata" / "timeline.json").read_bytes())
        clip = [each for each in timeline["scenes"] if each["clip"] == project.clips[2].stem]
        assert len(clip) == 2
        assert clip[0]["shown_to_ms"] < off[0] + 5_000
        assert abs(clip[1]["shown_from_ms"] - off[1]) < 6_000
