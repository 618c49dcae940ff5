"""Bytes are proven: what is on the disk is what arrived, or it is made good, or it is named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from samples.clips import Recipe, make_clip
from samples.odd_files import rot
from tests.film import shown_instants
from tests.pipeline.project import Project, motions
from upvs_tasks.simulator import SPARROW, Fault, SimulatedConsole

Spoil = Callable[[bytes], bytes]
LISTS_OPENED_FILES = """
import sys
sys.addaudithook(lambda event, facts: print("opened", facts[0]) if event == "open" else None)
from doit.__main__ import main
sys.argv = ["doit", "run", "timelapse", "date={date}"]
main()
"""


def flip_a_bit(content: bytes) -> bytes:
    """Change one bit of the last picture."""
    place = content.rindex(b"mdat") + (len(content) - content.rindex(b"mdat")) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def cut(content: bytes) -> bytes:
    """Leave the first half."""
    return content[: len(content) // 2]


def empty(_: bytes) -> bytes:
    """Leave nothing."""
    return b""


def spoil(path: Path, change: Spoil = flip_a_bit) -> bytes:
    """Change a file; its date does not tell. Returns what it holds now."""
    status, content = path.stat(), change(path.read_bytes())
    assert content != path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return content


def start_of(project: Project, place: int) -> int:
    """When the span of a clip begins, by its place in the film."""
    return int(str(project.entries()[place]["start_ms"]))


def lose(project: Project, place: int) -> None:
    """Let the console have no footage of a clip any more."""
    start_ms = start_of(project, place)
    project.console.order(Fault("status", status=404, start_ms=start_ms, times=None))


def contents(project: Project) -> dict[str, str]:
    """Every file's digest, but of files that were set aside."""
    found = project.contents()
    return {name: digest for name, digest in found.items() if ".replaced-" not in name}


def set_aside(project: Project) -> list[Path]:
    """The files that were replaced by a download."""
    return sorted((project.out / "clips").rglob("*.replaced-*"))


def record(project: Project, clip: Path) -> dict[str, object]:
    """What was measured of a clip."""
    read = orjson.loads((project.out / ".upvs" / "footage" / f"{clip.stem}.json").read_bytes())
    assert isinstance(read, dict)
    return read


@pytest.mark.usefixtures("filmed")
def test_a_clip_whose_bytes_have_changed_is_found_by_verify_and_fetched_by_the_next_run(
    project: Project, console: SimulatedConsole
) -> None:
    before, film_time_ns = contents(project), project.film.stat().st_mtime_ns
    spoilt = spoil(project.clips[1])
    found = project.doit("run", "verify")
    assert found.code == 1, found.output
    assert f"{project.clips[1].name} does not hold the bytes that arrived" in found.output
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == [start_of(project, 1)]
    assert contents(project) == before
    assert project.film.stat().st_mtime_ns == film_time_ns, "it was made of the right bytes"
    [aside] = set_aside(project)
    assert aside.read_bytes() == spoilt
    assert aside.name in run.output
    assert project.doit("run", "verify").code == 0


@pytest.mark.usefixtures("filmed")
def test_a_film_of_other_bytes_and_the_same_size_is_found_by_verify_and_made_again(
    project: Project,
) -> None:
    before = contents(project)
    spoil(project.film)
    found = project.doit("run", "verify")
    assert found.code == 1, found.output
    assert "the film does not hold the bytes that were made" in found.output
    assert project.doit("run", "timelapse").code == 0
    assert contents(project) == before


@pytest.mark.usefixtures("filmed")
def test_verify_does_not_vouch_for_a_film_of_other_clips(project: Project) -> None:
    project.clips[1].unlink()
    found = project.doit("run", "verify")
    assert found.code == 1, found.output
    name = Path(str(project.entries()[1]["file_path"])).stem
    assert f"{name} is not on the disk as it was measured" in found.output
    assert "the film was made of other clips" in found.output


