import re
from dataclasses import fields, replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.film_format import Codec
from upvs_tasks.model.recipe import ClipIdentity, Engine, FilmRecipe

FIRST = ClipIdentity("clip_1000_2000_e1", "aa")
SECOND = ClipIdentity("clip_3000_4000_e2", "bb")
RECIPE = FilmRecipe(
    clips=(FIRST, SECOND),
    engine=Engine.CONCAT,
    speed_factor=12.0,
    output_frames=18_000,
    output_fps=30,
    crf=23,
    preset="medium",
    codec=Codec.H264,
    height=0,
)
OTHERS = [
    replace(RECIPE, clips=(FIRST,)),
    replace(RECIPE, clips=(SECOND, FIRST)),
    replace(RECIPE, clips=(FIRST, SECOND, SECOND)),
    replace(RECIPE, clips=(FIRST, replace(SECOND, sha256="cc"))),
    replace(RECIPE, clips=(FIRST, replace(SECOND, name="clip_3000_4000_e3"))),
    replace(RECIPE, clips=()),
    replace(RECIPE, engine=Engine.SEGMENTS),
    replace(RECIPE, codec=Codec.HEVC),
    replace(RECIPE, height=720),
    replace(RECIPE, speed_factor=12.000000001),
    replace(RECIPE, output_frames=18_001),
    replace(RECIPE, output_fps=25),
    replace(RECIPE, crf=24),
    replace(RECIPE, preset="slow"),
]
RECIPES = st.builds(
    FilmRecipe,
    clips=st.lists(st.sampled_from([FIRST, SECOND]), max_size=3).map(tuple),
    engine=st.sampled_from(Engine),
    codec=st.sampled_from(Codec),
    height=st.sampled_from([0, 720]),
    speed_factor=st.floats(1, 2000),
    output_frames=st.integers(0, 3),
    output_fps=st.integers(1, 3),
    crf=st.integers(0, 2),
    preset=st.sampled_from(["medium", "slow"]),
)


def test_a_digest_is_the_same_in_every_run_and_on_every_machine() -> None:
    """It lies on the disk as the film's stamp: a film is not made anew for an update of ours."""
    assert RECIPE.digest() == "640b5f300abf1050d26df0863606046f41d228a0b8d9e6ffd13171ea77898e7a"


@pytest.mark.parametrize("other", OTHERS)
def test_whatever_alters_the_film_alters_the_digest(other: FilmRecipe) -> None:
    """Down to the order of the clips and the last digit of the speed."""
    assert other.digest() != RECIPE.digest()


def test_every_ingredient_is_tried() -> None:
    """An ingredient that is added later needs a case of its own."""
    changed = {
        item.name
        for item in fields(FilmRecipe)
        for other in OTHERS
        if getattr(other, item.name) != getattr(RECIPE, item.name)
    }

    assert changed == {item.name for item in fields(FilmRecipe)}


def test_no_two_recipes_share_a_digest() -> None:
    """Not by way of one field's end and the next one's start, either."""
    for one, another in combinations([RECIPE, *OTHERS], 2):
        assert one.digest() != another.digest()


@given(RECIPES, RECIPES)
def test_digests_are_the_same_exactly_when_the_recipes_are(
    one: FilmRecipe, another: FilmRecipe
) -> None:
    """The digest stands for the recipe, wherever they are compared."""
    assert (one.digest() == another.digest()) is (one == another)
    assert replace(one).digest() == one.digest()


def test_a_digest_is_plain_text_of_fixed_length() -> None:
    """SHA-256 in hexadecimal digits."""
    assert re.fullmatch(r"[0-9a-f]{64}", RECIPE.digest())
