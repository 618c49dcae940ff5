"""What was asked of the console, for tests that say what must or must not have been asked."""

import time
from dataclasses import dataclass, replace
from threading import Lock


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request. ``ended_ms`` is None while the reply is under way.

    ``endpoint`` is the name by which faults are ordered; ``fault`` the kind that was delivered.
    Times are Unix ms of the real clock. ``bytes_sent`` counts the body handed to the socket.
    """

    number: int
    method: str
    path: str
    endpoint: str
    query: tuple[tuple[str, str], ...]
    started_ms: int
    user_agent: str
    session_id: str | None = None
    status: int | None = None
    ended_ms: int | None = None
    bytes_sent: int = 0
    fault: str | None = None

    def value(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        return dict(self.query).get(name)


class Journal:
    """All requests since it was last cleared, and how many exports ran at once."""

    def __init__(self) -> None:
        self._records: dict[int, RequestRecord] = {}
        self._lock = Lock()
        self._number = 0
        self._running_exports = 0
        self.busiest_parallel_exports = 0

    @property
    def records(self) -> tuple[RequestRecord, ...]:
        """All records, by arrival."""
        with self._lock:
            return tuple(self._records.values())

    def clear(self) -> None:
        """Forget all requests and the high-water mark of parallel exports."""
        with self._lock:
            self._records.clear()
            self.busiest_parallel_exports = self._running_exports

    def begin(self, record: RequestRecord) -> int:
        """Add a record and return its number."""
        with self._lock:
            self._number += 1
            self._records[self._number] = replace(record, number=self._number)
            return self._number

    def update(self, number: int, **changes: object) -> None:
        """Change fields of a record that was not forgotten."""
        with self._lock:
            if number in self._records:
                self._records[number] = replace(self._records[number], **changes)  # type: ignore[arg-type]

    def add_bytes(self, number: int, sent: int) -> None:
        """Count bytes of a body that are handed to the socket."""
        with self._lock:
            record = self._records.get(number)
            if record is not None:
                self._records[number] = replace(record, bytes_sent=record.bytes_sent + sent)

    def export_begins(self) -> int:
        """Count an export in and return how many run now."""
        with self._lock:
            self._running_exports += 1
            self.busiest_parallel_exports = max(
                self.busiest_parallel_exports, self._running_exports
            )
            return self._running_exports

    def export_ends(self) -> None:
        """Count an export out."""
        with self._lock:
            self._running_exports -= 1


def real_now_ms() -> int:
    """Return the real Unix time in ms."""
    return time.time_ns() // 1_000_000
