from dataclasses import dataclass, field
from threading import Lock

from upvs_tasks.model.plural import counted


@dataclass(frozen=True, slots=True)
class ConcurrencyFigures:
    """How many exports were allowed at once: the fewest and the most; 0 before there was any.

    ``exporting_secs`` is the time in which at least one ran, ``paused_secs`` that in which none
    was allowed to start.
    """

    fewest: int = 0
    most: int = 0
    exporting_secs: float = 0.0
    paused_secs: float = 0.0


@dataclass(frozen=True, slots=True)
class ConsoleUsage:
    """What a run has asked of the console so far.

    ``logins`` are those that the console accepted, ``login_attempts`` all of them. ``retries`` are
    requests that were sent again, ``longest_wait_secs`` is the longest time from a request to the
    first line of its answer, ``received_bytes`` counts the video alone, and
    ``outage_secs`` is how long the whole console was waited for.
    """

    requests: int = 0
    logins: int = 0
    login_attempts: int = 0
    retries: int = 0
    received_bytes: int = 0
    longest_wait_secs: float = 0.0
    outage_secs: float = 0.0
    concurrency: ConcurrencyFigures = ConcurrencyFigures()

    @property
    def bytes_per_sec(self) -> float:
        """Of all exports together, while any ran; 0 when none did."""
        secs = self.concurrency.exporting_secs
        return self.received_bytes / secs if secs else 0.0

    def facts(self) -> dict[str, float]:
        """The usage for a log: each number by its name."""
        return {
            "requests": self.requests,
            "logins": self.logins,
            "login_attempts": self.login_attempts,
            "retries": self.retries,
            "received_bytes": self.received_bytes,
            "longest_wait_secs": round(self.longest_wait_secs, 3),
            "outage_secs": round(self.outage_secs, 1),
            "exporting_secs": round(self.concurrency.exporting_secs, 1),
            "paused_secs": round(self.concurrency.paused_secs, 1),
            "most_at_once": self.concurrency.most,
        }

    def _logins_in_words(self) -> str:
        if self.login_attempts > self.logins:
            return f"{self.logins} of {counted(self.login_attempts, 'login')} accepted"
        return counted(self.logins, "login")

    def sentence(self) -> str:
        """The usage in one line, for people."""
        said = [counted(self.requests, "request"), self._logins_in_words()]
        if self.retries:
            said.append(f"{self.retries} sent again")
        if self.received_bytes:
            speed = self.bytes_per_sec / 1e6
            said.append(f"{self.received_bytes / 1e6:.1f} MB of video at {speed:.1f} MB/s")
        if self.requests:
            said.append(f"slowest answer {self.longest_wait_secs:.1f} s")
        if self.concurrency.most:
            fewest, most = self.concurrency.fewest, self.concurrency.most
            fewer = "" if fewest == most else f"{fewest} to "
            said.append(f"{fewer}{counted(most, 'export')} at once")
        if self.concurrency.paused_secs:
            said.append(f"paused for {self.concurrency.paused_secs:.0f} s")
        if self.outage_secs:
            said.append(f"waited {self.outage_secs:.0f} s for the console to come back")
        return ", ".join(said)


@dataclass(slots=True)
class UsageCounter:
    """Counts the usage of one client; whoever changes a number holds ``lock``."""

    lock: Lock = field(default_factory=Lock, repr=False)
    requests: int = 0
    logins: int = 0
    login_attempts: int = 0
    retries: int = 0
    received_bytes: int = 0
    longest_wait_secs: float = 0.0

    def usage(self) -> ConsoleUsage:
        """The numbers so far."""
        with self.lock:
            return ConsoleUsage(
                requests=self.requests,
                logins=self.logins,
                login_attempts=self.login_attempts,
                retries=self.retries,
                received_bytes=self.received_bytes,
                longest_wait_secs=self.longest_wait_secs,
            )
