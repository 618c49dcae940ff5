from dataclasses import dataclass

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
class Account:
    """What a run has asked of the console so far.

    ``retries`` are questions that were put again, ``worst_wait_secs`` is the longest time from a
    question to the first line of its answer, and ``received_bytes`` counts the video alone.
    """

    requests: int = 0
    logins: int = 0
    retries: int = 0
    received_bytes: int = 0
    worst_wait_secs: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request to the API: ``what`` it asks for, in words, and how it is put.

    ``permission`` is what the account needs for it, as the console's own screens call it.
    """

    what: str
    path: str
    permission: str
    params: tuple[tuple[str, str], ...] = ()
    is_export: bool = False
