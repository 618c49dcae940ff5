"""Doubts the marks of an index: is a frame that is marked as a keyframe one that decodes alone?

Some recorders mark every frame, or the wrong ones. The bytes of a frame say what it is: the NAL
units of H.264 (ITU-T H.264, 7.3 and 7.4) and of HEVC (ITU-T H.265, 7.4.2.2). Marks of other codecs
are believed.
"""

from collections.abc import Callable, Iterator

# Units that may stand before the picture (parameters, messages) fit into so many bytes.
INSPECTED_BYTES = 4096

_RECOVERY_POINT = 6
_INTRA_SLICES = frozenset({2, 4, 7, 9})
_HEVC_PICTURES = range(32)
_HEVC_KEYFRAMES = range(16, 24)

DecodesAlone = Callable[[bytes], bool]


def keyframe_check(codec: str, parameters: bytes | None) -> DecodesAlone | None:
    """Function that says of a frame's first `INSPECTED_BYTES` whether it decodes alone.

    None for a codec, or a way of storing, whose marks have to be believed. ``parameters`` are the
    decoder's, as the file has them.
    """
    if not parameters or parameters[0] != 1:
        return None
    if codec == "h264" and len(parameters) > 4:  # noqa: PLR2004  the size of a unit's length follows
        h264_length_bytes = (parameters[4] & 3) + 1
        return lambda begin: _h264_decodes_alone(_units(begin, h264_length_bytes))
    if codec == "hevc" and len(parameters) > 21:  # noqa: PLR2004  likewise
        hevc_length_bytes = (parameters[21] & 3) + 1
        return lambda begin: _hevc_decodes_alone(_units(begin, hevc_length_bytes))
    return None


def _units(begin: bytes, length_bytes: int) -> Iterator[bytes]:
    """The NAL units of a frame; the last one may be cut off."""
    offset = 0
    while offset + length_bytes < len(begin):
        unit_bytes = int.from_bytes(begin[offset : offset + length_bytes])
        offset += length_bytes
        if unit_bytes:
            yield begin[offset : offset + unit_bytes]
        offset += unit_bytes


def _h264_decodes_alone(units: Iterator[bytes]) -> bool:
    for unit in units:
        match unit[0] & 31:
            case 5:  # an instantaneous decoder refresh
                return True
            case 6:  # messages
                frames = _frames_to_recovery(unit[1:])
                if frames is not None:
                    return frames == 0
            case 1:  # any other picture
                bits = _Bits(unit[1:])
                bits.number()  # its first macroblock
                return bits.number() in _INTRA_SLICES
    return True  # the picture begins later than what is inspected


def _frames_to_recovery(messages: bytes) -> int | None:
    """How many frames after this one the picture is right; None where no message says so."""
    offset = 0
    while offset + 1 < len(messages):
        kind, offset = _summed(messages, offset)
        size, offset = _summed(messages, offset)
        if kind == _RECOVERY_POINT:
            return _Bits(messages[offset : offset + size]).number()
        offset += size
    return None


def _summed(messages: bytes, offset: int) -> tuple[int, int]:
    """A number that is written as a sum of bytes, of which all but the last are 255."""
    number = 0
    while offset < len(messages):
        number += messages[offset]
        offset += 1
        if messages[offset - 1] != 255:  # noqa: PLR2004  the highest byte
            break
    return number, offset


def _hevc_decodes_alone(units: Iterator[bytes]) -> bool:
    kinds = (unit[0] >> 1 & 63 for unit in units)
    picture = next((kind for kind in kinds if kind in _HEVC_PICTURES), None)
    return picture is None or picture in _HEVC_KEYFRAMES


class _Bits:
    """Numbers of variable length, the Exp-Golomb code; beyond the last byte all bits are 1."""

    def __init__(self, content: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in content[:16]) + "1"
        self._at = 0

    def number(self) -> int:
        """The next number."""
        one = self._bits.find("1", self._at)
        if one < 0:
            return 0
        zeros = one - self._at
        self._at = one + zeros + 1
        return int(self._bits[one : self._at] or "1", 2) - 1
