import datetime as dt

import pytest

from upvs_tasks.errors import MultipleCameras
from upvs_tasks.model.camera import Camera
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.day import Day
from upvs_tasks.model.subject import Occupant, Subject

DATE = dt.date(2024, 1, 15)
DOOR = Occupant("id-door", "Front Door", "Front Door", DATE, "Europe/Zurich")
HEAD: dict[str, object] = {
    "camera_id": "id-door",
    "camera_name": "Front Door",
    "camera_folder": "Front Door",
    "date": "2024-01-15",
    "timezone": "Europe/Zurich",
}


@pytest.mark.parametrize("typed", ["Front Door", "front  door", "id-door"])
def test_a_camera_is_known_by_its_name_or_its_id(typed: str) -> None:
    """As on the console."""
    assert Subject(typed, DATE).is_of(DOOR)


@pytest.mark.parametrize(
    "other",
    [
        Subject("Gate", DATE),
        Subject("ID-DOOR", DATE),
        Subject("Front Door", dt.date(2024, 1, 16)),
        Subject("Front Door", DATE, "id-other"),
    ],
)
def test_another_camera_or_day_is_another(other: Subject) -> None:
    """A camera whose id is known is no other one of its name."""
    assert not other.is_of(DOOR)


def test_a_renamed_camera_is_the_same_once_its_id_is_known() -> None:
    """The folder keeps the name that the camera had."""
    assert Subject("Portal", DATE, "id-door").is_of(DOOR)


def test_the_index_of_another_day_is_not_that_of_the_camera() -> None:
    """The clip index is held to the same."""
    day = Day.of(DATE, "Europe/Zurich")
    index = ClipIndex.of(Camera("id-door", "Front Door"), day, (), ())

    assert Subject("Front Door", DATE).is_shown_by(index)
    assert not Subject("Front Door", dt.date(2024, 1, 16)).is_shown_by(index)
    assert not Subject("Gate", DATE).is_shown_by(index)


def test_of_two_cameras_of_one_name_one_has_to_be_chosen_by_id() -> None:
    """Any other choice would be a guess."""
    held = [DOOR, Occupant("id-two", "FRONT DOOR", "FRONT DOOR id-two", DATE, "UTC")]

    with pytest.raises(MultipleCameras, match="choose one by id: id-door, id-two"):
        Subject("Front Door", DATE).camera_among(held)
    assert Subject("id-two", DATE).camera_among(held) == "id-two"
    assert Subject("Front Door", DATE, "id-door").camera_among(held) == "id-door"
    assert Subject("Gate", DATE).camera_among(held) == ""


def test_the_head_of_a_clip_index_says_what_a_folder_holds() -> None:
    """Whatever else is in it."""
    assert Occupant.of_index(HEAD | {"clips": []}) == DOOR


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera_id": None},
        {"camera_folder": "../.."},
        {"date": "2024-01"},
        {"date": "9999-12-31"},
        {"timezone": "Nowhere/Atlantis"},
    ],
    ids=str,
)
def test_what_cannot_be_a_clip_index_says_nothing(wrong: dict[str, object]) -> None:
    """It is as if it were not there."""
    assert Occupant.of_index(HEAD | wrong) is None
    assert Occupant.of_index([HEAD]) is None


def test_without_a_clip_index_the_description_of_the_camera_tells() -> None:
    """But not which day it was."""
    held = Occupant.of_camera({"id": "id-door", "name": "Front Door"}, "Front Door")

    assert held == Occupant("id-door", "Front Door", "Front Door")
    assert Subject("front door", DATE).is_of(held)
    assert Occupant.of_camera({"id": "id-door"}, "") is None
    leads_out = Occupant.of_camera({"id": "id-door", "name": "Front Door"}, "..")
    assert leads_out is not None
    assert leads_out.camera_folder == ""
