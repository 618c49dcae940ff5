"""Converts frames of any size, shape and pixel format to the film's."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import av.filter
from av.video.frame import VideoFrame

from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.footage import AS_STORED, Display

BT709 = 1  # in libav its number as matrix, and as primaries and transfer characteristic
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_MATRICES = {
    BT709: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
# Without a matrix, players take BT.601 for smaller frames: so it was for standard definition.
_STANDARD_DEFINITION = (1280, 576)
# The last two make different processors round alike.
_SCALER = "bicubic+accurate_rnd+full_chroma_int+bitexact"
_TURNS = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
# Codecs crop sizes to multiples of 2, 8 or 16; so small a difference is no reason for black bars.
_TOLERATED_STRETCH = Fraction(102, 100)

_Conversion = Callable[[VideoFrame], VideoFrame]


class _FrameKind(NamedTuple):
    """All that decides how a frame is converted."""

    width: int
    height: int
    pixel_format: str
    is_full_range: bool
    matrix: str
    display: Display


class FrameConverter:
    """Converts frames to the film's size, upright and undistorted, 4:2:0 in limited range.

    A frame of another shape gets black bars. A frame that needs no conversion is returned as it is.
    Colours with another matrix than BT.709 are converted. Those without a matrix count as BT.709,
    or as BT.601 in standard definition.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._conversions: dict[_FrameKind, _Conversion] = {}

    def converted(self, frame: VideoFrame, display: Display = AS_STORED) -> VideoFrame:
        """The frame as the film needs it."""
        kind = _FrameKind(
            frame.width,
            frame.height,
            frame.format.name,
            frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"),
            _MATRICES.get(frame.colorspace) or _unsaid_matrix(frame),
            display,
        )
        if kind not in self._conversions:
            self._conversions[kind] = _conversion(kind, self._encoding)
        return self._conversions[kind](frame)


def _unsaid_matrix(frame: VideoFrame) -> str:
    most_width, most_height = _STANDARD_DEFINITION
    is_standard = frame.width < most_width and frame.height <= most_height
    return "bt601" if is_standard else "bt709"


def _conversion(kind: _FrameKind, encoding: Encoding) -> _Conversion:
    plain = _FrameKind(encoding.width, encoding.height, "yuv420p", False, "bt709", AS_STORED)  # noqa: FBT003
    if kind == plain:
        return lambda frame: frame
    graph = av.filter.Graph()
    graph.threads = 1
    node = graph.add(
        "buffer",
        f"video_size={kind.width}x{kind.height}:pix_fmt={kind.pixel_format}:time_base=1/1:"
        f"colorspace={'bt709' if kind.matrix == 'bt709' else 'unknown'}:"
        f"range={'pc' if kind.is_full_range else 'tv'}",
    )
    for description in _filter_chain(kind, encoding):
        name, _, options = description.partition("=")
        after = graph.add(name, options or None)
        node.link_to(after)
        node = after
    sink = graph.add("buffersink")
    node.link_to(sink)
    graph.configure()

    def convert(frame: VideoFrame) -> VideoFrame:
        frame.color_range = _FULL_RANGE if kind.is_full_range else 1
        graph.vpush(frame)
        return graph.vpull()

    return convert


def _filter_chain(kind: _FrameKind, encoding: Encoding) -> tuple[str, ...]:
    """Filters of libavfilter, each with its options, that convert such a frame to the film's."""
    turn = _TURNS.get(kind.display.rotation, "")
    width, height = _inner_size(kind, encoding)
    levels = f"in_range={'pc' if kind.is_full_range else 'tv'}:out_range=tv"
    if kind.pixel_format.startswith("gray") and not kind.is_full_range:
        levels = "in_range=pc:out_range=pc"  # libswscale takes all greys for full range
    matrices = f"in_color_matrix={kind.matrix}:out_color_matrix=bt709"
    chain = ["hflip"] if kind.display.is_mirrored else []
    chain += turn.split(",") if turn else []
    chain.append(f"scale={width}:{height}:flags={_SCALER}:{levels}:{matrices}")
    chain.append("format=yuv420p")
    if (width, height) != (encoding.width, encoding.height):
        left, top = (encoding.width - width) // 4 * 2, (encoding.height - height) // 4 * 2
        chain.append(f"pad={encoding.width}:{encoding.height}:{left}:{top}")
    return tuple(chain)


def _inner_size(kind: _FrameKind, encoding: Encoding) -> tuple[int, int]:
    """Even width and height of the frame within the film's, without the black bars."""
    shape = kind.display.shape_of(kind.width, kind.height)
    film_shape = Fraction(encoding.width, encoding.height)
    if 1 / _TOLERATED_STRETCH <= shape / film_shape <= _TOLERATED_STRETCH:
        return encoding.width, encoding.height
    if shape < film_shape:
        return max(2, round(encoding.height * shape / 2) * 2), encoding.height
    return encoding.width, max(2, round(encoding.width / shape / 2) * 2)
