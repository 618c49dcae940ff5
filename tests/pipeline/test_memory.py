"""What was listed once and lies on the disk is not forgotten, whatever the console says later."""

import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.film import shown_instants
from tests.pipeline.project import Project, motions
from upvs_tasks.simulator import SPARROW, Fault, SimulatedConsole, SimulatedEvent

ZONE = ZoneInfo("America/New_York")
TEN_MS = round(datetime(2024, 1, 17, 10, tzinfo=ZONE).timestamp() * 1000)
CAMERA_ID = SPARROW.camera_id


def summary(output: str) -> str:
    """The last sentence about the day."""
    lines = [line.removeprefix("report").strip() for line in output.splitlines()]
    return [line for line in lines if re.match(r"(not )?whole|provisional|no |nothing", line)][-1]


def forget(console: SimulatedConsole, *, but: int = 0) -> None:
    """The console's disk is a ring: only the last events are left, and their footage."""
    events = motions(CAMERA_ID, TEN_MS, 3)[3 - but :]
    console.set_events(events, camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, recording_start_ms=TEN_MS + (3 - but) * 600_000 - 5_000))


@pytest.fixture
def three(project: Project, console: SimulatedConsole) -> Project:
    """A day of three short events, filmed."""
    console.set_events(motions(CAMERA_ID, TEN_MS, 3), camera_id=CAMERA_ID)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    return project


def test_a_film_stays_as_it_is_where_the_console_forgets_events(
    three: Project, console: SimulatedConsole
) -> None:
    film = three.film.read_bytes()
    forget(console, but=1)
    again = three.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert three.film.read_bytes() == film
    assert summary(again.output).startswith("whole: all 3 events of 2024-01-17 are in the film")
    assert "does not list 2 events any more" in again.output
    assert "safe to delete" not in again.output
    assert len(three.index()["forgotten"]) == 2  # type: ignore[arg-type]  # parsed JSON


def test_clips_can_be_filmed_again_after_clean_where_the_console_has_forgotten_all(
    three: Project, console: SimulatedConsole
) -> None:
    film = three.film.read_bytes()
    forget(console)
    assert three.doit("clean").code == 0
    assert not three.film.exists()
    again = three.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert three.film.read_bytes() == film


@pytest.mark.parametrize("records", ["kept", "lost"])
def test_clips_on_the_disk_are_found_again_where_the_index_is_lost(
    three: Project, console: SimulatedConsole, records: str
) -> None:
    film = three.film.read_bytes()
    forget(console)
    (three.out / "manifests" / "clip_index.json").write_text("{}")
    if records == "lost":
        for record in (three.out / ".upvs" / "footage").iterdir():
            record.unlink()
    again = three.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert three.film.read_bytes() == film
    assert "all 3 events" in summary(again.output)


def test_a_clip_is_filmed_as_long_as_a_longer_one_of_its_event_cannot_be_had(
    three: Project, console: SimulatedConsole
) -> None:
    """An event has grown since, but the console has no footage any more."""
    [first, *others] = motions(CAMERA_ID, TEN_MS, 3)
    console.set_events(
        [replace(first, end_ms=first.start_ms + 20_000), *others], camera_id=CAMERA_ID
    )
    console.order(Fault("status", status=404, start_ms=TEN_MS, times=None))
    film = three.film.read_bytes()
    again = three.doit("run", "timelapse")
    assert again.code == 1, again.output
    assert three.film.read_bytes() == film
    assert summary(again.output).startswith("not whole: 2 of 3 events")


def test_footage_that_the_settings_exclude_is_kept_and_named(three: Project) -> None:
    excluded = three.doit("run", "timelapse", "smart_types=unicorn")
    assert excluded.code == 0, excluded.output
    assert summary(excluded.output) == (
        "nothing to film: 3 events on 2024-01-17, and the settings exclude all, none with unicorn: "
        "nothing was recognised that day"
    )
    assert len(three.clips) == 3
    assert three.film.exists()
    again = three.doit("run", "timelapse")
    assert "3 clips up to date" in again.output


