"""What the commands of doit say besides `doit run`: in words, and in one sentence where not."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.pipeline.project import Project
from tests.sentences import one_sentence, only_error
from upvs_tasks.simulator import SimulatedConsole

UNKNOWN = "doit list --all shows what there is"
FROM_DISK = "is read from the disk alone"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("info", "nosuch"), f"there is no task nosuch: {UNKNOWN}"),
        (("info", "fetch:typo"), f"there is no task fetch:typo: {UNKNOWN}"),
        (("info",), "doit info takes one task"),
        (("info", "scan", "speed"), "doit info takes one task"),
        (("list", "nosuch"), f"there is no task nosuch: {UNKNOWN}"),
        (("list", "--template", "{nosuch}"), "--template {nosuch} is not understood"),
        (("clean", "fetch:typo"), f"there is no task fetch:typo: {UNKNOWN}"),
        (("clean", "nosuch"), f"there is no task nosuch: {UNKNOWN}"),
        (("clean", "--forget"), "there is no option --forget: doit help clean"),
        (("run", "nosuch"), f"there is no task nosuch: {UNKNOWN}"),
        (("run", "-n", "-1", "scan"), "-n is -1, but it must be how many tasks"),
        (("run", "-o", "/nonexistent/x", "scan"), "-o /nonexistent/x cannot be written"),
        (("run", "-o", "/etc", "scan"), "-o /etc cannot be written (Is a directory)"),
        (("run", "--db-file", "/nonexistent/x", "scan"), "there is no option --db-file"),
        (("run", "--backend", "json", "scan"), "there is no option --backend"),
        (("forget",), FROM_DISK),
        (("forget", "scan"), "doit clean"),
        (("ignore", "scan"), FROM_DISK),
        (("reset-dep",), FROM_DISK),
        (("strace", "scan"), FROM_DISK),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_3(
    project: Project, console: SimulatedConsole, arguments: tuple[str, ...], words: str
) -> None:
    """Nothing is asked of the console, and nothing is written, not even a database."""
    before = sorted(project.folder.rglob("*"))
    ended = project.doit(*arguments)

    assert ended.code == 3, ended.output
    assert words in only_error(ended.output)
    assert not console.requests
    after = {path for path in project.folder.rglob("*") if "__pycache__" not in path.parts}
    assert sorted(after) == before


@pytest.mark.parametrize("command", [("clean",), ("list", "--status"), ("info", "scan")])
def test_without_a_date_a_command_asks_for_one(project: Project, command: tuple[str, ...]) -> None:
    """It would otherwise do nothing, in silence, or call everything out of date."""
    process = project.start_bare("-m", "doit", *command)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "date is missing" in output.splitlines()[-1]


def test_a_list_without_a_date_names_the_tasks(project: Project) -> None:
    process = project.start_bare("-m", "doit", "list", "--all")
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "timelapse" in output


def test_a_pattern_of_clips_is_told_to_be_the_group(project: Project) -> None:
    ended = project.doit("run", "fetch:*")

    assert ended.code == 3
    [sentence] = [line for line in ended.output.splitlines() if line.startswith("ERROR: ")]
    assert "ask for fetch, which is all of them" in one_sentence(sentence)


def test_the_list_tells_of_clips_by_the_clock_of_the_day(filmed: Project) -> None:
    """Their names hold Unix milliseconds; the clock is that of the console's zone."""
    listed = filmed.doit("list", "--all").output.splitlines()
    clips = [line.split(maxsplit=1) for line in listed if line.startswith("fetch:")]

    assert len(clips) == 6
    assert clips[0] == [
        "fetch:clip_1705496350000_1705496371006_aa7e626b232fbb6b1e066a97",
        "07:59:10-07:59:31, 1 event",
    ]