def test_a_clip_that_changed_before_it_is_rendered_is_fetched_again(
    project: Project, filmed: Project, console: SimulatedConsole
) -> None:
    assert project.doit("run", "timelapse", "crf=30").code == 0
    before = contents(filmed)
    shutil.rmtree(project.out / ".upvs" / "segments")
    project.film.unlink()
    spoil(project.clips[1])
    console.forget_requests()
    run = project.doit("run", "timelapse", "crf=30")
    assert run.code == 0, run.output
    assert project.exports() == [start_of(project, 1)]
    assert contents(project) == before
    assert "bytes of" in run.output


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize("engine", ["segments", "concat"])
def test_a_changed_clip_that_cannot_be_had_again_stays_in_the_film_and_heals_later(
    project: Project, console: SimulatedConsole, engine: str
) -> None:
    arrived, clip = contents(project), project.clips[1]
    spoilt = spoil(clip)
    lose(project, 1)
    run = project.doit("run", "timelapse", "crf=30", f"engine={engine}")
    assert project.film.exists(), run.output
    assert clip.read_bytes() == spoilt
    assert clip in project.clips
    assert record(project, clip)["sha256"] != record(project, clip)["arrived_sha256"]
    assert "the disk has changed its bytes" in str(project.entries()[1]["reason"])
    assert str(project.entries()[1]["kind"]) == "not_recorded"
    assert project.entries()[1]["sha256"] == record(project, clip)["arrived_sha256"]
    console.cancel_orders()
    healed = project.doit("run", "timelapse")
    assert healed.code == 0, healed.output
    assert contents(project) == arrived
    assert [aside.read_bytes() for aside in set_aside(project)] == [spoilt]


@pytest.mark.usefixtures("filmed")
def test_another_video_that_took_a_clips_name_is_never_filmed_nor_destroyed(
    project: Project, console: SimulatedConsole
) -> None:
    before, clip = contents(project), project.clips[1]
    foreign = make_clip(project.folder / "foreign.mp4", Recipe(frames=40)).read_bytes()
    status = clip.stat()
    clip.write_bytes(foreign)
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))
    lose(project, 1)
    run = project.doit("run", "timelapse")
    assert run.code == 1, run.output
    assert clip.read_bytes() == foreign
    assert clip.name not in (project.out / "manifests" / "concat.txt").read_text()
    assert project.entries()[1]["status"] == "failed"
    console.cancel_orders()
    assert project.doit("run", "timelapse").code == 0
    assert contents(project) == before
    assert [aside.read_bytes() for aside in set_aside(project)] == [foreign]


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize("knows", [True, False])
def test_another_clips_file_under_a_clips_name_is_replaced(
    project: Project, console: SimulatedConsole, *, knows: bool
) -> None:
    """Also where nobody knows what the clip was. Nothing is set aside: the other clip has it."""
    before, (first, second, *_) = contents(project), project.clips
    shutil.copy(first, second)
    if not knows:
        project.forget_clip(second)
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == [start_of(project, 1)]
    assert contents(project) == before
    assert set_aside(project) == []


@pytest.mark.usefixtures("filmed")
def test_a_file_that_is_too_long_for_a_clip_is_not_taken_for_it(
    project: Project, console: SimulatedConsole
) -> None:
    clip, before = project.clips[1], contents(project)
    project.forget_clip(clip)
    clip.unlink()
    make_clip(clip, Recipe(frames=2_000, fps=10))
    console.forget_requests()
    assert project.doit("run", "timelapse").code == 0
    assert project.exports() == [start_of(project, 1)]
    assert contents(project) == before


@pytest.mark.usefixtures("filmed")
def test_a_clip_with_an_unreadable_sample_table_is_measured_again(
    project: Project, console: SimulatedConsole
) -> None:
    before, film_time_ns = project.contents(), project.film.stat().st_mtime_ns
    path = project.out / ".upvs" / "footage" / f"{project.clips[1].stem}.json"
    document = orjson.loads(path.read_bytes())
    document["table"]["steps"] = [["x", 1]]
    path.write_bytes(orjson.dumps(document))
    assert project.statuses()[f"fetch:{project.clips[1].stem}"] == "R"
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert project.exports() == []
    assert project.contents() == before
    assert project.film.stat().st_mtime_ns == film_time_ns


@pytest.mark.usefixtures("filmed")
@pytest.mark.parametrize("change", [flip_a_bit, cut, empty])
def test_a_segment_counts_only_while_it_is_what_was_rendered(
    project: Project, change: Spoil
) -> None:
    before = contents(project)
    spoil(sorted((project.out / ".upvs" / "segments").glob("*.mp4"))[1], change)
    project.film.unlink()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert contents(project) == before


@pytest.mark.usefixtures("filmed")
def test_what_tells_what_the_film_shows_is_made_again(project: Project) -> None:
    """The film itself is not, even where its segments are gone."""
    before, film_time_ns = contents(project), project.film.stat().st_mtime_ns
    timeline = project.out / "metadata" / "timeline.json"
    captions = project.film.with_suffix(".vtt")
    timeline.write_text("{}")
    captions.unlink()
    assert project.statuses()["timelapse"] == "R"
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert contents(project) == before
    assert project.film.stat().st_mtime_ns == film_time_ns


@pytest.mark.usefixtures("filmed")
def test_a_film_that_does_not_follow_the_plan_has_no_timeline(project: Project) -> None:
    """One of an earlier film would tell something else than the film shows."""
    run = project.doit("run", "timelapse", "engine=concat")
    assert run.code == 0, run.output
    assert not project.film.with_suffix(".vtt").exists()
    assert not (project.out / "metadata" / "timeline.json").exists()


