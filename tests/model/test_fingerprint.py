import re
from collections.abc import Iterable
from dataclasses import fields, replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.encoding import Codec, Encoding, Engine
from upvs_tasks.model.fingerprint import ClipIdentity, FilmFingerprint

FIRST = ClipIdentity("clip_1000_2000_e1", "aa")
SECOND = ClipIdentity("clip_3000_4000_e2", "bb")
ENCODING = Encoding(width=1920, height=1080, fps=30, crf=23, preset="medium")
FILM = FilmFingerprint(
    clips=(FIRST, SECOND),
    engine=Engine.CONCAT,
    speed_factor=12.0,
    output_frames=18_000,
    by_clock=False,
    encoding=ENCODING,
)
OTHER_ENCODINGS = [
    replace(ENCODING, width=1280),
    replace(ENCODING, height=720),
    replace(ENCODING, fps=25),
    replace(ENCODING, crf=24),
    replace(ENCODING, preset="slow"),
    replace(ENCODING, codec=Codec.HEVC),
]
OTHERS = [
    replace(FILM, clips=(FIRST,)),
    replace(FILM, clips=(SECOND, FIRST)),
    replace(FILM, clips=(FIRST, SECOND, SECOND)),
    replace(FILM, clips=(FIRST, replace(SECOND, sha256="cc"))),
    replace(FILM, clips=(FIRST, replace(SECOND, name="clip_3000_4000_e3"))),
    replace(FILM, clips=()),
    replace(FILM, engine=Engine.SEGMENTS),
    replace(FILM, speed_factor=12.000000001),
    replace(FILM, output_frames=18_001),
    replace(FILM, by_clock=True),
    *(replace(FILM, encoding=encoding) for encoding in OTHER_ENCODINGS),
]
FINGERPRINTS = st.builds(
    FilmFingerprint,
    clips=st.lists(st.sampled_from([FIRST, SECOND]), max_size=3).map(tuple),
    engine=st.sampled_from(Engine),
    speed_factor=st.floats(1, 2000),
    output_frames=st.integers(0, 3),
    by_clock=st.booleans(),
    encoding=st.sampled_from([ENCODING, *OTHER_ENCODINGS]),
)


def test_a_digest_is_the_same_in_every_run_and_on_every_machine() -> None:
    """It lies on the disk as the film's stamp: a film is not made anew for an update of ours."""
    assert FILM.digest() == "70033fbde05c5248334f564f775f3cb10f9f8d3d3aa7e24926758193c55f21b8"


@pytest.mark.parametrize("other", OTHERS)
def test_whatever_alters_the_film_alters_the_digest(other: FilmFingerprint) -> None:
    """Down to the order of the clips and the last digit of the speed."""
    assert other.digest() != FILM.digest()


def test_every_ingredient_is_tried() -> None:
    """An ingredient that is added later needs a case of its own."""
    assert changed(FILM, OTHERS) == {item.name for item in fields(FilmFingerprint)}
    assert changed(ENCODING, OTHER_ENCODINGS) == {item.name for item in fields(Encoding)}


def changed(one: FilmFingerprint | Encoding, others: Iterable[object]) -> set[str]:
    """Names of the fields in which any of the others differs."""
    return {
        item.name
        for item in fields(one)
        for other in others
        if getattr(other, item.name) != getattr(one, item.name)
    }


def test_no_two_films_share_a_digest() -> None:
    """Not by way of one field's end and the next one's start, either."""
    for one, another in combinations([FILM, *OTHERS], 2):
        assert one.digest() != another.digest()


@given(FINGERPRINTS, FINGERPRINTS)
def test_digests_are_the_same_exactly_when_the_fingerprints_are(
    one: FilmFingerprint, another: FilmFingerprint
) -> None:
    """The digest stands for the fingerprint, wherever they are compared."""
    assert (one.digest() == another.digest()) is (one == another)
    assert replace(one).digest() == one.digest()


def test_a_digest_is_plain_text_of_fixed_length() -> None:
    """SHA-256 in hexadecimal digits."""
    assert re.fullmatch(r"[0-9a-f]{64}", FILM.digest())