def test_the_list_of_all_footage_counts_no_events(project: Project) -> None:
    project.configure(source="continuous", start="08:00", end="09:30")
    assert project.doit("run", "scan").code == 0
    listed = project.doit("list", "--all").output.splitlines()

    clips = [line.split(maxsplit=1)[1] for line in listed if line.startswith("fetch:")]
    assert clips == ["08:00:00-09:00:00", "09:00:00-09:30:00"]


def test_info_says_why_a_task_would_run(filmed: Project) -> None:
    clip = filmed.clips[0]
    current = filmed.doit("info", f"fetch:{clip.stem}")
    clip.unlink()
    absent = filmed.doit("info", f"fetch:{clip.stem}")

    assert (current.code, absent.code) == (0, 1)
    assert current.output.splitlines()[1] == "up to date"
    assert absent.output.splitlines()[:4] == [
        f"fetch:{clip.stem}: 07:59:10-07:59:31, 1 event",
        "would run, because:",
        "  the clip is absent, or not as it was measured",
        f"  {clip.relative_to(filmed.folder)} is not there",
    ]
    assert not re.search(r"args|kwargs|evaluate|\[|<", absent.output)


def test_cleaning_deletes_what_can_be_made_again_and_says_what(filmed: Project) -> None:
    """The console alone could list the day again, and perhaps it does not any more."""
    before = filmed.contents()
    cleaned = filmed.doit("clean")

    assert cleaned.code == 0
    sentence = one_sentence(cleaned.output)
    for name in ("timelapse.mp4", "timelapse.vtt", "timeline.json", "day.json", "concat.txt"):
        assert name in sentence
    assert f"in {filmed.out}: " in sentence
    gone = before.keys() - filmed.contents().keys()
    assert f"deleted {len(gone)} files, " in sentence
    kept = {name for name in filmed.contents() if not name.startswith((".upvs", "clips"))}
    assert kept == {"manifests/clip_index.json", "metadata/camera.json"}
    assert not list((filmed.out / ".upvs" / "segments").iterdir())
    assert len(filmed.clips) == 6
    assert "nothing to delete" in one_sentence(filmed.doit("clean").output)


def test_what_was_cleaned_is_made_again_from_the_clips(filmed: Project) -> None:
    before = filmed.contents()
    assert filmed.doit("clean").code == 0
    filmed.console.forget_requests()
    made = filmed.doit("run", "timelapse")

    assert made.code == 0, made.output
    assert filmed.exports() == []
    assert filmed.contents() == before


def test_cleaning_can_be_tried_first(filmed: Project) -> None:
    before = filmed.contents()
    cleaned = filmed.doit("clean", "-n")

    assert "would delete" in one_sentence(cleaned.output)
    assert filmed.contents() == before


def test_a_clip_is_deleted_by_its_name_alone(filmed: Project) -> None:
    clip = filmed.clips[0]
    cleaned = filmed.doit("clean", f"fetch:{clip.stem}")

    assert f"deleted 1 file, 0.1 MB, in {filmed.out}: {clip.name}" in one_sentence(cleaned.output)
    assert clip not in filmed.clips
    assert len(filmed.clips) == 5
    assert filmed.film.exists()


def test_a_folder_with_a_space_is_named_as_a_shell_takes_it(
    tmp_path: Path, console: SimulatedConsole
) -> None:
    project = Project(tmp_path / "home", console, camera="Front Door", date="2024-01-15")
    (project.out).mkdir(parents=True)

    assert f"'{project.out}'" in one_sentence(project.doit("clean").output)


@pytest.mark.parametrize("name", ["day", "doit.py", "film my day"])
def test_doit_by_another_name_is_the_same_program(
    project: Project, tmp_path: Path, name: str
) -> None:
    """A link to it, or a copy: a run is a run, with its lock and its log."""
    link = tmp_path / name
    program = Path(sys.executable).parent / "doit"
    if " " in name:
        shutil.copy(program, link)
    else:
        link.symlink_to(program)
    process = project.start_bare(str(link), "run", "scan", f"date={project.date}")
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "6 events in 6 clips" in output
    assert (project.out / "logs" / "run.log").exists()
