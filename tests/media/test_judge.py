"""No frame of a film differs from what ffmpeg shows of the same file, unless it is named."""

from dataclasses import replace

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
    "spoilt",
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
    assert {made.group for made in made_files} == set(GROUPS)


@pytest.mark.parametrize(
    ("name", "track", "in_order"),
    [
        ("track-h264-still-first", 0, False),
        ("timed-h264-b2-decoding-times", 0, False),
    ],
)
def test_the_judge_finds_fault(
    made_files: list[MadeFile], name: str, track: int, *, in_order: bool
) -> None:
    """With a film of other pictures, and with one of other times, than it is made to expect."""
    made = next(made for made in made_files if made.name == name)
    assert not faults(list(judge(made)))
    assert faults(list(judge(replace(made, track=track, in_order=in_order))))


@pytest.mark.parametrize("place", range(5))
def test_some_of_all_files_are_shown_as_ffmpeg_shows_them(
    made_files: list[MadeFile], place: int
) -> None:
    """A few of each group, at one speed; the slow tests judge all."""
    few = [made for made in made_files if made.group in GROUPS][place * 6 :: 30]
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
