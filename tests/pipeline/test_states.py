"""What every command says of an event in every state: docs/states.md, held to the program.

`python -m pytest -m slow tests/pipeline/test_states.py --write-states` writes the page anew.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from tests.pipeline.project import Finished, Project
from tests.pipeline.states import CAMERA, LONG_OVER, STATES, Day, State, midnight_of_today
from tests.sources import REPOSITORY
from upvs_tasks.simulator import Behaviour, SimulatedConsole

PAGE = REPOSITORY / "docs" / "states.md"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "doit run timelapse": ("-m", "doit", "run", "timelapse"),
    "doit run fetch": ("-m", "doit", "run", "fetch"),
    "upvs render": ("-m", "upvs_tasks", "render"),
    "doit run verify": ("-m", "doit", "run", "verify"),
    "doit list --all --status": ("-m", "doit", "list", "--all", "--status"),
}
_TOLD = re.compile(r"(?:report|verify) +(.*)|((?:ERROR|WARNING): .*)|([UR] \S+)")
_CODES = re.compile(r"(?m)^\| `.*?` \| (\d+) \|")


@dataclass(frozen=True)
class Cell:
    """What one command says of a state."""

    code: int
    sentences: tuple[str, ...]


def told(run: Finished, day: Day) -> Cell:
    """What a run says of the day and its second event."""
    matches = map(_TOLD.match, shortened(run.output, day).splitlines())
    sentences = (next(filter(None, match.groups())) for match in matches if match)
    return Cell(run.code, tuple(filter(_is_of_noon, sentences)))


def shortened(output: str, day: Day) -> str:
    """The output, with words for paths, which are long, and for the date of a running day."""
    out, date = Path("out") / day.project.camera / day.project.date, day.project.date
    names = {
        f"{day.project.folder}/": "",
        f"{out}/timelapse/{day.project.film.name}": "FILM",
        f"{out}/clips/{day.project.camera}/{date}": "CLIPS",
        f"{out}/": "",
        day.noon_clip_name: "CLIP",
    }
    if day.midnight != LONG_OVER:
        names |= {
            date: "TODAY",
            f"{day.midnight + timedelta(days=1):%Y-%m-%d}": "TOMORROW",
            f" ({day.midnight:%z})".replace("00)", ")"): "",
        }
    for name, word in names.items():
        output = output.replace(name, word)
    return output


def _is_of_noon(sentence: str) -> bool:
    """Whether a sentence is of the day or its second event, and not of the task of another clip."""
    return not sentence.startswith(("U ", "R ")) or sentence.endswith((":CLIP", " timelapse"))


def cells(state: State, folder: Path) -> Iterator[tuple[str, Cell]]:
    """What each command says of a state; each finds the day as it was arranged."""
    midnight, zone = midnight_of_today() if state.is_today else (LONG_OVER, "America/New_York")
    behaviour = Behaviour(login_limit_per_minute=None, timezone=zone)
    with SimulatedConsole(behaviour=behaviour, state_dir=folder / "console") as console:
        console.add_camera(CAMERA)
        console.set_events((), camera_id=CAMERA.camera_id)
        project = Project(folder / "home", console, date=f"{midnight:%Y-%m-%d}")
        day = Day(project, console, midnight)
        state.arrange(day)
        copytree(project.out, folder / "arranged")
        for command, words in COMMANDS.items():
            rmtree(project.out)
            copytree(folder / "arranged", project.out)
            yield command, told(_run(day, words), day)


def _run(day: Day, words: tuple[str, ...]) -> Finished:
    """Run a command with the day's settings, which `upvs` has no flags for in part."""
    settings = (setting.partition("=") for setting in day.settings)
    variables = {f"UPVS_{name.upper()}": value for name, _, value in settings}
    date = ("--date", day.project.date) if "render" in words else (f"date={day.project.date}",)
    process = day.project.start_bare(*words, *date, environment=variables)
    output, _ = process.communicate(timeout=120)
    return Finished(process.returncode, output)


def section(state: State, by_command: Mapping[str, Cell]) -> str:
    """A state as a part of the page."""
    lines = [f"## {state.name}", "", state.words, "", "| command | exit code | what it says |"]
    lines.append("|---|---|---|")
    for command, cell in by_command.items():
        said = "<br>".join(cell.sentences) or "-"
        lines.append(f"| `{command}` | {cell.code} | {said} |")
    return "\n".join(lines)


def summary(sections: Iterable[str]) -> str:
    """The exit codes of all states."""
    lines = [f"| state | {' | '.join(f'`{command}`' for command in COMMANDS)} |"]
    lines.append("|---" * (len(COMMANDS) + 1) + "|")
    for text in sections:
        name, codes = text.splitlines()[0].removeprefix("## "), _CODES.findall(text)
        link = re.sub(r"[^a-z -]", "", name).replace(" ", "-")
        lines.append(f"| [{name}](#{link}) | {' | '.join(codes)} |")
    return "\n".join(lines)


def parts_of(page: str) -> tuple[str, str, dict[str, str]]:
    """What the page begins with, its summary, and its parts by the names of their states."""
    head, *parts = re.split(r"(?m)^(?=## )", page)
    introduction, bar, rest = head.partition("| state |")
    by_name = {part.splitlines()[0].removeprefix("## "): part.strip() for part in parts}
    return introduction, (bar + rest).strip(), by_name


def write(state: State, text: str) -> None:
    """Put a state's part of the page in its place."""
    introduction, _, by_name = parts_of(PAGE.read_text())
    by_name[state.name] = text
    known = [by_name[each.name] for each in STATES if each.name in by_name]
    PAGE.write_text(introduction + "\n\n".join((summary(known), *known)) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_the_page_says_what_the_program_says(
    state: State, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    found = section(state, dict(cells(state, tmp_path)))
    if request.config.getoption("write_states", default=False):
        write(state, found)
    _, _, by_name = parts_of(PAGE.read_text())
    assert found == by_name[state.name]


def test_the_page_has_every_state_and_command() -> None:
    _, codes, by_name = parts_of(PAGE.read_text())
    assert list(by_name) == [state.name for state in STATES]
    assert codes == summary(by_name.values())
    for part in by_name.values():
        assert re.findall(r"(?m)^\| `(.*?)` \|", part) == list(COMMANDS)
