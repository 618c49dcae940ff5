"""No frame of a film differs from what ffmpeg shows of the same file, unless it is named."""

import pytest

from tests.media.judge import Judgement, judge
from tests.media.made_files import MadeFile, Maker

GROUPS = (
    "codec",
    "container",
    "track",
    "picture",
    "colour",
    "pixel shape",
    "turned",
    "edited",
    "marked",
    "timed",
    "boxed",
    "cut off",
    "locked",
)


@pytest.fixture(scope="module")
def made_files(tmp_path_factory: pytest.TempPathFactory) -> list[MadeFile]:
    """Files of every kind, made once."""
    return list(Maker(tmp_path_factory.mktemp("made")).files())


def faults(judgements: list[Judgement]) -> list[str]:
    """The judgements that nobody may be content with, a line each."""
    return [str(judgement) for judgement in judgements if judgement.verdict.is_fault]


def test_there_are_files_of_every_kind(made_files: list[MadeFile]) -> None:
    assert len(made_files) >= 250
    assert len({made.path for made in made_files}) == len(made_files)


@pytest.mark.parametrize("place", range(5))
def test_some_of_all_files_are_shown_as_ffmpeg_shows_them(
    made_files: list[MadeFile], place: int
) -> None:
    """A few of each group, at one speed; the slow tests judge all."""
    few = [made for made in made_files if made.group in GROUPS][place * 2 :: 20]
    assert not faults([judgement for made in few for judgement in judge(made, [4.0])])


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_all_files_of_a_group_are_shown_as_ffmpeg_shows_them(
    made_files: list[MadeFile], group: str
) -> None:
    """At three speeds: each frame, frames between, keyframes alone."""
    judged = [judgement for made in made_files if made.group == group for judgement in judge(made)]
    assert len(judged) >= 3
    assert not faults(judged)
