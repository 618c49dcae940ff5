"""The image of upvs: what the file says, and the program as it would run there.

Nothing here builds an image. Its steps are carried out on this machine, and what they have made is
run as an image is: the first process of its own, without rights, on a root that cannot be written.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FILE = (REPOSITORY / "Containerfile").read_text(encoding="utf-8")
# What an image adds to a program: see unshare(1), mount(8) and setpriv(1).
AS_IN_AN_IMAGE = """
set -e
mount --bind "$1/films" "$1/films"
mount -t tmpfs -o mode=1777 tmpfs /mnt
mount -o remount,bind,ro /
cd "$1/films"
exec setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$1/opt/bin" \
    LANG=C PYTHONTZPATH= TMPDIR=/mnt PYTHONDONTWRITEBYTECODE=1 "${@:2}"
"""
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
DEMO = ["upvs", "--host", "demo", "--camera", "Sparrow"]
RUN = ["run", "--date", "2024-01-17", "--target", "5", "--preset", "ultrafast"]


def test_the_image_is_slim_and_its_program_has_no_rights() -> None:
    bases = re.findall(r"^FROM (\S+)", FILE, re.MULTILINE)
    assert set(bases) == {"docker.io/library/python:3.13-slim"}
    assert re.findall(r"^USER (\d+)", FILE, re.MULTILINE) == ["1000"]
    assert "TZ=" not in FILE
    assert "apt" not in FILE


def test_nothing_but_the_program_goes_into_it() -> None:
    """No film, no settings of one's own, no password file."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert kept == {"upvs_tasks", "LICENSE", "README.md", "pyproject.toml"}


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """What the steps of the file make; a program without rights may look at it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    source = folder / "src"
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        source.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "upvs_tasks", source / "upvs_tasks", ignore=ignored)
    subprocess.run([sys.executable, "-m", "venv", folder / "opt"], check=True)
    pip = folder / "opt" / "bin" / "pip"
    subprocess.run([pip, "install", "--quiet", "--no-cache-dir", source], check=True)
    films = folder / "films"
    films.mkdir()
    films.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def in_image(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command there; skip where this machine allows no namespaces."""
    program = [*UNSHARE, "bash", "-c", AS_IN_AN_IMAGE, "image", str(folder)]
    tried = subprocess.run([*program, "python", "-V"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.decode()}")
    return subprocess.run(
        [*program, *command], capture_output=True, text=True, check=False, timeout=200
    )


@pytest.mark.registry
def test_a_day_becomes_a_film_there(image: Path) -> None:
    run = in_image(image, *DEMO, *RUN)
    assert run.returncode == 0, run.stdout + run.stderr
    [film] = image.glob("films/out/*/*/timelapse/*.mp4")
    assert film.stat().st_uid == 1000
    again = in_image(image, *DEMO, *RUN)
    assert "up to date" in again.stdout


@pytest.mark.registry
def test_the_first_process_of_an_image_ends_when_it_is_told_to(image: Path) -> None:
    """The kernel keeps from it each signal that it has not asked for."""
    script = '(/bin/sleep 3; kill -TERM 1) & exec "$0" "$@"'
    whole_day = ["upvs", "--host", "demo", "--camera", "Front Door", "run", "--date", "2024-01-15"]
    run = in_image(image, "/bin/bash", "-c", script, *whole_day)
    assert run.returncode == 143, run.stdout + run.stderr
    assert "terminated: run again to go on from here" in run.stderr
