"""Never half: kill a run at any instant, run it again, and nothing shows that it happened."""

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.pipeline.project import Project
from tests.waiting import deadline, wait_until
from upvs_tasks.simulator import Fault, SimulatedConsole


@pytest.fixture
def undisturbed(project: Project) -> dict[str, str]:
    """What an undisturbed run leaves in the very same folder."""
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    contents = project.contents()
    shutil.rmtree(project.out)
    project.console.forget_requests()
    return contents


def kill_when(process: "subprocess.Popen[str]", is_time: Callable[[], bool]) -> None:
    """Kill without a warning as soon as it is time."""
    for _ in deadline():
        if is_time():
            break
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def kill_after(process: "subprocess.Popen[str]", secs: float) -> None:
    """Kill without a warning after a while, unless it has ended."""
    try:
        process.communicate(timeout=secs)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def test_killed_in_mid_download(
    project: Project, console: SimulatedConsole, undisturbed: dict[str, str]
) -> None:
    console.order(Fault("stall_body", skip=2))
    process = project.start("run", "timelapse", "max_workers=1")
    console.wait_for_stalls()
    records = project.out / ".upvs" / "footage"
    kill_when(process, lambda: len(list(records.glob("*.json"))) == 2 and has_partial(project))
    console.cancel_orders()
    console.release()
    present = {clip.stem for clip in project.clips}
    statuses = project.statuses()
    for entry in project.entries():
        name = str(entry["file_path"]).rpartition("/")[2].removesuffix(".mp4")
        assert statuses[f"fetch:{name}"] == ("U" if name in present else "R")
    assert statuses["timelapse"] == "R"
    absent = {
        entry["start_ms"] for entry in project.entries() if not is_present(project, entry, present)
    }
    console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert set(project.exports()) == absent
    assert len(project.exports()) == len(absent)
    assert project.contents() == undisturbed


@pytest.mark.slow
def test_killed_in_mid_render(project: Project, undisturbed: dict[str, str]) -> None:
    process = project.start("run", "timelapse")
    segments = project.out / ".upvs" / "segments"
    kill_when(process, lambda: segments.is_dir() and any(segments.glob("*.partial")))
    statuses = project.statuses()
    assert {name: statuses[name] for name in ("manifest", "speed", "timelapse")} == {
        "manifest": "U",
        "speed": "U",
        "timelapse": "R",
    }
    assert not project.film.exists()
    project.console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert project.exports() == []
    assert project.contents() == undisturbed


@pytest.mark.slow
def test_killed_between_the_last_clip_and_the_film(
    project: Project, undisturbed: dict[str, str]
) -> None:
    process = project.start("run", "timelapse")
    kill_when(process, (project.out / "metadata" / "day.json").exists)
    project.console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert project.exports() == []
    assert project.contents() == undisturbed


@pytest.mark.slow
def test_killed_at_any_of_20_random_instants(project: Project, undisturbed: dict[str, str]) -> None:
    """Spread over the length of a run, each followed by one that is left alone."""
    chance = random.Random(20240117)  # noqa: S311  the same instants in every run
    started_secs = monotonic()
    assert project.doit("run", "timelapse").code == 0
    whole_secs = monotonic() - started_secs
    for number in range(20):
        shutil.rmtree(project.out)
        kill_after(project.start("run", "timelapse"), whole_secs * (number + chance.random()) / 20)
        assert project.doit("run", "timelapse").code == 0
        assert project.contents() == undisturbed


@pytest.mark.slow
def test_killed_again_and_again(project: Project, undisturbed: dict[str, str]) -> None:
    """Each run goes on from where the one before was killed, and is killed in turn."""
    chance = random.Random(20240118)  # noqa: S311  likewise
    for _ in range(6):
        kill_after(project.start("run", "timelapse"), chance.uniform(0.2, 2.5))
    assert project.doit("run", "timelapse").code == 0
    assert project.contents() == undisturbed


@pytest.mark.slow
def test_killed_while_what_the_disk_has_changed_is_made_good(
    project: Project, undisturbed: dict[str, str]
) -> None:
    """Two clips, in a run that renders all of them; what is set aside has its place, too."""
    chance = random.Random(20240119)  # noqa: S311  likewise
    assert project.doit("run", "timelapse").code == 0
    for number in range(10):
        for clip in (project.clips[1], project.clips[3]):
            change_a_byte(clip)
        shutil.rmtree(project.out / ".upvs" / "segments")
        project.film.unlink()
        kill_after(project.start("run", "timelapse"), 0.3 + (number + chance.random()) / 8)
        assert project.doit("run", "timelapse").code == 0
        contents = project.contents()
        aside = {name for name in contents if ".replaced-" in name}
        assert {name: contents[name] for name in contents.keys() - aside} == undisturbed
    assert aside


def change_a_byte(path: Path) -> None:
    """Change the last byte of the pictures; the date does not tell."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="ctrl-c"),
        pytest.param(signal.SIGTERM, 143, id="terminate", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_says_so_and_can_go_on(
    project: Project,
    console: SimulatedConsole,
    undisturbed: dict[str, str],
    sent: signal.Signals,
    code: int,
) -> None:
    console.order(Fault("stall_body", skip=1))
    process = project.start("run", "timelapse", "max_workers=1")
    wait_until(lambda: has_partial(project) and len(project.clips) == 1)
    process.send_signal(sent)
    output, _ = process.communicate(timeout=30)
    console.cancel_orders()
    console.release()
    assert process.returncode == code, output
    assert "Traceback" not in output
    assert "run again" in output
    assert project.doit("run", "timelapse").code == 0
    assert project.contents() == undisturbed


def has_partial(project: Project) -> bool:
    """Whether a clip is half written."""
    return any((project.out / "clips").rglob("*.partial"))


def is_present(project: Project, entry: dict[str, object], stems: set[str]) -> bool:
    """Whether the entry's clip is among those of these names."""
    return (project.out / str(entry["file_path"])).stem in stems
