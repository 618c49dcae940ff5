from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps

from upvs_tasks.model.encoding import Encoding, Engine


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """Which bytes a clip's file holds; its place does not matter."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FilmFingerprint:
    """All that the film's bytes depend on, besides the build of ffmpeg."""

    clips: tuple[ClipIdentity, ...]
    engine: Engine
    speed_factor: float
    output_frames: int
    by_clock: bool
    encoding: Encoding

    def digest(self) -> str:
        """The same for two fingerprints exactly when they are equal."""
        return sha256(dumps(asdict(self), sort_keys=True).encode()).hexdigest()
