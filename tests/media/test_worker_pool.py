"""A worker ends with the process that started it, and says what went wrong."""

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

from samples.clips import Recipe
from tests.media.segments import FILM, endless_job, numbered_clip, shot_of
from tests.processes import is_running
from tests.waiting import wait_until
from upvs_tasks.errors import DocumentError, RenderError, StorageError
from upvs_tasks.media import worker_pool
from upvs_tasks.media.segment import SegmentJob
from upvs_tasks.media.worker_pool import render_in_worker
from upvs_tasks.media.worker_protocol import Message, RenderFailure, decode_message, encode_job
from upvs_tasks.model.encoding import Codec

ROOT = Path(__file__).parents[2]
WORKER = "upvs_tasks.media.worker"


@contextmanager
def parent_of(job: SegmentJob) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program that renders a job in a worker, and the id of that worker."""
    job_path = job.output_path.with_suffix(".json")
    job_path.write_bytes(encode_job(job))
    program = [sys.executable, "-m", "tests.media.rendering_in_worker", str(job_path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        try:
            yield parent, int(parent.stdout.readline())
        finally:
            parent.kill()


def test_a_killed_parent_leaves_no_worker_behind(tmp_path: Path) -> None:
    with parent_of(endless_job(tmp_path)) as (parent, worker):
        assert is_running(worker)
        parent.kill()
        wait_until(lambda: not is_running(worker))


def test_workers_that_are_stopped_fail_and_leave_nothing(tmp_path: Path) -> None:
    job = endless_job(tmp_path)
    at_work, failures = Event(), []

    def render() -> None:
        try:
            render_in_worker(job, on_frame=lambda _: at_work.set())
        except RenderError as error:
            failures.append(str(error))

    renderer = Thread(target=render)
    renderer.start()
    assert at_work.wait(60)
    worker_pool.stop_all()
    renderer.join(30)
    assert "segment.mp4" in failures[0]
    assert not job.output_path.exists()
    assert not worker_pool.busy_workers()


def test_an_interrupted_wait_leaves_nothing(tmp_path: Path) -> None:
    """As Ctrl-C does."""
    job = endless_job(tmp_path)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_in_worker(job, on_frame=interrupt)
    assert not job.output_path.exists()
    assert not worker_pool.busy_workers()


def answers_to(line: bytes) -> list[Message]:
    """All that a worker answers to a line until it ends, which it does after a failure."""
    with subprocess.Popen(
        [sys.executable, "-m", WORKER, "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(line)
        worker.stdin.flush()
        answers = [decode_message(answer) for answer in worker.stdout]
    assert worker.returncode != 0
    return answers


def test_a_failure_is_one_message(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(FILM, tmp_path / "nowhere" / "segment.mp4", (shot_of(clip, [1]),))
    (failure,) = answers_to(encode_job(job))
    assert isinstance(failure, RenderFailure)
    assert failure.error == StorageError.__name__


@pytest.mark.parametrize("line", [b"\n", b"no JSON\n", b"{}\n", b'{"encoding": 7}\n'])
def test_a_line_that_is_no_job_is_a_failure_and_no_traceback(line: bytes) -> None:
    (failure,) = answers_to(line)
    assert isinstance(failure, RenderFailure)
    assert failure.error == DocumentError.__name__


def workers_of(job: SegmentJob, *, nice: int = 0) -> set[int]:
    """Render a job. Returns the ids of the workers that rendered meanwhile."""
    seen: set[int] = set()
    render_in_worker(job, nice=nice, on_frame=lambda _: seen.update(worker_pool.busy_workers()))
    return seen


@pytest.fixture
def job(tmp_path: Path) -> Iterator[SegmentJob]:
    """A job long enough for reports of its frames; no worker is kept from before."""
    worker_pool.stop_all()
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    yield SegmentJob(FILM, tmp_path / "segment.mp4", (shot_of(clip, range(20)),))
    worker_pool.stop_all()


def test_a_worker_renders_the_next_segment_as_well(job: SegmentJob) -> None:
    first = workers_of(job)
    assert len(first) == 1
    assert workers_of(job) == first
    assert not worker_pool.busy_workers()


def test_a_kept_worker_that_has_died_is_replaced(job: SegmentJob) -> None:
    (first,) = workers_of(job)
    os.kill(first, signal.SIGKILL)
    assert len(workers_of(job) - {first}) == 1


def test_a_worker_is_not_kept_after_a_failure(job: SegmentJob) -> None:
    first = workers_of(job)
    with pytest.raises(StorageError):
        render_in_worker(replace(job, output_path=job.output_path.parent / "nowhere" / "s.mp4"))
    assert not workers_of(job) & first


def test_another_niceness_takes_another_worker(job: SegmentJob) -> None:
    first = workers_of(job)
    assert not workers_of(job, nice=1) & first


@pytest.mark.parametrize("codec", Codec)
def test_the_bytes_do_not_depend_on_what_the_worker_did_before(
    job: SegmentJob, codec: Codec
) -> None:
    encoding = replace(FILM, width=480, height=270, preset="veryfast", codec=codec)
    contents = set()
    for width in (160, 320, 480, 720):
        workers_of(replace(job, encoding=replace(FILM, width=width)))
        workers_of(replace(job, encoding=encoding))
        contents.add(job.output_path.read_bytes())
    worker_pool.stop_all()
    workers_of(replace(job, encoding=encoding))
    assert contents == {job.output_path.read_bytes()}


def test_a_worker_that_breaks_is_quoted(tmp_path: Path) -> None:
    """4:2:0 has no odd sizes."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(replace(FILM, width=161), tmp_path / "segment.mp4", (shot_of(clip, [1]),))
    with pytest.raises(RenderError, match=r"segment\.mp4"):
        render_in_worker(job)
    assert not job.output_path.exists()
