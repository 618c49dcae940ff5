"""A film's size and time are estimated from a few of its frames."""

import pytest

from upvs_tasks.model.estimate import Estimate, Trial, in_words


def test_what_was_tried_stands_for_the_whole_film() -> None:
    """Each segment has one keyframe; two places of 25 frames took a second together."""
    trials = (Trial(25, 10_000, 34_000), Trial(25, 30_000, 54_000))
    estimate = Estimate.of_trials(trials, segments=4, all_frames=1_000, secs=1.0)
    assert estimate.film_bytes == 4 * 20_000 + 996 * 1_000
    assert estimate.missing_bytes == estimate.film_bytes
    assert estimate.render_secs == 20.0


def test_the_parts_that_are_there_stand_for_those_that_are_not() -> None:
    """By the frame."""
    estimate = Estimate.of_segments(frames=250, all_frames=1_000, size_bytes=500_000)
    assert (estimate.film_bytes, estimate.missing_bytes) == (2_000_000, 1_500_000)


def test_the_space_that_it_takes_is_the_missing_parts_and_the_film() -> None:
    """And a margin, as frames differ."""
    estimate = Estimate(film_bytes=1_000_000, missing_bytes=500_000)
    assert 1_500_000 < estimate.needed_bytes < 2_500_000


def test_a_place_of_one_frame_says_nothing_of_the_others() -> None:
    """A film may be that short."""
    trials = (Trial(1, 10_000, 10_000),)
    assert Estimate.of_trials(trials, segments=1, all_frames=1, secs=0.5).film_bytes == 10_000


@pytest.mark.parametrize(
    ("estimate", "phrase"),
    [
        (Estimate(214_000_000, 214_000_000, 252.0), "about 210 MB, in about 4.2 min"),
        (Estimate(1_260_000_000, 0, 43.0), "about 1.3 GB, in about 43 s"),
        (Estimate(90_000_000, 3_000_000), "about 90 MB, 3 MB of it to be rendered"),
        (Estimate(400_000, 12), "about 400 kB, 1 kB of it to be rendered"),
    ],
)
def test_it_is_given_in_round_numbers(estimate: Estimate, phrase: str) -> None:
    """It is an estimate."""
    assert in_words(estimate) == phrase
