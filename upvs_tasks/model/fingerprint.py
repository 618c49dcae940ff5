from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from json import dumps

from upvs_tasks.model.encoding import Codec


class Engine(StrEnum):
    """How the film is made."""

    SEGMENTS = "segments"
    CONCAT = "concat"


class HardwareAcceleration(StrEnum):
    """Whether hardware decodes: where there is some, or never."""

    OFF = "off"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """Which bytes a clip's file holds; where it lies does not matter."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FilmFingerprint:
    """All that the film's bytes depend on, besides the build of ffmpeg."""

    clips: tuple[ClipIdentity, ...]
    engine: Engine
    speed_factor: float
    output_frames: int
    output_fps: int
    crf: int
    preset: str
    codec: Codec
    height: int

    def digest(self) -> str:
        """The same for two recipes exactly when they make the same film."""
        return sha256(dumps(asdict(self), sort_keys=True).encode()).hexdigest()
