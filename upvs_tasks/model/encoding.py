from dataclasses import asdict, dataclass
from enum import StrEnum


class Codec(StrEnum):
    """How the film is compressed."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


@dataclass(frozen=True, slots=True)
class Encoding:
    """What every picture of the film is brought to, and how it is compressed.

    ``width`` and ``height`` are even. ``preset`` and ``crf`` are x264's names and scale, whatever
    the codec.
    """

    width: int
    height: int
    fps: int
    crf: int
    preset: str
    codec: Codec = Codec.H264

    def to_document(self) -> dict[str, object]:
        """The format as plain values, to be kept as JSON."""
        return asdict(self)


def film_size(
    shown_sizes: dict[tuple[int, int], int], height: int | None = None
) -> tuple[int, int]:
    """Size of the film: that of most of the footage, scaled to ``height`` where one is given.

    ``shown_sizes`` says how many ms of footage there are of each width and height; of two sizes
    with as much, the larger one is taken. A film is never larger than that footage.
    """
    width, tall = max(shown_sizes, key=lambda size: (shown_sizes[size], size))
    if height is not None and height < tall:
        width, tall = _ratio(width * height, tall), height
    return max(2, width // 2 * 2), max(2, tall // 2 * 2)


def _ratio(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
