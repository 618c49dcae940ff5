from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.span import Span, Spans

SPANS = st.tuples(st.integers(0, 12), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair)))


def instants(*spans: Span) -> set[int]:
    """Every instant of the spans."""
    return {instant for start_ms, end_ms in spans for instant in range(start_ms, end_ms)}


@given(SPANS, st.lists(SPANS, max_size=5))
def test_what_is_uncovered_is_in_the_span_and_in_none_of_the_others(
    span: Span, covering: list[Span]
) -> None:
    parts = Spans(covering).uncovered(span)
    assert instants(*parts) == instants(span) - instants(*covering)
    assert list(parts) == sorted(parts)
    assert all(start_ms < end_ms for start_ms, end_ms in parts)


@given(SPANS, st.lists(SPANS, max_size=5))
def test_two_spans_overlap_where_they_share_an_instant(span: Span, others: list[Span]) -> None:
    sharing = [other for other in sorted(others) if instants(span) & instants(other)]
    assert Spans(others).overlapping(span) == sharing
