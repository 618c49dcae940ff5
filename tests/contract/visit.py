"""A visitor to one console, embedded or real, with `requests` alone and one login."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from io import BytesIO
from pathlib import Path
from time import time
from typing import Any, Self

import av
import pytest
import requests
from av.container import InputContainer

from tests.pinned import PinnedAdapter
from tests.simulator.browser import bounds
from upvs_tasks.simulator import FRONT_DOOR, SimulatedConsole

PROTECT = "/proxy/protect/api/"
LOGIN = "/api/auth/login"
SESSION_COOKIES = ("TOKEN", "UOS_TOKEN")
DETECTIONS = ("motion", "smartDetectZone", "smartDetectLine", "smartDetectLoiterZone")
SHIPPED_DAY = date(2024, 1, 15)

_TIMEOUT_SECS = 120
_HOUR_MS = 3_600_000
_CLIP_MS = range(4_000, 60_001)

Parameter = tuple[str, object]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Host:
    """Where a console is, how to get in, and the name or id of the camera to look at."""

    url: str
    username: str
    password: str = field(repr=False)
    camera: str
    verify: bool | str = True

    @classmethod
    def embedded(cls, console: SimulatedConsole) -> Self:
        """A console of this process, and its Front Door."""
        camera = FRONT_DOOR.camera_id
        return cls(console.host, console.username, console.password, camera, console.ca_file)

    @classmethod
    def live(cls, environment: Mapping[str, str]) -> Self:
        """The console that UPVS_LIVE_… name. Raises ValueError where one of them is missing."""
        address = environment.get("UPVS_LIVE_HOST", "")
        password_file = environment.get("UPVS_LIVE_PASSWORD_FILE")
        password = environment.get("UPVS_LIVE_PASSWORD") or (
            Path(password_file).read_text(encoding="utf-8").strip() if password_file else ""
        )
        username = environment.get("UPVS_LIVE_USERNAME", "")
        camera = environment.get("UPVS_LIVE_CAMERA", "")
        if not (address and username and password and camera):
            raise ValueError(
                "a live run needs UPVS_LIVE_HOST, UPVS_LIVE_USERNAME, UPVS_LIVE_CAMERA and "
                "UPVS_LIVE_PASSWORD or UPVS_LIVE_PASSWORD_FILE"
            )
        url = address if "://" in address else f"https://{address}"
        is_insecure = environment.get("UPVS_LIVE_TLS_INSECURE", "").lower() in {"1", "true", "yes"}
        trusted = environment.get("UPVS_LIVE_CA_FILE") or True
        return cls(url, username, password, camera, not is_insecure and trusted)


class Visit:
    """One session with a console, and what it was seen to hold; asks nothing twice.

    ``window_ms`` is the span whose events are looked at. ``simulated`` is the console itself where
    it is of this process.
    """

    def __init__(
        self,
        host: Host,
        *,
        window_ms: tuple[int, int],
        simulated: SimulatedConsole | None = None,
    ) -> None:
        self.host = host
        self.window_ms = window_ms
        self._simulated = simulated
        self._sessions = [self._new_session()]

    def __enter__(self) -> Self:
        """Log in."""
        self.login = self.log_in(self._sessions[0], rememberMe=False, token="")
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._sessions:
            session.close()

    @property
    def simulated(self) -> SimulatedConsole:
        """The embedded console; statements that are for it alone say so."""
        assert self._simulated is not None, "this statement is for the embedded console only"
        return self._simulated

    @property
    def token(self) -> str:
        """The session's cookie."""
        held = self._sessions[0].cookies
        return next((str(held[name]) for name in SESSION_COOKIES if name in held), "")

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the cookie says of itself, as a JSON web token."""
        payload = self.token.split(".")[1]
        content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert isinstance(content, dict)
        return content

    def stranger(self) -> requests.Session:
        """A session that has not logged in."""
        self._sessions.append(self._new_session())
        return self._sessions[-1]

    def log_in(self, session: requests.Session, **claim: object) -> requests.Response:
        """Try to log in; by default with username and password alone."""
        known = {"username": self.host.username, "password": self.host.password}
        return session.post(self.host.url + LOGIN, json=known | claim, timeout=_TIMEOUT_SECS)

    def get(
        self,
        path: str,
        *parameters: Parameter,
        session: requests.Session | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Get a path below the private API."""
        return (session or self._sessions[0]).get(
            self.host.url + PROTECT + path,
            params=[(name, str(value)) for name, value in parameters],
            headers=headers,
            timeout=_TIMEOUT_SECS,
        )

    def events(
        self,
        *parameters: Parameter,
        types: Sequence[str] = DETECTIONS,
        window_ms: tuple[int, int] | None = None,
    ) -> list[Row]:
        """Rows of the event list, by default the detections of the visit's window."""
        start_ms, end_ms = window_ms or self.window_ms
        asked = (("start", start_ms), ("end", end_ms), *(("types", kind) for kind in types))
        reply = self.get("events", *asked, *parameters)
        assert reply.status_code == 200, reply.text[:200]
        rows: list[Row] = reply.json()
        return rows

    def export(
        self,
        window_ms: tuple[int, int],
        *parameters: Parameter,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Ask for the camera's footage."""
        asked = (("camera", self.camera["id"]), ("start", window_ms[0]), ("end", window_ms[1]))
        return self.get("video/export", *asked, *parameters, headers=headers)

    @cached_property
    def bootstrap(self) -> Mapping[str, Any]:
        """The console's description of itself."""
        reply = self.get("bootstrap")
        assert reply.status_code == 200, reply.text[:200]
        content = reply.json()
        assert isinstance(content, dict)
        return content

    @property
    def cameras(self) -> list[Row]:
        """The bootstrap's cameras."""
        rows: list[Row] = self.bootstrap["cameras"]
        return rows

    @cached_property
    def camera(self) -> Row:
        """The one camera to look at."""
        wanted = self.host.camera
        found = [row for row in self.cameras if wanted in (row["id"], row["name"])]
        assert len(found) == 1, f"{len(found)} cameras are called {wanted!r}"
        return found[0]

    @cached_property
    def listed(self) -> list[Row]:
        """All cameras' detections in the window, as the console orders them when asked to."""
        return self.events(("orderDirection", "ASC"), ("limit", 5_000))

    def some_events(self, count: int) -> list[Row]:
        """What was listed; without so many rows nothing can be said, and the test is skipped."""
        if len(self.listed) < count:
            pytest.skip(f"fewer than {count} detections in the window that was looked at")
        return self.listed

    @cached_property
    def clip_window_ms(self) -> tuple[int, int]:
        """Start and end of a short detection of the camera."""
        bounds_ms = [
            (row["start"], row["end"])
            for row in self.listed
            if row["camera"] == self.camera["id"] and row["end"] is not None
        ]
        fit = [(start, end) for start, end in bounds_ms if end - start in _CLIP_MS]
        if not fit:
            pytest.skip("the camera has no short detection in the window that was looked at")
        return min(fit, key=lambda pair: pair[1] - pair[0])

    @cached_property
    def clip(self) -> requests.Response:
        """The export of that detection; the one clip that most statements are read from."""
        return self.export(self.clip_window_ms)

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self.host.verify is True
        if isinstance(self.host.verify, str):
            session.mount("https://", PinnedAdapter(self.host.verify))
        return session


def shipped_window_ms() -> tuple[int, int]:
    """A day of the embedded console."""
    return bounds(SHIPPED_DAY)


def recent_window_ms() -> tuple[int, int]:
    """Two days that ended an hour ago: what a real console can be expected to hold."""
    end_ms = int(time() * 1000) - _HOUR_MS
    return end_ms - 48 * _HOUR_MS, end_ms


def opened(content: bytes) -> InputContainer:
    """Open an export for reading."""
    return av.open(BytesIO(content), "r")


def boxes(content: bytes) -> Iterator[str]:
    """Yield the kinds of the top boxes of an MP4 (ISO/IEC 14496-12 §4.2)."""
    place = 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4])
        if size == 1:
            size = int.from_bytes(content[place + 8 : place + 16])
        yield content[place + 4 : place + 8].decode("latin-1")
        place += size or len(content)
