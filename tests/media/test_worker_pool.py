"""A segment's process ends with whoever asked for it, and says what went wrong."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.footage import Recipe
from tests.media.segments import FILM, endless_job, numbered_clip, shot_of
from tests.processes import is_running, wait_until
from upvs_tasks.errors import RenderError, StorageError
from upvs_tasks.media import worker_pool
from upvs_tasks.media.segment import SegmentJob
from upvs_tasks.media.worker_pool import render_apart
from upvs_tasks.model.encoding import Codec

ROOT = Path(__file__).parents[2]
WORKER = "upvs_tasks.media.worker_pool"


@contextmanager
def parent_of(job: SegmentJob) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program that renders a job in a child, and the id of that child at work."""
    job_path = job.output_path.with_suffix(".json")
    job_path.write_text(json.dumps(job.to_document()), encoding="utf-8")
    program = [sys.executable, "-m", "tests.media.rendering_apart", str(job_path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        try:
            yield parent, int(parent.stdout.readline())
        finally:
            parent.kill()


def test_a_killed_parent_leaves_no_child_behind(tmp_path: Path) -> None:
    with parent_of(endless_job(tmp_path)) as (parent, child):
        assert is_running(child)
        parent.kill()
        wait_until(lambda: not is_running(child))


def test_children_that_are_stopped_fail_and_leave_nothing(tmp_path: Path) -> None:
    job = endless_job(tmp_path)
    at_work, failures = Event(), []

    def render() -> None:
        try:
            render_apart(job, on_frame=lambda _: at_work.set())
        except RenderError as error:
            failures.append(str(error))

    renderer = Thread(target=render)
    renderer.start()
    assert at_work.wait(60)
    worker_pool.stop_all()
    renderer.join(30)
    assert "segment.mp4" in failures[0]
    assert not job.output_path.exists()
    assert not worker_pool.running()


def test_a_wait_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    """As Ctrl-C does."""
    job = endless_job(tmp_path)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_apart(job, on_frame=interrupt)
    assert not job.output_path.exists()
    assert not worker_pool.running()


def test_a_failure_is_one_line_of_json(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(FILM, tmp_path / "nowhere" / "segment.mp4", (shot_of(clip, [1]),))
    with subprocess.Popen(
        [sys.executable, "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(job.to_document()) + "\n")
        worker.stdin.flush()
        (line,) = worker.stdout
    assert worker.returncode != 0
    assert json.loads(line)["error"] == StorageError.__name__


def children_of(job: SegmentJob, *, nice: int = 0) -> set[int]:
    """Render a job: the ids of the processes that were at work meanwhile."""
    seen: set[int] = set()
    render_apart(job, nice=nice, on_frame=lambda _: seen.update(worker_pool.running()))
    return seen


@pytest.fixture
def job(tmp_path: Path) -> Iterator[SegmentJob]:
    """A job long enough to report how far it is, in a process that nobody has kept."""
    worker_pool.stop_all()
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    yield SegmentJob(FILM, tmp_path / "segment.mp4", (shot_of(clip, range(20)),))
    worker_pool.stop_all()


def test_a_process_that_did_well_renders_the_next_segment(job: SegmentJob) -> None:
    first = children_of(job)
    assert len(first) == 1
    assert children_of(job) == first
    assert not worker_pool.running()


def test_a_kept_process_that_has_died_is_replaced(job: SegmentJob) -> None:
    (first,) = children_of(job)
    os.kill(first, signal.SIGKILL)
    assert len(children_of(job) - {first}) == 1


def test_a_process_is_not_kept_after_a_failure(job: SegmentJob) -> None:
    first = children_of(job)
    with pytest.raises(StorageError):
        render_apart(replace(job, output_path=job.output_path.parent / "nowhere" / "s.mp4"))
    assert not children_of(job) & first


def test_another_niceness_takes_another_process(job: SegmentJob) -> None:
    first = children_of(job)
    assert not children_of(job, nice=1) & first


@pytest.mark.parametrize("codec", Codec)
def test_the_bytes_do_not_depend_on_what_the_process_did_before(
    job: SegmentJob, codec: Codec
) -> None:
    encoding = replace(FILM, width=480, height=270, preset="veryfast", codec=codec)
    contents = set()
    for width in (160, 320, 480, 720):
        children_of(replace(job, encoding=replace(FILM, width=width)))
        children_of(replace(job, encoding=encoding))
        contents.add(job.output_path.read_bytes())
    worker_pool.stop_all()
    children_of(replace(job, encoding=encoding))
    assert contents == {job.output_path.read_bytes()}


def test_a_worker_that_breaks_is_quoted(tmp_path: Path) -> None:
    """An odd size is nothing that 4:2:0 has."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(replace(FILM, width=161), tmp_path / "segment.mp4", (shot_of(clip, [1]),))
    with pytest.raises(RenderError, match=r"segment\.mp4"):
        render_apart(job)
    assert not job.output_path.exists()
