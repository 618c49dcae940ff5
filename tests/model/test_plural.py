import pytest

from upvs_tasks.model.plural import counted, is_or_are


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 clips are"), (1, "1 clip is"), (2, "2 clips are")]
)
def test_one_thing_is_and_several_things_are(count: int, words: str) -> None:
    assert f"{counted(count, 'clip')} {is_or_are(count)}" == words
