"""What a run promises holds whichever reporter tells of it, and however it is to be parallel."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.pipeline.project import Project
from tests.sentences import one_sentence
from upvs_tasks.media.ffmpeg import find_ffmpeg
from upvs_tasks.simulator import Behaviour, Fault, SimulatedConsole

WAYS = {
    "our own": (),
    "one after the other": ("-n", "0"),
    "zero": ("-r", "zero"),
    "json": ("-r", "json"),
    "executed-only": ("-r", "executed-only"),
    "error-only": ("-r", "error-only"),
    "console": ("-r", "console"),
    "processes": ("-n", "4", "-P", "process"),
}
# The others differ from one of these in what they write alone.
OF_EVERY_KIND = {"our own", "zero"}
QUICK = {"target_duration": 5, "height": 90}


@dataclass(frozen=True)
class Told:
    """How a run ended, and what it said on each stream."""

    code: int
    out: str
    err: str


def ended(process: "subprocess.Popen[str]") -> Told:
    out, err = process.communicate(timeout=120)
    return Told(process.returncode, out, err)


def run(project: Project, way: str, *arguments: str, **environment: str) -> Told:
    return ended(started(project, way, *arguments, **environment))


def started(
    project: Project, way: str, *arguments: str, **environment: str
) -> "subprocess.Popen[str]":
    return project.start(
        "run", *WAYS[way], *arguments, environment=environment, stderr=subprocess.PIPE
    )


def logged(project: Project) -> list[dict[str, object]]:
    lines = (project.out / "logs" / "run.log").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


@pytest.fixture
def project(tmp_path: Path, console: SimulatedConsole) -> Project:
    """A day of six clips whose film is a small one."""
    return Project(tmp_path / "home", console, settings=dict(QUICK))


@pytest.fixture(
    params=[
        pytest.param(way, marks=() if way in OF_EVERY_KIND else pytest.mark.slow) for way in WAYS
    ],
    scope="module",
)
def way(request: pytest.FixtureRequest) -> str:
    """How the run is carried out, and told."""
    name: str = request.param
    return name


@dataclass(frozen=True)
class WholeDay:
    """A day that went well, and the environment of the ffmpeg that joined its film."""

    project: Project
    told: Told
    ffmpeg_environment: str


@pytest.fixture(scope="module")
def whole_day(way: str, tmp_path_factory: pytest.TempPathFactory) -> WholeDay:
    """The day once for all that is asked about it: it takes some seconds."""
    folder = tmp_path_factory.mktemp("whole")
    noted, listening_ffmpeg = folder / "environment", folder / "bin" / "ffmpeg"
    listening_ffmpeg.parent.mkdir()
    listening_ffmpeg.write_text(f'#!/bin/sh\nenv > "{noted}"\nexec "{find_ffmpeg()}" "$@"\n')
    listening_ffmpeg.chmod(0o755)
    path = f"{listening_ffmpeg.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    with SimulatedConsole(
        behaviour=Behaviour(login_limit_per_minute=None), state_dir=folder / "console"
    ) as console:
        project = Project(folder / "home", console, settings=dict(QUICK))
        told = run(project, way, "timelapse", PATH=path)
    return WholeDay(project, told, noted.read_text() if noted.exists() else "")


def test_a_whole_day_has_its_film_and_exit_code_0(whole_day: WholeDay) -> None:
    assert whole_day.told.code == 0, whole_day.told
    assert whole_day.project.film.is_file()


def test_the_account_is_given(whole_day: WholeDay, way: str) -> None:
    """Behind the summaries where they are told, and beside what another reporter writes."""
    has_summaries = WAYS[way][:1] != ("-r",)
    place = whole_day.told.out if has_summaries else whole_day.told.err
    assert "whole: all 6 events of 2024-01-17 are in the film" in place


def test_the_log_is_written(whole_day: WholeDay) -> None:
    log = logged(whole_day.project)
    assert log[0]["event"] == "run begins"
    assert (log[-1]["event"], log[-1]["exit_code"]) == ("run ends", 0)


def test_no_child_inherits_a_secret(whole_day: WholeDay) -> None:
    assert "PATH=" in whole_day.ffmpeg_environment
    assert "UPVS_" not in whole_day.ffmpeg_environment
    assert whole_day.project.console.password not in whole_day.ffmpeg_environment


def test_a_clip_that_cannot_be_had_makes_it_exit_code_1(
    project: Project, console: SimulatedConsole, way: str
) -> None:
    console.order(Fault("status", status=404, path="export"))
    told = run(project, way, "fetch")
    assert told.code == 1, told
    assert "missing: " in told.out + told.err
    assert len(project.clips) == 5
    assert logged(project)[-1]["exit_code"] == 1


def test_a_wrong_password_makes_it_exit_code_2(project: Project, way: str) -> None:
    told = run(project, way, "fetch", UPVS_PASSWORD="another")
    assert told.code == 2, told
    [sentence] = [line for line in told.err.splitlines() if line.startswith("ERROR: ")]
    assert "password" in sentence
    assert "Traceback" not in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("timelapse", "date="), "date is"),
        (("fetch:clip_1_2_typo",), "there is no task fetch:clip_1_2_typo"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_3(
    project: Project, way: str, arguments: tuple[str, ...], words: str
) -> None:
    told = run(project, way, *arguments)
    assert told.code == 3, told
    [sentence] = [line for line in told.err.splitlines() if line.startswith("ERROR: ")]
    assert words in one_sentence(sentence)
    assert "Traceback" not in told.out + told.err


@pytest.mark.usefixtures("filmed")
def test_a_second_run_is_refused_in_one_sentence(
    project: Project, console: SimulatedConsole, way: str
) -> None:
    with at_work(project, console):
        told = run(project, way, "timelapse")
    assert told.code == 1, told
    [sentence] = [line for line in told.err.splitlines() if line.startswith("ERROR: ")]
    assert "another run is at work" in one_sentence(sentence)
    assert len(console.requests) == 2, "the second run asked the console, too"


@pytest.mark.parametrize(
    ("sent", "words"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_run_that_is_stopped_says_so_in_one_sentence(
    project: Project,
    console: SimulatedConsole,
    way: str,
    sent: signal.Signals,
    words: str,
) -> None:
    console.order(Fault("stall_body"))
    process = started(project, way, "fetch")
    try:
        console.wait_for_stalls()
        process.send_signal(sent)
        told = ended(process)
    finally:
        process.kill()
        console.release()
    assert told.code == 128 + sent, told
    [sentence] = [line for line in told.err.splitlines() if words in line]
    assert one_sentence(sentence) == f"{words}: run again to go on from here"
    assert "Traceback" not in told.out + told.err
    assert logged(project)[-1]["event"] == "run broken off"


def test_what_the_json_reporter_writes_is_json(project: Project) -> None:
    """Also where a task fails; and nothing of ours is mixed into it."""
    for password in (project.console.password, "another"):
        told = run(project, "json", "fetch", UPVS_PASSWORD=password)
        document = orjson.loads(told.out)
        assert document["tasks"][0]["name"] == "scan"
        assert (document["out"], document["err"]) == ("", "")


def test_a_clip_that_could_not_be_had_is_no_success_in_json(
    project: Project, console: SimulatedConsole
) -> None:
    """Though the film is made without it."""
    console.order(Fault("status", status=404, path="export"))
    told = run(project, "json", "fetch")
    results = {task["name"]: task for task in orjson.loads(told.out)["tasks"]}
    clips = [task for name, task in results.items() if name.startswith("fetch:")]
    failed = [task for task in clips if task["result"] != "success"]
    assert len(clips) == 6
    assert [task["result"] for task in failed] == ["fail"]
    assert "no recording" in failed[0]["error"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_json_of_a_run_that_is_stopped_is_whole(
    project: Project, console: SimulatedConsole, sent: signal.Signals
) -> None:
    """And says of each task that was at work that it was broken off."""
    console.order(Fault("stall_body"))
    process = started(project, "json", "fetch")
    try:
        console.wait_for_stalls()
        process.send_signal(sent)
        told = ended(process)
    finally:
        process.kill()
        console.release()
    results = {task["name"]: task["result"] for task in orjson.loads(told.out)["tasks"]}
    assert results["scan"] == "success"
    assert "broken off" in results.values()


def test_a_reporter_that_writes_into_a_file_does_so(project: Project) -> None:
    """And the account stays on the terminal."""
    told = ended(project.start("run", "-o", "summaries.txt", "fetch", stderr=subprocess.PIPE))
    assert told.code == 0, told
    assert "6 of 6 clips asked for" in (project.folder / "summaries.txt").read_text()
    assert [line.split()[0] for line in told.out.splitlines()] == ["report", "console"]


def test_who_asks_for_processes_is_told_of_threads(project: Project) -> None:
    told = run(project, "processes", "fetch")
    assert told.code == 0, told
    [sentence] = [line for line in told.err.splitlines() if "-P" in line]
    assert "threads" in sentence
    assert len(project.clips) == 6


def test_tasks_are_not_carried_out_without_a_run(project: Project) -> None:
    """As where another program uses doit as a library: there would be neither lock nor log."""
    program = "from doit.doit_cmd import DoitMain; raise SystemExit(DoitMain().run(['run']))"
    process = project.start_bare("-c", program, environment={"UPVS_DATE": project.date})
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "start it with doit run" in output
    assert not (project.folder / "out").exists()


def test_cleaning_is_refused_while_a_run_is_at_work(
    project: Project, console: SimulatedConsole
) -> None:
    assert project.doit("run", "scan").code == 0
    with at_work(project, console):
        cleaned = project.doit("clean")
    assert cleaned.code == 1, cleaned
    assert "another run is at work" in cleaned.output
    assert project.doit("clean").code == 0


def test_cleaning_where_nothing_is_leaves_nothing(project: Project) -> None:
    assert project.doit("clean").code == 0
    assert not (project.folder / "out").exists()


@contextmanager
def at_work(project: Project, console: SimulatedConsole) -> Iterator[None]:
    """A run is at work in the folder until the block ends."""
    console.forget_requests()
    console.order(Fault("stall_first", path="bootstrap"))
    process = project.start("run", "timelapse")
    try:
        console.wait_for_stalls()
        yield
    finally:
        process.kill()
        process.communicate()
        console.release()
