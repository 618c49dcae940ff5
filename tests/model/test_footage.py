"""What is known of a clip."""

from dataclasses import replace

from upvs_tasks.model.footage import Footage

FOOTAGE = Footage(
    duration_ms=10_688,
    frames=321,
    codec="h264",
    width=1920,
    height=1080,
    has_audio=True,
    rotation=0,
    first_frame_ms=0,
    gaps=(),
)


def test_a_picture_that_lies_on_its_side_is_shown_upright() -> None:
    """Width and height change places at a quarter turn, not at a half one."""
    assert FOOTAGE.shown_size == (1920, 1080)
    assert replace(FOOTAGE, rotation=90).shown_size == (1080, 1920)
    assert replace(FOOTAGE, rotation=180).shown_size == (1920, 1080)
