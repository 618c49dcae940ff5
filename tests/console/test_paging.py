from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.listing import most_requests
from tests.thorough import thorough
from upvs_tasks.console.paging import collect
from upvs_tasks.console.wire import MOST_ROWS, EventPage, OddRow
from upvs_tasks.errors import ConsoleError
from upvs_tasks.model.event import Event

DAY_MS = 86_400_000
MINUTE_MS = 60_000
# Events of one instant cannot be told apart by a window: where they fill much of a page, a day
# takes more requests.
CUTTABLE = ("even", "cluster", "small ties")


@dataclass(slots=True)
class Shelf:
    """A console's list of events, with the habits that consoles differ in."""

    events: Sequence[Event]
    keeps: str = "oldest"
    by_overlap: bool = False
    bounds_belong: bool = False
    cap: int = MOST_ROWS
    odd: frozenset[str] = frozenset()
    chance: Random = field(default_factory=lambda: Random(1))  # noqa: S311  no secret
    asked: list[tuple[int, int, int]] = field(default_factory=list)

    def ask(self, start_ms: int, end_ms: int, limit: int) -> Sequence[Event]:
        """One page."""
        self.asked.append((start_ms, end_ms, limit))
        matching = [event for event in self.events if self._matches(event, start_ms, end_ms)]
        self.chance.shuffle(matching)
        matching.sort(key=lambda event: event.start_ms)
        rows = min(limit, self.cap, len(matching))
        is_fickle = self.keeps == "now this, now that"
        match self.chance.choice(["oldest", "newest", "any"]) if is_fickle else self.keeps:
            case "oldest":
                return matching[:rows]
            case "newest":
                return matching[len(matching) - rows :]
            case _:
                return self.chance.sample(matching, rows)

    def _matches(self, event: Event, start_ms: int, end_ms: int) -> bool:
        slack_ms = 0 if self.bounds_belong else 1
        begins_before_end = event.start_ms + slack_ms <= end_ms
        if not self.by_overlap:
            return start_ms + slack_ms <= event.start_ms and begins_before_end
        return begins_before_end and (event.end_ms is None or event.end_ms >= start_ms + slack_ms)

    def collected(self, limit: int) -> tuple[Event, ...]:
        """The whole day."""
        return collect(self.page, start_ms=0, end_ms=DAY_MS, limit=limit)

    def page(self, start_ms: int, end_ms: int, limit: int) -> EventPage:
        """One page, in which some rows are no events."""
        rows = self.ask(start_ms, end_ms, limit)
        odd = tuple(odd_row(row) for row in rows if row.event_id in self.odd)
        return EventPage(tuple(row for row in rows if row.event_id not in self.odd), odd)

    def most_at_once(self) -> int:
        """The highest number of rows that match a window of a few milliseconds."""
        return max(
            (
                sum(
                    other.start_ms <= event.start_ms + 4
                    and (other.end_ms is None or other.end_ms >= event.start_ms - 4)
                    for other in self.events
                )
                for event in self.events
            ),
            default=0,
        )


def odd_row(row: Event) -> OddRow:
    return OddRow(row.event_id, "odd", row.camera_id, row.event_type, None, row.event_id.encode())


def event(name: object, start_ms: int, end_ms: int | None) -> Event:
    return Event(str(name), "motion", start_ms, end_ms, "camera")


def ids(events: Sequence[Event]) -> set[str]:
    return {event.event_id for event in events}


@dataclass(frozen=True, slots=True)
class Sketch:
    """A day spread evenly, clustered, or in ties, with long and endless events among the short."""

    seed: int
    count: int
    shape: str
    long_share: float

    def events(self) -> list[Event]:
        """The same for the same sketch."""
        chance = Random(self.seed)  # noqa: S311  no secret
        return [self._event(chance, number) for number in range(self.count)]

    def _event(self, chance: Random, number: int) -> Event:
        start_ms = chance.randrange(DAY_MS)
        if self.shape == "cluster":
            start_ms = min(DAY_MS - 1, max(0, int(chance.gauss(DAY_MS * 0.7, DAY_MS * 0.02))))
        elif self.shape == "ties":
            start_ms -= start_ms % (10 * MINUTE_MS)
        elif self.shape == "small ties":
            start_ms -= start_ms % MINUTE_MS
        is_long = chance.random() < self.long_share
        length_ms = chance.randrange(8 * 60 * MINUTE_MS if is_long else MINUTE_MS)
        is_endless = chance.random() < self.long_share / 10
        return event(number, start_ms, None if is_endless else start_ms + length_ms)


