"""Both engines: what each film shows, read back frame by frame."""

import os
import shutil
from dataclasses import replace as replaced
from itertools import pairwise

import orjson
import pytest

from tests.film import shown_instants
from tests.pipeline.project import Project
from upvs_tasks.simulator import Fault, FootageFormat, FormatSpan, SimulatedConsole


@pytest.mark.parametrize("engine", ["segments", "concat"])
def test_the_film_shows_the_whole_day_in_order(project: Project, engine: str) -> None:
    project.configure(engine=engine)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    instants = shown_instants(project.film)
    assert abs(len(instants) - 600) <= 1
    assert None not in instants
    assert instants == sorted(instants)  # type: ignore[type-var]  # none is None
    for entry in project.entries():
        start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
        assert any(start_ms <= instant <= end_ms for instant in instants if instant)


def test_the_timeline_tells_what_each_second_shows(quiet_day: Project) -> None:
    instants = shown_instants(quiet_day.film)
    timeline = orjson.loads((quiet_day.out / "metadata" / "timeline.json").read_bytes())
    scenes = timeline["scenes"]
    assert scenes[0]["film_start_secs"] == 0
    assert scenes[-1]["film_end_secs"] == pytest.approx(20)
    assert all(a["film_end_secs"] == b["film_start_secs"] for a, b in pairwise(scenes))
    for scene in scenes:
        first = instants[round(scene["film_start_secs"] * 30)]
        assert first is not None
        assert abs(first - scene["shown_from_ms"]) <= 5_000


def test_footage_of_another_size_is_fitted_in(project: Project, console: SimulatedConsole) -> None:
    sparrow = next(camera for camera in console.cameras if camera.name == "Sparrow")
    project.doit("run", "scan")
    entry = project.entries()[2]
    start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
    smaller = FootageFormat(width=128, height=72, fps=5)
    span = FormatSpan(start_ms - 60_000, end_ms + 60_000, smaller)
    console.add_camera(replaced(sparrow, spans=(span,)))
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    instants = shown_instants(project.film)
    assert len(instants) == 600
    assert None not in instants
    assert instants == sorted(instants)  # type: ignore[type-var]  # none is None


def test_the_single_command_refuses_clips_that_it_would_film_wrongly(
    project: Project, console: SimulatedConsole
) -> None:
    """Before it renders; it would show a still, or a distorted picture, and say nothing."""
    project.configure(engine="concat")
    sparrow = next(camera for camera in console.cameras if camera.name == "Sparrow")
    project.doit("run", "scan")
    entry = project.entries()[2]
    start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
    smaller = FootageFormat(width=128, height=72, fps=5)
    span = FormatSpan(start_ms - 60_000, end_ms + 60_000, smaller)
    console.add_camera(replaced(sparrow, spans=(span,)))
    run = project.doit("run", "timelapse")
    assert run.code == 3, run.output
    assert f"{project.clips[2].stem} has another size than" in run.output
    assert "engine=segments can film them" in run.output
    assert not project.film.exists()
    assert not list(project.film.parent.glob("*"))


@pytest.mark.parametrize(("setting", "shown"), [("codec", "hevc"), ("height", 90)])
def test_the_single_command_ignores_no_setting_in_silence(
    project: Project, setting: str, shown: object
) -> None:
    project.configure(engine="concat", **{setting: shown})
    run = project.doit("run", "timelapse")
    assert run.code == 3, run.output
    assert f"{setting} is {shown}, but with engine=concat it has no effect" in run.output
    assert not project.console.requests


def test_a_clip_that_rots_on_the_disk_loses_at_most_itself_and_is_named(
    project: Project, console: SimulatedConsole
) -> None:
    """Where the console has it no more."""
    project.doit("run", "fetch")
    start_ms = int(str(project.entries()[2]["start_ms"]))
    console.order(Fault("status", status=404, start_ms=start_ms, times=None))
    rotten = project.clips[2]
    content, status = bytearray(rotten.read_bytes()), rotten.stat()
    start = content.index(b"mdat") + 64
    content[start : start + 6_000] = bytes(6_000)
    rotten.write_bytes(content)
    times_ns = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(rotten, ns=times_ns)
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert f"damaged: {rotten.stem}" in run.output
    instants = shown_instants(project.film)
    assert len(instants) == 600
    entry = project.entries()[2]
    span = range(int(str(entry["start_ms"])) - 6_000, int(str(entry["end_ms"])) + 6_000)
    shown_elsewhere = [instant for instant in instants if instant and instant not in span]
    assert len(shown_elsewhere) > 450


@pytest.mark.slow
def test_another_run_with_other_numbers_of_processes_gives_the_same_film(
    project: Project,
) -> None:
    films = set()
    for threads in (1, 2, 4):
        run = project.doit("run", "timelapse", f"threads={threads}")
        assert run.code == 0, run.output
        films.add(project.film.read_bytes())
        shutil.rmtree(project.out / ".upvs")
        project.film.unlink()
    assert len(films) == 1
