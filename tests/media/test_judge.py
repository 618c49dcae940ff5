"""No frame of a film differs from what ffmpeg shows of the same file, unless it is named."""

from dataclasses import replace

import pytest

from tests.media.judge import (
    Judgement,
    Verdict,
    filmed,
    is_alike,
    judge,
    segment_jobs,
    shown_by_ffmpeg,
)
from tests.media.made_files import MadeFile, Maker
from upvs_tasks.media.segment import render_segment

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


@pytest.mark.parametrize(
    "name", ["codec-hevc-b3", "h264-gop10-b2-turned-90-True", "timed-hevc-ntsc"]
)
def test_what_is_judged_is_what_a_film_shows(made_files: list[MadeFile], name: str) -> None:
    """The judge looks at frames before they are encoded; here ffmpeg decodes the film itself."""
    made = next(made for made in made_files if made.name == name)
    film = filmed(made.path, 4.0)
    [job] = segment_jobs(made.path, 4.0)
    render_segment(job)
    shown = shown_by_ffmpeg(MadeFile("film", job.output_path), film.size)
    assert shown.is_whole
    assert len(shown.pictures) == len(film.pictures)
    assert all(map(is_alike, shown.pictures, film.pictures))


@pytest.mark.parametrize(
    "name",
    [
        "codec-h264-refresh",
        "picture-h264-cropped",
        "picture-hevc-cropped",
        "h264-b2-few-ctts",
        "timed-h264-in-pairs",
        "h264-many-parts",
        "h264-two-parts-within",
        "h264-unfinished-notes",
        "boxed-h264-index-first-mdat-too-long",
        "marked-hevc-fragments",
        "h264-gop10-b2-turned-90-True",
        "track-hevc-open-gop-still-first-fragmented",
    ],
)
def test_a_file_that_was_once_lost_or_wrong_is_shown_as_ffmpeg_shows_it(
    made_files: list[MadeFile], name: str
) -> None:
    """One of each kind, with every frame."""
    made = next(made for made in made_files if made.name == name)
    assert [judgement.verdict for judgement in judge(made, [1.0])] == [Verdict.EXACT]


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_all_files_of_a_group_are_shown_as_ffmpeg_shows_them(
    made_files: list[MadeFile], group: str
) -> None:
    """At three speeds: each frame, frames between, keyframes alone."""
    judged = [judgement for made in made_files if made.group == group for judgement in judge(made)]
    assert len(judged) >= 3
    assert not faults(judged)