def sketches(
    *, most_events: int, shapes: Sequence[str] = ("even", "cluster", "ties", "small ties")
) -> st.SearchStrategy[Sketch]:
    return st.builds(
        Sketch,
        seed=st.integers(0, 2**32),
        count=st.integers(0, most_events),
        shape=st.sampled_from(shapes),
        long_share=st.sampled_from([0.0, 0.02, 0.1]),
    )


habits = {
    "keeps": st.sampled_from(["oldest", "newest", "any"]),
    "by_overlap": st.booleans(),
    "bounds_belong": st.booleans(),
}


@thorough(1.5)
@given(sketch=sketches(most_events=400), limit=st.integers(1, 60), **habits)
def test_every_event_is_listed_once_whatever_the_console_s_habits(
    sketch: Sketch, limit: int, keeps: str, *, by_overlap: bool, bounds_belong: bool
) -> None:
    """No page is relied on to hold one end or the other, nor a window to match one way."""
    shelf = Shelf(sketch.events(), keeps=keeps, by_overlap=by_overlap, bounds_belong=bounds_belong)
    listed = shelf.collected(limit)
    assert [one.event_id for one in listed] == [
        one.event_id for one in sorted(sketch.events(), key=lambda one: one.timeline_key)
    ]


@thorough(1.5)
@given(
    sketch=sketches(most_events=1_500),
    limit=st.sampled_from([30, 50, 100, 500]),
    keeps=st.sampled_from(["oldest", "newest", "any", "now this, now that"]),
    by_overlap=st.booleans(),
    bounds_belong=st.booleans(),
)
def test_a_day_never_takes_more_requests_than_is_proven(
    sketch: Sketch, limit: int, keeps: str, *, by_overlap: bool, bounds_belong: bool
) -> None:
    """What the module promises of any day and any console, and why, stands at its beginning."""
    shelf = Shelf(sketch.events(), keeps=keeps, by_overlap=by_overlap, bounds_belong=bounds_belong)
    shelf.collected(limit)
    most = most_requests(
        (one.start_ms for one in shelf.events),
        limit=limit,
        largest_limit=max(rows for _, _, rows in shelf.asked),
        keeps_an_end=keeps in {"oldest", "newest"},
    )
    assert most is None or len(shelf.asked) <= most


# So many events that the page is full over and over, and some days on which it once took more.
KNOWN_DAYS = [
    (Sketch(seed=0, count=1498, shape="even", long_share=0.0), 30),
    (Sketch(seed=170, count=1190, shape="even", long_share=0.1), 30),
    *(
        (Sketch(seed, count=1_400, shape=shape, long_share=0.02), limit)
        for seed, shape in enumerate(("even", "cluster", "small ties"))
        for limit in (50, 100, 500)
    ),
]


@pytest.mark.parametrize(("sketch", "limit"), KNOWN_DAYS)
@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("by_overlap", [False, True])
def test_a_day_takes_about_two_requests_a_page(
    sketch: Sketch, limit: int, keeps: str, *, by_overlap: bool
) -> None:
    """One that turns out full and one that confirms what it showed, and a few to learn."""
    shelf = Shelf(sketch.events(), keeps=keeps, by_overlap=by_overlap)
    shelf.collected(limit)
    assert len(shelf.asked) <= 2 * ceil(sketch.count / limit) + 20


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", CUTTABLE)
@pytest.mark.parametrize("by_overlap", [False, True])
def test_a_console_that_picks_rows_at_random_takes_no_more_for_days_of_eight_pages(
    seed: int, shape: str, *, by_overlap: bool
) -> None:
    """Such a page tells nothing of where to cut; halving is all that is left."""
    sketch = Sketch(seed, count=400, shape=shape, long_share=0.02)
    shelf = Shelf(sketch.events(), keeps="any", by_overlap=by_overlap)
    shelf.collected(50)
    assert len(shelf.asked) <= 2 * ceil(sketch.count / 50) + 20


