"""Where a segment ends and the next begins, the film looks as if it had been made in one piece."""

import random
from collections.abc import Sequence
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame

from upvs_tasks.media.encode import SegmentWriter
from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.plan import FRAMES_PER_SEGMENT

WIDTH, HEIGHT = 96, 64
_RANDOM = random.Random(7)  # noqa: S311  the same each time
TEXTURE = [bytes(_RANDOM.choices((60, 90, 120, 150), k=256)) for _ in range(HEIGHT)]


def seen(number: int) -> VideoFrame:
    """Squares that pass slowly, in the noise of a camera at dusk."""
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    noise = random.Random(number).randbytes(WIDTH * HEIGHT)  # noqa: S311  likewise
    luma = bytearray()
    for y in range(HEIGHT):
        squares = TEXTURE[y // 5]
        shown = (squares[(x + number // 3) // 5] for x in range(WIDTH))
        grains = noise[y * WIDTH : (y + 1) * WIDTH]
        row = bytes(level + grain % 21 for level, grain in zip(shown, grains, strict=True))
        luma += row.ljust(frame.planes[0].line_size, b"\0")
    frame.planes[0].update(bytes(luma))
    for plane in frame.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    return frame


def spent_on(path: Path, codec: Codec, numbers: Sequence[int]) -> list[int]:
    """Bytes of each frame of a segment, in the order in which they are shown."""
    with SegmentWriter(path, Encoding(WIDTH, HEIGHT, 30, 23, "medium", codec)) as writer:
        for number in numbers:
            writer.write(seen(number))
    with av.open(str(path)) as container:
        shown = [(packet.pts or 0, packet.size) for packet in container.demux(video=0)]
    return [size for _, size in sorted(shown) if size]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC])
def test_the_last_frames_get_as_much_as_if_the_film_went_on(tmp_path: Path, codec: Codec) -> None:
    """An encoder that sees no more than them gives them a third to a half of it."""
    ends, goes_on = (spent_on(tmp_path / "film.mp4", codec, range(count)) for count in (50, 100))
    assert 0.7 < sum(ends[40:50]) / sum(goes_on[40:50]) < 1.2


def test_the_first_frame_gets_as_much_as_a_keyframe_in_mid_film(tmp_path: Path) -> None:
    """An encoder left to itself gives less to the first of all."""
    first = FRAMES_PER_SEGMENT
    both = spent_on(tmp_path / "both.mp4", Codec.H264, range(first + 50))
    second = spent_on(tmp_path / "second.mp4", Codec.H264, range(first, first + 50))
    assert 0.97 < second[0] / both[first] < 1.03


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_even_a_tiny_segment_is_whole(tmp_path: Path, codec: Codec, count: int) -> None:
    """What the encoder is shown beyond its end is not in it."""
    path = tmp_path / "tiny.mp4"
    assert len(spent_on(path, codec, range(count))) == count
    with av.open(str(path)) as container:
        assert [frame.pts for frame in container.decode(video=0)] == [
            512 * place for place in range(count)
        ]
