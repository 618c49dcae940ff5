from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.thorough import thorough
from upvs_tasks.model.clip import (
    HOUR_MS,
    Clip,
    Overlaps,
    clips_of,
    forgotten_apart,
    may_be_all_of,
)
from upvs_tasks.model.event import Event

NOON_MS = 1_705_338_000_000
GAP_MS = 5_000
SECOND_MS = 1_000
MINUTE_MS = 60_000
LONGEST_FILE_NAME_BYTES = 255

LENGTHS_MS = (
    st.sampled_from([0, 1, SECOND_MS, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1])
    | st.integers(0, 3 * MINUTE_MS)
    | st.integers(0, 4 * HOUR_MS)
)
STARTS_MS = st.integers(NOON_MS, NOON_MS + 6 * HOUR_MS) | st.integers(0, 6).map(
    lambda hours: NOON_MS + hours * HOUR_MS - 1
)
GAPS_MS = st.sampled_from([0, 1, GAP_MS, HOUR_MS])
OVERLAPS = st.sampled_from(Overlaps)


def event(event_id: str, start_ms: int, length_ms: int) -> Event:
    """An ended event of some camera."""
    return Event(event_id, "motion", start_ms, start_ms + length_ms, "66a0c1")


@st.composite
def days(draw: st.DrawFn) -> list[Event]:
    """Ended events with an id each, overlapping as they like."""
    spans = draw(st.lists(st.tuples(STARTS_MS, LENGTHS_MS), max_size=15))
    return [event(f"e{number}", *span) for number, span in enumerate(spans)]


def merged(events: Iterable[Event], gap_ms: int = GAP_MS) -> tuple[Clip, ...]:
    """Clips of events that may share one."""
    return clips_of(events, overlaps=Overlaps.MERGE, merge_gap_ms=gap_ms)


def separate(events: list[Event]) -> tuple[Clip, ...]:
    """Clips of one event each."""
    return clips_of(events, overlaps=Overlaps.SEPARATE, merge_gap_ms=GAP_MS)


def uncovered_ms(span: tuple[int, int], clips: list[Clip]) -> list[tuple[int, int]]:
    """What is left of a span when the clips are taken away from it."""
    left = [span]
    for clip in clips:
        left = [
            piece
            for start_ms, end_ms in left
            for piece in (
                (start_ms, min(end_ms, clip.start_ms)),
                (max(start_ms, clip.end_ms), end_ms),
            )
            if piece[0] < piece[1]
        ]
    return left


@given(days(), OVERLAPS, GAPS_MS)
def test_every_millisecond_of_every_event_is_in_a_clip(
    events: list[Event], overlaps: Overlaps, gap_ms: int
) -> None:
    """And in one that names the event."""
    clips = clips_of(events, overlaps=overlaps, merge_gap_ms=gap_ms)

    for each in events:
        assert each.end_ms is not None
        own = [clip for clip in clips if each in clip.events]
        assert own
        assert uncovered_ms((each.start_ms, each.end_ms), own) == []


@given(days(), OVERLAPS, GAPS_MS)
def test_nothing_but_the_events_and_what_lies_between_them_is_asked_for(
    events: list[Event], overlaps: Overlaps, gap_ms: int
) -> None:
    """Beyond its events, a clip reaches no further than the gap, or a second for an empty event."""
    covered = [(each.start_ms, max(each.end_ms or 0, each.start_ms + 1_000)) for each in events]
    reach_ms = gap_ms if overlaps is Overlaps.MERGE else 0
    padded = [Clip(start_ms, end_ms + reach_ms, ()) for start_ms, end_ms in covered]

    for clip in clips_of(events, overlaps=overlaps, merge_gap_ms=gap_ms):
        assert uncovered_ms((clip.start_ms, clip.end_ms), padded) == []


