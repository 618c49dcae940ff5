"""Disks that lack something, and files that are not what they should be."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.project import Finished, Project
from tests.refusals import WHY_NOT, FileSystem, Refusal, can_refuse
from tests.sentences import one_sentence

needs_refusals = pytest.mark.skipif(not can_refuse, reason=WHY_NOT)
COMMANDS = (
    ("list", "--all", "--status"),
    ("info", "timelapse"),
    ("run", "timelapse"),
    ("run", "verify"),
    ("clean",),
)
OURS = {
    "clip index": "manifests/clip_index.json",
    "day": "metadata/day.json",
    "record of the film": ".upvs/film.json",
    "record of a clip": ".upvs/footage/*.json",
    "clip": "clips/*/*/*.mp4",
    "film": "timelapse/*.mp4",
    "lock": ".upvs/run.lock",
}


def on(system: FileSystem, project: Project, *command: str) -> Finished:
    """How a command ends on such a disk."""
    return project.doit(*command, environment=system.environment)


def errors_of(run: Finished) -> list[str]:
    """The errors that a command has told, each of which is a sentence."""
    assert "Traceback" not in run.output
    assert "bug in upvs" not in run.output
    found = [line for line in run.output.splitlines() if line.startswith("ERROR: ")]
    return [one_sentence(line) for line in found]


def make_folder(path: Path) -> None:
    """Put a folder with something in it where a file was."""
    path.unlink()
    (path / "inner").mkdir(parents=True)


def make_pipe(path: Path) -> None:
    """Put a pipe that nobody writes into where a file was."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_folder, make_pipe])
@pytest.mark.parametrize("name", OURS)
def test_what_is_no_file_is_a_sentence_in_each_command(
    filmed: Project, name: str, make: Callable[[Path], None]
) -> None:
    """And what is in the way stays, for it is nothing of ours."""
    if name == "lock":
        (filmed.out / OURS[name]).touch()
    place = min(filmed.out.glob(OURS[name]))
    make(place)
    for command in COMMANDS:
        run = filmed.doit(*command)
        errors = errors_of(run)
        assert run.code == bool(errors) or command[0] == "info", (command, run.output)
        if command == ("run", "timelapse"):
            assert len(errors) == 1, run.output
            assert str(place) in errors[0]
    assert not place.is_file()
    assert place.exists()


@needs_refusals
def test_a_share_without_syncing_dates_and_locks_holds_a_day(project: Project) -> None:
    """A second run finds everything there, downloads nothing and makes nothing."""
    refusals = [
        Refusal("fsync", "*", errno.EINVAL),
        Refusal("flock", "*", errno.ENOLCK),
        Refusal("utime", "*", errno.EPERM),
        Refusal("chmod", "*", errno.EPERM),
        Refusal("statvfs", "*", errno.ENOSYS),
    ]
    system = FileSystem(project.folder / "out", refusals)
    first = on(system, project, "run", "timelapse")
    assert first.code == 0, first.output
    assert "is on a disk without locks" in first.output
    before = project.tree()
    project.console.forget_requests()
    second = on(system, project, "run", "timelapse")
    system.forget()
    assert second.code == 0, second.output
    assert project.exports() == []
    assert project.tree() == before


@needs_refusals
def test_a_disk_with_whole_seconds_holds_a_day(project: Project) -> None:
    """The date of a clip is then a second's, which is no change."""
    system = FileSystem(project.folder / "out", whole_seconds=True)
    assert on(system, project, "run", "timelapse").code == 0
    project.console.forget_requests()
    assert set(project.statuses().values()) == {"U", "R"}
    assert [name for name, status in project.statuses().items() if status == "R"] == [
        "scan",
        "verify",
    ]
    assert on(system, project, "run", "timelapse").code == 0
    system.forget()
    assert project.exports() == []


@needs_refusals
@pytest.mark.parametrize(
    ("kind", "number"), [("create", errno.EACCES), ("write", errno.EIO), ("write", errno.ENOSPC)]
)
def test_a_log_that_cannot_be_written_ends_no_run(project: Project, kind: str, number: int) -> None:
    system = FileSystem(project.folder / "out", [Refusal(kind, "*/logs/run.log", number)])
    run = on(system, project, "run", "timelapse")
    system.forget()
    [error] = errors_of(run)
    assert error.endswith("this run goes on without a log")
    assert run.code == 1, run.output
    assert "whole: all" in run.output
    assert project.film.exists()


@needs_refusals
@pytest.mark.parametrize(("kind", "number"), [("fork", errno.EAGAIN), ("pipe", errno.EMFILE)])
def test_a_computer_that_starts_no_process_is_a_sentence(
    project: Project, kind: str, number: int
) -> None:
    system = FileSystem(project.folder / "out", [Refusal(kind, "-", number)])
    run = on(system, project, "run", "timelapse")
    system.forget()
    assert run.code in (1, 3), run.output
    assert errors_of(run), run.output


def test_half_written_files_of_others_stay(filmed: Project) -> None:
    """Programs that copy files call them so, too."""
    clip, film = filmed.clips[0], filmed.film
    others = [
        clip.with_name(f"{clip.name}.4f1c.partial"),
        clip.with_name("holiday.mp4.partial"),
        film.with_name("other.mp4.partial"),
        filmed.out / "metadata" / "notes.txt.partial",
    ]
    ours = [
        clip.with_name(f"{clip.name}.partial"),
        film.with_name(f"{film.name}.partial"),
        filmed.out / ".upvs" / "footage" / f"{clip.stem}.json.partial",
    ]
    for path in (*others, *ours):
        path.write_bytes(b"half")
    run = filmed.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert [path for path in others if not path.exists()] == []
    assert [path for path in ours if path.exists()] == []


@needs_refusals
def test_a_session_is_written_through_no_link(project: Project) -> None:
    """Somebody else may have put it there, and would read the session."""
    session, other = project.folder / "session", project.folder / "other"
    other.write_bytes(b"somebody else's")
    session.with_name("session.partial").symlink_to(other)
    project.configure(session_file=str(session))
    run = project.doit("run", "scan")
    assert run.code == 0, run.output
    assert other.read_bytes() == b"somebody else's"
    assert not session.exists()
    shutil.rmtree(project.out)