def test_what_was_recognised_is_told_where_the_settings_ask_for_something_else(
    project: Project,
) -> None:
    project.camera = "Front Door"
    project.configure()
    run = project.doit("run", "timelapse", "smart_types=Unicorn", "date=2024-01-15")
    assert run.code == 0, run.output
    assert "none with Unicorn: that day has" in summary(run.output)
    assert "person" in summary(run.output)


def test_what_is_recognised_is_compared_without_case(project: Project) -> None:
    project.camera = "Front Door"
    project.configure()
    spelt = []
    for word in ("person", "PERSON"):
        run = project.doit("run", "scan", f"smart_types={word}", "date=2024-01-15")
        spelt.append(run.output.partition("console ")[0])  # which says how long answers took
    assert "scan " in spelt[0]
    assert spelt[0] == spelt[1]


def test_a_clip_that_was_not_fetched_is_missing_from_the_film(
    project: Project, console: SimulatedConsole
) -> None:
    console.set_events(motions(CAMERA_ID, TEN_MS, 3), camera_id=CAMERA_ID)
    assert project.doit("run", "scan").code == 0
    path = str(project.entries()[0]["file_path"])
    name = path.rpartition("/")[2].removesuffix(".mp4")
    assert project.doit("run", f"fetch:{name}").code == 0
    rendered = project.upvs("render")
    assert rendered.code == 1, rendered.output
    assert summary(rendered.output).startswith(
        "not whole: 1 of 3 events of 2024-01-17 is in the film (2 not fetched yet)"
    )
    assert rendered.output.count("missing: ") == 2


def test_a_clip_that_is_lost_is_missing_where_the_console_is_not_asked(three: Project) -> None:
    three.clips[1].unlink()
    rendered = three.upvs("render")
    assert rendered.code == 1, rendered.output
    assert summary(rendered.output).startswith("not whole: 2 of 3 events")
    verified = three.doit("run", "verify")
    assert verified.code == 1, verified.output


def test_events_that_are_too_short_for_the_speed_are_named(
    project: Project, console: SimulatedConsole
) -> None:
    console.set_events(motions(CAMERA_ID, TEN_MS, 40, lasts_ms=2_000), camera_id=CAMERA_ID)
    run = project.doit("run", "timelapse", "target_duration=1")
    assert run.code == 0, run.output
    sentence = summary(run.output)
    assert sentence.startswith("whole but for what cannot be had: ")
    shown, brief = map(int, re.findall(r"(\d+) (?:of 40|too short)", sentence))
    assert brief > 0
    assert shown + brief == 40
    [named] = [line for line in run.output.splitlines() if "too short to be seen: " in line]
    assert named.count("motion at ") == min(brief, 20)


def test_a_day_without_any_film_is_never_called_whole(
    project: Project, console: SimulatedConsole
) -> None:
    """However often one asks."""
    console.set_events(motions(CAMERA_ID, TEN_MS, 2), camera_id=CAMERA_ID)
    console.order(Fault("status", status=404, times=None))
    for _ in range(3):
        run = project.doit("run", "timelapse")
        assert run.code == 1, run.output
        assert summary(run.output).startswith(
            "no film: none of 2 events of 2024-01-17 could be had"
        )
    assert "2 not recorded" in summary(run.output)


def test_a_gap_that_the_console_never_fills_is_named_and_does_not_fail_the_day(
    project: Project, console: SimulatedConsole
) -> None:
    console.set_events(motions(CAMERA_ID, TEN_MS, 3), camera_id=CAMERA_ID)
    console.order(Fault("status", status=404, start_ms=TEN_MS, times=None))
    first, second = project.doit("run", "timelapse"), project.doit("run", "timelapse")
    assert (first.code, second.code) == (1, 0), second.output
    assert summary(first.output).startswith("not whole: 2 of 3 events")
    assert summary(second.output).startswith(
        "whole but for what cannot be had: 2 of 3 events of 2024-01-17 are in the film "
        "(1 not recorded)"
    )


def test_an_event_that_never_ended_is_filmed_and_named(
    project: Project, console: SimulatedConsole
) -> None:
    [first, second] = motions(CAMERA_ID, TEN_MS, 2)
    console.set_events([first, replace(second, end_ms=None)], camera_id=CAMERA_ID)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert "no end: motion at 10:10:00; 5 minutes were asked for" in run.output
    assert summary(run.output).startswith(
        "whole but for what cannot be had: all 2 events of 2024-01-17 are in the film "
        "(1 without an end)"
    )
    assert [str(entry["duration_ms"]) for entry in project.entries()] == ["4000", "300000"]


