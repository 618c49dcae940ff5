from pathlib import Path, PurePosixPath

import pytest

from upvs_tasks.model.clip import Clip
from upvs_tasks.model.event import Event
from upvs_tasks.model.layout import Layout, clip_path

OUT = Path("/films/door")
LAYOUT = Layout(OUT)
CLIP = Clip(1_000, 2_000, (Event("e1", "motion", 1_000, 2_000, "66a0c1"),))
CLIP_PATH = "clips/Front Door/2024-01-15/clip_1000_2000_e1.mp4"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (LAYOUT.camera_json, "metadata/camera.json"),
        (LAYOUT.day_json, "metadata/day.json"),
        (LAYOUT.clip_index, "manifests/clip_index.json"),
        (LAYOUT.concat_text, "manifests/concat.txt"),
        (LAYOUT.run_log, "logs/run.log"),
        (
            LAYOUT.film("Front Door", "2024-01-15"),
            "timelapse/Front Door_2024-01-15_timelapse.mp4",
        ),
        (LAYOUT.at(CLIP_PATH), CLIP_PATH),
    ],
)
def test_every_file_lies_where_the_specification_wants_it(path: Path, expected: str) -> None:
    """§4 draws the tree."""
    assert path.relative_to(OUT) == Path(expected)


def test_a_clip_lies_in_its_cameras_and_days_folder() -> None:
    """With slashes on every system, as the index is to be read on any other."""
    assert clip_path(CLIP, "Front Door", "2024-01-15") == CLIP_PATH


def test_what_the_specification_does_not_name_is_out_of_sight() -> None:
    """Nobody who looks through the clips stumbles over our records."""
    own = [
        LAYOUT.lock,
        LAYOUT.film_stamp,
        LAYOUT.footage_record(CLIP_PATH),
        LAYOUT.failure_record(CLIP_PATH),
    ]

    assert {path.relative_to(OUT).parts[0] for path in own} == {".upvs"}
    assert len(set(own)) == len(own)


def test_each_clip_has_records_of_its_own() -> None:
    """Called like the clip, so that either leads to the other."""
    other = str(PurePosixPath(CLIP_PATH).with_name("clip_1000_3000_e1.mp4"))

    assert LAYOUT.footage_record(CLIP_PATH).name == "clip_1000_2000_e1.json"
    assert LAYOUT.footage_record(CLIP_PATH) != LAYOUT.footage_record(other)
    assert LAYOUT.failure_record(CLIP_PATH) != LAYOUT.failure_record(other)
