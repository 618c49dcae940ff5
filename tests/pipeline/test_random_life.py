"""A day that is filmed again and again while its console forgets and its disk decays.

Each life begins with a day that is filmed. Then blows fall at random: the console forgets events or
lists late ones, files of the day rot, vanish or are swapped, runs fail or are killed. After each
blow one run is left alone, and then the film has to show all that can still be had, and the run may
say no more than is true.

A life that errs prints its story as words. To live it again, or a part of it:
`pytest tests/pipeline/test_random_life.py --story="fine forget:12 rot:4711"`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import copytree

import pytest

from tests.pipeline.blows import Blow, parsed, story_of
from tests.pipeline.life import DATE, MIDNIGHT_MS, Life
from tests.pipeline.project import Project
from upvs_tasks.simulator import Behaviour, SimulatedConsole

# How a film is made: of nearly every frame, or of so few that short events may have none.
FILMS: dict[str, dict[str, object]] = {
    "fine": {"target_duration": 15, "output_fps": 20},
    "coarse": {"target_duration": 10, "output_fps": 1},
}
# Start and length of the events with which a day begins, in seconds; two of them are one clip.
EVENTS = ((3_600, 4), (7_205, 9.5), (7_217, 5), (30_000.3, 1.2), (45_000, 6), (70_001.7, 3.1))
PASSWORD = "the same in every life"
SHORT_STORIES = [
    " ".join((film, *map(str, story_of(seed, 6)))) for seed, film in enumerate(FILMS, start=100)
]

Live = Callable[[str, Sequence[Blow]], None]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all consoles keep their certificate."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, state: Path) -> dict[str, Path]:
    """The folders of a day that is filmed, by the kind of film."""
    folders = {}
    for film in FILMS:
        folders[film] = tmp_path_factory.mktemp(film) / "home"
        for life in _lives(folders[film], state, film):
            life.run()
    return folders


@pytest.fixture
def live(tmp_path: Path, state: Path, begun: dict[str, Path]) -> Live:
    """Lets blows fall on a day that was filmed."""
    names = iter(range(1_000))

    def lived(film: str, blows: Sequence[Blow]) -> None:
        folder = tmp_path / str(next(names)) / "home"
        folder.parent.mkdir()
        copytree(begun[film], folder)
        for life in _lives(folder, state, film, begun[film]):
            _suffer(life, blows)

    return lived


def _lives(folder: Path, state: Path, film: str, origin: Path | None = None) -> Iterator[Life]:
    """One life: a console of its own, and a folder that may have been filmed already."""
    behaviour = Behaviour(login_limit_per_minute=None)
    with SimulatedConsole(behaviour=behaviour, state_dir=state, password=PASSWORD) as console:
        project = Project(folder, console, date=DATE)
        project.configure(**FILMS[film])
        if origin is not None:
            for listing in project.out.rglob("*.txt"):  # they name clips by absolute path
                listing.write_text(listing.read_text().replace(str(origin), str(folder)))
        life = Life(project, console)
        for start_secs, secs in EVENTS:
            start_ms = MIDNIGHT_MS + round(start_secs * 1000)
            life.add(start_ms, start_ms + round(secs * 1000))
        if origin is not None:
            life.ever |= life.listed
        yield life


def _suffer(life: Life, blows: Sequence[Blow]) -> None:
    for number, blow in enumerate(blows, start=1):
        try:
            blow.fall_on(life)
        except AssertionError as error:
            raise _LifeError(life.story, blows[:number], str(error)) from error


class _LifeError(AssertionError):
    """A life that erred, with its story up to there."""

    def __init__(self, story: Sequence[str], blows: Sequence[Blow], what: str) -> None:
        super().__init__(what)
        self.story = story
        self.blows = blows


def check(live: Live, film: str, blows: Sequence[Blow]) -> None:
    """Live a life; where it errs, tell the shortest end of its story that errs likewise."""
    try:
        live(film, blows)
    except _LifeError as error:
        told = error
    else:
        return
    for length in (1, 2, 4, 8):
        if length < len(told.blows):
            try:
                live(film, told.blows[-length:])
            except _LifeError as error:
                told = error
                break
    again = " ".join([film, *map(str, told.blows)])
    pytest.fail(
        "\n".join((*told.story, f'again with: --story="{again}"', "", str(told))), pytrace=False
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Live the story that was asked for, or else a short one of each kind of film."""
    if "short_story" in metafunc.fixturenames:
        asked_for = metafunc.config.getoption("story", default=None)
        metafunc.parametrize("short_story", [asked_for] if asked_for else SHORT_STORIES)


def test_a_film_shows_all_that_can_still_be_had(live: Live, short_story: str) -> None:
    film, _, blows = short_story.partition(" ")
    check(live, film, parsed(blows))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_film_shows_all_that_can_still_be_had_after_200_blows(live: Live, seed: int) -> None:
    check(live, "coarse" if seed % 4 == 0 else "fine", story_of(seed, 25))