@given(days(), OVERLAPS, GAPS_MS)
def test_no_clip_is_longer_than_an_hour(
    events: list[Event], overlaps: Overlaps, gap_ms: int
) -> None:
    """Consoles have crashed over longer exports."""
    for clip in clips_of(events, overlaps=overlaps, merge_gap_ms=gap_ms):
        assert 0 < clip.duration_ms <= HOUR_MS
        assert clip.duration_ms == clip.end_ms - clip.start_ms


@given(days(), OVERLAPS, GAPS_MS)
def test_clips_are_in_the_order_of_the_film(
    events: list[Event], overlaps: Overlaps, gap_ms: int
) -> None:
    """The film never jumps back to a clip that starts earlier."""
    clips = clips_of(events, overlaps=overlaps, merge_gap_ms=gap_ms)

    assert [clip.start_ms for clip in clips] == sorted(clip.start_ms for clip in clips)


def test_a_long_event_does_not_hold_up_those_within_it() -> None:
    """Its later pieces come after an event that begins before them."""
    long_event = event("long", NOON_MS, 3 * HOUR_MS)
    short_event = event("short", NOON_MS + HOUR_MS + 10 * MINUTE_MS, 20_000)

    clips = separate([long_event, short_event])

    assert [clip.start_ms - NOON_MS for clip in clips] == [
        0,
        HOUR_MS,
        HOUR_MS + 10 * MINUTE_MS,
        2 * HOUR_MS,
    ]


@given(days(), GAPS_MS)
def test_merged_clips_share_no_second_and_keep_their_distance(
    events: list[Event], gap_ms: int
) -> None:
    """But for the seams of a span longer than an hour, which are whole hours."""
    for clip, following in pairwise(merged(events, gap_ms)):
        is_seam = clip.end_ms == following.start_ms and clip.end_ms % HOUR_MS == 0
        assert is_seam or following.start_ms > clip.end_ms + gap_ms


@given(days(), GAPS_MS)
def test_a_merged_clip_names_the_events_that_it_shows(events: list[Event], gap_ms: int) -> None:
    """In the order of the film; one that only fills a gap still names one."""
    for clip in merged(events, gap_ms):
        keys = [each.timeline_key for each in clip.events]
        assert keys
        assert keys == sorted(keys)


@given(days())
def test_separate_clips_are_of_one_event_each(events: list[Event]) -> None:
    """As the specification has it; only an event longer than an hour becomes several."""
    clips = separate(events)

    for each in events:
        own = [clip for clip in clips if clip.events == (each,)]
        assert own
        if (each.end_ms or 0) - each.start_ms <= HOUR_MS:
            assert len(own) == 1
    assert all(len(clip.events) == 1 for clip in clips)


@given(days(), OVERLAPS, GAPS_MS, st.data())
def test_the_order_of_the_events_does_not_matter(
    events: list[Event], overlaps: Overlaps, gap_ms: int, data: st.DataObject
) -> None:
    """The same events make the same clips, however they were listed."""
    shuffled = data.draw(st.permutations(events))

    assert clips_of(shuffled, overlaps=overlaps, merge_gap_ms=gap_ms) == clips_of(
        events, overlaps=overlaps, merge_gap_ms=gap_ms
    )


@thorough(3)
@given(days(), st.tuples(STARTS_MS, LENGTHS_MS), st.sampled_from([0, GAP_MS]))
@example(
    events=[event("e0", NOON_MS, 2 * HOUR_MS + 60_000)],
    span=(NOON_MS + 7_270_000, 20_000),
    gap_ms=0,
)
def test_a_late_event_changes_only_the_clips_near_it(
    events: list[Event], span: tuple[int, int], gap_ms: int
) -> None:
    """What was downloaded of the rest of the day stays what it is called."""
    late = event("late", *span)
    late_end_ms = max(late.end_ms or 0, late.start_ms + SECOND_MS)

    before, after = merged(events, gap_ms), merged([*events, late], gap_ms)

    far = {
        clip
        for clip in before
        if clip.end_ms + gap_ms < late.start_ms or clip.start_ms > late_end_ms + gap_ms
    }
    assert far <= set(after)


