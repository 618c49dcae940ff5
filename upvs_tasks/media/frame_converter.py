"""Brings pictures of any size, shape and kind to the film's."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import av.filter
from av.video.frame import VideoFrame

from upvs_tasks.model.encoding import Encoding

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_BT709 = 1  # AVCOL_SPC_BT709
_MATRICES = {_BT709: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}
_PLAIN_FORMATS = frozenset({"yuv420p", "yuvj420p"})
# The last two keep the vector units of different processors from rounding differently.
_SCALER = "bicubic+accurate_rnd+full_chroma_int+bitexact"
_TURNS = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
# Coded sizes are multiples of 2, 8 or 16: what is cropped for that is no reason for black bars.
_TOLERATED_STRETCH = Fraction(102, 100)

_Conversion = Callable[[VideoFrame], VideoFrame]


class _Kind(NamedTuple):
    width: int
    height: int
    pixel_format: str
    is_full_range: bool
    matrix: str
    rotation: int


class FrameConverter:
    """Brings pictures to the film's size, upright and undistorted, 4:2:0 in limited range.

    What has another shape is set between black bars. What already is as it should be is handed on
    untouched. Colours that claim another matrix than BT.709 are converted; those that claim none
    are taken as they are.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._conversions: dict[_Kind, _Conversion] = {}

    def fitted(self, frame: VideoFrame, rotation: int) -> VideoFrame:
        """The picture turned clockwise by ``rotation`` degrees and brought to the film's format."""
        kind = _Kind(
            frame.width,
            frame.height,
            frame.format.name,
            frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"),
            _MATRICES.get(frame.colorspace, "bt709"),
            rotation,
        )
        if kind not in self._conversions:
            self._conversions[kind] = _conversion(kind, self._encoding)
        return self._conversions[kind](frame)


def _conversion(kind: _Kind, encoding: Encoding) -> _Conversion:
    plain = _Kind(encoding.width, encoding.height, "yuv420p", False, "bt709", 0)  # noqa: FBT003
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
    for description in filter_chain(kind, encoding):
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


def filter_chain(kind: _Kind, encoding: Encoding) -> tuple[str, ...]:
    """Filters of libavfilter, each with its options, that bring a kind of picture to the film's."""
    turn = _TURNS.get(kind.rotation, "")
    width, height = inner_size(kind, encoding)
    levels = f"in_range={'pc' if kind.is_full_range else 'tv'}:out_range=tv"
    matrices = f"in_color_matrix={kind.matrix}:out_color_matrix=bt709"
    chain = [*turn.split(",")] if turn else []
    chain.append(f"scale={width}:{height}:flags={_SCALER}:{levels}:{matrices}")
    chain.append("format=yuv420p")
    if (width, height) != (encoding.width, encoding.height):
        left, top = (encoding.width - width) // 4 * 2, (encoding.height - height) // 4 * 2
        chain.append(f"pad={encoding.width}:{encoding.height}:{left}:{top}")
    return tuple(chain)


def inner_size(kind: _Kind, encoding: Encoding) -> tuple[int, int]:
    """Even width and height that the picture takes of the film's."""
    shape = Fraction(kind.width, kind.height)
    if kind.rotation % 180:
        shape = 1 / shape
    film_shape = Fraction(encoding.width, encoding.height)
    if 1 / _TOLERATED_STRETCH <= shape / film_shape <= _TOLERATED_STRETCH:
        return encoding.width, encoding.height
    if shape < film_shape:
        return max(2, round(encoding.height * shape / 2) * 2), encoding.height
    return encoding.width, max(2, round(encoding.width / shape / 2) * 2)
