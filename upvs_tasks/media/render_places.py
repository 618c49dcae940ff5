"""Lets as many workers render at once as memory bears."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from upvs_tasks import machine
from upvs_tasks.model.memory import WorkerMemory


class RenderPlaces:
    """Places for workers: ``most`` of them, or fewer where memory is short. Threads share it.

    ``free_bytes`` says how much memory is free, or None where that is not to count.

    Free memory is looked at before the first worker of a size starts, and not again: later the
    workers hold what was free.
    """

    def __init__(
        self, most: int, free_bytes: Callable[[], int | None] = machine.free_memory_bytes
    ) -> None:
        self.most = most
        self._free_bytes = free_bytes
        self._memory: WorkerMemory | None = None
        self._taken = 0
        self._changed = Condition()

    def memory(self, worker_bytes: int) -> WorkerMemory:
        """The memory that was free for workers of this size."""
        with self._changed:
            return self._known(worker_bytes)

    @contextmanager
    def taken(self, worker_bytes: int) -> Iterator[None]:
        """Wait for a place for a worker of this size, and hold it."""
        with self._changed:
            at_once = self._known(worker_bytes).at_once(self.most)
            self._changed.wait_for(lambda: self._taken < at_once)
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()

    def _known(self, worker_bytes: int) -> WorkerMemory:
        if self._memory is None or self._memory.worker_bytes != worker_bytes:
            self._memory = WorkerMemory(self._free_bytes(), worker_bytes)
        return self._memory
