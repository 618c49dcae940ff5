"""An ffmpeg that cannot make the film is found out before anything is downloaded."""

from pathlib import Path

import pytest

from tests.pipeline.project import Project
from upvs_tasks.media.ffmpeg import find_ffmpeg

LIBRARY = "error while loading shared libraries: libx264.so.148: cannot open shared object file"
# What stands on PATH as ffmpeg, and what is told of it.
REAL = f'exec "{find_ffmpeg()}" "$@"'
UNFIT = {
    "old": (
        f'case "$*" in *setts=*) echo "Unknown bitstream filter" >&2; exit 1;; esac; {REAL}',
        "Unknown bitstream filter",
    ),
    "broken": (f'echo "ffmpeg: {LIBRARY}" >&2; exit 127', "libx264.so.148"),
    "confined": (
        f'for word; do [ ! -f "$word" ] || {{ echo "No permission" >&2; exit 1; }}; done; {REAL}',
        "No permission",
    ),
    "killed": ("kill -KILL $$", "SIGKILL"),
    "idle": ("exit 0", "film.mp4.partial"),
    "lossy": (
        f'"{find_ffmpeg()}" "$@"; for word; do case "$word" in *.partial) : > "$word"; esac; done',
        "film.mp4.partial",
    ),
}


def put_first(project: Project, script: str) -> dict[str, str]:
    """Environment with a script as the first ffmpeg on PATH, which notes each start."""
    folder = project.folder / "programs"
    folder.mkdir(exist_ok=True)
    program = folder / "ffmpeg"
    program.write_text(f'#!/bin/sh\necho started >> "{folder}/starts"\n{script}\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def starts(project: Project) -> int:
    path = project.folder / "programs" / "starts"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize("kind", sorted(UNFIT))
def test_the_first_ffmpeg_that_can_make_the_film_does(project: Project, kind: str) -> None:
    script, reason = UNFIT[kind]
    run = project.doit("run", "timelapse", environment=put_first(project, script))
    assert run.code == 0, run.output
    assert project.film.exists()
    [note] = [line for line in run.output.splitlines() if line.startswith("NOTE: ")]
    assert f"{project.folder}/programs/ffmpeg cannot make the film" in note
    assert reason in note
    assert note.endswith("makes it")
    assert starts(project) == 1


def test_one_of_another_machine_is_passed_over(project: Project) -> None:
    environment = put_first(project, "")
    (project.folder / "programs" / "ffmpeg").write_bytes(b"\x7fELF of another machine")
    run = project.doit("run", "timelapse", environment=environment)
    assert run.code == 0, run.output
    assert "cannot be started" in run.output


def test_the_single_command_of_the_specification_is_tried_as_well(project: Project) -> None:
    """Builds without x264 can join the segments, but not encode."""
    unfit = 'case "$*" in *libx264*) echo "Unknown encoder libx264" >&2; exit 1;; esac'
    script = f"{unfit}; {REAL}"
    environment = put_first(project, script)
    run = project.doit("run", "timelapse", "engine=concat", environment=environment)
    assert run.code == 0, run.output
    assert "Unknown encoder libx264" in run.output
    joined = project.doit("run", "timelapse", environment=environment)
    assert joined.code == 0, joined.output
    assert "NOTE" not in joined.output


def test_where_none_can_nothing_is_downloaded(project: Project) -> None:
    """The clips alone can still be had."""
    environment = put_first(project, UNFIT["broken"][0])
    environment["IMAGEIO_FFMPEG_EXE"] = str(project.folder / "programs" / "ffmpeg")
    run = project.doit("run", "timelapse", environment=environment)
    assert run.code == 3, run.output
    assert run.output.count("cannot make the film") == 1
    assert "install ffmpeg 4.4 or newer" in run.output
    assert not project.exports()
    assert not (project.out / ".upvs" / "trial").exists()
    fetched = project.doit("run", "fetch", environment=environment)
    assert fetched.code == 0, fetched.output
    assert project.exports()


def test_a_run_with_nothing_to_do_starts_none(project: Project) -> None:
    environment = put_first(project, REAL)
    assert project.doit("run", "timelapse", environment=environment).code == 0
    assert starts(project) == 2, "it is tried, and it joins the film"
    assert project.doit("run", "timelapse", environment=environment).code == 0
    assert starts(project) == 2


def test_a_trial_that_was_cut_off_leaves_nothing_for_good(project: Project) -> None:
    left = project.out / ".upvs" / "trial" / "piece_0.mp4"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half of it")
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert not left.parent.exists()
    assert Path(project.film).exists()
