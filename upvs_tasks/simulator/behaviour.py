"""What differs between consoles, and what is not known for sure, as settings of the console."""

from dataclasses import dataclass
from enum import StrEnum


class Csrf(StrEnum):
    """How the console uses the token against forged requests (CSRF token)."""

    FIXED = "fixed"  # one token a session, in X-CSRF-Token and X-Updated-CSRF-Token at login
    ROTATING = "rotating"  # a new one with each response; the old one is refused on later POSTs
    ABSENT = "absent"  # no such header at all, as on the console itself and some firmware


class Length(StrEnum):
    """How a client finds the end of an exported file."""

    PRESENT = "present"  # Content-Length
    CHUNKED = "chunked"
    CLOSE = "close"  # the connection ends


class LimitKeeps(StrEnum):
    """Which events a page holds when more match than ``limit`` allows."""

    OLDEST = "oldest"
    NEWEST = "newest"


class WindowMatch(StrEnum):
    """Which events match a window of time."""

    OVERLAP = "overlap"
    START = "start"


class JoinedTypes(StrEnum):
    """What ``types=motion,ring`` matches."""

    NOTHING = "nothing"
    SPLIT = "split"


class EventIds(StrEnum):
    """The format of event ids."""

    HEX = "hex"
    UUID = "uuid"


class ExportCut(StrEnum):
    """Where an export is cut.

    It begins with the keyframe at or before the requested start. It ends as follows.
    TAIL: 0.7 to 2.2 s after the requested end.
    GROUP: with the group of pictures in which the requested end lies.
    TIGHT: with the first frame at or after the requested end.
    INSIDE: at the requested end; this one begins with the first keyframe after the start.
    """

    TAIL = "tail"
    GROUP = "group"
    TIGHT = "tight"
    INSIDE = "inside"


class RepeatedExport(StrEnum):
    """What another export of the same span differs in."""

    SAME = "same"
    STAMPED = "stamped"  # the file says when it was made; size and pictures are the same
    ENCODED_ANEW = "encoded_anew"  # the same pictures in other bytes, and another size


class NoFootageAnswer(StrEnum):
    """The response to an export when nothing was recorded."""

    STATUS_404 = "404"  # {"error": 502, "operationId": n}
    STATUS_500 = "500"  # {"error": "No files found matching criteria."}, older builds
    EMPTY_MP4 = "empty_mp4"  # 200 and a file without a track


class TooYoung(StrEnum):
    """The response to an export that ends less than ``export_min_age_secs`` ago."""

    SHORT = "short"
    STATUS_500 = "500"
    COMPLETE = "complete"


class Flavour(StrEnum):
    """Which login exists: UniFi OS (cookies), the direct recorder (bearer tokens), or both."""

    BOTH = "both"
    UNIFI_OS = "unifi_os"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one console behaves. The defaults are what is documented best."""

    flavour: Flavour = Flavour.BOTH
    version: str = "5.0.34"
    timezone: str = "America/New_York"

    # Sessions
    cookie_name: str = "TOKEN"  # or UOS_TOKEN
    cookie_partitioned: bool = False
    csrf: Csrf = Csrf.FIXED
    session_secs: int | None = None  # None: two hours, thirty days with rememberMe
    bad_credentials_status: int = 401  # 403 on newer UniFi OS
    login_limit_per_minute: int | None = 5  # successful logins of one user
    failed_login_limit: int | None = 5  # failed logins of one user within three minutes

    # Events
    limit_keeps_ascending: LimitKeeps = LimitKeeps.OLDEST  # with orderDirection=ASC
    limit_keeps_unordered: LimitKeeps = LimitKeeps.NEWEST  # without orderDirection
    window: WindowMatch = WindowMatch.OVERLAP
    honours_cameras: bool = True
    joined_types: JoinedTypes = JoinedTypes.NOTHING
    missing_types_ignore_window: bool = True
    page_cap: int | None = None  # the most rows of a page, whatever the limit
    event_ids: EventIds = EventIds.HEX
    shuffles_ties: bool = False  # events with equal starts come in another order each time

    # Exports
    export_cut: ExportCut = ExportCut.TAIL
    content_length: Length = Length.PRESENT
    repeated_export: RepeatedExport = RepeatedExport.SAME
    no_footage: NoFootageAnswer = NoFootageAnswer.STATUS_404
    too_young: TooYoung = TooYoung.SHORT
    export_min_age_secs: float = 8.0
    gaps_closed: bool = False  # what was not recorded takes no media time
    max_parallel_exports: int | None = None  # an export beyond this number gets 503
    export_latency_secs: float = 0.0
    bytes_per_sec: int | None = None
    grow_exports_to_bytes: int = 0  # filler bytes in mdat that no sample refers to
    unreliable_day: bool = True  # on 2024-01-18 a third of the exports fail before they succeed