@pytest.mark.parametrize("keeps", ["oldest", "newest", "any"])
@pytest.mark.parametrize("count", [20, 199, 499])
def test_a_day_that_fits_a_page_takes_nine_requests_at_most(keeps: str, count: int) -> None:
    """Even if every event goes on to the end of the day, so that the last instants show them all.

    All requests but the first are there to rule out a cap.
    """
    endless = [event(number, number * MINUTE_MS, None) for number in range(count)]
    shelf = Shelf(endless, keeps=keeps, by_overlap=True)
    assert ids(shelf.collected(500)) == ids(endless)
    assert len(shelf.asked) <= 9


@pytest.mark.parametrize("cap", [100, 130])
@pytest.mark.parametrize("keeps", ["oldest", "newest", "any"])
def test_a_cap_that_shows_only_when_larger_pages_are_asked_for_loses_nothing(
    keeps: str, cap: int
) -> None:
    """Pages of 100 rows come full; those of 200 rows, asked for later, end at the cap."""
    lasting = [event(f"long {number}", number, DAY_MS) for number in range(40)]
    passing = [event(number, (number + 1) * MINUTE_MS, None) for number in range(600)]
    passing = [replace(one, end_ms=one.start_ms + 1_000) for one in passing]
    shelf = Shelf(lasting + passing, keeps=keeps, by_overlap=True, cap=cap)
    assert ids(shelf.collected(100)) == ids(lasting + passing)


@thorough(1.5)
@given(
    sketch=sketches(most_events=400),
    limit=st.integers(2, 60),
    odd_share=st.sampled_from([0.01, 0.1, 0.4]),
    **habits,
)
def test_rows_that_are_no_events_hide_none(  # noqa: PLR0913  what consoles differ in
    sketch: Sketch,
    limit: int,
    odd_share: float,
    keeps: str,
    *,
    by_overlap: bool,
    bounds_belong: bool,
) -> None:
    """They fill pages, and nobody knows where they belong. A day may be refused, but not cut."""
    chance = Random(sketch.seed)  # noqa: S311  no secret
    names = [one.event_id for one in sketch.events()]
    odd = frozenset(name for name in names if chance.random() < odd_share)
    shelf = Shelf(
        sketch.events(), keeps=keeps, by_overlap=by_overlap, bounds_belong=bounds_belong, odd=odd
    )
    assert ids(shelf.collected(limit)) == set(names) - odd


@thorough(1.5)
@given(
    sketch=sketches(most_events=300),
    cap=st.one_of(st.just(10), st.integers(20, 120)),
    **habits,
)
def test_a_cap_below_the_limit_that_was_asked_for_loses_nothing(
    sketch: Sketch, cap: int, keeps: str, *, by_overlap: bool, bounds_belong: bool
) -> None:
    """Unless more events than the cap happen at one instant."""
    shelf = Shelf(
        sketch.events(), keeps=keeps, by_overlap=by_overlap, bounds_belong=bounds_belong, cap=cap
    )
    if shelf.most_at_once() >= cap // 2:
        return
    assert ids(shelf.collected(500)) == ids(shelf.events)


def test_a_quiet_day_is_one_request() -> None:
    """A page too short to be anybody's cap is believed at once."""
    shelf = Shelf([event(number, number * MINUTE_MS, None) for number in range(19)])
    shelf.collected(500)
    assert len(shelf.asked) == 1


def test_a_day_of_ten_events_is_three_requests() -> None:
    """Ten is a number at which somebody may cap pages."""
    shelf = Shelf([event(number, number * MINUTE_MS, None) for number in range(10)])
    shelf.collected(500)
    assert len(shelf.asked) == 3


@pytest.mark.parametrize("keeps", ["oldest", "newest", "any"])
@pytest.mark.parametrize("count", [11, 40, 300])
def test_ten_rows_for_any_limit_are_noticed(keeps: str, count: int) -> None:
    events = [event(number, number * MINUTE_MS, number * MINUTE_MS + 9) for number in range(count)]
    shelf = Shelf(events, keeps=keeps, cap=10)
    assert ids(shelf.collected(500)) == ids(events)


def test_an_ordinary_day_is_three_requests() -> None:
    """The page itself, and both of its pieces to rule out a cap."""
    shelf = Shelf([event(number, number * MINUTE_MS, None) for number in range(260)])
    shelf.collected(500)
    assert len(shelf.asked) == 3


