from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """Which bytes a clip's file holds; where it lies does not matter."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FilmRecipe:
    """All that the film's bytes depend on, besides the build of ffmpeg."""

    clips: tuple[ClipIdentity, ...]
    engine: str
    speed_factor: float
    output_frames: int
    output_fps: int
    crf: int
    preset: str

    def digest(self) -> str:
        """The same for two recipes exactly when they make the same film."""
        return sha256(dumps(asdict(self), sort_keys=True).encode()).hexdigest()
