"""As many workers at once as memory bears."""

from dataclasses import replace

import pytest

from upvs_tasks.model.encoding import PRESETS, Codec, Encoding
from upvs_tasks.model.memory import WorkerMemory, worker_bytes

FULL_HD = Encoding(1920, 1080, 30, 23, "medium")
ULTRA_HD = replace(FULL_HD, width=3840, height=2160)
MB, GB = 1 << 20, 1 << 30
# Measured: the peak of a worker that renders 40 to 90 frames from clips of the size of the film.
MEASURED_MB = {
    (640, 360, "h264", "medium"): 98,
    (1280, 720, "h264", "ultrafast"): 72,
    (1280, 720, "h264", "slower"): 308,
    (1920, 1080, "h264", "ultrafast"): 100,
    (1920, 1080, "h264", "medium"): 419,
    (1920, 1080, "h264", "veryslow"): 781,
    (3840, 2160, "h264", "medium"): 1_420,
    (640, 360, "hevc", "veryslow"): 175,
    (1920, 1080, "hevc", "ultrafast"): 299,
    (1920, 1080, "hevc", "medium"): 441,
    (3840, 2160, "hevc", "ultrafast"): 977,
    (640, 360, "av1", "medium"): 142,
    (1920, 1080, "av1", "medium"): 572,
    (1920, 1080, "av1", "veryslow"): 743,
    (3840, 2160, "av1", "ultrafast"): 1_201,
}


@pytest.mark.parametrize("kind", MEASURED_MB)
def test_a_worker_takes_what_was_measured_or_somewhat_less(kind: tuple[int, int, str, str]) -> None:
    width, height, codec, preset = kind
    encoding = Encoding(width, height, 30, 23, preset, Codec(codec))
    measured_bytes = MEASURED_MB[kind] * MB
    assert measured_bytes <= worker_bytes(encoding, clip_pixels=width * height)
    assert worker_bytes(encoding, clip_pixels=width * height) <= 1.35 * measured_bytes


@pytest.mark.parametrize("codec", Codec)
def test_a_slower_preset_takes_no_less(codec: Codec) -> None:
    pixels = FULL_HD.width * FULL_HD.height
    taken = [
        worker_bytes(replace(FULL_HD, codec=codec, preset=preset), clip_pixels=pixels)
        for preset in PRESETS
    ]
    assert taken == sorted(taken)


def test_larger_clips_take_more_to_decode() -> None:
    """Measured: 139 MB for a film of 640x360 from clips of 3840x2160, which alone takes 53."""
    small = Encoding(640, 360, 30, 23, "ultrafast")
    alone = worker_bytes(small, clip_pixels=640 * 360)
    from_large = worker_bytes(small, clip_pixels=3840 * 2160)
    assert 86 * MB <= from_large - alone <= 120 * MB


@pytest.mark.parametrize(
    ("free_bytes", "cores", "at_once"),
    [
        (None, 32, 32),
        (1_000 * GB, 32, 32),
        (16 * GB, 32, 9),
        (2 * GB, 32, 1),
        (GB // 2, 32, 1),
        (0, 1, 1),
    ],
)
def test_as_many_render_at_once_as_memory_bears(
    free_bytes: int | None, cores: int, at_once: int
) -> None:
    """4K: however little memory there is, one renders."""
    pixels = ULTRA_HD.width * ULTRA_HD.height
    memory = WorkerMemory(free_bytes, worker_bytes(ULTRA_HD, clip_pixels=pixels))
    assert memory.at_once(cores) == at_once
    assert bool(memory.sentence(cores)) == (free_bytes is not None and free_bytes < 100 * GB)


def test_it_is_said_when_fewer_render_than_there_are_cores() -> None:
    assert WorkerMemory(4 * 10**9, 16 * 10**8).sentence(16) == (
        "2 of 16 at once: 4.0 GB of memory are free, each takes up to 1.6 GB"
    )
