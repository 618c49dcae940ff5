"""The single command refuses what it would film wrongly, and nothing else."""

from dataclasses import replace
from fractions import Fraction

import pytest

from upvs_tasks.errors import UsageError
from upvs_tasks.model.concat_limits import ListedClip, check_listed
from upvs_tasks.model.footage import AS_STORED, Display, Footage
from upvs_tasks.model.recorded_time import Gap

FOOTAGE = Footage(
    duration_ms=10_000,
    frames=150,
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
CLIP = ListedClip("clip1", FOOTAGE, Fraction(1, 90_000))
GAP = Gap(4_000, 40_000)


def clip(**changes: object) -> ListedClip:
    """A second clip, which differs from the first in this."""
    changed = replace(FOOTAGE, **changes)  # type: ignore[arg-type]  # fields by name
    return replace(CLIP, name="clip2", footage=changed)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (clip(codec="hevc"), r"clip2 has another codec than clip1 \(hevc, not h264\)"),
        (clip(width=1280), r"another size than clip1 \(1280x1080, not 1920x1080\)"),
        (clip(pixel_format="yuvj420p"), r"another pixel format .*\(yuvj420p, not yuv420p\)"),
        (clip(display=Display(rotation=180)), "another orientation or pixel shape"),
        (clip(display=Display(pixel_width=2)), "another orientation or pixel shape"),
        (clip(track=1), "another order of tracks"),
        (replace(clip(), tick_secs=Fraction(1, 12_800)), "another unit of time"),
        (replace(clip(), is_longer_than_asked=True), "clip2 is longer than what was asked for"),
        (clip(gaps=(GAP,), has_b_frames=True), "clip2 has a gap, and B frames"),
    ],
)
def test_what_ffmpeg_cannot_list_is_refused_in_a_sentence(other: ListedClip, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        check_listed([CLIP, CLIP, other, CLIP])
    assert str(caught.value).endswith("; engine=segments can film them")


@pytest.mark.parametrize(
    "other",
    [
        clip(),
        clip(frames=7, duration_ms=700, first_frame_ms=5_000),
        clip(has_audio=False),
        clip(gaps=(GAP,)),
        clip(has_b_frames=True),
    ],
)
def test_what_ffmpeg_can_list_is_not_refused(other: ListedClip) -> None:
    check_listed([CLIP, other])
    check_listed([])
