"""What a person sees of a run, and of work under way."""

import io
import os
import pty
from dataclasses import dataclass, field

import pytest

from tests.waiting import deadline
from upvs_tasks.clock import Clock
from upvs_tasks.output.progress import Terminal, Work


@dataclass
class Time:
    """A clock that stands still until it is set."""

    secs: float = 1_000.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(monotonic_secs=lambda: self.secs)


@pytest.fixture
def time() -> Time:
    return Time()


def summarising(time: Time) -> Terminal:
    """A terminal with a stream for summaries.

    Made in the test itself: pytest gives each of its phases another stderr.
    """
    terminal = Terminal(time.clock)
    terminal.tell_summaries_on(io.StringIO())
    return terminal


def test_all_goes_to_stderr_until_there_is_a_stream_for_summaries(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(time.clock)
    terminal.tell("report", "whole")
    terminal.warn("ERROR: no")
    assert capsys.readouterr() == ("", "report     whole\nERROR: no\n")


def test_summaries_have_a_stream_of_their_own_and_then_the_account_is_on_stdout(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, summaries = Terminal(time.clock), io.StringIO()
    terminal.tell_summaries_on(summaries)
    terminal.tell("scan", "done")
    terminal.warn("ERROR: no")
    summaries.flush()
    told = summaries.getvalue()
    terminal.end_summaries()
    summaries.close()
    terminal.tell("report", "whole")
    assert told == "scan       done\n"
    assert capsys.readouterr() == ("report     whole\n", "ERROR: no\n")


def test_work_is_not_shown_without_a_stream_for_summaries(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Work(Terminal(time.clock))
    work.add_bytes(1)
    time.secs += 60
    work.add_bytes(1)
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_work_is_a_line_now_and_then(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Work(summarising(time))
    work.expect_clips(4)
    work.begin_clip()
    for _ in range(100):
        work.add_bytes(50_000)
    work.end_clip()
    assert capsys.readouterr().err == ""
    time.secs += 20
    work.add_bytes(1)
    work.add_bytes(1)
    assert capsys.readouterr().err == "fetch      1 of 4 clips, 5 MB\n"


def test_rendering_counts_the_frames_of_all_segments(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    """Segments that are there already count as well; what a worker reports replaces the last."""
    work = Work(summarising(time))
    work.expect_segments({"000": 250, "001": 250, "002": 100})
    work.end_segment("000")
    for frames in (10, 20, 30):
        work.show_segment("001", frames)
    work.show_segment("002", 40)
    time.secs += 20
    work.show_segment("001", 60)
    assert capsys.readouterr().err == "render     350 of 600 frames\n"
    time.secs += 20
    work.end_segment("002")
    assert capsys.readouterr().err == "render     410 of 600 frames\n"


def test_a_terminal_shows_a_bar(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, written = pty.openpty()
    with os.fdopen(written, "w") as screen:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr("sys.stderr", screen)
        terminal = summarising(time)
        work = Work(terminal)
        work.expect_segments({"000": 250})
        work.show_segment("000", 120)
        terminal.end_work()
        said = b""
        for _ in deadline():  # a terminal hands on in pieces what is written to it
            said += os.read(shown, 1 << 16)
            if b"120 of 250 frames" in said:
                break
    os.close(shown)


def test_clips_that_failed_are_shown_apart(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    work = Work(summarising(time))
    work.expect_clips(4)
    work.end_clip()
    work.end_clip(failed=True)
    work.end_clip(failed=True)
    time.secs += 20
    work.add_bytes(2_000_000)
    assert work.clips_failed == 2
    assert capsys.readouterr().err == "fetch      1 of 4 clips, 2 failed, 2 MB\n"


def test_a_wait_is_told_once_for_all_who_wait(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    """About as long; one that ends much later is another one."""
    terminal = summarising(time)
    terminal.wait("the console is away", 600)
    time.secs += 50
    terminal.wait("the console is away, too", 600)
    terminal.wait("the login: no whole answer yet", 130)
    time.secs += 50
    terminal.wait("the console is away once more", 600)
    time.secs += 600
    terminal.wait("the console accepts no more logins", 90.4)
    assert capsys.readouterr().err.splitlines() == [
        "waiting for up to 10 minutes: the console is away",
        "waiting for up to 10 minutes: the console is away once more",
        "waiting for up to 90 s: the console accepts no more logins",
    ]


def test_a_wait_that_becomes_much_longer_is_told(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    """First nobody answers, and then it turns out that the console is away."""
    terminal = summarising(time)
    terminal.wait("the login: no whole answer yet", 130)
    time.secs += 10
    terminal.wait("the console is away", 600)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_one_thing_is_told_as_one(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    work = Work(summarising(time))
    work.expect_clips(1)
    work.begin_clip()
    time.secs += 20
    work.add_bytes(1)
    work.expect_segments({"000": 1})
    work.show_segment("000", 0)
    time.secs += 20
    work.show_segment("000", 1)
    assert capsys.readouterr().err.splitlines() == [
        "fetch      0 of 1 clip, 0 MB",
        "render     1 of 1 frame",
    ]


def test_nothing_is_said_after_the_end(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    """Threads that a broken off run leaves behind only notice that all is over."""
    terminal = summarising(time)
    terminal.warn("interrupted")
    terminal.fall_silent()
    terminal.warn("ERROR: this is a bug in upvs")
    terminal.tell("fetch", "done")
    terminal.wait("the console is away", 600)
    time.secs += 60
    terminal.work("fetch", done=1, total=2, detail="clips")
    terminal.work("render", done=1, total=2, detail="frames")
    assert capsys.readouterr() == ("", "interrupted\n")
