"""Hardware may decode where there is some; where there is none, only the log shows it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import pytest
from av.codec.hwaccel import hwdevices_available
from av.video.frame import VideoFrame

from samples.clips import Recipe, frame_number
from tests.media.segments import FILM, numbered_clip, shot_of
from upvs_tasks import documents
from upvs_tasks.media import worker_pool
from upvs_tasks.media.decode import decoded_frames
from upvs_tasks.media.frame_converter import BT709, FrameConverter
from upvs_tasks.media.hwaccel import decoding_device
from upvs_tasks.media.segment import SegmentJob, render_segment
from upvs_tasks.media.worker_pool import render_in_worker
from upvs_tasks.model.encoding import HardwareAcceleration

OUTCOMES = {"hardware decodes", "software decodes"}


@pytest.fixture
def job(tmp_path: Path) -> SegmentJob:
    """Segment of two groups of frames of a clip, to be decoded as this machine can."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    shots = (shot_of(clip, range(3, 17)),)
    return SegmentJob(FILM, tmp_path / "segment.mp4", shots, hwaccel=HardwareAcceleration.AUTO)


def outcomes(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of who decodes."""
    return [record.message for record in caplog.records if record.message in OUTCOMES]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_the_bytes_do_not_depend_on_who_decodes(tmp_path: Path, codec: str) -> None:
    """As this machine can and in software, in a process apart and here."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, codec=codec))
    contents = set()
    for hwaccel in HardwareAcceleration:
        path = tmp_path / f"{hwaccel}.mp4"
        job = SegmentJob(FILM, path, (shot_of(clip, range(1, 40, 2)),), hwaccel=hwaccel)
        for render in (render_in_worker, render_segment):
            assert not render(job).damages
            contents.add(path.read_bytes())
    assert len(contents) == 1


def test_who_decodes_is_logged_once_for_all_processes(
    job: SegmentJob, caplog: pytest.LogCaptureFixture
) -> None:
    worker_pool.stop_all()
    caplog.set_level(logging.INFO)
    jobs = [replace(job, output_path=job.output_path.with_stem(f"s{place}")) for place in range(4)]
    with ThreadPoolExecutor(2) as pool:
        assert [result.frames for result in pool.map(render_in_worker, jobs)] == [14] * 4
    worker_pool.stop_all()
    assert len(outcomes(caplog)) == 1


def test_nothing_is_tried_or_logged_where_hardware_is_not_asked_for(
    job: SegmentJob, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    worker_pool.stop_all()
    render_in_worker(replace(job, hwaccel=HardwareAcceleration.OFF))
    assert decoding_device(HardwareAcceleration.OFF) is None
    assert not outcomes(caplog)


def test_hardware_is_off_unless_asked_for(job: SegmentJob) -> None:
    assert SegmentJob(job.encoding, job.output_path, job.shots).hwaccel is HardwareAcceleration.OFF


def test_another_process_gets_to_know_who_may_decode(job: SegmentJob) -> None:
    assert documents.from_document(documents.to_document(job), SegmentJob) == job


@pytest.mark.parametrize("device", hwdevices_available())
def test_what_a_device_cannot_decode_software_does(tmp_path: Path, device: str) -> None:
    """Devices that libav was built for; few machines have any, and none has all of them."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    frames = decoded_frames(clip, shot_of(clip, [0, 7, 7, 13]).requests, device=device)
    assert [frame.picture and frame_number(frame.picture) for frame in frames] == [0, 7, 7, 13]


@pytest.mark.parametrize("device", hwdevices_available())
def test_what_software_cannot_decode_either_is_damaged(tmp_path: Path, device: str) -> None:
    """The second group of frames is gone, the third is not lost with it."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=30, gop=10))
    requests = shot_of(clip, [0, 9, 15, 25]).requests
    _destroy(clip, requests[2].keyframe_ticks or 0)
    frames = [
        (frame.picture and frame_number(frame.picture), frame.is_whole)
        for frame in decoded_frames(clip, requests, device=device)
    ]
    assert [*frames[:2], frames[3]] == [(0, True), (9, True), (25, True)]
    assert not frames[2][1]


def test_a_frame_as_hardware_stores_it_is_the_same_frame() -> None:
    """NV12 has the samples of 4:2:0, those of colour side by side."""
    frame = VideoFrame(FILM.width, FILM.height, "yuv420p")
    for number, plane in enumerate(frame.planes):
        plane.update(bytes(16 + (7 * at + number) % 219 for at in range(plane.buffer_size)))
    given = frame.reformat(format="nv12")
    given.colorspace = BT709
    stored = FrameConverter(FILM).converted(given)
    assert stored.format.name == "yuv420p"
    assert _samples(stored) == _samples(frame)


def _destroy(clip: Path, ticks: int) -> None:
    """Overwrite the frame of a time stamp."""
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts == ticks]
        (start,), (size,) = ([packet.pos for packet in packets], [one.size for one in packets])
    assert start is not None
    content = bytearray(clip.read_bytes())
    content[start : start + size] = bytes([0xFF]) * size
    clip.write_bytes(content)


def _samples(frame: VideoFrame) -> list[bytes]:
    """Visible samples of each plane, row by row."""
    return [
        bytes(plane)[row * plane.line_size :][: plane.width]
        for plane in frame.planes
        for row in range(plane.height)
    ]