@given(days(), st.tuples(STARTS_MS, LENGTHS_MS))
def test_a_late_event_changes_no_separate_clip(events: list[Event], span: tuple[int, int]) -> None:
    """Where each event has its own clip, none depends on another."""
    assert set(separate(events)) <= set(separate([*events, event("late", *span)]))


def test_events_that_overlap_or_nearly_touch_become_one_clip() -> None:
    """Up to and with the gap: exports are cut on keyframes and would show its frames twice."""
    first = event("e1", NOON_MS, 20_000)
    inside = event("e2", NOON_MS + 5_000, 5_000)
    touching = event("e3", NOON_MS + 20_000 + GAP_MS, 10_000)
    apart = event("e4", NOON_MS + 30_000 + 2 * GAP_MS + 1, 10_000)

    clips = merged([apart, touching, inside, first])

    assert clips == (
        Clip(NOON_MS, NOON_MS + 30_000 + GAP_MS, (first, inside, touching)),
        Clip(apart.start_ms, apart.start_ms + 10_000, (apart,)),
    )


def test_a_span_of_just_an_hour_is_one_clip() -> None:
    """Wherever in the hour it starts."""
    whole = event("e1", NOON_MS + 10 * MINUTE_MS, HOUR_MS)

    assert merged([whole]) == (Clip(whole.start_ms, whole.start_ms + HOUR_MS, (whole,)),)


def test_a_longer_span_is_cut_at_whole_hours() -> None:
    """Each piece names the events that it shows."""
    long_event = event("long", NOON_MS + 30 * MINUTE_MS, 2 * HOUR_MS)
    early = event("early", NOON_MS + 40 * MINUTE_MS, 20_000)

    clips = merged([long_event, early])

    assert clips == (
        Clip(long_event.start_ms, NOON_MS + HOUR_MS, (long_event, early)),
        Clip(NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS, (long_event,)),
        Clip(NOON_MS + 2 * HOUR_MS, NOON_MS + 150 * MINUTE_MS, (long_event,)),
    )


@pytest.mark.parametrize("length_ms", [0, 1, 999, -60_000])
@pytest.mark.parametrize("overlaps", Overlaps)
def test_an_event_without_length_still_has_a_second_of_footage(
    length_ms: int, overlaps: Overlaps
) -> None:
    """Consoles report such, and an empty export request would fail."""
    clips = clips_of([event("e1", NOON_MS, length_ms)], overlaps=overlaps, merge_gap_ms=GAP_MS)

    assert [(clip.start_ms, clip.end_ms) for clip in clips] == [(NOON_MS, NOON_MS + SECOND_MS)]


def test_no_events_make_no_clips() -> None:
    """A quiet day is no error."""
    assert merged([]) == separate([]) == ()


@pytest.mark.parametrize(
    "event_id", ["65a4f0c2e4b0a1", "8a6e0804-2bd0-4672-b79d-d97027f9071a", "E"]
)
def test_a_clip_is_called_as_the_specification_has_it(event_id: str) -> None:
    """``clip_<start>_<end>_<eventId>``; consoles have ids of hexadecimal digits, or UUIDs."""
    [clip] = merged([event(event_id, NOON_MS, 20_000)])

    assert clip.name == f"clip_{NOON_MS}_{NOON_MS + 20_000}_{event_id}"


HOSTILE_IDS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "a/b",
    "a\\b",
    "C:",
    "-rf",
    "a b",
    "e1\n",
    "'",
    "%d",
    "*",
    "a_b",
    "e" * 10_000,
    "猫",
    "\N{FULLWIDTH DIGIT ONE}",
    "\0",
    "\ud800",
    "\udcff",
)


