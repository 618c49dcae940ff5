from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Footage:
    """What a clip holds, by its video track's own table of frames.

    Neither audio nor what the container claims has a part in ``duration_ms``. ``width`` and
    ``height`` are those of the stored picture, which is to be turned clockwise by ``rotation``
    degrees; ``full_range`` pictures use all 256 levels of brightness. ``first_frame_ms`` is the
    time stamp of the first frame.
    """

    duration_ms: int
    frames: int
    keyframes: int
    codec: str
    width: int
    height: int
    has_audio: bool
    rotation: int
    full_range: bool
    first_frame_ms: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is meant to be seen."""
        upright = self.rotation % 180 == 0
        return (self.width, self.height) if upright else (self.height, self.width)
