"""Failures that can be ordered, and who gets them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from upvs_tasks.simulator.dice import Dice


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # answer with ``status`` (and ``retry_after``)
    KILLED_SESSION = "killed_session"  # all sessions die just before this request
    CUT_BODY = "cut_body"  # the connection ends after ``after_bytes`` of a promised length
    CUT_BODY_NO_LENGTH = "cut_body_no_length"  # likewise, and no length was promised
    HTML = "html"  # 200 and a page for people
    EMPTY = "empty"  # 200 and no byte
    EMPTY_MP4 = "empty_mp4"  # 200 and a valid file without samples, < 300 bytes
    TINY_MP4 = "tiny_mp4"  # 200 and a valid file of a single small frame
    WRONG_BYTES = "wrong_bytes"  # the right length, the wrong content
    STALL_FIRST = "stall_first"  # nothing is sent until released
    STALL_BODY = "stall_body"  # the body stops after ``after_bytes`` until released
    RESET = "reset"  # the connection is reset, after ``after_bytes`` of body if these are set
    SLOW = "slow"  # ``secs`` pass before the first byte
    REBOOT = (
        "reboot"  # this and the next ``requests`` - 1 requests get ``status``, whatever they ask
    )
    DARK = "dark"  # nobody listens for ``secs``, then everybody gets ``status`` for as long
    ECHO = "echo"  # ``status`` and a body that repeats what was sent, headers and all


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure to come.

    ``path`` is one of export, events, event, bootstrap, cameras, nvr, login, logout, prepare,
    download, any. The first ``skip`` requests that match are spared, then ``times`` are hit (None:
    all). ``start_ms`` matches an export by its start parameter, ``at_ms`` by containing an
    instant, ``event_id`` by containing that event's start. ``body`` is sent as ``content_type``,
    which defaults to JSON. ``after_bytes`` defaults to half of the body. ``release_after_secs``
    ends a stall by itself; else it lasts until the client hangs up, ``SimulatedConsole.release``
    is called, or the console closes.
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
        """Refuse a kind that does not exist as early as possible."""
        object.__setattr__(self, "kind", FaultKind(self.kind))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fault can be matched against."""

    path: str
    camera_id: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, instant_ms: int) -> bool:
        """Say whether the asked range contains the instant."""
        if self.start_ms is None or self.end_ms is None:
            return False
        return self.start_ms <= instant_ms < self.end_ms


class FaultBook:
    """The failures that were ordered and not yet delivered."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = Lock()

    def order(self, *faults: Fault) -> None:
        """Add failures to come; earlier orders go first."""
        with self._lock:
            self._orders.extend(faults)

    def cancel(self) -> None:
        """Forget everything ordered."""
        with self._lock:
            self._orders.clear()

    @property
    def outstanding(self) -> Sequence[Fault]:
        """What is still to come."""
        with self._lock:
            return tuple(self._orders)

    def take(self, asked: Asked) -> Fault | None:
        """Return the failure that this request gets, if any."""
        with self._lock:
            for place, fault in enumerate(self._orders):
                if not _matches(fault, asked):
                    continue
                if fault.skip:
                    self._orders[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self._use_up(place)
                return fault
        return None

    def _use_up(self, place: int) -> None:
        fault = self._orders[place]
        if fault.times is None:
            return
        if fault.times > 1:
            self._orders[place] = replace(fault, times=fault.times - 1)
        else:
            del self._orders[place]


def rough_fault(camera_id: str, start_ms: int, former_asks: int) -> Fault | None:
    """Return how an export on a rough day fails that was asked for so many times before.

    A third of them fail once or twice, then work: three attempts are enough.
    """
    dice = Dice("rough", camera_id, start_ms)
    if dice.between(1, 3) != 1 or former_asks >= dice.between(1, 2):
        return None
    return dice.one_of(_ROUGH)


def _matches(fault: Fault, asked: Asked) -> bool:
    if fault.path not in ("any", asked.path):
        return False
    if fault.camera_id is not None and fault.camera_id != asked.camera_id:
        return False
    if fault.start_ms is not None and fault.start_ms != asked.start_ms:
        return False
    return fault.at_ms is None or asked.holds(fault.at_ms)


_ROUGH = (
    Fault(FaultKind.STATUS, status=500),
    Fault(FaultKind.STATUS, status=503),
    Fault(FaultKind.STATUS, status=429, retry_after=1),
    Fault(FaultKind.CUT_BODY),
    Fault(FaultKind.HTML),
    Fault(FaultKind.EMPTY),
    Fault(FaultKind.WRONG_BYTES),
    Fault(FaultKind.RESET),
)
