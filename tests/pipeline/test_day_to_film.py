"""The main job: a day of events becomes one film, in the specification's tree."""

from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from tests.film import shown_instants
from tests.pipeline.project import Project, motions
from upvs_tasks.media.probe import measure
from upvs_tasks.simulator import SimulatedConsole

KEYFRAME_INTERVAL_MS = 5_000


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The busy day of more than 300 events, filmed."""
    with SimulatedConsole() as console:
        folder = tmp_path_factory.mktemp("busy")
        project = Project(folder, console, date="2024-01-16", settings={"target_duration": 60})
        run = project.doit("run", "timelapse")
        assert run.code == 0, run.output
    return project


@pytest.fixture(scope="module")
def busy_instants(busy: Project) -> list[int]:
    """What each frame of the busy day's film shows."""
    instants = shown_instants(busy.film)
    readable = [instant for instant in instants if instant is not None]
    assert len(readable) == len(instants), "there are unreadable frames"
    return readable


@pytest.mark.slow
def test_wall_time_never_runs_backwards_by_more_than_a_keyframe_interval(
    busy_instants: list[int],
) -> None:
    worst_ms = max(before - after for before, after in pairwise(busy_instants))
    assert worst_ms <= KEYFRAME_INTERVAL_MS


@pytest.mark.slow
def test_no_second_of_an_event_is_absent_for_longer_than_a_step_and_a_keyframe_interval(
    busy: Project, busy_instants: list[int]
) -> None:
    speed = orjson.loads((busy.out / "metadata" / "day.json").read_bytes())["speed_factor"]
    longest_ms = speed / 30 * 1000 + KEYFRAME_INTERVAL_MS
    shown = sorted(busy_instants)
    events = [event for entry in busy.entries() for event in entry["events"]]  # type: ignore[attr-defined]  # parsed JSON
    assert len(events) > 300
    for event in events:
        start_ms, end_ms = event["start_ms"], event["end_ms"]
        inside = [instant for instant in shown if start_ms <= instant <= end_ms]
        marks = [start_ms, *inside, end_ms]
        assert max(after - before for before, after in pairwise(marks)) <= longest_ms, event


@pytest.mark.slow
def test_the_film_lasts_as_long_as_planned(busy: Project) -> None:
    planned = orjson.loads((busy.out / "metadata" / "day.json").read_bytes())
    film = measure(busy.film)
    assert abs(film.duration_ms / 1000 - planned["output_duration_secs"]) < 1
    assert planned["output_duration_secs"] == pytest.approx(60, abs=0.1)
    assert film.codec == "h264"
    assert not film.has_audio


@pytest.mark.slow
def test_no_two_clips_of_the_busy_day_share_a_second(busy: Project) -> None:
    spans = [(entry["start_ms"], entry["end_ms"]) for entry in busy.entries()]
    assert all(before[1] < after[0] for before, after in pairwise(spans))  # type: ignore[operator]  # parsed JSON
    assert all(end - start <= 3_600_000 for start, end in spans)  # type: ignore[operator]  # parsed JSON


def test_the_tree_is_the_specifications(quiet_day: Project) -> None:
    names = {path for path in quiet_day.contents() if not path.startswith((".upvs", "clips"))}
    assert names == {
        "metadata/camera.json",
        "metadata/day.json",
        "metadata/timeline.json",
        "manifests/clip_index.json",
        "manifests/concat.txt",
        "timelapse/Sparrow_2024-01-17_timelapse.mp4",
        "timelapse/Sparrow_2024-01-17_timelapse.vtt",
    }
    assert (quiet_day.out / "logs" / "run.log").is_file()
    first = quiet_day.entries()[0]
    name = f"clip_{first['start_ms']}_{first['end_ms']}_{first['event_id']}.mp4"
    assert first["file_path"] == f"clips/Sparrow/2024-01-17/{name}"
    assert quiet_day.clips[0].name == name


def test_the_manifests_hold_the_specifications_fields(quiet_day: Project) -> None:
    entry = quiet_day.entries()[0]
    assert entry.keys() >= {
        "event_id",
        "start_ms",
        "end_ms",
        "duration_ms",
        "event_type",
        "smart_types",
        "score",
        "status",
        "file_path",
    }
    assert entry["status"] == "complete"
    day = orjson.loads((quiet_day.out / "metadata" / "day.json").read_bytes())
    assert day["camera_name"] == "Sparrow"
    assert day["date"] == "2024-01-17"
    assert day["total_clips"] == day["valid_clips"] == len(quiet_day.clips)
    assert day["total_duration_secs"] == pytest.approx(
        sum(measure(clip).duration_ms for clip in quiet_day.clips) / 1000
    )
    assert day["target_secs"] == 20
    assert day["speed_factor"] == pytest.approx(day["total_duration_secs"] / 20)
    camera = orjson.loads((quiet_day.out / "metadata" / "camera.json").read_bytes())
    assert camera["id"] == "65a0f1c2d3e4b50387000006"
    assert camera["channels"][0].keys() >= {"id", "width", "height", "enabled", "fps"}


def test_concat_txt_names_the_clips_by_absolute_path_in_order(quiet_day: Project) -> None:
    lines = (quiet_day.out / "manifests" / "concat.txt").read_text().splitlines()
    files = [line for line in lines if line.startswith("file ")]
    assert [Path(line[6:-1]) for line in files] == quiet_day.clips


def test_every_log_line_is_json(quiet_day: Project) -> None:
    lines = (quiet_day.out / "logs" / "run.log").read_text().splitlines()
    assert {"run begins", "day scanned", "film made", "run ends"} <= {
        orjson.loads(line)["event"] for line in lines
    }


def test_an_empty_day_ends_well_and_says_so(project: Project) -> None:
    project.date = "2024-01-14"
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert "no events on 2024-01-14" in run.output
    assert project.index()["clips"] == []
    assert not project.film.exists()
    assert project.exports() == []


def test_a_camera_of_any_name_gets_safe_file_names(project: Project) -> None:
    camera_id, noon_ms = "65a0f1c2d3e4b50387000005", 1_705_510_800_000
    project.configure(camera=camera_id)
    project.camera = "Yard Back A"
    project.console.set_events(motions(camera_id, noon_ms, 2), camera_id=camera_id)
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    films = list((project.out / "timelapse").iterdir())
    assert {film.stem for film in films} == {"Yard Back A_2024-01-17_timelapse"}
