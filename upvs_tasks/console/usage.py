from dataclasses import dataclass, replace

from upvs_tasks.model.camera import Camera


@dataclass(frozen=True, slots=True)
class Nvr:
    """The recorder; ``timezone`` is an IANA name, or empty where the console tells none."""

    nvr_id: str
    name: str
    timezone: str
    version: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a console tells of itself: its recorder and its cameras."""

    nvr: Nvr
    cameras: tuple[Camera, ...]


@dataclass(frozen=True, slots=True)
class Download:
    """What one export brought; the digest is in hexadecimal."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ConcurrencyFigures:
    """What pacing did: the fewest and the most exports that might run at once; 0 before any did.

    ``exporting_secs`` is the time in which at least one ran, ``held_back_secs`` that in which none
    might start.
    """

    narrowest: int = 0
    widest: int = 0
    exporting_secs: float = 0.0
    held_back_secs: float = 0.0

    def with_width(self, width: int) -> "ConcurrencyFigures":
        """Figures that count an export started at this width."""
        return replace(
            self, narrowest=min(self.narrowest or width, width), widest=max(self.widest, width)
        )

    def with_busy(self, secs: float) -> "ConcurrencyFigures":
        """Figures with more time in which exports ran."""
        return replace(self, exporting_secs=self.exporting_secs + secs)

    def with_held_back(self, secs: float) -> "ConcurrencyFigures":
        """Figures with more time in which none might start."""
        return replace(self, held_back_secs=self.held_back_secs + secs)


@dataclass(frozen=True, slots=True)
class ConsoleUsage:
    """What a run has asked of the console so far.

    ``retries`` are questions that were put again, ``worst_wait_secs`` is the longest time from a
    question to the first line of its answer, ``received_bytes`` counts the video alone, and
    ``away_secs`` is how long the whole console was waited for.
    """

    requests: int = 0
    logins: int = 0
    retries: int = 0
    received_bytes: int = 0
    worst_wait_secs: float = 0.0
    away_secs: float = 0.0
    pace: ConcurrencyFigures = ConcurrencyFigures()

    @property
    def bytes_per_sec(self) -> float:
        """Of all exports together, while any ran; 0 when none did."""
        secs = self.pace.exporting_secs
        return self.received_bytes / secs if secs else 0.0

    def sentence(self) -> str:
        """The account in one line, for people."""
        said = [_counted(self.requests, "request"), _counted(self.logins, "login")]
        if self.retries:
            said.append(f"{self.retries} put again")
        if self.received_bytes:
            speed = self.bytes_per_sec / 1e6
            said.append(f"{self.received_bytes / 1e6:.1f} MB of video at {speed:.1f} MB/s")
        if self.requests:
            said.append(f"slowest answer {self.worst_wait_secs:.1f} s")
        if self.pace.widest:
            least, most = self.pace.narrowest, self.pace.widest
            said.append(f"{most if least == most else f'{least} to {most}'} at once")
        if self.pace.held_back_secs:
            said.append(f"held back for {self.pace.held_back_secs:.0f} s")
        if self.away_secs:
            said.append(f"waited {self.away_secs:.0f} s for the console to come back")
        return ", ".join(said)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to the API: ``what`` it asks for, in words, and how it is put.

    ``permission`` is what the account needs for it, as the console's own screens call it.
    """

    what: str
    path: str
    permission: str
    params: tuple[tuple[str, str], ...] = ()
    is_export: bool = False
