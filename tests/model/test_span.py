from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.span import Span, overlap, uncovered

SPANS = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (min(pair), max(pair)))


def instants(*spans: Span) -> set[int]:
    """Every instant of the spans."""
    return {instant for start_ms, end_ms in spans for instant in range(start_ms, end_ms)}


@given(SPANS, st.lists(SPANS, max_size=5))
def test_what_is_uncovered_is_in_the_span_and_in_none_of_the_others(
    span: Span, covering: list[Span]
) -> None:
    parts = uncovered(span, covering)
    assert instants(*parts) == instants(span) - instants(*covering)
    assert list(parts) == sorted(parts)
    assert all(start_ms < end_ms for start_ms, end_ms in parts)


@given(SPANS, SPANS)
def test_two_spans_overlap_where_they_share_an_instant(one: Span, other: Span) -> None:
    if instants(one) and instants(other):
        assert overlap(one, other) == bool(instants(one) & instants(other))
