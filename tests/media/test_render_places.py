"""As many workers at once as memory bears, and memory that ran out is called that."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Lock, Thread

import pytest

from samples.clips import Recipe
from tests.media.segments import endless_job, numbered_clip, shot_of
from tests.sentences import one_sentence
from tests.waiting import wait_until
from upvs_tasks.errors import RenderError
from upvs_tasks.media.render_places import RenderPlaces
from upvs_tasks.media.segment import SegmentJob
from upvs_tasks.media.worker_pool import busy_workers, render_in_worker
from upvs_tasks.media.worker_protocol import encode_job
from upvs_tasks.model.encoding import Codec, Encoding

GB = 1_000_000_000


def most_at_once(places: RenderPlaces, worker_bytes: int) -> int:
    """How many of eight threads ever hold a place at the same time."""
    lock, held, most = Lock(), 0, 0
    barrier = Barrier(8)

    def hold(_: int) -> None:
        nonlocal held, most
        with places.taken(worker_bytes):
            with lock:
                held += 1
                most = max(most, held)
            with suppress(BrokenBarrierError):
                barrier.wait(0.1)
            with lock:
                held -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, range(8)))
    return most


@pytest.mark.parametrize(
    ("free_bytes", "at_once"), [(None, 8), (100 * GB, 8), (4 * GB, 3), (GB, 1), (0, 1)]
)
def test_no_more_render_at_once_than_memory_bears(free_bytes: int | None, at_once: int) -> None:
    assert most_at_once(RenderPlaces(8, lambda: free_bytes), GB) == at_once


def test_memory_is_looked_at_once_for_workers_of_a_size() -> None:
    """Later the workers themselves hold what was free."""
    free = iter([4 * GB, 2 * GB])
    places = RenderPlaces(8, lambda: next(free))
    with places.taken(GB):
        assert places.memory(GB).free_bytes == 4 * GB
    assert places.memory(GB).free_bytes == 4 * GB
    assert places.memory(2 * GB).free_bytes == 2 * GB


@pytest.mark.parametrize(
    ("codec", "megabytes"),
    [(Codec.H264, 450), (Codec.HEVC, 450), (Codec.HEVC, 620), (Codec.AV1, 600)],
)
def test_an_encoder_without_memory_is_called_that(
    tmp_path: Path, codec: Codec, megabytes: int
) -> None:
    """It was a generic error in an external library, or a crash."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=90))
    encoding = Encoding(1920, 1080, 30, 23, "medium", codec)
    job = SegmentJob(encoding, tmp_path / "segment.mp4", (shot_of(clip, range(90)),))
    assert_memory_runs_out(job, megabytes)


def assert_memory_runs_out(job: SegmentJob, megabytes: int) -> None:
    """Render in a worker that may have so much memory and no more."""
    path = job.output_path.with_name("job")
    path.write_bytes(encode_job(job))
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({megabytes} << 20,) * 2)"
    program = f"import resource, runpy, sys; {limit}; sys.argv[1:] = [{str(path)!r}]"
    run = f"{program}; runpy.run_module('tests.media.rendering_in_worker', run_name='__main__')"
    ended = subprocess.run(
        [sys.executable, "-c", run], check=False, capture_output=True, text=True, timeout=100
    )
    assert ended.returncode != 0
    assert "memory ran out while rendering segment.mp4" in ended.stderr
    assert not job.output_path.exists()


def test_a_worker_that_the_system_kills_had_no_memory(tmp_path: Path) -> None:
    """So the out-of-memory killer of Linux ends it, without a word."""
    errors: list[str] = []

    def render() -> None:
        try:
            render_in_worker(endless_job(tmp_path))
        except RenderError as error:
            errors.append(str(error))

    thread = Thread(target=render)
    thread.start()
    wait_until(lambda: bool(busy_workers()))
    os.kill(busy_workers()[0], signal.SIGKILL)
    thread.join()
    (sentence,) = errors
    one_sentence(sentence)
    assert "memory ran out while rendering segment.mp4 (the system killed the worker)" in sentence
