"""`doit run verify`: what is on the disk, held against what was promised of it."""

import os

import pytest

from tests.pipeline.project import Project
from upvs_tasks.simulator import SimulatedConsole


@pytest.mark.usefixtures("filmed")
def test_a_whole_day_holds_and_nothing_is_asked(
    project: Project, console: SimulatedConsole
) -> None:
    console.forget_requests()
    run = project.doit("run", "verify")
    assert run.code == 0, run.output
    assert "film as planned" in run.output
    assert console.requests == ()


@pytest.mark.usefixtures("filmed")
def test_it_may_run_beside_tasks_that_use_the_same_files(project: Project) -> None:
    """Doit runs it beside the first of the others."""
    for _ in range(3):
        run = project.doit("run", "verify", "timelapse")
        assert run.code == 0, run.output


@pytest.mark.usefixtures("filmed")
def test_a_film_that_was_cut_is_found(project: Project) -> None:
    content = project.film.read_bytes()
    project.film.write_bytes(content[: len(content) // 2])
    run = project.doit("run", "verify")
    assert run.code == 1, run.output
    assert "the film is broken" in run.output


@pytest.mark.usefixtures("filmed")
def test_a_clip_that_was_damaged_without_a_trace_in_its_size_is_found(project: Project) -> None:
    clip = project.clips[1]
    status, content = clip.stat(), bytearray(clip.read_bytes())
    start = content.index(b"mdat") + 8
    content[start : start + 4_000] = bytes(4_000)
    clip.write_bytes(content)
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))
    run = project.doit("run", "verify")
    assert run.code == 1, run.output
    assert clip.name in run.output


@pytest.mark.usefixtures("filmed")
def test_a_manifest_that_was_changed_is_found(project: Project) -> None:
    concat = project.out / "manifests" / "concat.txt"
    concat.write_text("".join(reversed(concat.read_text().splitlines(keepends=True))))
    run = project.doit("run", "verify")
    assert run.code == 1, run.output
    assert "concat.txt" in run.output
