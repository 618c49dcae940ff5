"""On a slim image: no zone tables, no locale, no ffmpeg, no home.

What a container of `python:3.13-slim` lacks is taken away from the Python that runs these tests.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

import pytest

REPOSITORY = Path(__file__).parents[1]
# Names that Debian has moved out of its table of zones, and that consoles have been seen to use.
OLD_NAMES = ["US/Eastern", "US/Pacific", "Canada/Atlantic", "GB", "NZ", "Asia/Calcutta"]
DEMO = ["host=demo", "camera=Sparrow", "date=2024-01-17", "height=90", "preset=ultrafast"]


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what it wrote, as bytes."""

    code: int
    output: bytes


def slim(folder: Path, *arguments: str, **variables: str) -> Finished:
    """Our Python in the environment of such an image."""
    environment = {"PATH": "/nonexistent", "PYTHONTZPATH": "", "LANG": "C", "LC_ALL": "C"}
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=280,
    )
    return Finished(finished.returncode, finished.stdout)


def test_there_is_no_table_of_zones(tmp_path: Path) -> None:
    """What is said here would prove nothing if there were one."""
    program = "import zoneinfo; print(zoneinfo.TZPATH)"
    assert slim(tmp_path, "-c", program).output == b"()\n"


@pytest.mark.parametrize("timezone", ["", "US/Eastern"])
def test_a_day_becomes_a_film(tmp_path: Path, timezone: str) -> None:
    copy(REPOSITORY / "dodo.py", tmp_path)
    settings = [*DEMO, "target_duration=5", f"timezone={timezone}"]
    run = slim(tmp_path, "-m", "doit", "run", "timelapse", *settings)
    assert run.code == 0, run.output
    assert (timezone or "America/New_York").encode() in run.output
    assert list(tmp_path.glob("out/*/*/timelapse/*.mp4"))


def test_every_zone_of_a_console_is_known_without_a_table(tmp_path: Path) -> None:
    program = (
        "from upvs_tasks.model.day import zone_named\n"
        f"for name in {OLD_NAMES!r}: zone_named(name)\n"
    )
    run = slim(tmp_path, "-c", program, PYTHONPATH=str(REPOSITORY))
    assert run.code == 0, run.output


def test_a_home_that_is_not_there_is_not_missed(tmp_path: Path) -> None:
    copy(REPOSITORY / "dodo.py", tmp_path)
    run = slim(tmp_path, "-m", "doit", "list", *DEMO, HOME="/nonexistent")
    assert run.code == 0, run.output
