from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Footage:
    """What a clip holds, by its video track's own table of frames.

    Neither audio nor what the container claims has a part in ``duration_ms``. ``width`` and
    ``height`` are those of the stored picture, which is to be turned clockwise by ``rotation``
    degrees; ``full_range`` pictures use all 256 levels of brightness. ``first_frame_ms`` is the
    time stamp of the first frame; ``longest_gap_ms`` the longest time that one frame stays on
    screen; ``keyframe_interval_ms`` the longest time from one keyframe to the next, or the end.
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
    longest_gap_ms: int
    keyframe_interval_ms: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is meant to be seen."""
        upright = self.rotation % 180 == 0
        return (self.width, self.height) if upright else (self.height, self.width)

    def to_document(self) -> dict[str, object]:
        """Facts as plain values, to be kept as JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: object) -> "Footage | None":
        """Footage that `to_document` gave, or None when the document has another shape."""
        if not isinstance(document, dict) or set(document) != {item.name for item in fields(cls)}:
            return None
        if any(type(document[item.name]) is not item.type for item in fields(cls)):
            return None
        return cls(**document)