def test_every_run_says_where_the_film_is(three: Project) -> None:
    again = three.doit("run", "timelapse")
    path = "out/Sparrow/2024-01-17/timelapse/Sparrow_2024-01-17_timelapse.mp4"
    assert summary(again.output).endswith(f"in the film: {path}")


def test_a_late_event_beside_one_that_the_console_has_forgotten_costs_nothing(
    project: Project, console: SimulatedConsole
) -> None:
    """All of them would be one clip, of which the console has the end alone."""
    first, second, late = motions(CAMERA_ID, TEN_MS, 3, spacing_ms=9_000)
    console.set_events([first, second], camera_id=CAMERA_ID)
    assert project.doit("run", "timelapse").code == 0
    console.set_events([second, late], camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, recording_start_ms=TEN_MS + 8_000))
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    shown = [at_ms for at_ms in shown_instants(project.film) if at_ms is not None]
    for event in (first, second, late):
        assert any(event.start_ms <= at_ms < event.start_ms + 4_000 for at_ms in shown)
    assert shown == sorted(shown)
    assert summary(run.output).startswith("whole: all 3 events")


def test_no_part_of_a_clip_is_taken_for_what_the_console_has_forgotten(
    project: Project, console: SimulatedConsole
) -> None:
    first, second = motions(CAMERA_ID, TEN_MS, 2, spacing_ms=9_000)
    console.set_events([first, second], camera_id=CAMERA_ID)
    assert project.doit("run", "timelapse").code == 0
    console.set_events([second], camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, recording_start_ms=TEN_MS + 8_000))
    [clip] = project.clips
    clip.unlink()
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert summary(run.output).startswith("not whole: 1 of 2 events")


def test_a_clip_that_comes_back_without_a_part_is_not_taken_for_all_of_it(
    project: Project, console: SimulatedConsole
) -> None:
    """The disk has changed the clip, and the console has only the second event any more."""
    first, second = motions(CAMERA_ID, TEN_MS, 2, spacing_ms=9_000)
    console.set_events([first, second], camera_id=CAMERA_ID)
    assert project.doit("run", "timelapse").code == 0
    console.set_events([second], camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, recording_start_ms=TEN_MS + 8_000))
    [clip] = project.clips
    clip.write_bytes(clip.read_bytes()[:1_000])
    run = project.doit("run", "timelapse")
    assert summary(run.output).startswith("whole but for what cannot be had: 1 of 2 events")
    assert "not in what the console gave: motion at 10:00:00" in run.output


def test_a_record_that_the_disk_has_changed_costs_no_clip(
    three: Project, console: SimulatedConsole
) -> None:
    film = three.film.read_bytes()
    forget(console)
    [record, other, _] = sorted((three.out / ".upvs" / "footage").iterdir())
    content = orjson.loads(record.read_bytes())
    digest = content["arrived_sha256"]
    record.write_bytes(record.read_bytes().replace(digest.encode(), digest[::-1].encode()))
    other.write_bytes(sorted((three.out / ".upvs" / "footage").iterdir())[2].read_bytes())
    run = three.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert summary(run.output).startswith("whole: all 3 events")
    assert three.film.read_bytes() == film


def test_a_part_of_a_clip_is_not_all_of_it_once_the_console_has_forgotten_the_rest(
    project: Project, console: SimulatedConsole
) -> None:
    first, second = motions(CAMERA_ID, TEN_MS, 2, spacing_ms=9_000)
    second = replace(second, end_ms=second.start_ms + 20_000)
    console.set_events([first, second], camera_id=CAMERA_ID)
    assert project.doit("run", "timelapse").code == 0
    console.set_events([second], camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, recording_start_ms=TEN_MS + 8_000))
    [clip] = project.clips
    clip.write_bytes(clip.read_bytes()[:1_000])
    assert "1 of 2 events" in summary(project.doit("run", "timelapse").output)
    console.set_events([], camera_id=CAMERA_ID)
    run = project.doit("run", "timelapse")
    assert not summary(run.output).startswith("whole: "), run.output


