"""What goes wrong: one sentence, the right exit code, and nothing lost."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.pipeline.project import Finished, Project, motions
from tests.sentences import only_error
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, SimulatedConsole

GIVES_UP_AT_ONCE = ("retry_limit=1", "longest_outage_secs=0")


def test_a_clip_without_recording_is_named_and_the_film_made_without_it(
    project: Project, console: SimulatedConsole
) -> None:
    project.doit("run", "scan")
    entry = project.entries()[2]
    start_ms = int(str(entry["start_ms"]))
    console.order(Fault("status", status=404, start_ms=start_ms, times=None))
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert project.film.exists()
    assert len(project.clips) == len(project.entries()) - 1
    failed = project.entries()[2]
    assert failed["status"] == "failed"
    assert "no recording" in str(failed["reason"])
    assert str(failed["reason"]) in run.output
    assert project.statuses()[f"fetch:{_name(entry)}"] == "R"


def test_a_clip_that_failed_is_the_only_one_asked_for_again(
    project: Project, console: SimulatedConsole
) -> None:
    project.doit("run", "scan")
    start_ms = int(str(project.entries()[2]["start_ms"]))
    console.order(Fault("status", status=404, start_ms=start_ms))
    assert project.doit("run", "timelapse").code == 1
    console.forget_requests()
    again = project.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert project.exports() == [start_ms]
    assert {entry["status"] for entry in project.entries()} == {"complete"}


def test_a_day_that_is_partly_overwritten_is_told_so(
    project: Project, console: SimulatedConsole
) -> None:
    """Recorders drop the oldest footage, and keep the events longer."""
    assert project.doit("run", "scan").code == 0
    middle_ms = int(str(project.entries()[3]["start_ms"]))
    console.add_camera(replace(SPARROW, recording_start_ms=middle_ms))
    run = project.doit("run", "timelapse")
    clock = datetime.fromtimestamp(middle_ms / 1000, ZoneInfo("America/New_York"))
    assert f"the console holds footage of {clock:%Y-%m-%d %H:%M} and later" in run.output
    assert run.code == 1
    assert project.film.exists()


@pytest.mark.parametrize(
    ("attempts", "asked"), [pytest.param(3, 2, marks=pytest.mark.slow), (1, 1)]
)
def test_a_recording_with_a_gap_is_asked_for_twice_and_named(
    project: Project, console: SimulatedConsole, attempts: int, asked: int
) -> None:
    """Twice the same is all that there is; the day is whole as far as it was recorded.

    Where only one attempt is allowed, what it brings is taken.
    """
    assert project.doit("run", "scan").code == 0
    entry = project.entries()[3]
    start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
    gap_ms = (start_ms + 1_000, end_ms + 10_000)
    console.add_camera(replace(SPARROW, gaps=(gap_ms,)))
    run = project.doit("run", "timelapse", f"retry_limit={attempts}")
    assert run.code == 0, run.output
    [sentence] = [line for line in run.output.splitlines() if "short: " in line]
    assert str(entry["event_id"]) in sentence
    assert "as far as they were recorded" in run.output
    assert project.exports().count(start_ms) == asked
    console.forget_requests()
    again = project.doit("run", "timelapse")
    assert again.code == 0
    assert "short: " in again.output
    assert project.exports() == []


def test_what_the_console_does_not_have_turns_no_day_red_for_ever(
    project: Project, console: SimulatedConsole
) -> None:
    project.doit("run", "scan")
    start_ms = int(str(project.entries()[2]["start_ms"]))
    console.order(Fault("status", status=404, start_ms=start_ms, times=None))
    assert project.doit("run", "timelapse").code == 1
    film_time_ns = project.film.stat().st_mtime_ns
    console.forget_requests()
    again = project.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert "not to be had" in again.output
    assert project.exports() == [start_ms]
    assert project.film.stat().st_mtime_ns == film_time_ns
    assert project.entries()[2]["is_settled"] is True


@pytest.mark.usefixtures("filmed")
def test_an_empty_list_that_the_console_contradicts_is_no_quiet_day(
    project: Project, console: SimulatedConsole
) -> None:
    before = project.contents()
    console.order(Fault("status", path="events", status=200, body="[]"))
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert "not to be trusted" in run.output
    assert "Traceback" not in run.output
    assert project.contents() == before


def test_a_camera_that_recorded_detections_contradicts_an_empty_list(
    project: Project, console: SimulatedConsole
) -> None:
    """One that records always had footage on any day, which says nothing."""
    console.set_events((), camera_id=SPARROW.camera_id)
    noon = datetime(2024, 1, 17, 12, tzinfo=ZoneInfo("America/New_York"))
    quiet = replace(SPARROW, recording_end_ms=round(noon.timestamp() * 1000))
    console.add_camera(quiet)
    assert project.doit("run", "timelapse").code == 0
    console.add_camera(replace(quiet, recording_mode="detections"))
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert "records nothing but detections, and did until 12:00:00" in run.output


HEALING = (
    Fault("status", status=500),
    Fault("status", status=429),
    Fault("status", status=429, retry_after=1),
    Fault("status", status=401),
    Fault("killed_session"),
    Fault("cut_body"),
    Fault("html"),
    Fault("empty"),
    Fault("empty_mp4"),
    Fault("wrong_bytes"),
    Fault("reset"),
)
NINE_MS = 1_705_500_000_000  # in New York, where the console is
EVERY_MS = 600_000


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """A day of as many clips as there are faults that heal, and each of them meets one."""
    events = motions(SPARROW.camera_id, NINE_MS, len(HEALING), spacing_ms=EVERY_MS)
    with SimulatedConsole(behaviour=Behaviour(login_limit_per_minute=None)) as console:
        console.set_events(events, camera_id=SPARROW.camera_id)
        for number, fault in enumerate(HEALING):
            console.order(replace(fault, start_ms=NINE_MS + number * EVERY_MS))
        project = Project(tmp_path_factory.mktemp("healed"), console)
        run = project.doit("run", "fetch")
        assert console.outstanding_faults == ()
    return project, run


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    range(len(HEALING)),
    ids=[f"{fault.kind}-{fault.status}-{fault.retry_after}" for fault in HEALING],
)
def test_what_heals_in_time_leaves_no_trace(healed: tuple[Project, Finished], number: int) -> None:
    project, run = healed
    assert run.code == 0, run.output
    assert project.exports().count(NINE_MS + number * EVERY_MS) >= 2
    assert len(project.clips) == len(project.entries()) == len(HEALING)
    assert not list(project.out.rglob("*.partial"))


def test_a_wrong_password_ends_everything_at_once(
    project: Project, console: SimulatedConsole
) -> None:
    canary = "canary-7f3e-wrong"
    run = project.doit("run", "timelapse", environment={"UPVS_PASSWORD": canary})
    assert run.code == 2, run.output
    assert len([line for line in run.output.splitlines() if "ERROR" in line]) == 1
    assert "Traceback" not in run.output
    assert canary not in run.output
    assert project.exports() == []
    assert len(console.requests) == 1
    written = b"".join(path.read_bytes() for path in project.out.rglob("*") if path.is_file())
    assert canary.encode() not in written


def test_an_account_that_may_not_download_is_told_so(
    project: Project, console: SimulatedConsole
) -> None:
    console.order(Fault("status", status=403, times=None))
    run = project.doit("run", "timelapse")
    assert run.code == 2, run.output
    assert "Playback" in run.output
    assert not project.film.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["date=2024-1-5"], "YYYY-MM-DD"),
        (["date=tomorrow"], "YYYY-MM-DD"),
        (["date=2024-02-30"], "YYYY-MM-DD"),
        (["date=2024-01-17", "crf=99"], "from 0 to 51"),
        (["date=2024-01-17", "dtae=1"], "dtae is no setting"),
        (["date=2024-01-17", "password=secret"], "password does not belong"),
        (["date=2024-01-17", "host="], "host is not set"),
        (["date=2024-01-17", "username="], "username is not set"),
        (["date=2024-01-17", "camera="], "camera is not set"),
        (["date=2024-01-17", "out_dir=x/{nonsense}"], "only the placeholders {camera}"),
    ],
)
def test_bad_usage_is_one_sentence_and_writes_nothing(
    project: Project, console: SimulatedConsole, arguments: list[str], words: str
) -> None:
    run = project.doit("run", "timelapse", *arguments)
    assert run.code == 3, run.output
    assert words in only_error(run.output)
    assert "secret" not in run.output
    assert not (project.folder / "out").exists()
    assert console.requests == ()


def test_a_missing_date_is_one_sentence(project: Project) -> None:
    process = project.start_bare("-m", "doit", "run", "timelapse")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "date is missing" in only_error(output)


def test_listing_without_a_date_shows_the_tasks(project: Project) -> None:
    process = project.start_bare("-m", "doit", "list")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "timelapse" in output


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("Nobody", "'Sparrow' (65a0f1c2d3e4b50387000006)"),
        ("GARAGE", "65a0f1c2d3e4b50387000003"),
    ],
)
def test_a_camera_that_does_not_resolve_lists_the_candidates(
    project: Project, camera: str, words: str
) -> None:
    run = project.doit("run", "timelapse", f"camera={camera}")
    assert run.code == 3, run.output
    assert words in run.output
    assert "Traceback" not in run.output
    assert project.exports() == []


def test_a_clip_that_does_not_exist_is_no_success(project: Project) -> None:
    run = project.doit("run", "fetch:clip_1_2_typo")
    assert run.code == 3, run.output
    assert "clip_1_2_typo" in run.output


def test_a_path_of_no_clip_is_one_sentence(project: Project) -> None:
    """A path may stand for a clip, and may be mistyped."""
    assert project.doit("run", "scan").code == 0
    run = project.doit("run", "scan", "out/Sparrow/clip_1_2_zz.mp4")
    assert run.code == 3
    assert "there is no task out/Sparrow/clip_1_2_zz.mp4" in run.output
    assert "bug" not in run.output


def test_what_a_later_task_misses_is_said_before_anything_is_written(project: Project) -> None:
    """Verify needs no account; what is asked for beside it does."""
    project.configure(username="")
    run = project.doit("run", "verify", "scan")
    assert run.code == 3
    assert "username is not set" in run.output
    assert not project.out.exists()


@pytest.mark.usefixtures("filmed")
def test_a_second_run_in_the_same_folder_is_refused(
    project: Project, console: SimulatedConsole
) -> None:
    console.order(Fault("stall_first", path="bootstrap"))
    first = project.start("run", "timelapse")
    try:
        console.wait_for_stalls()
        second = project.doit("run", "timelapse")
        assert second.code == 1, second.output
        assert "another run is at work" in only_error(second.output)
    finally:
        first.kill()
        first.communicate()


def test_an_unreachable_console_is_one_sentence(project: Project) -> None:
    run = project.doit("run", "timelapse", "host=https://127.0.0.1:9", *GIVES_UP_AT_ONCE)
    assert run.code == 4, run.output
    error, account = run.output.splitlines()
    assert "127.0.0.1" in only_error(error)
    assert account.startswith("console  ")


@pytest.mark.slow
def test_a_console_that_is_off_at_the_start_is_waited_for_and_that_is_told(tmp_path: Path) -> None:
    """As in a night in which it is updated."""
    state_dir = tmp_path / "console"
    with SimulatedConsole(state_dir=state_dir, password="p") as console:
        project = Project(tmp_path / "home", console)
        port = int(console.host.rpartition(":")[2])
    run = project.start("run", "scan", environment={"UPVS_PASSWORD": "p"})
    assert run.stdout
    told = run.stdout.readline()
    assert told.startswith("waiting for up to 10 minutes: the console is away (")
    assert "connection refused" in told
    with SimulatedConsole(state_dir=state_dir, password="p", port=port):
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    assert "events" in output


def test_clips_are_not_to_blame_for_an_unreachable_console(project: Project) -> None:
    """They stay to be fetched, and none of them is called failed."""
    assert project.upvs("scan").code == 0
    project.configure(host="https://127.0.0.1:9", retry_limit=1, longest_outage_secs=0)
    run = project.upvs("fetch")
    assert run.code == 4, run.output
    assert not list((project.out / ".upvs" / "failures").glob("*"))


def _name(entry: dict[str, object]) -> str:
    return str(entry["file_path"]).rpartition("/")[2].removesuffix(".mp4")
