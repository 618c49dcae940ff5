"""What the console lists in a way that nobody can read costs nothing but itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.pipeline.project import Project, motions
from tests.pipeline.test_memory import TEN_MS, summary
from upvs_tasks.simulator import DRIVEWAY, SPARROW, Behaviour, SimulatedConsole, SimulatedEvent


@pytest.fixture
def console() -> Iterator[SimulatedConsole]:
    """A console that lists the events of all cameras, whichever one is asked for."""
    behaviour = Behaviour(login_limit_per_minute=None, honours_cameras=False)
    with SimulatedConsole(behaviour=behaviour) as running:
        yield running


@pytest.fixture
def events(console: SimulatedConsole) -> list[SimulatedEvent]:
    """Three short events of the day."""
    listed = motions(SPARROW.camera_id, TEN_MS, 3)
    console.set_events(listed, camera_id=SPARROW.camera_id)
    return listed


@pytest.mark.usefixtures("events")
def test_another_camera_s_odd_row_does_not_matter(
    project: Project, console: SimulatedConsole
) -> None:
    others = console.add_event(TEN_MS, TEN_MS + 9_000, camera_id=DRIVEWAY.camera_id)
    console.spoil_event(others.event_id, start=None)
    console.add_camera(replace(DRIVEWAY, extra=(("channels", ["high"]),)))
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert summary(run.output).startswith("whole: all 3 events")
    assert "unreadable" not in run.output


def test_an_odd_row_of_ours_is_named_and_the_film_is_made(
    project: Project, console: SimulatedConsole, events: list[SimulatedEvent]
) -> None:
    odd = events[1].event_id
    console.spoil_event(odd, start=None)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert f"unreadable: event '{odd}'" in run.output
    assert "start is not an instant" in run.output
    assert "1 unreadable" in summary(run.output)
    assert project.film.exists()


def test_an_event_that_was_read_once_is_known_though_its_row_is_odd_now(
    project: Project, console: SimulatedConsole, events: list[SimulatedEvent]
) -> None:
    assert project.doit("run", "timelapse").code == 0
    film = project.film.read_bytes()
    console.spoil_event(events[1].event_id, start=None)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert summary(run.output).startswith("whole: all 3 events")
    assert "unreadable" not in run.output
    assert "does not list" not in run.output
    assert project.film.read_bytes() == film


@pytest.mark.usefixtures("events")
def test_our_own_odd_camera_is_one_sentence(project: Project, console: SimulatedConsole) -> None:
    console.add_camera(replace(SPARROW, extra=(("channels", ["high"]),)))
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert "channels[0] is not an object" in run.output
    assert "Traceback" not in run.output
