"""What a console may put into a name, in each of the places where a person reads it."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HARMFUL, harm_in
from upvs_tasks.escaping import in_captions, in_json, lines, one_line
from upvs_tasks.model.camera import safe_name


@given(st.text(st.sampled_from(f"{HARMFUL}a<&>-é猫")))
def test_no_place_lets_a_harmful_character_through(text: str) -> None:
    assert not harm_in(one_line(text))
    assert "\n" not in one_line(text)
    assert not harm_in(lines(text))
    assert not harm_in(in_captions(text))
    assert not harm_in(safe_name(text, fallback="camera"))


@given(st.text(st.sampled_from(f'{HARMFUL}a\\"é猫')))
def test_json_means_the_same(text: str) -> None:
    written = in_json(orjson.dumps({text: [text]}).decode())
    assert not harm_in(written)
    assert json.loads(written) == {text: [text]}


@pytest.mark.parametrize("text", ["Küche", "Δοκιμή 👩‍🚒", "a\\nb", "100 %", "עברית"])
def test_what_only_shows_stays_as_it_is(text: str) -> None:
    assert one_line(text) == lines(text) == in_captions(text) == text
    assert orjson.loads(in_json(orjson.dumps(text).decode())) == text


def test_a_caption_ends_with_its_line_and_has_no_mark_up() -> None:
    """`-->` would begin another one, and `<` a tag."""
    hostile = "person\n\n00:00.000 --> 01:00.000\n<c.red>gone & <b>"
    assert in_captions(hostile) == (
        "person\\n\\n00:00.000 --&gt; 01:00.000\\n&lt;c.red&gt;gone &amp; &lt;b&gt;"
    )
