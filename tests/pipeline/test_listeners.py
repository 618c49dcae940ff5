"""A film does not depend on who listens, nor does the exit code."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import which

import orjson
import pytest

from tests.pipeline.project import Project
from tests.sentences import one_sentence
from tests.waiting import wait_until
from upvs_tasks.simulator import SPARROW, Fault, SimulatedConsole

BASH = which("bash") or "bash"
# A file that is always full; not every system has it.
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
QUICK = {"target_duration": 5, "height": 90}
NAME = "Küche 猫"


def shell(
    project: Project, command: str, **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell's command line in the project's folder; DOIT is the program."""
    doit = f'"{sys.executable}" -m doit'
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
    return subprocess.run(
        [BASH, "-c", f"set -o pipefail; {command.replace('DOIT', doit)}"],
        cwd=project.folder,
        env=clean
        | {"UPVS_PASSWORD": project.console.password, "UPVS_DATE": project.date}
        | environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "DOIT run timelapse | head -1",
        pytest.param("DOIT run timelapse >/dev/full 2>&1", marks=needs_full),
        "DOIT run timelapse >&- 2>&- <&-",
        pytest.param("DOIT run -r json timelapse >/dev/full", marks=needs_full),
        pytest.param("DOIT run -o /dev/full timelapse", marks=needs_full),
        pytest.param("DOIT run -r console timelapse >&-", marks=pytest.mark.slow),
        pytest.param("DOIT run timelapse 2>/dev/full", marks=[pytest.mark.slow, needs_full]),
    ],
)
def test_a_film_does_not_depend_on_who_listens(project: Project, command: str) -> None:
    project.configure(**QUICK)
    ended = shell(project, command)

    assert ended.returncode == 0, ended
    assert project.film.exists()
    assert b"Traceback" not in ended.stdout + ended.stderr


@needs_full
@pytest.mark.parametrize("command", ["list --all --status", "info scan", "clean -n"])
def test_nor_do_other_commands(filmed: Project, command: str) -> None:
    whole = shell(filmed, f"DOIT {command}").returncode
    ended = shell(filmed, f"DOIT {command} >/dev/full")

    assert ended.returncode == whole, ended
    assert ended.stderr == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_that_cannot_be_printed_is_escaped(
    project: Project, console: SimulatedConsole, encoding: str
) -> None:
    console.add_camera(replace(SPARROW, name=NAME))
    project.configure(camera=NAME)
    ended = shell(project, "DOIT run scan", PYTHONIOENCODING=encoding)

    assert ended.returncode == 0, ended
    assert NAME.encode(encoding, "backslashreplace") in ended.stdout


def test_a_name_cannot_forge_a_line(project: Project, console: SimulatedConsole) -> None:
    console.add_camera(replace(SPARROW, name="Sparrow\x1b[2J\nreport     whole"))
    project.configure(camera=SPARROW.camera_id)
    ended = shell(project, "DOIT run scan")

    assert ended.returncode == 0, ended
    assert b"Sparrow\\x1b[2J\\nreport     whole, 2024-01-17" in ended.stdout
    assert b"\x1b" not in ended.stdout


@pytest.mark.parametrize(
    ("sent", "words", "code"),
    [
        (signal.SIGINT, "interrupted", 130),
        (signal.SIGTERM, "terminated", 143),
        (signal.SIGHUP, "ended with its terminal", 129),
    ],
)
@pytest.mark.parametrize("program", [("-m", "doit", "list"), ("-m", "upvs_tasks", "--help")])
def test_a_signal_before_a_run_is_one_sentence(
    project: Project, program: tuple[str, ...], sent: signal.Signals, words: str, code: int
) -> None:
    """While Python still imports: here numbers take their time to."""
    slow = project.folder / "orjson.py"
    slow.write_text("import time\nopen('importing', 'w').close()\ntime.sleep(60)\n")
    process = project.start_bare(
        *program, environment={"PYTHONPATH": f"{project.folder}:{os.environ.get('PYTHONPATH', '')}"}
    )
    try:
        wait_until((project.folder / "importing").exists)
        process.send_signal(sent)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()

    assert process.returncode == code, output
    assert one_sentence(output) == words


def test_a_run_whose_terminal_goes_away_says_so_in_its_log(
    project: Project, console: SimulatedConsole
) -> None:
    console.order(Fault("stall_body"))
    process = project.start("run", "fetch")
    try:
        console.wait_for_stalls()
        process.send_signal(signal.SIGHUP)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        console.release()

    assert process.returncode == 129
    assert output.splitlines()[-1] == "ended with its terminal: run again to go on from here"
    last = orjson.loads((project.out / "logs" / "run.log").read_bytes().splitlines()[-1])
    assert (last["event"], last["reason"]) == ("run broken off", "ended with its terminal")


def test_a_run_that_is_to_outlive_its_terminal_does(
    project: Project, console: SimulatedConsole
) -> None:
    """As with nohup, which lets the signal be ignored."""
    console.order(Fault("stall_first", path="bootstrap", release_after_secs=2))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = project.start("run", "scan")
    finally:
        signal.signal(signal.SIGHUP, before)
    console.wait_for_stalls()
    process.send_signal(signal.SIGHUP)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output


def test_a_missing_permission_is_told_once(project: Project, console: SimulatedConsole) -> None:
    """Several downloads find out at the same time."""
    console.order(Fault("status", status=403, path="export", times=None))
    project.configure(max_workers=4)
    ended = project.doit("run", "-c", "fetch")

    assert ended.code == 2, ended.output
    assert ended.output.count("lacks the permission") == 1
