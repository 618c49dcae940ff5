"""Lists everything that a window holds, from a console that hands out pages.

Three things differ between consoles, or are not known of them: whether a full page keeps the
oldest or the newest of the window, whether a window is matched by an event's start or by any
overlap, and whether pages are capped below the limit that was asked for. Nothing here relies on
any of them. A page that is not full is believed; the window of a full one is cut in two, where the
page suggests it, and both pieces are asked for. Guesses decide where to cut, never what to believe.

How many requests that takes, at most. A day has n events, of which no more than t start within
three milliseconds; ``limit`` is L. A window that is cut has shown at least L - L // 10 events that
start in it: where more than the rest of the page began before it, a larger page is asked for.

* A cut that follows a guess leaves L - L // 10 - 1 known events in one piece, less those within
  three milliseconds of the cut. So at least p = L - L // 10 - 1 - t are in no other piece. That
  piece is asked for first. If its page is not full, these p events are done with. If its page is
  full, either more events start in it than were known, and the guess is refuted for good; or so
  many began before it that a larger page is asked for. There are two guesses to refute. So there
  are n / p + 2 such cuts at most.
* With both guesses refuted, a cut leaves at least p = (L - L // 10) / 2 - t known events to either
  piece alone. Each piece that is not cut again has p events of its own: n / p cuts at most.
Rows that are no events fill a page like others, and have no start. The bound is that of a day
without any; what is listed is complete with them, too.

* A cut costs two requests, a larger page one. The first request and the last ones, which rule out
  a cap, cost 9 together (`_cut_at_last`).

All in all that is 2 n / p + 13 requests, and one for each doubling of the limit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto

from upvs_tasks.console.wire import MOST_ROWS, EventPage
from upvs_tasks.errors import ConsoleError
from upvs_tasks.model.event import Event, finality

Ask = Callable[[int, int, int], EventPage]

# What a day can have: one every four seconds. The busiest that is known had 428.
MOST_EVENTS = 20_000
# By the bound below, as many pages list 20,000 events of a console that caps its pages at 45 rows.
MOST_PAGES = 2_000
# A page shorter than this is not taken for one that the console has capped: most days are short.
_SMALLEST_CAP = 20
# But for one of just so many rows, as a console that caps so low caps at a round number.
_ROUND_CAP = 10
# So many rows of a page (one in ten) may have begun before its window until a larger is asked for.
# A piece that is thought to be known leaves room for as many.
_EARLIER_ROWS_SHARE = 10
# Pieces overlap by one instant, so that it does not matter whether bounds belong to a window.
_NARROWEST_MS = 3


def collect(ask: Ask, *, start_ms: int, end_ms: int, limit: int) -> tuple[Event, ...]:
    """All that was reported of the window's events, each report once, in timeline order.

    Pages overlap, and an event may change while they are asked for: which of the reports of one
    event counts is the caller's to decide.

    ``ask(start_ms, end_ms, limit)`` gives one page. A cap is noticed if it is 10 rows, or 20 and
    more, and more than the events that go on at one instant. Raises ConsoleError when even pages of
    10,000 rows, or pages at the cap, do not show all of a window that cannot be narrowed, or when
    there are more events or pages than a day can have.
    """
    collection = _Collection(ask, limit)
    # The window's own first instant is asked for from one before, for the same reason.
    pending = [_Window(start_ms - 1, end_ms)]
    while pending:
        pending.extend(collection.visit(pending.pop()))
        pending = pending or collection.check_for_cap()
    return collection.events()


class _Kept(Enum):
    """Which rows of its window a full page holds."""

    OLDEST = auto()
    NEWEST = auto()
    ANY = auto()


@dataclass(frozen=True, slots=True)
class _Window:
    """A span to ask for; if ``guess`` is right, ``expected`` events start in it, and are known.

    Likewise all of it is known, unless consoles cap pages at ``doubted_rows``, where that is set.
    """

    start_ms: int
    end_ms: int
    guess: _Kept = _Kept.ANY
    expected: int = 0
    doubted_rows: int = 0

    def starts(self, page: EventPage) -> list[int]:
        """When those events of a page began that began in the window, in order."""
        return sorted(
            event.start_ms
            for event in page.events
            if self.start_ms <= event.start_ms <= self.end_ms
        )


class _Collection:
    """What is known of the events so far, and of the console's habits."""

    def __init__(self, ask: Ask, limit: int) -> None:
        self._ask = ask
        self._base_limit = limit
        self._limit = limit
        self._cap = MOST_ROWS
        self._known: set[str] = set()
        self._pages = 0
        self._reports: set[Event] = set()
        self._largest_page = 0
        self._most_earlier_rows = 0
        self._refuted: set[_Kept] = set()
        self._maybe_capped: list[tuple[_Window, EventPage]] = []

    def events(self) -> tuple[Event, ...]:
        return tuple(
            sorted(self._reports, key=lambda report: (report.timeline_key, finality(report)))
        )

    def visit(self, window: _Window) -> tuple[_Window, ...]:
        """Ask for one window; gives the windows that have to be asked for in its place."""
        page = self._page(window.start_ms, window.end_ms)
        is_news = self._learn(page)
        if window.guess is not _Kept.ANY and len(window.starts(page)) > window.expected:
            self._refuted.add(window.guess)
        again = self._learn_cap_from_answer(window, is_news=is_news)
        is_full = page.row_count >= min(self._limit, self._cap)
        if not is_full and self._cap == MOST_ROWS and self._might_be_capped(page):
            self._maybe_capped.append((window, page))
        self._largest_page = max(self._largest_page, page.row_count)
        return again + (self._narrowed(window, page, doubted_rows=0) if is_full else ())

    def check_for_cap(self) -> list[_Window]:
        """Windows to ask for when all else is known, because their pages may end at a cap.

        Those are the largest pages. Where more is known than such a page holds, one request tells.
        Otherwise such a page holds all that is known, and its window is cut.
        """
        candidates, self._maybe_capped = self._maybe_capped, []
        doubted = [each for each in candidates if each[1].row_count >= self._largest_page]
        doubted_rows = self._largest_page
        if doubted and len(self._known) > doubted_rows:
            self._learn_cap()
            if self._cap == MOST_ROWS:
                return []
            doubted_rows = 0
        return [
            piece
            for window, page in doubted
            for piece in self._narrowed(window, page, doubted_rows=doubted_rows)
        ]

    def _learn_cap(self) -> None:
        """Ask for more than the largest page holds, to learn whether pages are capped at that."""
        starts = sorted({one.event_id: one.start_ms for one in self.events()}.values())
        newest = starts[-self._largest_page - 1 :]
        page = self._page(newest[0] - 1, newest[-1] + 1)
        self._learn(page)
        if page.row_count <= self._largest_page:
            self._cap = self._largest_page
        self._largest_page = max(self._largest_page, page.row_count)

    def _page(self, start_ms: int, end_ms: int) -> EventPage:
        self._pages += 1
        if self._pages > MOST_PAGES:
            raise ConsoleError(
                f"the console has listed {len(self._known)} events on {MOST_PAGES} pages, and "
                "there is no end: the day cannot be listed completely"
            )
        return self._ask(start_ms, end_ms, self._limit)

    def _learn(self, page: EventPage) -> bool:
        """Keep what a page says; whether it holds events that were not known."""
        is_news = any(event.event_id not in self._known for event in page.events)
        self._known.update(event.event_id for event in page.events)
        self._reports.update(page.events)
        if len(self._reports) > MOST_EVENTS:
            raise too_many_events()
        return is_news

    def _learn_cap_from_answer(self, window: _Window, *, is_news: bool) -> tuple[_Window, ...]:
        """Learn whether pages are capped; gives the windows that have to be asked for again."""
        if not window.doubted_rows or self._cap < MOST_ROWS or not is_news:
            return ()
        self._cap = window.doubted_rows
        candidates, self._maybe_capped = self._maybe_capped, []
        return tuple(each for each, _ in candidates)

    def _might_be_capped(self, page: EventPage) -> bool:
        """A page shorter than another one is not: no console has more than one cap."""
        could_be_cap = page.row_count >= _SMALLEST_CAP or page.row_count == _ROUND_CAP
        return could_be_cap and page.row_count >= self._largest_page

    def _narrowed(
        self, window: _Window, page: EventPage, *, doubted_rows: int
    ) -> tuple[_Window, ...]:
        """Windows to ask for in place of one whose page does not, or may not, show everything."""
        starts = window.starts(page)
        earlier_rows = page.row_count - len(starts)
        self._most_earlier_rows = max(self._most_earlier_rows, earlier_rows)
        is_narrow = window.end_ms - window.start_ms < _NARROWEST_MS
        spare_rows = self._limit - self._base_limit + self._base_limit // _EARLIER_ROWS_SHARE
        is_crowded = not doubted_rows and earlier_rows > spare_rows
        may_enlarge = self._limit < self._cap
        if doubted_rows and (is_narrow or not starts):
            return ()  # a larger page would end at the same cap
        if is_narrow or not starts or (is_crowded and may_enlarge):
            if not may_enlarge:
                raise _too_crowded(window, page.row_count)
            self._limit = min(MOST_ROWS, 2 * self._limit)
            return (window,)
        if doubted_rows:
            pieces = _cut_at_last(window, starts[-1])
            return tuple(replace(piece, doubted_rows=doubted_rows) for piece in pieces)
        rows = self._rows_to_claim(len(starts), page.row_count)
        return self._cut(window, starts, self._guess(window, starts), rows)

    def _cut(
        self, window: _Window, starts: list[int], guess: _Kept, rows: int
    ) -> tuple[_Window, _Window]:
        """Both pieces of a window, the one that is thought to be known last: it is asked first.

        That one holds so many ``rows`` of the page at most.
        """
        first_ms, last_ms = window.start_ms + 1, window.end_ms - 2
        if guess is _Kept.OLDEST and rows:
            cut_ms = min(starts[rows - 1], starts[rows] - 2)
            if cut_ms >= first_ms:
                expected = bisect_right(starts, cut_ms + 1)
                known = _Window(window.start_ms, cut_ms + 1, guess, expected)
                return _Window(cut_ms, window.end_ms), known
        if guess is _Kept.NEWEST and rows:
            cut_ms = max(starts[-rows] - 1, starts[-rows - 1] + 1)
            if cut_ms <= last_ms:
                expected = len(starts) - bisect_left(starts, cut_ms)
                known = _Window(cut_ms, window.end_ms, guess, expected)
                return _Window(window.start_ms, cut_ms + 1), known
        cut_ms = min(max(self._median(window), first_ms), last_ms)
        return _Window(window.start_ms, cut_ms + 1), _Window(cut_ms, window.end_ms)

    def _rows_to_claim(self, starts: int, page_rows: int) -> int:
        """How many of the page's rows the piece is to hold that is thought to be known."""
        usual_rows = min(self._base_limit, page_rows)
        spare_rows = page_rows - usual_rows + usual_rows // _EARLIER_ROWS_SHARE
        rows = page_rows - max(spare_rows, self._most_earlier_rows) - 1
        return min(starts - 1, max(rows, min(usual_rows, starts) // 2))

    def _guess(self, window: _Window, starts: list[int]) -> _Kept:
        """What the page keeps: the rows not shown lie on the side where it leaves a gap."""
        gap_after_ms, gap_before_ms = window.end_ms - starts[-1], starts[0] - window.start_ms
        likely = _Kept.OLDEST if gap_after_ms >= gap_before_ms else _Kept.NEWEST
        candidates = (likely, _Kept.OLDEST, _Kept.NEWEST, _Kept.ANY)
        return next(kept for kept in candidates if kept not in self._refuted)

    def _median(self, window: _Window) -> int:
        inside = sorted(
            event.start_ms
            for event in self._reports
            if window.start_ms <= event.start_ms <= window.end_ms
        )
        return inside[len(inside) // 2]


def _cut_at_last(window: _Window, last_ms: int) -> tuple[_Window, _Window]:
    """Both pieces of a window whose page holds all that is known, the last event at ``last_ms``.

    The first cut is before that event, so that the earlier piece cannot hold all again. The later
    one can, if all go on that long. A cut after the event leaves four milliseconds around it and
    a piece in which nothing starts; two more leave instants. So four cuts are the most.
    """
    cut_ms = last_ms - 2
    if cut_ms <= window.start_ms:
        cut_ms = min(last_ms + 1, window.end_ms - 2)
    return _Window(cut_ms, window.end_ms), _Window(window.start_ms, cut_ms + 1)


def too_many_events() -> ConsoleError:
    """Error for a console that lists more of a day than a day can have."""
    return ConsoleError(
        f"the console lists more than {MOST_EVENTS} events of one day, which cannot be: the day "
        "cannot be listed"
    )


def _too_crowded(window: _Window, rows: int) -> ConsoleError:
    instant = datetime.fromtimestamp(window.start_ms / 1000, UTC)
    return ConsoleError(
        f"the console shows only {rows} of the events around one instant "
        f"({instant:%Y-%m-%d %H:%M:%S} UTC): the day cannot be listed completely"
    )
