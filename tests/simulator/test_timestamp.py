"""The instant that a frame shows can be read after everything that a timelapse does to it."""

from fractions import Fraction

import av
import pytest

from tests.simulator.browser import instant_of
from upvs_tasks.simulator import FRONT_DOOR, read_blocks
from upvs_tasks.simulator.footage import camera_view, pictures
from upvs_tasks.simulator.picture import Picture
from upvs_tasks.simulator.timestamp import draw_blocks

INSTANTS = tuple(range(1_705_322_400_000, 1_705_322_405_000, 777))


def drawn(width: int, height: int) -> list[tuple[int, av.VideoFrame]]:
    """Return pictures of the front door at this size, each with its instant."""
    view = camera_view(FRONT_DOOR, FRONT_DOOR.footage, "America/New_York")
    return [
        (instant_ms, framed(picture).reformat(width, height))
        for instant_ms, picture in zip(INSTANTS, pictures(view, INSTANTS), strict=True)
    ]


def framed(picture: Picture) -> av.VideoFrame:
    """Return a picture as a frame."""
    frame = av.VideoFrame(picture.width, picture.height, "yuv420p")
    planes = (picture.luma, picture.blue, picture.red)
    for plane, content in zip(frame.planes, planes, strict=True):
        plane.update(bytes(content))
    return frame


def recoded(frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
    """Return the frames after they were encoded at CRF 23 and decoded."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = frames[0].width, frames[0].height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"crf": "23", "preset": "medium", "x264-params": "threads=1"}
    packets = []
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, 30)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    return [frame for packet in [*packets, None] for frame in decoder.decode(packet)]


@pytest.mark.parametrize(
    "size", [(640, 360), (1920, 1080), (1280, 720), (320, 180), (160, 90), (426, 240), (640, 480)]
)
def test_blocks_are_read_after_scaling_and_recompression(size: tuple[int, int]) -> None:
    originals = drawn(*size)
    frames = recoded([frame for _, frame in originals])
    assert [instant_of(frame) for frame in frames] == list(INSTANTS)


def test_blocks_are_read_between_black_bars() -> None:
    for width, height, left, top in ((640, 480, 0, 60), (800, 360, 80, 0)):
        for instant_ms, frame in drawn(640, 360):
            luma = bytearray(b"\x10" * (width * height))
            plane = bytes(frame.planes[0])
            for row in range(360):
                place = (row + top) * width + left
                luma[place : place + 640] = plane[row * 640 : row * 640 + 640]
            assert read_blocks(bytes(luma), width, height, width) == instant_ms


def test_a_damaged_block_gives_no_instant() -> None:
    luma = bytearray(640 * 360)
    draw_blocks(luma, 640, 360, INSTANTS[0])
    assert read_blocks(bytes(luma), 640, 360, 640) == INSTANTS[0]
    for row in range(320, 340):
        start = row * 640 + 31 * 20
        luma[start : start + 20] = bytes(255 - value for value in luma[start : start + 20])
    assert read_blocks(bytes(luma), 640, 360, 640) is None


@pytest.mark.parametrize("grey", [0, 16, 128, 235, 255])
def test_a_picture_of_one_grey_shows_no_instant(grey: int) -> None:
    assert read_blocks(bytes([grey]) * (640 * 360), 640, 360, 640) is None


def test_padding_at_the_end_of_lines_is_ignored() -> None:
    luma = bytearray(160 * 90)
    draw_blocks(luma, 160, 90, INSTANTS[1])
    padded = b"".join(bytes(luma[row * 160 : row * 160 + 160]) + b"\xff" * 32 for row in range(90))
    assert read_blocks(padded, 160, 90, 192) == INSTANTS[1]
