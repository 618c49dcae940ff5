"""A run ends when it is told to, whatever the programs do that it has started."""

import os
import signal
from pathlib import Path
from subprocess import Popen

import pytest

from tests.pipeline.project import Project
from tests.pipeline.test_film_program import put_first, starts
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")

ENDINGS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]


def workers_of(leader_id: int) -> list[int]:
    """Process ids of the workers that a run has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent_id = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"media.worker" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if is_worker and parent_id == leader_id:
            found.append(int(folder.name))
    return found


def ended(process: "Popen[str]", sent: signal.Signals) -> str:
    """What a run says that is ended by a signal."""
    process.send_signal(sent)
    try:
        return process.communicate(timeout=20)[0]
    finally:
        process.kill()


@pytest.mark.parametrize("task", ["estimate", "render"])
@pytest.mark.parametrize(("sent", "code", "words"), ENDINGS)
def test_a_worker_that_was_stopped_blocks_nothing(
    project: Project, task: str, sent: signal.Signals, code: int, words: str
) -> None:
    """By a debugger, say. The first ones are those of the estimate."""
    pattern = "*" if task == "estimate" else "[0-9a-f]*.partial"
    assert project.doit("run", "speed").code == 0
    process = project.start("run", "timelapse", "preset=veryslow", "target_duration=600")
    leader_id, records = process.pid, project.out / ".upvs"
    wait_until(lambda: bool(workers_of(leader_id) and list(records.rglob(pattern))))
    workers = workers_of(leader_id)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    output = ended(process, sent)
    assert process.returncode == code, output
    assert f"{words}: run again to go on from here" in output
    assert "Traceback" not in output
    assert "ERROR" not in output
    wait_until(lambda: not any(map(is_there, workers)))


@pytest.mark.parametrize(("sent", "code", "words"), ENDINGS)
def test_an_ffmpeg_that_is_tried_and_never_answers_blocks_nothing(
    project: Project, sent: signal.Signals, code: int, words: str
) -> None:
    environment = put_first(project, "exec sleep 600")
    process = project.start("run", "timelapse", environment=environment)
    wait_until(lambda: starts(project) == 1)
    output = ended(process, sent)
    assert process.returncode == code, output
    assert f"{words}: run again to go on from here" in output
    assert "Traceback" not in output


def is_there(process_id: int) -> bool:
    """Whether a process runs, or is stopped."""
    return Path(f"/proc/{process_id}").exists()
