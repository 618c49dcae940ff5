"""Nothing twice: what a second run asks of the console, writes and renders."""

import shutil

import orjson
import pytest

from tests.pipeline.project import Project
from upvs_tasks.simulator import SimulatedConsole


def changed_files(project: Project, before: dict[str, str]) -> set[str]:
    """Names of the files of the specification's tree that are new or differ, clips aside."""
    after = project.contents()
    names = {name for name, digest in after.items() if before.get(name) != digest}
    return {name for name in names if not name.startswith((".upvs", "clips"))}


def test_a_second_run_only_lists_the_day(project: Project, console: SimulatedConsole) -> None:
    assert project.doit("run", "timelapse").code == 0
    before = project.tree()
    console.forget_requests()
    again = project.doit("run", "timelapse")
    assert again.code == 0, again.output
    assert project.tree() == before
    assert project.requests("/api/auth/login") == 1
    assert project.requests("/bootstrap") == 1
    assert project.requests("/events") == 1
    assert project.exports() == []
    assert len(console.requests) == 3


@pytest.mark.usefixtures("filmed")
def test_every_status_is_u_after_a_run_but_what_asks_anew(project: Project) -> None:
    statuses = project.statuses()
    assert len([name for name in statuses if name.startswith("fetch:")]) == len(project.clips)
    assert {name for name, status in statuses.items() if status != "U"} == {"scan", "verify"}


@pytest.mark.usefixtures("filmed")
def test_listing_asks_nothing_of_the_console(project: Project, console: SimulatedConsole) -> None:
    console.forget_requests()
    project.statuses()
    assert project.doit("info", "timelapse").code == 0
    assert console.requests == ()


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("list", "--all", "--status"), {"requests", "av", "ffmpeg", "rich"}),
        (("run", "timelapse"), {"av", "ffmpeg", "rich"}),
    ],
)
def test_what_has_nothing_to_do_imports_nothing_for_it(
    project: Project, arguments: tuple[str, ...], unneeded: set[str]
) -> None:
    command = ("-X", "importtime", "-m", "doit", *arguments, f"date={project.date}")
    process = project.start_bare(*command)
    output, _ = process.communicate(timeout=60)
    imported = {line.rpartition("|")[2].strip() for line in output.splitlines()}
    assert "upvs_tasks.graph" in imported
    assert imported & unneeded == set()


@pytest.mark.usefixtures("filmed")
def test_another_quality_renders_anew_and_nothing_else(
    project: Project, console: SimulatedConsole
) -> None:
    before = project.contents()
    console.forget_requests()
    run = project.doit("run", "timelapse", "crf=30")
    assert run.code == 0, run.output
    assert changed_files(project, before) == {f"timelapse/{project.film.name}"}
    assert project.exports() == []


@pytest.mark.usefixtures("filmed")
def test_another_length_redoes_speed_and_film_only(project: Project) -> None:
    before = project.contents()
    run = project.doit("run", "timelapse", "target_duration=10")
    assert run.code == 0, run.output
    assert changed_files(project, before) == {
        "metadata/day.json",
        "metadata/timeline.json",
        f"timelapse/{project.film.stem}.vtt",
        f"timelapse/{project.film.name}",
    }


@pytest.mark.usefixtures("filmed")
def test_a_late_event_fetches_one_clip_and_redoes_what_follows(
    project: Project, console: SimulatedConsole
) -> None:
    first = project.entries()[0]
    start_ms = int(str(first["start_ms"])) - 600_000
    camera_id = str(project.index()["camera_id"])
    console.add_event(start_ms, start_ms + 12_000, camera_id=camera_id)
    before = project.contents()
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == [start_ms]
    assert changed_files(project, before) == {
        "manifests/clip_index.json",
        "manifests/concat.txt",
        "metadata/day.json",
        "metadata/timeline.json",
        f"timelapse/{project.film.stem}.vtt",
        f"timelapse/{project.film.name}",
    }


@pytest.mark.usefixtures("filmed")
def test_a_clip_that_was_deleted_is_fetched_alone(
    project: Project, console: SimulatedConsole
) -> None:
    before = project.contents()
    project.clips[2].unlink()
    statuses = project.statuses()
    assert [statuses[name] for name in sorted(statuses) if name.startswith("fetch:")].count(
        "R"
    ) == 1
    console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert len(project.exports()) == 1
    assert project.contents() == before


@pytest.mark.usefixtures("filmed")
def test_a_clip_that_was_cut_short_is_fetched_again(
    project: Project, console: SimulatedConsole
) -> None:
    before = project.contents()
    whole = project.clips[1].read_bytes()
    project.clips[1].write_bytes(whole[: len(whole) // 2])
    console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert len(project.exports()) == 1
    assert project.contents() == before


@pytest.mark.usefixtures("filmed")
def test_footage_that_lost_its_records_and_dates_is_measured_not_downloaded(
    project: Project, console: SimulatedConsole
) -> None:
    before, film_time_ns = project.contents(), project.film.stat().st_mtime_ns
    shutil.rmtree(project.out / ".upvs" / "footage")
    for clip in project.clips:
        clip.touch()
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == []
    assert project.contents() == before
    assert project.film.stat().st_mtime_ns == film_time_ns


@pytest.mark.usefixtures("filmed")
def test_footage_with_records_of_another_version_is_measured_not_downloaded(
    project: Project, console: SimulatedConsole
) -> None:
    before, film_time_ns = project.contents(), project.film.stat().st_mtime_ns
    for path in (project.out / ".upvs" / "footage").iterdir():
        record = orjson.loads(path.read_bytes())
        record["footage"] |= {"longest_gap_ms": 34}
        path.write_bytes(orjson.dumps(record))
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == []
    assert project.contents() == before
    assert project.film.stat().st_mtime_ns == film_time_ns


@pytest.mark.usefixtures("filmed")
def test_deleting_the_parts_of_a_film_that_is_made_renders_nothing(project: Project) -> None:
    shutil.rmtree(project.out / ".upvs" / "segments")
    before = project.tree()
    assert project.doit("run", "timelapse").code == 0
    assert project.tree() == before


def test_there_is_no_database_to_lose(quiet_day: Project) -> None:
    assert not list(quiet_day.folder.rglob(".doit*"))


@pytest.mark.usefixtures("filmed")
def test_cleaning_keeps_the_footage_unless_it_is_named(project: Project) -> None:
    clips = project.clips
    assert project.doit("clean").code == 0
    assert project.clips == clips
    assert not project.film.exists()
    assert (project.out / "manifests" / "clip_index.json").exists()
    assert project.doit("run", "timelapse").code == 0
    named = project.doit("clean", f"fetch:{clips[0].stem}")
    assert named.code == 0, named.output
    assert project.clips == clips[1:]


def test_one_clip_alone_by_its_task_or_by_its_path(project: Project) -> None:
    project.doit("run", "scan")
    first, second, *_ = project.entries()
    name = str(first["file_path"]).rpartition("/")[2].removesuffix(".mp4")
    assert project.doit("run", f"fetch:{name}").code == 0
    assert [clip.stem for clip in project.clips] == [name]
    path = project.out.relative_to(project.folder) / str(second["file_path"])
    run = project.doit("run", str(path))
    assert run.code == 0, run.output
    assert (project.folder / path).is_file()
    assert len(project.clips) == 2