def seconds(event: SimulatedEvent, start_secs: float, end_secs: float) -> SimulatedEvent:
    """The event from some seconds after ten to others."""
    start_ms, end_ms = (TEN_MS + round(secs * 1000) for secs in (start_secs, end_secs))
    return replace(event, start_ms=start_ms, end_ms=end_ms)


def test_a_clip_that_came_short_does_not_vouch_for_each_of_its_events(
    project: Project, console: SimulatedConsole
) -> None:
    """The recording ends between its two events, or begins between them."""
    one, other, alone = motions(CAMERA_ID, TEN_MS, 3)
    console.set_events([seconds(one, 0, 31), seconds(other, 36, 45), alone], camera_id=CAMERA_ID)
    console.add_camera(replace(SPARROW, gaps=((TEN_MS + 31_000, TEN_MS + 300_000),)))
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert "short: 10:00:00-10:00:45" in run.output
    assert "perhaps not in what the console gave: motion at 10:00:36" in run.output
    assert summary(run.output).startswith(
        "whole but for what cannot be had: 2 of 3 events of 2024-01-17 are in the film "
        "(1 perhaps not recorded)"
    )


def test_an_hour_of_the_day_does_not_stand_for_a_short_event(
    three: Project, console: SimulatedConsole
) -> None:
    hours = three.doit("run", "fetch", "source=continuous", "start=10:00", "end=11:00")
    assert hours.code == 0, hours.output
    three.clips[0].unlink()
    console.order(Fault("status", status=500, times=None))
    run = three.doit("run", "timelapse", "retry_limit=1")
    assert run.code == 1, run.output
    assert summary(run.output).startswith("not whole: 2 of 3 events")
    assert "kept: 1 clip" in run.output


def test_a_clip_that_may_still_come_is_named_although_an_earlier_one_has_its_event(
    three: Project, console: SimulatedConsole
) -> None:
    console.order(Fault("status", status=500, times=None))
    run = three.doit("run", "timelapse", "padding_secs=30", "retry_limit=1")
    assert run.code == 1, run.output
    assert run.output.count("missing: ") == 3
    assert summary(run.output).startswith("not whole: all 3 events")


def test_what_was_once_a_part_of_an_event_stays_one(
    three: Project, console: SimulatedConsole
) -> None:
    """The console has moved the event since, and recognised somebody in it."""
    [first, *others] = motions(CAMERA_ID, TEN_MS, 3)
    moved = replace(first, start_ms=first.start_ms + 3_000, end_ms=first.start_ms + 6_900)
    person = replace(moved, kind="smartDetectZone", smart_types=("person",))
    console.set_events([person, *others], camera_id=CAMERA_ID)
    run = three.doit("run", "timelapse", "smart_types=person")
    assert run.code == 0, run.output
    assert summary(run.output).startswith("whole: the only event of 2024-01-17 is in the film")
    [entry] = three.entries()
    assert (entry["start_ms"], entry["end_ms"]) == (first.start_ms, moved.end_ms)


def test_an_index_that_the_disk_has_changed_is_not_believed(three: Project) -> None:
    index = three.out / "manifests" / "clip_index.json"
    before, film = index.read_bytes(), three.film.read_bytes()
    index.write_bytes(before.replace(b'"score": 0', b'"score": 1', 1))
    assert index.read_bytes() != before
    assert three.doit("run", "verify").code == 1
    again = three.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert (index.read_bytes(), three.film.read_bytes()) == (before, film)


def test_clips_are_deleted_only_by_their_names(three: Project) -> None:
    assert three.doit("clean", "fetch").code == 0
    assert len(three.clips) == 3


def test_a_day_whose_only_event_cannot_be_read_has_no_film(
    project: Project, console: SimulatedConsole
) -> None:
    [event] = motions(CAMERA_ID, TEN_MS, 1)
    console.set_events([event], camera_id=CAMERA_ID)
    console.spoil_event(event.event_id, start=None)
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert summary(run.output) == (
        "no film: none of 1 event of 2024-01-17 could be had (1 unreadable)"
    )
