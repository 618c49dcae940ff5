"""What the encoders leave unsaid or unsettled is settled before it is written."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest

from samples.clips import Recipe, shown_numbers
from tests.media.segments import FILM, numbered_clip, rendered, shot_of
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.media.segment import SegmentJob
from upvs_tasks.media.worker_pool import render_in_worker, stop_all
from upvs_tasks.model.encoding import Codec


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_segment_may_be_as_short_as_a_frame(tmp_path: Path, codec: Codec, length: int) -> None:
    """After others in the same process, which leave the memory as nobody would expect it."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40))
    h264 = replace(FILM, preset="veryfast")
    for encoding in (h264, replace(h264, codec=codec)):
        for count in (40, length):
            segment, result = rendered(tmp_path, shot_of(clip, range(count)), encoding=encoding)
            assert result.frames == count
    assert shown_numbers(segment) == list(range(length))
    with av.open(str(segment)) as container:
        stored = [packet.dts or 0 for packet in container.demux(video=0) if packet.size]
    assert {after - at for at, after in pairwise(stored)} <= {512}
    assert read_sample_table(segment).ticks == tuple(range(0, 512 * length, 512))


@pytest.mark.parametrize("width", [160, 192, 480, 720])
def test_the_bytes_do_not_depend_on_what_the_memory_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """With glibc, the variable fills whatever memory a program is given."""
    encoding = replace(FILM, width=width, height=width * 9 // 16 // 2 * 2, preset="medium")
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=30, width=width, height=encoding.height))
    contents = []
    for filling in ("1", "170"):
        stop_all()  # a process that was kept has the environment of before
        monkeypatch.setenv("MALLOC_PERTURB_", filling)
        job = SegmentJob(encoding, tmp_path / f"{filling}.mp4", (shot_of(clip, range(0, 30, 2)),))
        render_in_worker(job)
        contents.append(job.output_path.read_bytes())
    assert contents[0] == contents[1]
    stop_all()
