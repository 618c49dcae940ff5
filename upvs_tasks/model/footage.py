from dataclasses import dataclass
from fractions import Fraction

from upvs_tasks.model.recorded_time import Gap

# No camera has pixels as narrow, or as wide, as that; whatever claims so is ignored.
_MOST_UNEQUAL = 4


@dataclass(frozen=True, slots=True)
class Display:
    """How players show the stored frames of a clip.

    A pixel is as wide and as high as ``pixel_width`` and ``pixel_height`` say, one of them to the
    other. The frames are mirrored left to right if they are ``is_mirrored``, then turned clockwise
    by ``rotation``: 0, 90, 180 or 270 degrees.
    """

    rotation: int = 0
    is_mirrored: bool = False
    pixel_width: int = 1
    pixel_height: int = 1

    @property
    def pixel_shape(self) -> Fraction:
        """Width of a pixel divided by its height."""
        shape = Fraction(max(0, self.pixel_width), max(1, self.pixel_height))
        return shape if Fraction(1, _MOST_UNEQUAL) <= shape <= _MOST_UNEQUAL else Fraction(1)

    def shape_of(self, width: int, height: int) -> Fraction:
        """Width of a frame as players show it, divided by its height."""
        shape = Fraction(width, height) * self.pixel_shape
        return 1 / shape if self.rotation % 180 else shape

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a frame as players show it; no pixel is made smaller."""
        shape = self.pixel_shape
        if shape > 1:
            width = round(width * shape)
        else:
            height = round(height / shape)
        return (height, width) if self.rotation % 180 else (width, height)


AS_STORED = Display()


@dataclass(frozen=True, slots=True)
class Footage:
    """What a clip holds, measured from the table of frames of its video track.

    ``duration_ms`` is that of the video alone, whatever the audio or the container says, without
    its ``gaps``. ``width`` and ``height`` are those of the stored frames, ``pixel_format`` is
    libav's name of how. ``track`` is the place of the video among the tracks of the file. With B
    frames, frames are stored in another order than they are shown in. ``first_frame_ms`` is the
    time stamp of the first frame.
    """

    duration_ms: int
    frames: int
    codec: str
    width: int
    height: int
    pixel_format: str
    track: int
    has_b_frames: bool
    has_audio: bool
    display: Display
    first_frame_ms: int
    gaps: tuple[Gap, ...]

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of a frame as players show it."""
        return self.display.size_of(self.width, self.height)
