"""What consoles differ in, or what nobody has settled: every knob has at least two answers."""

from dataclasses import dataclass
from enum import StrEnum


class Csrf(StrEnum):
    """How the console treats the token against forged requests."""

    FIXED = "fixed"  # one token a session, in X-CSRF-Token and X-Updated-CSRF-Token at login
    ROTATING = "rotating"  # a new one with every reply; the former is refused on later POSTs
    ABSENT = "absent"  # no such header at all, as on the console itself and some firmware


class Length(StrEnum):
    """How the end of an exported file is told."""

    PRESENT = "present"  # Content-Length
    CHUNKED = "chunked"
    CLOSE = "close"  # the connection ends


class Kept(StrEnum):
    """Which events a page holds when ``limit`` is smaller than what matches."""

    OLDEST = "oldest"
    NEWEST = "newest"


class Window(StrEnum):
    """Which events lie in a window of time."""

    OVERLAP = "overlap"
    START = "start"


class JoinedTypes(StrEnum):
    """What ``types=motion,ring`` matches."""

    NOTHING = "nothing"
    SPLIT = "split"


class EventIds(StrEnum):
    """What the id of an event looks like."""

    HEX = "hex"
    UUID = "uuid"


class ExportCut(StrEnum):
    """Where an export ends; it begins with the keyframe at or before what was asked, if not INSIDE.

    TAIL: 0.7 to 2.2 s late. GROUP: with the group of pictures. TIGHT: with the first frame at or
    after the asked end. INSIDE: from the first keyframe inside, up to the asked end.
    """

    TAIL = "tail"
    GROUP = "group"
    TIGHT = "tight"
    INSIDE = "inside"


class NoFootage(StrEnum):
    """The answer to an export of nothing."""

    STATUS_404 = "404"  # {"error": 502, "operationId": n}
    STATUS_500 = "500"  # {"error": "No files found matching criteria."}, older builds
    EMPTY_MP4 = "empty_mp4"  # 200 and a file without a track


class TooYoung(StrEnum):
    """The answer to an export whose end is less than ``export_min_age_secs`` ago."""

    SHORT = "short"
    STATUS_500 = "500"
    COMPLETE = "complete"


class Flavour(StrEnum):
    """Which log-in there is: UniFi OS's cookies, the direct recorder's bearer tokens, or both."""

    BOTH = "both"
    UNIFI_OS = "unifi_os"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One console's answers. The defaults are the best documented ones."""

    flavour: Flavour = Flavour.BOTH
    version: str = "5.0.34"
    timezone: str = "America/New_York"

    # Sessions
    cookie_name: str = "TOKEN"  # or UOS_TOKEN
    cookie_partitioned: bool = False
    csrf: Csrf = Csrf.FIXED
    session_secs: int | None = None  # None: two hours, thirty days with rememberMe
    bad_credentials_status: int = 401  # 403 on newer UniFi OS
    login_limit_per_minute: int | None = 5  # successful ones, per user
    failed_login_limit: int | None = 5  # within three minutes

    # Events
    limit_keeps_ascending: Kept = Kept.OLDEST  # with orderDirection=ASC
    limit_keeps_unordered: Kept = Kept.NEWEST  # without orderDirection
    window: Window = Window.OVERLAP
    honours_cameras: bool = True
    joined_types: JoinedTypes = JoinedTypes.NOTHING
    missing_types_ignore_window: bool = True
    page_cap: int | None = None  # no page is longer, whatever the limit
    event_ids: EventIds = EventIds.HEX
    shuffles_ties: bool = False  # events with equal starts come in another order each time

    # Exports
    export_cut: ExportCut = ExportCut.TAIL
    content_length: Length = Length.PRESENT
    no_footage: NoFootage = NoFootage.STATUS_404
    too_young: TooYoung = TooYoung.SHORT
    export_min_age_secs: float = 8.0
    gaps_closed: bool = False  # what was not recorded takes no media time
    max_parallel_exports: int | None = None  # one more gets 503
    export_latency_secs: float = 0.0
    bytes_per_sec: int | None = None
    grow_exports_to_bytes: int = 0  # junk in mdat that no sample refers to
    rough_days: bool = True  # on 2024-01-18 a third of the exports fail before they succeed
