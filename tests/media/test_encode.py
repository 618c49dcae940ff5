"""What the encoders leave unsaid or unsettled is settled before it is written."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest

from samples.clips import Recipe, shown_numbers
from tests.media.segments import FILM, numbered_clip, rendered, shot_of
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.probe import read_sample_table
from upvs_tasks.media.segment import SegmentJob
from upvs_tasks.media.worker_pool import render_in_worker, stop_all
from upvs_tasks.model.encoding import Codec, film_size


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


@pytest.mark.parametrize("codec", Codec)
def test_the_smallest_film_is_encoded_whole(tmp_path: Path, codec: Codec) -> None:
    """With 20 lines libx265 wrote over the memory behind its own, and the worker died."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20, width=64, height=36))
    width, height = film_size({(34, 20): 1_000})
    for preset in ("ultrafast", "veryslow"):
        encoding = replace(FILM, width=width, height=height, codec=codec, preset=preset)
        job = SegmentJob(encoding, tmp_path / "segment.mp4", (shot_of(clip, range(20)),))
        assert render_in_worker(job).frames == 20
        assert shown_numbers(job.output_path) == list(range(20))
    stop_all()


PROFILES = {
    Codec.H264: {"Constrained Baseline", "Main", "High"},
    Codec.HEVC: {"Main"},
    Codec.AV1: {"Main"},
}


@pytest.mark.parametrize("preset", ["ultrafast", "medium"])
@pytest.mark.parametrize("codec", Codec)
def test_the_best_quality_is_one_that_every_player_shows(
    tmp_path: Path, codec: Codec, preset: str
) -> None:
    """And it is better than others: libsvtav1 takes 0 for no wish at all."""
    clip = detailed_clip(tmp_path / "clip.mp4")
    sizes = []
    for crf in (0, 10):
        encoding = replace(FILM, width=320, height=180, codec=codec, preset=preset, crf=crf)
        segment, _ = rendered(tmp_path, shot_of(clip, range(20)), encoding=encoding)
        sizes.append(segment.stat().st_size)
        with av.open(str(segment)) as container:
            assert len(list(container.decode(video=0))) == 20
            assert container.streams.video[0].codec_context.profile in PROFILES[codec]
    assert sizes[0] > sizes[1]


def detailed_clip(path: Path) -> Path:
    """Clip that is hard to compress."""
    picture = ("-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=10")
    options = ("-frames:v", "20", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-progress", "pipe:1")
    ffmpeg.run((ffmpeg.find_ffmpeg(), *picture, *options, str(path)), partial=path)
    return path