def test_the_first_instant_of_the_day_is_asked_for_even_if_bounds_do_not_belong() -> None:
    """An event at midnight sharp is part of the day."""
    midnight = event("midnight", 0, 1_000)
    shelf = Shelf([midnight], bounds_belong=False)
    assert shelf.collected(500) == (midnight,)


@pytest.mark.parametrize("keeps", ["oldest", "newest", "any"])
def test_more_events_at_one_instant_than_a_page_holds_are_asked_for_with_larger_pages(
    keeps: str,
) -> None:
    """A window of that instant cannot be narrowed."""
    crowd = [event(number, DAY_MS // 2, DAY_MS // 2 + 5) for number in range(1_700)]
    shelf = Shelf(crowd, keeps=keeps, by_overlap=True)
    assert ids(shelf.collected(500)) == ids(crowd)
    assert max(limit for _, _, limit in shelf.asked) == 2_000


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
def test_events_that_last_all_day_do_not_fill_every_page(keeps: str) -> None:
    """They come with each window; pages grow until there is room for the others."""
    lasting = [event(f"long {number}", number, DAY_MS) for number in range(600)]
    passing = [event(number, 1_000_000 + number * 50_000, None) for number in range(0, 900, 9)]
    shelf = Shelf(lasting + passing, keeps=keeps, by_overlap=True)
    assert ids(shelf.collected(500)) == ids(lasting + passing)
    assert len(shelf.asked) <= 60


def test_more_than_the_largest_page_at_one_instant_is_an_error() -> None:
    """Never a list that only looks complete."""
    shelf = Shelf([event(number, 5_000, 6_000) for number in range(MOST_ROWS + 1)])
    with pytest.raises(ConsoleError, match="cannot be listed completely"):
        shelf.collected(500)


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
def test_more_events_at_one_instant_than_a_capped_page_holds_is_an_error(keeps: str) -> None:
    """Which of the pieces tells of the cap depends on the end that is kept."""
    crowd = [event(f"crowd {number}", 5_000, 6_000) for number in range(30)]
    others = [event(number, number * MINUTE_MS, None) for number in range(100)]
    shelf = Shelf(crowd + others, keeps=keeps, cap=20)
    with pytest.raises(ConsoleError, match="shows only 20"):
        shelf.collected(500)


def test_an_event_that_ends_while_the_list_is_read_is_there_as_both_that_it_was() -> None:
    """The caller believes the ended one, whichever page it came with."""
    events = [event(number, number * MINUTE_MS, None) for number in range(30)]
    shelf = Shelf(events)
    reports: list[int | None] = [None, 99, 99]

    def ask(start_ms: int, end_ms: int, limit: int) -> EventPage:
        first = event("0", 0, reports.pop(0))
        rows = shelf.ask(start_ms, end_ms, limit)
        return EventPage(tuple(first if one.event_id == "0" else one for one in rows))

    listed = collect(ask, start_ms=0, end_ms=DAY_MS, limit=500)
    assert [one.end_ms for one in listed if one.event_id == "0"] == [99, None]


@pytest.mark.parametrize("reverse", [False, True])
def test_rows_that_share_an_id_are_all_there_in_whatever_order_they_come(*, reverse: bool) -> None:
    """Which of them counts may depend on the camera or the type that the caller asks for."""
    row = event("e1", 5_000, 6_000)
    rows = [
        row,
        replace(row, event_type="ring"),
        replace(row, camera_id="other"),
        replace(row, camera_id=None),
        replace(row, score=7),
        replace(row, smart_types=("person",)),
    ]
    page, other = EventPage(tuple(rows[::-1] if reverse else rows)), EventPage(tuple(rows))
    listed = collect(lambda *_: page, start_ms=0, end_ms=DAY_MS, limit=500)
    assert set(listed) == set(rows)
    assert listed == collect(lambda *_: other, start_ms=0, end_ms=DAY_MS, limit=500)


def test_a_console_that_fails_is_not_an_empty_day() -> None:
    """What harness raises is passed on."""

    def ask(_start_ms: int, _end_ms: int, _limit: int) -> EventPage:
        raise ConsoleError("down")

    with pytest.raises(ConsoleError, match="down"):
        collect(ask, start_ms=0, end_ms=DAY_MS, limit=500)
