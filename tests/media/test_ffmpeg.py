"""The ffmpeg program is found, watched, and never left running; its failures are explained."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from tests.processes import processes_at
from tests.waiting import wait_until
from upvs_tasks.errors import RenderError, StorageError, UsageError
from upvs_tasks.media import ffmpeg

PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.05")
WATCHED = ("-nostdin", "-nostats", "-loglevel", "warning", *PROGRESS)
FULL_DEVICE = Path("/dev/full")
REPOSITORY = Path(__file__).parents[2]


def copy_command(clip: Path, target: Path) -> tuple[str, ...]:
    """Command that copies a clip's video to ``target``."""
    outputs = ("-c", "copy", "-an", "-f", "mp4", "-y", str(target))
    return (ffmpeg.find_ffmpeg(), *WATCHED, "-i", str(clip), *outputs)


@contextmanager
def rendering(partial: Path, where: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of our own with ffmpeg at work under it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.media.rendering", str(partial), where],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as driver:
        try:
            assert driver.stdout is not None
            assert driver.stdout.readline() == b"at work\n"
            assert processes_at(partial)
            yield driver
        finally:
            driver.kill()


def test_a_command_is_run_to_its_end(tmp_path: Path) -> None:
    """Its file is there, and the frames were reported."""
    clip, target = make_clip(tmp_path / "clip.mp4"), tmp_path / "film.mp4"
    reported: list[int] = []
    ffmpeg.run(copy_command(clip, target), on_frame=reported.append, partial=target)
    assert shown_numbers(target) == list(range(20))
    assert reported
    assert reported[-1] == 20


def test_a_failure_is_reported_in_the_words_of_ffmpeg(tmp_path: Path) -> None:
    """And nothing is left of what was begun."""
    broken, target = tmp_path / "clip.mp4", tmp_path / "film.mp4.partial"
    broken.write_bytes(b"no video at all")
    target.write_bytes(b"of an earlier run")
    with pytest.raises(RenderError, match=r"film\.mp4\.partial.*exit code.*Invalid data"):
        ffmpeg.run(copy_command(broken, target), partial=target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("ending", "reported"),
    [
        ("exit 3", "exit code 3: that is why"),
        ("kill -TERM $$", "by SIGTERM: that is why"),
        ("kill -KILL $$", "by SIGKILL: that is why"),
        ("kill -SEGV $$", "by SIGSEGV: that is why"),
    ],
)
def test_how_it_ended_is_reported_as_it_was(tmp_path: Path, ending: str, reported: str) -> None:
    """What stands between it and us passes on exit codes, signals and words."""
    program, target = tmp_path / "ffmpeg", tmp_path / "film.mp4.partial"
    program.write_text(f"#!/bin/sh\necho that is why >&2\n{ending}\n")
    program.chmod(0o755)
    with pytest.raises(RenderError, match=reported):
        ffmpeg.run((str(program),), partial=target)


def test_it_ends_though_what_waits_for_it_was_killed(tmp_path: Path) -> None:
    """Out of memory, say: then nobody is left to pass on that it is to end."""
    partial, program = tmp_path / "film.mp4.partial", tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nkill -KILL $PPID\necho frame=1\nexec sleep 600\n")
    program.chmod(0o755)

    def end(_: int) -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        ffmpeg.run((str(program), str(partial)), on_frame=end, partial=partial)
    wait_until(lambda: not processes_at(partial))


def test_it_has_nothing_to_read(tmp_path: Path) -> None:
    """A program that waits for input would wait for ever."""
    program, target = tmp_path / "ffmpeg", tmp_path / "film.mp4.partial"
    program.write_text("#!/bin/sh\nread line && exit 1\nexit 0\n")
    program.chmod(0o755)
    ffmpeg.run((str(program),), partial=target)


@pytest.mark.skipif(not FULL_DEVICE.exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_reported_as_such(tmp_path: Path) -> None:
    """It is nothing that another try would heal."""
    clip, target = make_clip(tmp_path / "clip.mp4"), tmp_path / "film.mp4.partial"
    target.symlink_to(FULL_DEVICE)
    with pytest.raises(StorageError, match="the disk is full"):
        ffmpeg.run(copy_command(clip, target), partial=target)
    assert not target.is_symlink()


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    """It may be built for another machine."""
    program, target = tmp_path / "ffmpeg", tmp_path / "film.mp4.partial"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    with pytest.raises(RenderError, match="ffmpeg cannot be started"):
        ffmpeg.run((str(program),), partial=target)


def test_a_fault_of_whoever_follows_ends_the_render(tmp_path: Path) -> None:
    """Ffmpeg does not go on when nobody wants its film any more."""
    partial = tmp_path / "film.mp4.partial"
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30")
    encoder = ("-c:v", "libx264", "-preset", "ultrafast")
    output = ("-t", "86400", *encoder, "-f", "mp4", "-y", str(partial))

    def refuse(_: int) -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        ffmpeg.run(
            (ffmpeg.find_ffmpeg(), *WATCHED, *source, *output), on_frame=refuse, partial=partial
        )
    assert not processes_at(partial)
    assert not partial.exists()


def test_a_program_that_takes_longer_than_it_may_is_ended(tmp_path: Path) -> None:
    """One that was stopped, or that waits for something, would be waited for for ever."""
    partial, program = tmp_path / "film.mp4.partial", tmp_path / "waiting"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    with pytest.raises(RenderError, match=r"film\.mp4\.partial; it did not end in 0\.2 s"):
        ffmpeg.run((str(program), str(partial)), partial=partial, longest_secs=0.2)
    assert not processes_at(partial)


def test_a_program_that_will_not_end_is_made_to(tmp_path: Path) -> None:
    """Nobody asks it: it is killed."""
    partial, program = tmp_path / "film.mp4.partial", tmp_path / "stubborn"
    program.write_text("#!/bin/sh\ntrap '' TERM\necho frame=1\nwhile :; do sleep 0.1; done\n")
    program.chmod(0o755)

    def refuse(_: int) -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        ffmpeg.run((str(program), str(partial)), on_frame=refuse, partial=partial)
    assert not processes_at(partial)


def test_ffmpeg_dies_with_a_process_that_is_killed_outright(tmp_path: Path) -> None:
    """Nobody is left to tell it, so it has to know by itself."""
    partial = tmp_path / "film.mp4.partial"
    with rendering(partial, "main") as driver:
        driver.kill()
        driver.wait()
        wait_until(lambda: not processes_at(partial))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ffmpeg_ends_when_we_are_stopped(tmp_path: Path, sign: signal.Signals) -> None:
    """By the keyboard, the system, or a terminal that goes away."""
    partial = tmp_path / "film.mp4.partial"
    with rendering(partial, "main") as driver:
        driver.send_signal(sign)
        assert driver.wait() == -sign
        wait_until(lambda: not processes_at(partial))
    if sign is signal.SIGINT:
        assert not partial.exists()


def test_ffmpeg_ends_with_a_thread_that_nobody_waits_for(tmp_path: Path) -> None:
    """The program's end is its end, too."""
    partial = tmp_path / "film.mp4.partial"
    with rendering(partial, "daemon") as driver:
        assert driver.stdin is not None
        driver.stdin.close()
        driver.wait()
        wait_until(lambda: not processes_at(partial))


def test_all_threads_can_be_stopped(tmp_path: Path) -> None:
    """Their renders fail, and leave nothing behind."""
    partial = tmp_path / "film.mp4.partial"
    with rendering(partial, "stopped") as driver:
        assert driver.stdin is not None
        driver.stdin.close()
        assert driver.wait() == 7
        assert not processes_at(partial)
        assert not partial.exists()


def test_the_ffmpeg_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who installed one means it."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.find_ffmpeg() == str(program)


def test_without_one_on_path_there_is_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pip install is enough."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(ffmpeg.find_ffmpeg()).is_file()


def test_without_any_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine for which imageio-ffmpeg has no binary; then it raises RuntimeError."""

    def find_none() -> str:
        raise RuntimeError

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", find_none)
    with pytest.raises(UsageError, match="no ffmpeg was found: install one"):
        ffmpeg.find_ffmpeg()


def test_its_own_children_are_not_shared_between_renders(tmp_path: Path) -> None:
    """Two renders at once keep to themselves."""
    first, second = tmp_path / "a.partial", tmp_path / "b.partial"
    with rendering(first, "main") as survivor, rendering(second, "main") as victim:
        victim.kill()
        victim.wait()
        wait_until(lambda: not processes_at(second))
        assert survivor.poll() is None
        assert processes_at(first)


def test_a_clip_s_audio_does_not_get_in_the_way(tmp_path: Path) -> None:
    """Frames are counted of the video alone."""
    clip = make_clip(tmp_path / "clip.mp4", Recipe(audio_secs=3))
    target = tmp_path / "film.mp4"
    reported: list[int] = []
    ffmpeg.run(copy_command(clip, target), on_frame=reported.append, partial=target)
    assert reported[-1] == 20
