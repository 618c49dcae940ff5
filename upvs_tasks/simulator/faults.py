"""Failures that tests order, and the requests that get them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from upvs_tasks.simulator.prng import Prng


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # answer with ``status`` (and ``retry_after``)
    KILLED_SESSION = "killed_session"  # all sessions end just before this request
    CUT_BODY = "cut_body"  # the connection ends after ``after_bytes`` of the promised length
    CUT_BODY_NO_LENGTH = "cut_body_no_length"  # likewise, but no length was promised
    HTML = "html"  # 200 and a web page
    EMPTY = "empty"  # 200 and an empty body
    EMPTY_MP4 = "empty_mp4"  # 200 and a valid file without samples, < 300 bytes
    TINY_MP4 = "tiny_mp4"  # 200 and a valid file of a single small frame
    WRONG_BYTES = "wrong_bytes"  # the right length, the wrong content
    STALL_FIRST = "stall_first"  # nothing is sent until the stall is released
    STALL_BODY = "stall_body"  # the body stops after ``after_bytes`` until it is released
    RESET = "reset"  # the connection is reset, after ``after_bytes`` of body if these are set
    SLOW = "slow"  # ``secs`` pass before the first byte
    REBOOT = "reboot"  # this request and the ``requests`` - 1 after it get ``status``
    OUTAGE = "outage"  # connections are refused for ``secs``, then all get ``status`` for as long
    ECHO = "echo"  # ``status`` and a body that repeats the request with its headers


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure to come.

    ``path`` is one of export, events, event, bootstrap, cameras, nvr, login, logout, prepare,
    download, any. Of the requests that match, the first ``skip`` succeed and the next ``times``
    fail (None: all). ``start_ms`` matches an export with this start, ``at_ms`` one that contains
    this instant, ``event_id`` one that contains the start of this event. ``body`` is sent as
    ``content_type``, by default JSON. ``after_bytes`` is half of the body by default. A stall ends
    after ``release_after_secs``; without it, when the client closes the connection,
    ``SimulatedConsole.release`` is called, or the console closes.
    """

    kind: FaultKind | str
    path: str = "export"
    times: int | None = 1
    skip: int = 0
    status: int = 500
    body: str | None = None
    content_type: str | None = None
    retry_after: int | str | None = None
    after_bytes: int | None = None
    secs: float = 1.0
    release_after_secs: float | None = None
    requests: int = 1
    camera_id: str | None = None
    start_ms: int | None = None
    at_ms: int | None = None
    event_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        object.__setattr__(self, "kind", FaultKind(self.kind))


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """What a request asks for, as far as faults are matched with it."""

    path: str
    camera_id: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    def contains(self, instant_ms: int) -> bool:
        """Return whether the requested range contains the instant."""
        if self.start_ms is None or self.end_ms is None:
            return False
        return self.start_ms <= instant_ms < self.end_ms


class FaultQueue:
    """The faults that were ordered and have not happened yet."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, *faults: Fault) -> None:
        """Add faults; those that were added before go first."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    @property
    def outstanding(self) -> Sequence[Fault]:
        """The faults still to come."""
        with self._lock:
            return tuple(self._faults)

    def take(self, target: RequestTarget) -> Fault | None:
        """Return the fault that this request gets, if any, and count it."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not _matches(fault, target):
                    continue
                if fault.skip:
                    self._faults[index] = replace(fault, skip=fault.skip - 1)
                    continue
                self._count(index)
                return fault
        return None

    def _count(self, index: int) -> None:
        fault = self._faults[index]
        if fault.times is None:
            return
        if fault.times > 1:
            self._faults[index] = replace(fault, times=fault.times - 1)
        else:
            del self._faults[index]


def fault_of_unreliable_day(camera_id: str, start_ms: int, former_requests: int) -> Fault | None:
    """Return how an export of the unreliable day fails, if it does.

    A third of the exports fail once or twice and then succeed: three attempts are enough.
    """
    prng = Prng("rough", camera_id, start_ms)
    if prng.integer(1, 3) != 1 or former_requests >= prng.integer(1, 2):
        return None
    return prng.choice(_FAULTS_OF_UNRELIABLE_DAY)


def _matches(fault: Fault, target: RequestTarget) -> bool:
    if fault.path not in ("any", target.path):
        return False
    if fault.camera_id is not None and fault.camera_id != target.camera_id:
        return False
    if fault.start_ms is not None and fault.start_ms != target.start_ms:
        return False
    return fault.at_ms is None or target.contains(fault.at_ms)


_FAULTS_OF_UNRELIABLE_DAY = (
    Fault(FaultKind.STATUS, status=500),
    Fault(FaultKind.STATUS, status=503),
    Fault(FaultKind.STATUS, status=429, retry_after=1),
    Fault(FaultKind.CUT_BODY),
    Fault(FaultKind.HTML),
    Fault(FaultKind.EMPTY),
    Fault(FaultKind.WRONG_BYTES),
    Fault(FaultKind.RESET),
)
