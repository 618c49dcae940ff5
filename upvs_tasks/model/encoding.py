"""How the film is rendered."""

from dataclasses import dataclass
from enum import StrEnum

# libx265 writes beyond its memory where a film has fewer lines than its largest block.
SMALLEST_SIDE = 64
LARGEST_HEIGHT = 4320
# x264's names, from the fastest to the slowest.
PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)


class Codec(StrEnum):
    """How the film is compressed."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


class Engine(StrEnum):
    """How the film is made: in segments, or by one command over all clips."""

    SEGMENTS = "segments"
    CONCAT = "concat"


class HardwareAcceleration(StrEnum):
    """Whether hardware decodes: where there is some, or never."""

    OFF = "off"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Encoding:
    """The size and the rate of the film's frames, and how they are compressed.

    All that an encoder is set to is here, and all of it enters every digest. ``width`` and
    ``height`` are even. ``preset`` and ``crf`` are x264's names and scale, whatever the codec.
    """

    width: int
    height: int
    fps: int
    crf: int
    preset: str
    codec: Codec = Codec.H264


def film_size(
    shown_sizes: dict[tuple[int, int], int], height: int | None = None
) -> tuple[int, int]:
    """Size of the film: that of most of the footage, scaled to ``height`` where one is given.

    ``shown_sizes`` says how many ms of footage there are of each width and height; of two sizes
    with as much, the larger one is taken. A film is never larger than that footage, but where that
    has a side shorter than `SMALLEST_SIDE`: it is scaled up, and bars make up for an odd shape.
    """
    width, tall = max(shown_sizes, key=lambda size: (shown_sizes[size], size))
    if height is not None and height < tall:
        width, tall = _ratio(width * height, tall), height
    shorter, longer = sorted((width, tall))
    if shorter < SMALLEST_SIDE and longer * SMALLEST_SIDE <= shorter * LARGEST_HEIGHT:
        width, tall = (_ratio(side * SMALLEST_SIDE, shorter) for side in (width, tall))
    return max(SMALLEST_SIDE, width // 2 * 2), max(SMALLEST_SIDE, tall // 2 * 2)


def _ratio(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
