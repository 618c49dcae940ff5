"""Clips with a gap, or with a time stamp that leaps: each frame is found, and shown once."""

from dataclasses import replace
from pathlib import Path

import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from samples.odd_files import leap
from tests.media.segments import rendered, shot_of
from tests.media.test_concat_engine import day_speed
from tests.media.test_concat_engine import rendered as rendered_at_once
from upvs_tasks.media.overlap import repeated_frames
from upvs_tasks.media.probe import survey

KINDS = {
    "plain": (Recipe(frames=40), {}),
    "b frames": (Recipe(frames=40, b_frames=2), {}),
    "hevc": (Recipe(frames=40, codec="libx265"), {}),
    "fragmented": (Recipe(frames=40), {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    "sound": (Recipe(frames=40, audio_secs=4), {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("secs", [20, 3 * 3_600, 3 * 24 * 3_600])
def test_a_leap_is_no_footage_and_no_frame_is_lost(tmp_path: Path, kind: str, secs: int) -> None:
    recipe, options = KINDS[kind]
    clip = make_clip(tmp_path / "clip.mp4", recipe)
    leap(clip, secs, options | {"video_track_timescale": "1000"})  # so that days fit
    footage, table = survey(clip)
    assert (footage.frames, footage.duration_ms) == (40, 4_000)
    (gap,) = footage.gaps
    assert gap.duration_ms == secs * 1_000
    segment, result = rendered(tmp_path, shot_of(clip, range(len(table.ticks))))
    assert not result.damages
    assert shown_numbers(segment) == list(range(40))


@pytest.mark.parametrize("kind", KINDS)
def test_the_single_command_shows_no_still_for_a_gap(tmp_path: Path, kind: str) -> None:
    """The middle one of three clips leaps by three hours."""
    recipe, options = KINDS[kind]
    clips = [
        make_clip(tmp_path / f"clip{number}.mp4", replace(recipe, first_number=1_000 * number))
        for number in range(3)
    ]
    leap(clips[1], 3 * 3_600, options)
    speed = day_speed(clips, 1)
    assert speed.total_duration_ms == 12_000
    numbers = shown_numbers(rendered_at_once(tmp_path, clips, speed))
    assert numbers == sorted(numbers)
    shown = set(numbers)
    assert shown == {1_000 * clip + frame for clip in range(3) for frame in range(40)}
    assert max(numbers.count(number) for number in shown) <= 4


def test_neighbours_of_a_clip_with_a_leap_are_compared_as_ever(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", Recipe(frames=40))
    copy = make_clip(tmp_path / "copy.mp4", Recipe(frames=40))
    leap(clip)
    assert repeated_frames(clip, copy) == repeated_frames(copy, clip) == 40
