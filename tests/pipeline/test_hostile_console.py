"""A console that puts what it likes into names: nobody who reads of a run is harmed by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from tests.hostile import HOSTILE, harm_in
from tests.pipeline.project import Finished, Project, motions
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, FaultKind, SimulatedConsole

NOON_MS = 1_705_510_800_000  # 2024-01-17 12:00 in New York
FORGED = "report     whole"


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Project]:
    """A day of a camera whose name, and all that is said of its events, is hostile."""
    with SimulatedConsole(behaviour=Behaviour(version=f"7.1{HOSTILE}")) as console:
        console.add_camera(replace(SPARROW, name=HOSTILE))
        events = motions(SPARROW.camera_id, NOON_MS, 3)
        console.set_events(
            (replace(event, smart_types=("person", HOSTILE)) for event in events),
            camera_id=SPARROW.camera_id,
        )
        yield Project(tmp_path / "home", console, camera=SPARROW.camera_id)


def read_by_a_person(project: Project) -> dict[str, str]:
    """Every text that the runs have left, by its name; names count as well."""
    found = {}
    for path in sorted(project.folder.rglob("*")):
        is_text = path.is_file() and path.suffix not in {".mp4", ".toml", ".py"}
        text = path.read_text(encoding="utf-8") if is_text else ""
        found[path.name] = f"{path.name}\n{text}"
    return found


def is_told_harmlessly(ended: Finished) -> bool:
    """Whether nothing that was said does more than show, or begins a line of its own."""
    forged = [line for line in ended.output.splitlines() if line.startswith(FORGED)]
    return not harm_in(ended.output) and len(forged) <= 1


def test_whatever_a_console_says_only_shows(hostile: Project) -> None:
    for words in (
        ("run", "timelapse"),
        ("run", "timelapse"),
        ("run", "-r", "console", "-v", "2", "verify"),
        ("run", "-r", "json", "verify"),
        ("list", "--all", "--status"),
        ("info", "timelapse"),
        ("clean", "-n"),
    ):
        ended = hostile.doit(*words)
        assert is_told_harmlessly(ended), (words, ended.output)
    assert is_told_harmlessly(hostile.upvs("scan"))
    texts = read_by_a_person(hostile)
    assert {"run.log", "clip_index.json", "camera.json", "timeline.json", "tags.txt"} <= set(texts)
    assert {name: harm for name, text in texts.items() if (harm := harm_in(text))} == {}


def test_tags_chapters_and_captions_only_show(hostile: Project) -> None:
    """What a player shows of the film."""
    assert hostile.doit("run", "timelapse").code == 0
    (film,) = (hostile.folder / "out").rglob("*_timelapse.mp4")
    with av.open(str(film)) as container:
        chapters = [dict(chapter["metadata"]) for chapter in container.chapters()]
        told = [
            *container.metadata.values(),
            *(title for one in chapters for title in one.values()),
        ]
    assert any("person" in text for text in told)
    assert harm_in("".join(told)) == ""
    captions = film.with_suffix(".vtt").read_text(encoding="utf-8")
    cues = captions.split("\n\n")[1:]
    assert all(len(cue.strip().splitlines()) == 2 for cue in cues)
    assert captions.count("-->") == len(cues)
    assert "<b>" not in captions


@pytest.mark.parametrize("path", ["login", "bootstrap", "events", "export"])
def test_a_refusal_in_hostile_words_only_shows(hostile: Project, path: str) -> None:
    """Of whatever request: body and type of the answer are the console's own words."""
    for status in (418, 500, 200):
        hostile.console.order(
            Fault(
                FaultKind.STATUS,
                path=path,
                status=status,
                body=f'{{"error": "{FORGED}", "code": "a\\u001b[2J\\u009b\\n{FORGED}"}}',
                content_type="text/html\x1b[2J",
                times=1,
            )
        )
    hostile.configure(retry_limit=1)
    for _ in range(3):
        ended = hostile.doit("run", "timelapse")
        assert is_told_harmlessly(ended), ended.output
    texts = read_by_a_person(hostile)
    assert {name: harm for name, text in texts.items() if (harm := harm_in(text))} == {}
