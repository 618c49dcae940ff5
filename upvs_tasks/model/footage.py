from dataclasses import dataclass

from upvs_tasks.model.recorded_time import Gap


@dataclass(frozen=True, slots=True)
class Footage:
    """What a clip holds, measured from the table of frames of its video track.

    ``duration_ms`` is that of the video alone, whatever the audio or the container says, without
    its ``gaps``. ``width`` and ``height`` are those of the stored frames. Players mirror them left
    to right if the clip ``is_mirrored``, then turn them clockwise by ``rotation`` degrees.
    ``first_frame_ms`` is the time stamp of the first frame.
    """

    duration_ms: int
    frames: int
    codec: str
    width: int
    height: int
    has_audio: bool
    rotation: int
    first_frame_ms: int
    gaps: tuple[Gap, ...] = ()
    is_mirrored: bool = False

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of a frame as players show it."""
        upright = self.rotation % 180 == 0
        return (self.width, self.height) if upright else (self.height, self.width)
