"""What is known of a clip."""

from dataclasses import replace

import pytest

from upvs_tasks.model.footage import AS_STORED, Display, Footage

FOOTAGE = Footage(
    duration_ms=10_688,
    frames=321,
    codec="h264",
    width=1920,
    height=1080,
    pixel_format="yuv420p",
    track=0,
    has_b_frames=False,
    has_audio=True,
    display=AS_STORED,
    first_frame_ms=0,
    gaps=(),
)


def test_a_picture_that_lies_on_its_side_is_shown_upright() -> None:
    """Width and height change places at a quarter turn, not at a half one."""
    assert FOOTAGE.shown_size == (1920, 1080)
    assert replace(FOOTAGE, display=Display(rotation=90)).shown_size == (1080, 1920)
    assert replace(FOOTAGE, display=Display(rotation=180)).shown_size == (1920, 1080)


@pytest.mark.parametrize(
    ("stored", "pixel", "rotation", "shown"),
    [
        ((704, 576), (16, 11), 0, (1024, 576)),
        ((704, 480), (10, 11), 0, (704, 528)),
        ((704, 288), (6, 11), 0, (704, 528)),
        ((960, 1080), (2, 1), 0, (1920, 1080)),
        ((704, 576), (16, 11), 90, (576, 1024)),
        ((704, 576), (1, 60_000), 0, (704, 576)),
        ((704, 576), (0, 1), 0, (704, 576)),
        ((704, 576), (1, 0), 0, (704, 576)),
    ],
)
def test_pixels_that_are_not_square_are_shown_as_players_show_them(
    stored: tuple[int, int], pixel: tuple[int, int], rotation: int, shown: tuple[int, int]
) -> None:
    """Sub-streams of third-party cameras; what no camera has is ignored."""
    display = Display(rotation, pixel_width=pixel[0], pixel_height=pixel[1])
    assert display.size_of(*stored) == shown