@pytest.mark.usefixtures("filmed")
def test_footage_that_was_copied_without_its_dates_is_known_by_its_bytes(
    project: Project, console: SimulatedConsole
) -> None:
    before = project.contents()
    for clip in project.clips:
        clip.touch()
    console.forget_requests()
    run = project.doit("run", "timelapse")
    assert run.code == 0, run.output
    assert "6 clips checked again, nothing downloaded" in run.output
    assert project.exports() == []
    assert project.contents() == before


@pytest.mark.usefixtures("filmed")
def test_what_was_downloaded_and_what_was_only_checked_are_told_apart(project: Project) -> None:
    project.clips[0].touch()
    project.clips[1].unlink()
    run = project.doit("run", "timelapse")
    [line] = [line for line in run.output.splitlines() if line.startswith("fetch ")]
    assert "1 of 6 clips asked for, " in line
    assert line.endswith("MB; 1 clip checked again")


@pytest.mark.usefixtures("filmed")
def test_a_run_with_nothing_to_do_reads_no_video(project: Project) -> None:
    process = project.start_bare("-c", LISTS_OPENED_FILES.format(date=project.date))
    output, _ = process.communicate(timeout=60)
    opened = [line for line in output.splitlines() if line.startswith("opened ")]
    assert any("clip_index.json" in line for line in opened)
    assert [line for line in opened if ".mp4" in line] == []


def day_of_made_clips(project: Project, recipe: Recipe, count: int) -> list[Path]:
    """A day whose clips the console does not have, and where files of ours are in their places."""
    camera_id, first_ms = SPARROW.camera_id, 1_705_504_000_000
    lasts_ms = recipe.frames * 1000 // recipe.fps
    events = motions(camera_id, first_ms, count, lasts_ms=lasts_ms)
    project.console.set_events(events, camera_id=camera_id)
    assert project.doit("run", "scan").code == 0
    paths = [project.out / str(entry["file_path"]) for entry in project.entries()]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_clip(path, recipe)
    return paths


def test_what_is_damaged_in_proven_bytes_is_noted_once_and_stays(project: Project) -> None:
    """It came like that: another run fetches and renders nothing."""
    [clip] = day_of_made_clips(project, Recipe(frames=100, fps=10), 1)
    rot(clip)
    project.doit("run", "timelapse")
    stamp = json.loads((project.out / ".upvs" / "film.json").read_bytes())
    [damage] = stamp["damages"]
    assert damage["clip_name"] == clip.stem
    assert damage["damaged_frames"] > 0
    assert damage["came_so"] is True
    before = project.tree()
    project.console.forget_requests()
    project.doit("run", "timelapse")
    assert project.tree() == before
    assert project.exports() == []


def test_damage_of_equal_segments_is_noted_of_each_clip_and_they_are_rendered_once(
    project: Project,
) -> None:
    """Two clips of the same bytes."""
    project.configure(output_fps=10, target_duration=1_000)
    first, second = day_of_made_clips(project, Recipe(frames=250, fps=10), 2)
    rot(first)
    content = first.read_bytes()
    for here, elsewhere in ((first, second), (second, first)):
        elsewhere.unlink(missing_ok=True)
        here.write_bytes(content)
        assert project.doit("run", f"fetch:{here.stem}").code in {0, 1}
        here.rename(here.with_suffix(".kept"))
    for clip in (first, second):
        clip.with_suffix(".kept").rename(clip)
    run = project.doit("run", "timelapse")
    assert "bug" not in run.output
    assert len(shown_instants(project.film)) == 500
    assert len(list((project.out / ".upvs" / "segments").glob("*.mp4"))) == 1
    stamp = json.loads((project.out / ".upvs" / "film.json").read_bytes())
    assert [damage["clip_name"] for damage in stamp["damages"]] == [first.stem, second.stem]


@pytest.mark.usefixtures("filmed")
def test_the_events_of_a_clip_are_in_its_record(
    project: Project, console: SimulatedConsole
) -> None:
    """Also those that are reported later: they outlive the clip index."""
    entry = project.entries()[1]
    start_ms, end_ms = int(str(entry["start_ms"])), int(str(entry["end_ms"]))
    camera_id = str(project.index()["camera_id"])
    console.add_event(start_ms + 1_000, end_ms - 1_000, camera_id=camera_id)
    assert project.doit("run", "timelapse").code == 0
    assert len(project.entries()[1]["events"]) == 2  # type: ignore[arg-type]  # a list
    assert record(project, project.clips[1])["events"] == project.entries()[1]["events"]
