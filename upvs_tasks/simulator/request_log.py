"""A record of every request, for tests that check what was requested and what was not."""

import time
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypedDict, Unpack


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request. ``ended_ms`` is None until the response is complete.

    ``endpoint`` is the name that ``Fault.path`` is compared with; ``fault`` is the kind of fault
    that the request got. Times are Unix ms of the real clock. ``bytes_sent`` counts the bytes of
    the body that were given to the socket.
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


class _Changes(TypedDict, total=False):
    """The fields of a record that become known while the request is served."""

    status: int
    ended_ms: int
    fault: str


class RequestLog:
    """All requests since the last ``clear``, and the highest number of exports at once."""

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
        """Remove all records, and count the highest number of parallel exports anew."""
        with self._lock:
            self._records.clear()
            self.busiest_parallel_exports = self._running_exports

    def begin(self, record: RequestRecord) -> int:
        """Add a record and return the number that it gets."""
        with self._lock:
            self._number += 1
            self._records[self._number] = replace(record, number=self._number)
            return self._number

    def update(self, number: int, **changes: Unpack[_Changes]) -> None:
        """Change fields of a record, unless it was removed."""
        with self._lock:
            if number in self._records:
                self._records[number] = replace(self._records[number], **changes)

    def add_bytes(self, number: int, sent: int) -> None:
        """Count bytes of a body that are given to the socket."""
        with self._lock:
            record = self._records.get(number)
            if record is not None:
                self._records[number] = replace(record, bytes_sent=record.bytes_sent + sent)

    def begin_export(self) -> int:
        """Count an export that begins; return how many run now."""
        with self._lock:
            self._running_exports += 1
            self.busiest_parallel_exports = max(
                self.busiest_parallel_exports, self._running_exports
            )
            return self._running_exports

    def end_export(self) -> None:
        """Count an export that ends."""
        with self._lock:
            self._running_exports -= 1


def real_now_ms() -> int:
    """Return the real Unix time in ms."""
    return time.time_ns() // 1_000_000
