import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from upvs_tasks.clock import Clock
from upvs_tasks.console.adaptive_limit import AdaptiveLimit, Export, Strain
from upvs_tasks.console.failures import FailedRequestError
from upvs_tasks.console.usage import ConcurrencyFigures

log = logging.getLogger(__name__)


class Slot:
    """One export's place among those that run at once."""

    def __init__(self, *, began_secs: float, narrowings: int, running: int) -> None:
        self.began_secs = began_secs
        self.narrowings = narrowings
        self.running = running

    @property
    def had_company(self) -> bool:
        """Whether another export ran beside it at any moment."""
        return self.running > 1


class ConcurrencyLimiter:
    """Where exports wait for their turn; all threads share it.

    No more run at once than the pace allows, and none starts before a cool-down is over.
    """

    def __init__(self, ceiling: int, surroundings: Clock) -> None:
        self._surroundings = surroundings
        self._changed = Condition()
        self._pace = AdaptiveLimit.of(ceiling)
        self._turns: set[Slot] = set()
        self._narrowings = 0
        self._cool_until_secs = 0.0
        self._busy_since_secs = 0.0
        self._figures = ConcurrencyFigures()

    @property
    def figures(self) -> ConcurrencyFigures:
        """What the pace has been so far."""
        with self._changed:
            return self._figures

    @contextmanager
    def turn(self) -> Iterator[Slot]:
        """A place, waited for, and given back when the block ends."""
        turn = self._entered()
        try:
            yield turn
        finally:
            self._leave(turn)

    def succeeded(self, turn: Slot, size_bytes: int) -> None:
        """Learn from an export that came whole; to be told while it still has its place."""
        with self._changed:
            secs = self._surroundings.monotonic_secs() - turn.began_secs
            if turn.narrowings == self._narrowings:
                self._adopt(self._pace.succeeded(Export(turn.running, size_bytes, secs)))

    def strained(self, turn: Slot, trouble: FailedRequestError) -> None:
        """Learn from one that failed; to be told while it still has its place.

        What was under way when the pace was narrowed does not narrow it once more.
        """
        with self._changed:
            secs = trouble.retry_after_secs or 0.0
            if turn.narrowings == self._narrowings:
                strain = Strain.REFUSED if trouble.is_refusal else Strain.BROKEN
                self._adopt(self._pace.strained(turn.running, strain))
                secs = secs or self._pace.cool_down_secs(self._surroundings.roll())
            self._cool_down(secs)

    def _entered(self) -> Slot:
        while True:
            with self._changed:
                now_secs = self._surroundings.monotonic_secs()
                pause_secs = self._cool_until_secs - now_secs
                if pause_secs <= 0:
                    if len(self._turns) < self._pace.width:
                        return self._admitted(now_secs)
                    self._changed.wait()
                    continue
            self._surroundings.sleep(pause_secs)

    def _admitted(self, now_secs: float) -> Slot:
        running = len(self._turns) + 1
        if running == 1:
            self._busy_since_secs = now_secs
        turn = Slot(began_secs=now_secs, narrowings=self._narrowings, running=running)
        self._turns.add(turn)
        for other in self._turns:
            other.running = max(other.running, running)
        self._figures = self._figures.with_width(self._pace.width)
        return turn

    def _leave(self, turn: Slot) -> None:
        with self._changed:
            self._turns.discard(turn)
            if not self._turns:
                busy_secs = self._surroundings.monotonic_secs() - self._busy_since_secs
                self._figures = self._figures.with_busy(busy_secs)
            self._changed.notify_all()

    def _adopt(self, pace: AdaptiveLimit) -> None:
        if pace.width != self._pace.width:
            log.debug("exports at once", extra={"width": pace.width, "former": self._pace.width})
        self._narrowings += pace.width < self._pace.width
        self._pace = pace
        self._changed.notify_all()

    def _cool_down(self, secs: float) -> None:
        now_secs = self._surroundings.monotonic_secs()
        until_secs = now_secs + secs
        held_secs = until_secs - max(now_secs, self._cool_until_secs)
        if held_secs > 0:
            self._cool_until_secs = until_secs
            self._figures = self._figures.with_held_back(held_secs)
