"""Every frame of a clip, and when it is shown."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frame_times import durations_ms, times_ms
from upvs_tasks.errors import DocumentError
from upvs_tasks.model.sample_table import SampleTable

TABLE = SampleTable((450_000, 453_000, 456_000, 460_000), 463_000, Fraction(1, 90_000), (0, 2))


@st.composite
def tables(draw: st.DrawFn) -> SampleTable:
    """Tables of any clip."""
    steps = draw(st.lists(st.integers(0, 10**7), min_size=1, max_size=50))
    ticks = [draw(st.integers(-(10**9), 10**9))]
    for step in steps:
        ticks.append(ticks[-1] + step)
    keyframes = draw(st.sets(st.integers(0, len(steps) - 1)))
    scale = draw(st.sampled_from([1, 600, 1000, 12_800, 44_100, 90_000, 10_000_000]))
    return SampleTable(
        tuple(ticks[:-1]),
        ticks[-1],
        Fraction(1, scale),
        tuple(sorted(keyframes)),
        draw(st.booleans()),
    )


def as_json(table: SampleTable) -> Any:  # noqa: ANN401  parsed JSON
    """The table as a reader of its file gets it."""
    return orjson.loads(orjson.dumps(table.to_document()))


@given(tables())
def test_a_table_comes_back_from_its_file_as_it_was(table: SampleTable) -> None:
    """Every frame, every keyframe."""
    assert SampleTable.from_document(as_json(table)) == table


def test_frames_at_even_distances_take_no_room() -> None:
    """An hour of footage is kept in a line."""
    ticks = tuple(range(0, 108_000 * 3_000, 3_000))
    table = SampleTable(ticks, 108_000 * 3_000, Fraction(1, 90_000), (0,))
    assert as_json(table)["steps"] == [[3_000, 108_000]]


@pytest.mark.parametrize(
    "changes",
    [
        {"tick_secs": [1, 0]},
        {"tick_secs": [0, 1]},
        {"tick_secs": "1/90000"},
        {"first_tick": "450000"},
        {"first_tick": None},
        {"steps": []},
        {"steps": [["3000", 2]]},
        {"steps": [[3_000.5, 2]]},
        {"steps": [[3_000, "2"]]},
        {"steps": [[3_000]]},
        {"steps": [3_000, 3_000]},
        {"steps": [[3_000, 3], [-3_000, 1]]},
        {"keyframes": ["0"]},
        {"keyframes": [0.0]},
        {"keyframes": [2, 0]},
        {"keyframes": [-1, 0]},
        {"keyframes": [4]},
        {"by_place": None},
    ],
)
def test_a_document_that_no_clip_gives_is_refused(changes: dict[str, object]) -> None:
    """An older version's table, or a damaged one: the clip is to be measured again."""
    with pytest.raises(DocumentError):
        SampleTable.from_document(as_json(TABLE) | changes)


@pytest.mark.parametrize("document", [None, [], {}, "table", 7])
def test_a_document_of_another_kind_is_refused(document: object) -> None:
    with pytest.raises(DocumentError):
        SampleTable.from_document(document)


def test_decoding_begins_at_the_keyframe_before() -> None:
    assert [TABLE.seek_ticks(frame) for frame in range(4)] == [450_000, 450_000, 456_000, 456_000]


def test_decoding_begins_with_the_track_where_no_keyframe_is_before() -> None:
    """An edit list hides it: it is stored, but has no place in the table."""
    assert replace(TABLE, keyframes=(2,)).seek_ticks(1) is None
    assert replace(TABLE, keyframes=()).seek_ticks(3) is None


def test_times_begin_at_the_first_frame_and_are_rounded_each_for_itself() -> None:
    """Thirtieths of a second do not add up their rounding."""
    ticks = tuple(450_000 + 3_000 * index for index in range(4))
    table = SampleTable(ticks, 462_000, Fraction(1, 90_000), (0,))
    assert times_ms(table) == (0, 33, 67, 100)
    assert durations_ms(table) == (33, 34, 33, 33)
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
    assert sum(durations_ms(table)) == table.duration_ms
    assert min(durations_ms(table)) >= 0
    exact_ms = Fraction(1000 * (table.end_ticks - start), timescale)
    assert abs(table.duration_ms - exact_ms) <= Fraction(1, 2)
