from dataclasses import replace
from fractions import Fraction

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.footage import Footage
from upvs_tasks.model.sample_table import SampleTable

FOOTAGE = Footage(
    duration_ms=10_688,
    frames=321,
    keyframes=3,
    codec="h264",
    width=1920,
    height=1080,
    has_audio=True,
    rotation=0,
    full_range=False,
    first_frame_ms=0,
    longest_gap_ms=34,
    keyframe_interval_ms=5000,
)


def test_footage_survives_being_kept_as_json() -> None:
    """What was measured once is not measured again."""
    kept = orjson.loads(orjson.dumps(FOOTAGE.to_document()))
    assert Footage.from_document(kept) == FOOTAGE


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        "footage",
        FOOTAGE.to_document() | {"frames": "321"},
        FOOTAGE.to_document() | {"frames": True},
        FOOTAGE.to_document() | {"duration_ms": 10.5},
        FOOTAGE.to_document() | {"has_audio": None},
        FOOTAGE.to_document() | {"colour": "blue"},
        {name: value for name, value in FOOTAGE.to_document().items() if name != "codec"},
    ],
)
def test_a_document_of_another_shape_is_no_footage(document: object) -> None:
    """An older version's record, or a damaged one, leads to a new measurement."""
    assert Footage.from_document(document) is None


def test_a_picture_that_lies_on_its_side_is_shown_upright() -> None:
    """Width and height change places at a quarter turn, not at a half one."""
    assert FOOTAGE.shown_size == (1920, 1080)
    assert replace(FOOTAGE, rotation=90).shown_size == (1080, 1920)
    assert replace(FOOTAGE, rotation=180).shown_size == (1920, 1080)


def test_times_begin_at_the_first_frame_and_are_rounded_each_for_itself() -> None:
    """Thirtieths of a second do not add up their rounding."""
    ticks = tuple(450_000 + 3_000 * index for index in range(4))
    table = SampleTable(ticks, 462_000, Fraction(1, 90_000), (0,))
    assert table.times_ms == (0, 33, 67, 100)
    assert table.durations_ms == (33, 34, 33, 33)
    assert table.duration_ms == 133


@given(
    steps=st.lists(st.integers(min_value=0, max_value=10**7), min_size=1, max_size=50),
    start=st.integers(min_value=-(10**9), max_value=10**9),
    last=st.integers(min_value=1, max_value=10**7),
    timescale=st.sampled_from([1, 600, 1000, 12_800, 44_100, 90_000, 10_000_000]),
)
def test_no_millisecond_of_a_clip_is_lost_or_counted_twice(
    steps: list[int], start: int, last: int, timescale: int
) -> None:
    """The frames' durations are what the clip lasts, whatever its time base."""
    ticks = [start]
    for step in steps:
        ticks.append(ticks[-1] + step)
    table = SampleTable(tuple(ticks), ticks[-1] + last, Fraction(1, timescale), (0,))
    assert sum(table.durations_ms) == table.duration_ms
    assert min(table.durations_ms) >= 0
    exact_ms = Fraction(1000 * (table.end_ticks - start), timescale)
    assert abs(table.duration_ms - exact_ms) <= Fraction(1, 2)