@given(st.lists(st.text() | st.sampled_from(HOSTILE_IDS), min_size=1, max_size=10, unique=True))
@example(list(HOSTILE_IDS))
def test_clips_have_safe_names_of_their_own_whatever_their_events_are_called(
    event_ids: list[str],
) -> None:
    """Every event of the day has the same bounds here, so that the ids alone keep them apart."""
    clips = separate([event(event_id, NOON_MS, 20_000) for event_id in event_ids])
    names = [clip.name for clip in clips]

    assert len(set(names)) == len(event_ids)
    for name in names:
        assert name.startswith(f"clip_{NOON_MS}_{NOON_MS + 20_000}_")
        assert name.isascii()
        assert name.replace("_", "").replace("-", "").isalnum()
        assert len(f"{name}.mp4.partial") <= LONGEST_FILE_NAME_BYTES


@given(days(), OVERLAPS, GAPS_MS)
def test_no_two_clips_of_a_day_have_one_name(
    events: list[Event], overlaps: Overlaps, gap_ms: int
) -> None:
    """Each is a task and a file of its own."""
    names = [clip.name for clip in clips_of(events, overlaps=overlaps, merge_gap_ms=gap_ms)]

    assert len(set(names)) == len(names)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_name_does_not_depend_on_the_other_clips(first: str, second: str) -> None:
    """The same clip is called the same in every run."""
    assume(first != second)
    alone = event(first, NOON_MS, 20_000)
    other = event(second, NOON_MS + HOUR_MS, 20_000)

    assert merged([alone])[0].name == merged([other, alone])[0].name


@pytest.mark.parametrize(
    ("footage_ms", "may_be"),
    [(0, False), (1, True), (MINUTE_MS, True), (MINUTE_MS + 10_000, True), (2 * MINUTE_MS, False)],
)
def test_a_file_may_be_a_clip_unless_it_is_empty_or_much_too_long(
    footage_ms: int, *, may_be: bool
) -> None:
    """Recordings have gaps; an export is cut at keyframes, and so is at most somewhat longer."""
    clip = Clip(NOON_MS, NOON_MS + MINUTE_MS, (event("e1", NOON_MS, MINUTE_MS),))
    assert may_be_all_of(clip, footage_ms) == may_be


def near(count: int) -> list[Event]:
    """Events that one clip covers."""
    return [event(f"e{number}", NOON_MS + 6_000 * number, 3_000) for number in range(count)]


def test_what_the_console_has_forgotten_is_asked_for_apart() -> None:
    """Of the answer for both nobody could tell which part it is."""
    first, second = near(2)
    clips = forgotten_apart(merged, [first, second], forgotten={"e0"}, kept=())
    assert clips == (*merged([first]), *merged([second]))


def test_a_clip_that_is_kept_stays_one_whatever_the_console_forgets() -> None:
    events = near(2)
    kept = merged(events)
    assert forgotten_apart(merged, events, forgotten={"e0"}, kept=kept) == kept


def test_a_late_event_takes_no_clip_away_from_what_the_console_has_forgotten() -> None:
    first, second, late = near(3)
    [kept] = merged([first, second])
    clips = forgotten_apart(merged, [first, second, late], forgotten={"e0"}, kept=(kept,))
    assert clips == (kept, *merged([second, late]))


@given(days(), st.data())
def test_every_event_is_in_a_clip_whatever_the_console_forgets(
    events: list[Event], data: st.DataObject
) -> None:
    ids = [one.event_id for one in events]
    forgotten = set(data.draw(st.lists(st.sampled_from(ids)))) if ids else set[str]()
    before = data.draw(st.lists(st.sampled_from(events))) if events else []
    clips = forgotten_apart(merged, events, forgotten=forgotten, kept=merged(before))
    covered = {one.event_id for clip in clips for one in clip.events}
    assert covered >= set(ids)
    for one in events:
        span = (one.start_ms, one.end_ms or 0)
        assert uncovered_ms(span, [clip for clip in clips if one in clip.events]) == []
