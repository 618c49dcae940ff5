import pytest

from upvs_tasks.model.plural import counted, is_or_are


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 clips are"), (1, "1 clip is"), (2, "2 clips are")]
)
def test_one_thing_is_and_several_things_are(count: int, words: str) -> None:
    assert f"{counted(count, 'clip')} {is_or_are(count)}" == words


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [
        (0, 1, "0 of 1 clip is"),
        (1, 1, "1 of 1 clip is"),
        (0, 2, "0 of 2 clips are"),
        (1, 2, "1 of 2 clips is"),
        (2, 2, "2 of 2 clips are"),
    ],
)
def test_a_share_has_the_verb_that_goes_with_it(done: int, total: int, words: str) -> None:
    assert f"{done} of {counted(total, 'clip')} {is_or_are(done, of=total)}" == words
