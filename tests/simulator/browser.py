"""A simple client of the simulated console. It does what tests need and no more."""

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any, Self, TypedDict, Unpack
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import av
import requests
from av.container import InputContainer

from tests.pinned import PinnedAdapter
from upvs_tasks.simulator import SPARROW, SimulatedConsole, read_blocks

NEW_YORK = ZoneInfo("America/New_York")
DETECTIONS = ("motion", "smartDetectZone", "smartDetectLine", "smartDetectLoiterZone")
PROTECT = "/proxy/protect/api/"
TIMEOUT_SECS = 20


class Options(TypedDict, total=False):
    """What a test may set for one request."""

    headers: dict[str, str]
    stream: bool
    timeout: float


class Browser:
    """One requests session that knows the console's certificate and ignores the environment."""

    def __init__(self, console: SimulatedConsole) -> None:
        self.console = console
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = False
        self.session.mount("https://", PinnedAdapter(console.ca_file))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def post(
        self, path: str, content: object = None, **options: Unpack[Options]
    ) -> requests.Response:
        """Send JSON to a path of the console."""
        address = self.console.host + path
        options.setdefault("timeout", TIMEOUT_SECS)
        return self.session.post(address, json=content, **options)

    def get(
        self, path: str, *parameters: tuple[str, object], **options: Unpack[Options]
    ) -> requests.Response:
        """Send a GET for a path below the private API."""
        address = self.console.host + PROTECT + path
        options.setdefault("timeout", TIMEOUT_SECS)
        return self.session.get(f"{address}?{urlencode(parameters)}", **options)

    def log_in(self, username: str | None = None, **claim: object) -> requests.Response:
        """Log in, by default as the full user."""
        name = username or self.console.username
        claim = {"username": name, "password": self.console.password, **claim}
        return self.post("/api/auth/login", claim)

    def events(self, day: date, *parameters: tuple[str, object]) -> list[dict[str, Any]]:
        """Return the detections that the console lists for a local day."""
        start_ms, end_ms = bounds(day)
        window = (("start", start_ms), ("end", end_ms))
        types = tuple(("types", kind) for kind in DETECTIONS)
        response = self.get("events", *window, *types, *parameters)
        assert response.status_code == 200, response.text
        rows: list[dict[str, Any]] = response.json()
        return rows

    def export(
        self,
        start_ms: int,
        end_ms: int,
        camera_id: str = SPARROW.camera_id,
        **options: Unpack[Options],
    ) -> requests.Response:
        """Request footage."""
        return self.get(
            "video/export",
            ("camera", camera_id),
            ("start", start_ms),
            ("end", end_ms),
            **options,
        )


def bounds(day: date) -> tuple[int, int]:
    """Return the first instant of a day and of the next day."""
    return at(day, 0, 0), at(day + timedelta(days=1), 0, 0)


def at(day: date, hour: int, minute: int, second: int = 0) -> int:
    """Return a wall time in New York as Unix ms."""
    wall = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=NEW_YORK)
    return int(wall.timestamp() * 1000)


def shown(content: bytes) -> list[tuple[int, int | None]]:
    """Decode a clip; return of each frame the media time in ms and the instant that it shows."""
    with opened(content) as container:
        return [
            (round(frame.time * 1000), instant_of(frame)) for frame in container.decode(video=0)
        ]


def opened(content: bytes) -> InputContainer:
    """Open a clip for reading."""
    return av.open(BytesIO(content), "r")


def instants(content: bytes) -> list[int | None]:
    """Return the instants that the frames of a clip show."""
    return [instant_ms for _, instant_ms in shown(content)]


def instant_of(frame: av.VideoFrame) -> int | None:
    """Return the instant that the blocks of a decoded frame show."""
    plane = frame.planes[0]
    return read_blocks(bytes(plane), frame.width, frame.height, plane.line_size)


def boxes(content: bytes) -> list[str]:
    """Return the kinds of the boxes at the top level of an MP4."""
    found, place = [], 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4])
        if size == 1:
            size = int.from_bytes(content[place + 8 : place + 16])
        assert size >= 8, "a box is at least as long as its head"
        found.append(content[place + 4 : place + 8].decode())
        place += size
    assert place == len(content)
    return found
