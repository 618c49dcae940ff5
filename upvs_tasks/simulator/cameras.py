"""The cameras of the simulated console and the formats in which they record."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

SHIPPED_RECORDING_START_MS = 1_701_406_800_000  # 2023-12-01 00:00 in New York


class VideoCodec(StrEnum):
    """How a camera compresses its pictures."""

    H264 = "h264"
    HEVC = "hevc"


class Audio(StrEnum):
    """The sound of an export."""

    NONE = "none"
    AAC = "aac"
    AAC_LONGER = "aac_longer"  # continues for three seconds after the last picture


@dataclass(frozen=True, slots=True)
class FootageFormat:
    """The technical form of a recording.

    ``rotation_degrees`` (0, 90, 180, 270) is the clockwise turn that a player has to make.
    ``uneven`` varies the time between frames: some cameras change their rate with the light.
    ``quality_loss`` is added to the rate factor (CRF) of the encoder.
    """

    width: int = 640
    height: int = 360
    fps: int = 15
    codec: VideoCodec = VideoCodec.H264
    keyframe_secs: int = 5
    audio: Audio = Audio.NONE
    audio_first: bool = False
    full_range: bool = False
    rotation_degrees: int = 0
    uneven: bool = False
    quality_loss: int = 0


@dataclass(frozen=True, slots=True)
class FormatSpan:
    """A span of time that is kept in another format."""

    start_ms: int
    end_ms: int
    footage: FootageFormat


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """A camera as the console knows it.

    An export that begins in one of the ``spans`` has that span's format, not ``footage``.
    ``gaps`` are (start, end) pairs in Unix ms: nothing was recorded there, nor after
    ``recording_end_ms``. Keyframes are at multiples of the keyframe interval since 1970, plus
    ``keyframe_phase_ms``. ``extra`` are fields of its description that differ.
    """

    camera_id: str
    name: str | None
    mac: str
    kind: str = "UVC G4 Pro"
    footage: FootageFormat = field(default_factory=FootageFormat)
    spans: tuple[FormatSpan, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    recording_mode: str = "always"
    recording_start_ms: int = SHIPPED_RECORDING_START_MS
    recording_end_ms: int | None = None
    keyframe_phase_ms: int = 0
    is_adopted: bool = True
    padding_secs: tuple[int, int] = (2, 2)
    extra: tuple[tuple[str, object], ...] = ()

    def format_at(self, instant_ms: int) -> FootageFormat:
        """Return the format of footage recorded at this instant."""
        for span in self.spans:
            if span.start_ms <= instant_ms < span.end_ms:
                return span.footage
        return self.footage

    def is_recorded_at(self, instant_ms: int) -> bool:
        """Return whether there is footage of this instant, once it is in the past."""
        if self.recording_end_ms is not None and instant_ms >= self.recording_end_ms:
            return False
        return instant_ms >= self.recording_start_ms and not any(
            start_ms <= instant_ms < end_ms for start_ms, end_ms in self.gaps
        )


FRONT_DOOR = SimulatedCamera("65a0f1c2d3e4b50387000001", "Front Door", "E063DA000001")
DRIVEWAY = SimulatedCamera(
    "65a0f1c2d3e4b50387000002",
    "Driveway",
    "E063DA000002",
    kind="UVC G5 Bullet",
    footage=FootageFormat(audio=Audio.AAC),
    keyframe_phase_ms=1_700,
)
GARAGE = SimulatedCamera(
    "65a0f1c2d3e4b50387000003", "Garage", "E063DA000003", keyframe_phase_ms=2_300
)
GARAGE_AGAIN = SimulatedCamera(
    "65a0f1c2d3e4b50387000004", "garage", "E063DA000004", keyframe_phase_ms=3_100
)
YARD = SimulatedCamera(
    "65a0f1c2d3e4b50387000005", 'Yard / Back: "A"*?', "E063DA000005", keyframe_phase_ms=400
)
SPARROW = SimulatedCamera(
    "65a0f1c2d3e4b50387000006",
    "Sparrow",
    "E063DA000006",
    kind="UVC G3 Instant",
    footage=FootageFormat(width=160, height=90, fps=2),
    keyframe_phase_ms=900,
)
UNADOPTED = replace(
    SimulatedCamera("65a0f1c2d3e4b50387000007", None, "E063DA000007"), is_adopted=False
)
SHIPPED_CAMERAS = (FRONT_DOOR, DRIVEWAY, GARAGE, GARAGE_AGAIN, YARD, SPARROW, UNADOPTED)
