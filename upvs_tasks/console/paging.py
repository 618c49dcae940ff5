"""Lists everything that a window holds, from a console that hands out pages.

Three things differ between consoles, or are not known of them: whether a full page keeps the
oldest or the newest of the window, whether a window is matched by an event's start or by any
overlap, and whether pages are capped below the limit that was asked for. Nothing here relies on
any of them. A page that is not full is believed; the window of a full one is cut in two, where the
page suggests it, and both pieces are asked for. Guesses decide where to cut, never what to believe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from upvs_tasks.errors import ConsoleError
from upvs_tasks.model.event import Event, finality

Ask = Callable[[int, int, int], Sequence[Event]]

# One console was seen to hand out 1,862 rows at once; a larger page is no kindness to any.
MOST_ROWS = 10_000
# A page shorter than this is not taken for one that the console has capped.
_SMALLEST_CAP = 20
# A piece that is thought to be known is cut so small that a few unknown rows still fit its page.
_FILLED_SHARE = 0.97
# So many rows of a page (one in ten) may have begun before its window until a larger is asked for.
_RUN_IN_SHARE = 10
# Pieces overlap by one instant, so that it does not matter whether bounds belong to a window.
_NARROWEST_MS = 3


def collect(ask: Ask, *, start_ms: int, end_ms: int, limit: int) -> tuple[Event, ...]:
    """All that was reported of the window's events, each report once, in timeline order.

    Pages overlap, and an event may change while they are asked for: which of the reports of one
    event counts is the caller's to decide.

    ``ask(start_ms, end_ms, limit)`` gives one page. A cap is noticed if it is at least 20 rows and
    more than the events that go on at one instant. Raises ConsoleError when even pages of 10,000
    rows, or pages at the cap, do not show all of a window that cannot be narrowed.
    """
    collection = _Collection(ask, limit)
    # The window's own first instant is asked for from one before, for the same reason.
    pending = [_Window(start_ms - 1, end_ms)]
    while pending:
        pending.extend(collection.visit(pending.pop()))
        pending = pending or collection.doubts()
    return collection.events()


class _Kept(Enum):
    """Which rows of its window a full page holds."""

    OLDEST = auto()
    NEWEST = auto()
    ANY = auto()


@dataclass(frozen=True, slots=True)
class _Window:
    """A span to ask for; if ``guess`` is right, then all that starts in ``claimed`` is known.

    Likewise all of it is known, unless consoles cap pages at ``doubted_rows``, where that is set.
    """

    start_ms: int
    end_ms: int
    guess: _Kept = _Kept.ANY
    claimed: range = range(0)
    doubted_rows: int = 0


class _Collection:
    """What is known of the events so far, and of the console's habits."""

    def __init__(self, ask: Ask, limit: int) -> None:
        self._ask = ask
        self._base_limit = limit
        self._limit = limit
        self._cap = MOST_ROWS
        self._known: set[str] = set()
        self._reports: set[Event] = set()
        self._largest_page = 0
        self._most_run_ins = 0
        self._refuted: set[_Kept] = set()
        self._undecided: list[tuple[_Window, Sequence[Event]]] = []

    def events(self) -> tuple[Event, ...]:
        return tuple(
            sorted(self._reports, key=lambda report: (report.timeline_key, finality(report)))
        )

    def visit(self, window: _Window) -> tuple[_Window, ...]:
        """Ask for one window; gives the windows that have to be asked for in its place."""
        page = self._ask(window.start_ms, window.end_ms, self._limit)
        news = [event for event in page if event.event_id not in self._known]
        self._known.update(event.event_id for event in page)
        self._reports.update(page)
        if any(event.start_ms in window.claimed for event in news):
            self._refuted.add(window.guess)
        undecided = self._decided(window, is_news=bool(news))
        is_full = len(page) >= min(self._limit, self._cap)
        is_doubtful = not is_full and self._cap == MOST_ROWS and self._might_be_capped(page)
        if is_doubtful and not news:
            self._undecided.append((window, page))
            is_doubtful = False
        self._largest_page = max(self._largest_page, len(page))
        if not is_full and not is_doubtful:
            return undecided
        narrowed = self._narrowed(window, page, doubted_rows=0 if is_full else len(page))
        return undecided + narrowed

    def doubts(self) -> list[_Window]:
        """Windows to ask for when all else is known: pages that hold as much as any, and no news.

        They may be all there is, or end at a cap.
        """
        undecided, self._undecided = self._undecided, []
        return [
            piece
            for window, page in undecided
            if len(page) >= self._largest_page
            for piece in self._narrowed(window, page, doubted_rows=len(page))
        ]

    def _decided(self, window: _Window, *, is_news: bool) -> tuple[_Window, ...]:
        """Learn whether pages are capped; gives the windows that have to be asked for again."""
        if not window.doubted_rows or self._cap < MOST_ROWS or not is_news:
            return ()
        self._cap = window.doubted_rows
        undecided, self._undecided = self._undecided, []
        return tuple(one for one, _ in undecided)

    def _might_be_capped(self, page: Sequence[Event]) -> bool:
        """A page shorter than another one is not: no console has more than one cap."""
        return len(page) >= max(self._largest_page, _SMALLEST_CAP)

    def _narrowed(
        self, window: _Window, page: Sequence[Event], *, doubted_rows: int
    ) -> tuple[_Window, ...]:
        """Windows to ask for in place of one whose page does not, or may not, show everything."""
        starts = sorted(
            event.start_ms for event in page if window.start_ms <= event.start_ms <= window.end_ms
        )
        run_ins = len(page) - len(starts)
        self._most_run_ins = max(self._most_run_ins, run_ins)
        is_narrow = window.end_ms - window.start_ms < _NARROWEST_MS
        spare_rows = self._limit - self._base_limit + self._base_limit // _RUN_IN_SHARE
        is_crowded = not doubted_rows and run_ins > spare_rows
        may_enlarge = self._limit < self._cap
        if doubted_rows and (is_narrow or not starts):
            return ()  # a larger page would end at the same cap
        if is_narrow or not starts or (is_crowded and may_enlarge):
            if not may_enlarge:
                raise _too_crowded(window, len(page))
            self._limit = min(MOST_ROWS, 2 * self._limit)
            return (window,)
        return tuple(
            replace(piece, doubted_rows=doubted_rows)
            for piece in self._cut(window, starts, len(page))
        )

    def _cut(self, window: _Window, starts: list[int], page_rows: int) -> tuple[_Window, ...]:
        """Both pieces of a window, the one that is thought to be known last: it is asked first."""
        guess = self._guess(window, starts)
        rows = self._rows_to_claim(len(starts), page_rows)
        match guess:
            case _Kept.OLDEST:
                cut_ms = min(starts[rows - 1], starts[-1] - 2)
                if starts[0] == starts[-1]:
                    cut_ms = starts[-1] + 1
                claimed = range(window.start_ms, min(cut_ms + 1, starts[-1]))
            case _Kept.NEWEST:
                cut_ms = max(starts[-rows], starts[0] + 1)
                claimed = range(cut_ms, window.end_ms + 1)
            case _Kept.ANY:
                cut_ms = self._median(window)
                claimed = range(0)
        cut_ms = min(max(cut_ms, window.start_ms + 1), window.end_ms - 2)
        earlier = _Window(window.start_ms, cut_ms + 1)
        later = _Window(cut_ms, window.end_ms)
        if guess is _Kept.NEWEST:
            return earlier, replace(later, guess=guess, claimed=claimed)
        return later, replace(earlier, guess=guess, claimed=claimed)

    def _rows_to_claim(self, starts: int, page_rows: int) -> int:
        """How many of the page's rows the piece is to hold that is thought to be known."""
        spare_rows = self._limit - self._base_limit
        room = min(self._base_limit, page_rows) * _FILLED_SHARE
        room -= max(0, self._most_run_ins - spare_rows)
        return max(1, min(starts - 1, max(int(room), starts // 2)))

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


def _too_crowded(window: _Window, rows: int) -> ConsoleError:
    return ConsoleError(
        f"the console shows only {rows} of the events around one instant (between "
        f"{window.start_ms} and {window.end_ms} ms): the day cannot be listed completely"
    )
