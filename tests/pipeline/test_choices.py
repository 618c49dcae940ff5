"""The choice of footage: which events, how much around them, or all of the day."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.film import shown_instants
from tests.pipeline.project import Project, motions
from upvs_tasks.media.probe import measure
from upvs_tasks.simulator import FRONT_DOOR, SPARROW, Behaviour, SimulatedConsole

# Few frames and few keyframes: an hour of it is made in a second.
SLOW_SPARROW = replace(SPARROW, footage=replace(SPARROW.footage, fps=1, keyframe_secs=20))


def clock_ms(text: str) -> int:
    """Unix ms of a wall time in New York, where the console is."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    return round(moment.timestamp() * 1000)


def spans(project: Project) -> list[tuple[int, int]]:
    """Start and end of each clip."""
    return [(int(str(entry["start_ms"])), int(str(entry["end_ms"]))) for entry in project.entries()]


def test_all_footage_comes_in_slices_of_an_hour_at_most(project: Project) -> None:
    project.console.add_camera(SLOW_SPARROW)
    project.configure(source="continuous", start="09:58", end="11:02")
    run = project.doit("run", "fetch")
    assert run.code == 0, run.output
    assert spans(project) == [
        (clock_ms("2024-01-17T09:58"), clock_ms("2024-01-17T10:00")),
        (clock_ms("2024-01-17T10:00"), clock_ms("2024-01-17T11:00")),
        (clock_ms("2024-01-17T11:00"), clock_ms("2024-01-17T11:02")),
    ]
    assert project.requests("/events") == 0
    assert len(project.clips) == 3


def test_where_footage_is_cut_at_the_hour_nothing_is_shown_twice(project: Project) -> None:
    """Exports are cut at keyframes: the later one begins with what the former ends with."""
    project.console.add_camera(SLOW_SPARROW)
    project.configure(source="continuous", start="09:15", end="10:20", target_duration=30)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert len(project.clips) == 2
    instants = [instant for instant in shown_instants(project.film) if instant is not None]
    steps_ms = [after - before for before, after in pairwise(instants)]
    assert len(instants) == 900
    assert set(steps_ms) == {4_000, 5_000}


def test_only_events_in_which_somebody_was_recognised(project: Project) -> None:
    project.date = "2024-01-15"
    project.configure(smart_types=["person"])
    assert project.doit("run", "scan").code == 0
    events = [event for entry in project.entries() for event in entry["events"]]  # type: ignore[attr-defined]  # parsed JSON
    assert events
    assert all("person" in event["smart_types"] for event in events)


def test_padding_widens_each_clip(project: Project) -> None:
    project.doit("run", "scan")
    plain = spans(project)
    project.doit("run", "scan", "padding_secs=3")
    assert spans(project) == [(start - 3_000, end + 3_000) for start, end in plain]


def test_padding_can_be_the_cameras_own(project: Project) -> None:
    project.console.add_camera(replace(SPARROW, padding_secs=(4, 7)))
    project.doit("run", "scan")
    plain = spans(project)
    project.doit("run", "scan", "padding_secs=camera")
    assert spans(project) == [(start - 4_000, end + 7_000) for start, end in plain]


def test_another_quality_is_other_footage(project: Project) -> None:
    project.camera = "Front Door"
    project.configure()
    events = motions(FRONT_DOOR.camera_id, clock_ms("2024-01-17T10:00"), 2)
    project.console.set_events(events, camera_id=FRONT_DOOR.camera_id)
    assert project.doit("run", "fetch").code == 0
    best = [path.name for path in project.clips]
    run = project.doit("run", "timelapse", "channel=1")
    assert run.code == 0, run.output
    assert "kept: 2 clips" in run.output
    assert {path.name for path in project.clips} == {
        *best,
        *(name.replace(".mp4", "_channel1.mp4") for name in best),
    }
    assert measure(project.film).shown_size == (320, 180)


def test_a_day_that_is_not_over_is_provisional_and_completed_later(project: Project) -> None:
    zone = ZoneInfo("America/New_York")
    start_ms = round(datetime.now(zone).timestamp() * 1000) - 60_000
    project.date = datetime.fromtimestamp(start_ms / 1000, zone).date().isoformat()
    project.console.set_events((), camera_id=SPARROW.camera_id)
    project.console.add_event(start_ms, start_ms + 12_000, camera_id=SPARROW.camera_id)
    running = project.console.add_event(start_ms + 30_000, None, camera_id=SPARROW.camera_id)
    first = project.doit("run", "timelapse")
    assert first.code == 0, first.output
    assert "under way: motion" in first.output
    assert len(project.clips) == 1
    assert state(project) == "provisional"

    project.console.end_event(running.event_id, start_ms + 45_000)
    second = project.doit("run", "timelapse")
    assert second.code == 0, second.output
    assert len(project.clips) == 2
    assert project.exports() == [start_ms, start_ms + 30_000]


def test_a_day_that_is_over_is_final(quiet_day: Project) -> None:
    assert state(quiet_day) == "final"


@pytest.mark.slow
def test_a_console_that_bears_two_exports_at_once_gives_everything(project: Project) -> None:
    behaviour = Behaviour(max_parallel_exports=2, export_latency_secs=0.05)
    with SimulatedConsole(behaviour=behaviour) as console:
        struggling = Project(project.folder / "struggling", console)
        events = motions(SPARROW.camera_id, clock_ms("2024-01-17T10:00"), 24)
        console.set_events(events, camera_id=SPARROW.camera_id)
        run = struggling.doit("run", "fetch", "max_workers=4")
        assert run.code == 0, run.output
        assert len(struggling.clips) == len(struggling.entries()) > 20


def state(project: Project) -> str:
    """Whether day.json says provisional or final."""
    return str(orjson.loads((project.out / "metadata" / "day.json").read_bytes())["state"])
