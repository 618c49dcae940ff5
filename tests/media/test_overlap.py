"""What two exports of one recording share is found by their bytes."""

from pathlib import Path

import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from upvs_tasks.media.overlap import repeated_frames
from upvs_tasks.media.probe import read_sample_table


def cut(recording: Path, path: Path, first: int, last: int) -> Path:
    """Export of a recording: its packets from one frame up to, without, another."""
    import av  # noqa: PLC0415  only to copy them

    with av.open(str(recording)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        start = min(packet.pts or 0 for packet in packets[first:last])
        for packet in packets[first:last]:
            assert packet.pts is not None
            assert packet.dts is not None
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
            packet.stream = copy
            target.mux(packet)
    return path


@pytest.mark.parametrize(
    ("end", "start", "shared"),
    [(37, 30, 7), (37, 10, 27), (31, 30, 1), (30, 30, 0), (30, 40, 0), (40, 10, 30)],
)
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_shared_frames_are_counted(
    tmp_path: Path, codec: str, end: int, start: int, shared: int
) -> None:
    recording = make_clip(tmp_path / "recording.mp4", Recipe(frames=60, codec=codec))
    before = cut(recording, tmp_path / "before.mp4", 0, end)
    after = cut(recording, tmp_path / "after.mp4", start, 60)
    assert repeated_frames(before, after) == shared
    assert shown_numbers(after)[shared:] == list(range(max(start, end), 60))


def test_with_b_frames_nothing_is_counted_that_is_not_shared(tmp_path: Path) -> None:
    """The order in which frames are stored is not that in which they are shown."""
    recording = make_clip(tmp_path / "recording.mp4", Recipe(frames=90, gop=30, b_frames=2))
    before = cut(recording, tmp_path / "before.mp4", 0, 58)
    after = cut(recording, tmp_path / "after.mp4", 30, 90)
    assert 0 < repeated_frames(before, after) <= 28


def test_recordings_that_only_look_alike_share_nothing(tmp_path: Path) -> None:
    """The same picture throughout, other numbers in it: sizes may agree, bytes do not."""
    one = make_clip(tmp_path / "one.mp4", Recipe(frames=20, first_number=0x1111))
    two = make_clip(tmp_path / "two.mp4", Recipe(frames=20, first_number=0x2222))
    assert repeated_frames(one, two) == 0


def test_a_clip_repeats_all_of_itself(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", Recipe(frames=20))
    assert repeated_frames(clip, clip) == len(read_sample_table(clip).ticks)
