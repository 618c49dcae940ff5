"""On a system that lacks what only Linux has: the whole program, in real processes without it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy

import pytest

from tests.media.segments import endless_job, frames_of
from tests.processes import is_running, processes_at
from tests.waiting import wait_until
from upvs_tasks.media.ffmpeg import find_ffmpeg
from upvs_tasks.media.worker_protocol import encode_job

REPOSITORY = Path(__file__).parents[1]
OTHER_SYSTEM = REPOSITORY / "tests" / "other_system"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of such a system, with an ffmpeg on PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(find_ffmpeg())
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
    return kept | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{OTHER_SYSTEM}{os.pathsep}{REPOSITORY}",
    }


@contextmanager
def running(
    environment: dict[str, str], *arguments: str, folder: Path = REPOSITORY
) -> Iterator["subprocess.Popen[str]"]:
    """Our Python at work on such a system."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def outcome(environment: dict[str, str], *arguments: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of our Python on such a system."""
    with running(environment, *arguments, folder=folder) as process:
        output, _ = process.communicate(timeout=280)
    return process.returncode, output


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.sched_getaffinity(0)",
        "import ctypes; ctypes.CDLL(None).prctl",
        "open('/proc/self/status')",
        "import os; os.listdir('/proc')",
        "import select; select.epoll()",
        "import sys; sys.exit(sys.platform == 'darwin')",
    ],
)
def test_the_other_system_is_one(environment: dict[str, str], tmp_path: Path, program: str) -> None:
    """What is said of it here would prove nothing if it had what Linux has."""
    code, _ = outcome(environment, "-c", program, folder=tmp_path)
    assert code == 1


def test_a_day_becomes_a_film(environment: dict[str, str], tmp_path: Path) -> None:
    """From the embedded console to frames that decode."""
    copy(REPOSITORY / "dodo.py", tmp_path)
    settings = ["host=demo", "camera=Sparrow", "date=2024-01-17", "height=90", "preset=ultrafast"]
    command = ["-m", "doit", "run", "timelapse", "target_duration=5", *settings]
    code, output = outcome(environment, *command, folder=tmp_path)
    assert code == 0, output
    (film,) = tmp_path.glob("out/*/*/timelapse/*.mp4")
    assert sum(1 for _ in frames_of(film)) == 150


def test_the_tasks_are_listed(environment: dict[str, str], tmp_path: Path) -> None:
    """The first thing that anybody tries."""
    copy(REPOSITORY / "dodo.py", tmp_path)
    code, output = outcome(environment, "-m", "doit", "list", "host=demo", folder=tmp_path)
    assert code == 0, output
    assert "timelapse" in output


def test_ffmpeg_dies_with_a_process_that_is_killed_outright(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Though no signal tells it."""
    partial = tmp_path / "film.mp4.partial"
    with running(environment, "-m", "tests.media.rendering", str(partial), "main") as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "at work\n"
        assert processes_at(partial)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        wait_until(lambda: not processes_at(partial))


def test_a_worker_dies_with_a_process_that_is_killed_outright(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Its input ends."""
    job, job_path = endless_job(tmp_path), tmp_path / "job.json"
    job_path.write_bytes(encode_job(job))
    with running(environment, "-m", "tests.media.rendering_in_worker", str(job_path)) as parent:
        assert parent.stdout is not None
        worker_id = int(parent.stdout.readline())
        assert is_running(worker_id)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not is_running(worker_id))
