"""The checker of sentences itself: what it lets through, and what not."""

import pytest

from tests.sentences import one_sentence, only_error


@pytest.mark.parametrize(
    "text",
    [
        "no camera is called Door: there are 'Front Door' (65a0) and 'Garage' (65a1)",
        "config.toml cannot be read as TOML: Expected '=' (at line 1, column 3)",
        "film.mp4.partial is 1.5 GB, ../films has 0.3 GB.\n",
    ],
)
def test_one_sentence_is_one(text: str) -> None:
    assert one_sentence(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "the disk is full\nfree some space",
        "the disk is full. Free some space",
        "is it full? free some space",
        "the folder 'a.' is full.) free some space",
        "the disk is full:",
        "Traceback (most recent call last)",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(AssertionError):
        one_sentence(text)


def test_an_error_is_said_to_be_one() -> None:
    assert only_error("ERROR: the disk is full\n") == "ERROR: the disk is full"
    with pytest.raises(AssertionError):
        only_error("the disk is full\n")
