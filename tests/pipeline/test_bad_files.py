"""An odd file in the middle of a day costs itself at most, and is named."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import rmtree

import orjson
import pytest

from samples.clips import Recipe, make_clip
from samples.odd_files import ODDITIES, Oddity
from tests.film import shown_instants
from tests.pipeline.project import Finished, Project
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, SimulatedConsole, SimulatedEvent

CLIPS, MIDDLE = 20, 10
FIRST_MS = 1_705_504_000_000
MINUTE_MS = 60_000
LASTS_MS = 15_000
FRAME_MS = 500
# The others are odd in a way that the tests of the probe and of rendering know as well.
OF_EVERY_KIND = {
    "(a good one)",
    "truncated after the check",
    "bit-rotten",
    "HEVC among H.264",
    "variable frame rate, a gap",
    "time stamps that leap by hours",
    "edit list",
}


@dataclass
class Day:
    """Twenty clips on the disk, and a console that has the middle one no more."""

    project: Project
    middle: Path

    @property
    def others(self) -> list[dict[str, object]]:
        """The index entries of all clips but the middle one."""
        return [entry for number, entry in enumerate(self.project.entries()) if number != MIDDLE]

    def filmed_with(self, oddity: Oddity) -> Finished:
        """Put the odd file into the middle, forget what is known of that clip, and run."""
        self.middle.unlink(missing_ok=True)
        made = make_clip(self.middle, oddity.recipe(Recipe(frames=40)))
        oddity.before(made)
        oddity.after(made)
        rmtree(self.project.out / ".upvs" / "failures", ignore_errors=True)
        self.project.forget_clip(self.middle)
        return self.project.doit("run", "timelapse")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A day of twenty events, a minute from one to the next, all fetched."""
    events = [
        SimulatedEvent(f"{number:024x}", "motion", SPARROW.camera_id, start_ms, start_ms + LASTS_MS)
        for number, start_ms in enumerate(range(FIRST_MS, FIRST_MS + CLIPS * MINUTE_MS, MINUTE_MS))
    ]
    behaviour = Behaviour(login_limit_per_minute=None)
    with SimulatedConsole(behaviour=behaviour) as console:
        console.set_events(events, camera_id=SPARROW.camera_id)
        project = Project(tmp_path_factory.mktemp("day"), console)
        fetched = project.doit("run", "fetch")
        assert fetched.code == 0, fetched.output
        middle = project.clips[MIDDLE]
        middle_ms = FIRST_MS + MIDDLE * MINUTE_MS
        console.order(Fault("status", status=404, start_ms=middle_ms, times=None))
        yield Day(project, middle)


@pytest.mark.parametrize(
    "oddity",
    [
        pytest.param(
            oddity, id=oddity.name, marks=() if oddity.name in OF_EVERY_KIND else pytest.mark.slow
        )
        for oddity in ODDITIES
    ],
)
def test_the_other_19_clips_are_whole_in_the_film_and_the_bad_one_is_named(
    day: Day, oddity: Oddity
) -> None:
    run = day.filmed_with(oddity)
    # All odd files are shorter than what was asked for, which is no fault of theirs. That time
    # stamps leap is said, but costs nothing.
    named = [
        line
        for line in run.output.splitlines()
        if day.middle.stem in line and "short: " not in line and "gap: " not in line
    ]
    if oddity.verdict == "whole":
        assert run.code == 0, run.output
        assert "whole: all 20 events" in run.output
        assert not named
    else:
        # Nobody knows of this file that it is not what the console sent, so no run can mend it.
        assert run.code == (0 if oddity.verdict == "damaged" else 1), run.output
        [sentence] = named
        assert f"{oddity.verdict}: " in sentence
        assert "Traceback" not in run.output
    assert_others_are_whole(day)


def assert_others_are_whole(day: Day) -> None:
    """Every step of each clip but the middle one is shown, and the film has all of its frames."""
    planned = orjson.loads((day.project.out / "metadata" / "day.json").read_bytes())
    instants = shown_instants(day.project.film)
    assert len(instants) == planned["output_frames"]
    step_ms = planned["speed_factor"] * 1000 / planned["output_fps"]
    shown = sorted(instant for instant in instants if instant is not None)
    for entry in day.others:
        start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
        inside = [instant for instant in shown if start_ms <= instant <= end_ms]
        marks = [start_ms, *inside, end_ms]
        assert max(after - before for before, after in pairwise(marks)) <= step_ms + FRAME_MS
