import unicodedata
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.thorough import thorough
from upvs_tasks.errors import CameraNotFound, MultipleCameras, SettingsError
from upvs_tasks.model.camera import (
    Camera,
    Channel,
    check_channel,
    folder_name_among,
    resolve_camera,
    safe_name,
)

FORBIDDEN = '/\\:*?"<>|'
LONGEST_FILE_NAME_BYTES = 255
# "Any file name whose part before the first dot is one of these is a device" (Windows' rule).
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}
# Letters of every script, but also what a file system, a shell or Windows takes amiss.
HOSTILE = st.text(
    st.sampled_from([*FORBIDDEN, *" ._-", "\0", "\n", "\t", "\x7f", "\x85", "é", "猫", "😀"])
    | st.characters(exclude_categories=["Cs"]),
    max_size=300,
)
DEVICES = st.builds(
    lambda device, rest: device + rest,
    st.sampled_from(sorted(RESERVED)).flatmap(lambda name: st.sampled_from([name, name.upper()])),
    st.sampled_from(["", ".", " ", "_", ".txt", ".txt_", ".." + "x" * 130, "é" * 130]),
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Front Door", "Front Door"),
        ('Hof/Tor\\Nord:1*2?"3"<4>|5', "HofTorNord12345"),
        ("Garage__left___side", "Garage_left_side"),
        ("a_/_b", "a_b"),
        ("  Garden  ", "Garden"),
        ("Küche 猫 😀", "Küche 猫 😀"),
        ("../../etc/passwd", "etcpasswd"),
        ("...", "id-1"),
        ("", "id-1"),
        ("con", "con_"),
        ("Com1", "Com1_"),
        ("Console", "Console"),
        ("tab\there", "tabhere"),
    ],
)
def test_a_name_is_made_safe_as_the_specification_says(name: str, safe: str) -> None:
    r"""Without ``/ \ : * ? " < > |``, underscores collapsed, trimmed; else the id takes over."""
    assert safe_name(name, fallback="id-1") == safe


@thorough(3)
@given(HOSTILE | DEVICES, HOSTILE)
def test_a_safe_name_is_one_component_of_a_path(text: str, fallback: str) -> None:
    """Never empty, no separator, no step upwards, nothing that a terminal would act on."""
    name = safe_name(text, fallback=fallback)

    assert name
    assert name not in {".", ".."}
    assert not set(name) & {*FORBIDDEN, "\0"}
    assert not [character for character in name if unicodedata.category(character) == "Cc"]
    assert name == name.strip(" .")


@given(HOSTILE | DEVICES)
@example("é" * 119)
@example("猫" * 200)
@example("a" + "😀" * 60)
def test_a_safe_name_leaves_room_for_what_is_put_around_it(text: str) -> None:
    """The film's file name, while it is being written, is the longest that holds it."""
    film = f"{safe_name(text, fallback='')}_2024-01-15_timelapse.mp4.partial"

    assert len(film.encode()) <= LONGEST_FILE_NAME_BYTES


@thorough(3)
@given(HOSTILE | DEVICES)
def test_a_safe_name_is_its_own_safe_name(text: str) -> None:
    """Making it safe again changes nothing, so that a folder can be named by hand."""
    name = safe_name(text, fallback="camera")

    assert safe_name(name, fallback="another") == name


@given(DEVICES)
def test_a_safe_name_is_no_device_of_windows(text: str) -> None:
    """Windows takes the part before the first dot for a device, whatever follows it."""
    name = safe_name(text, fallback="camera")

    assert name.split(".")[0].strip().lower() not in RESERVED


def test_a_name_that_is_no_unicode_is_made_safe_all_the_same() -> None:
    """A shell hands over any bytes; Python keeps those that are no UTF-8 as lone surrogates."""
    assert safe_name("Door \udcff", fallback="camera").encode()


@given(st.text("ab", max_size=3), st.text("ab", max_size=3), st.sampled_from(["x", "é", "猫"]))
def test_long_names_stay_apart(first: str, second: str, letter: str) -> None:
    """A digest of the whole name stands for what is cut off."""
    names = [safe_name(letter * 150 + ending, fallback="") for ending in (first, second)]

    assert (names[0] == names[1]) is (first == second)


def test_the_folder_of_a_nameless_camera_is_called_by_its_id() -> None:
    """Names may be empty on a console; ids are not."""
    assert Camera("66a0c1", "").folder_name == "66a0c1"


DOOR = Camera("id-door", "Front Door")
GATE = Camera("id-gate", "Gate")
SECOND_GATE = Camera("id-gate-2", "GATE")
NAMELESS = Camera("id-nameless", "")


@pytest.mark.parametrize("wanted", ["id-door", "Front Door", "front door", " FRONT DOOR "])
def test_a_camera_is_found_by_its_id_or_its_name(wanted: str) -> None:
    """Whatever the case of the name, and whatever else the console has."""
    assert resolve_camera(wanted, [NAMELESS, GATE, DOOR]) == DOOR


def test_a_camera_is_found_by_a_name_with_white_space_around_it() -> None:
    """A name typed with a trailing space on the console looks the same to whoever asks for it."""
    padded = Camera("id-door", "Front Door ")

    assert resolve_camera("Front Door", [padded, GATE]) == padded
    assert resolve_camera("Front Door ", [padded, GATE]) == padded


def test_a_name_is_compared_without_regard_to_case_in_every_script() -> None:
    """Case folding is more than lower case."""
    street = Camera("id-street", "Straße")

    assert resolve_camera("STRASSE", [street, DOOR]) == street


def test_an_id_goes_before_a_name() -> None:
    """A camera called like another one's id does not stand in its way."""
    impostor = Camera("id-impostor", "id-door")

    assert resolve_camera("id-door", [impostor, DOOR]) == DOOR
    assert resolve_camera("id-impostor", [impostor, DOOR]) == impostor


def test_an_id_has_to_match_exactly() -> None:
    """The specification wants ids to the letter (§5.1)."""
    with pytest.raises(CameraNotFound):
        resolve_camera("ID-DOOR", [DOOR])


def test_the_order_in_which_cameras_are_listed_does_not_matter() -> None:
    """Not even where a console lists one camera twice."""
    twice = [DOOR, Camera("id-door", "FRONT DOOR"), Camera("id-door", "Front Door", "G4")]

    found = {resolve_camera("id-door", order) for order in permutations(twice)}

    assert len(found) == 1


def test_a_shared_name_is_refused_with_the_ids_to_choose_from() -> None:
    """Two cameras may have one name; either can still be had by its id."""
    with pytest.raises(MultipleCameras) as caught:
        resolve_camera("gate", [SECOND_GATE, DOOR, GATE])

    assert str(caught.value) == (
        "2 cameras are called 'gate'; choose one by id: 'Gate' (id-gate), 'GATE' (id-gate-2)"
    )
    assert resolve_camera("id-gate-2", [SECOND_GATE, DOOR, GATE]) == SECOND_GATE


def test_an_unknown_camera_is_refused_with_those_that_there_are() -> None:
    """Whoever mistyped a name sees the right one in the same sentence."""
    with pytest.raises(CameraNotFound) as caught:
        resolve_camera("Fornt Door", [GATE, DOOR])

    assert str(caught.value) == (
        "no camera is called 'Fornt Door'; the nearest is 'Front Door' (id-door); "
        "the console also has: 'Gate' (id-gate)"
    )


@pytest.mark.parametrize("wanted", ["Gaet", "ID-GATE", "gatee"])
def test_the_nearest_name_or_id_is_offered(wanted: str) -> None:
    """An id that was copied with a slip is as near as a name."""
    with pytest.raises(CameraNotFound, match=r"; the nearest is 'Gate' \(id-gate\)"):
        resolve_camera(wanted, [DOOR, GATE])


def test_where_nothing_is_near_the_cameras_are_named() -> None:
    """A guess would only lead astray."""
    with pytest.raises(CameraNotFound, match=r"; the console has: 'Front Door' .*, 'Gate' "):
        resolve_camera("xyz", [DOOR, GATE])


def test_of_many_cameras_some_are_named_and_the_rest_is_counted() -> None:
    """A line that fills the screen is not read."""
    many = [Camera(f"65a0f1c2d3e4b5038700{number:04}", f"Hall {number}") for number in range(40)]

    with pytest.raises(CameraNotFound, match=r"and 34 more$") as caught:
        resolve_camera("xyz", many)

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (unicodedata.normalize("NFD", "Küche"), unicodedata.normalize("NFC", "Küche")),
        (unicodedata.normalize("NFC", "Küche"), unicodedata.normalize("NFD", "Küche")),
        ("Front Door", "Front\u00a0Door"),
        ("Front Door", "Front  Door"),
        ("Front\u3000door", "Front Door"),
        ("Ann's room", "Ann\u2019s room"),
        ("Ann\u2018s room", "Ann\u02bcs room"),
        ("Ann\u00b4s room", "Ann's room"),
        ("Tor 2", "\uff34\uff4f\uff52 \uff12"),
    ],
)
def test_names_that_look_alike_are_one_name(wanted: str, name: str) -> None:
    """A name is typed on another keyboard than that on which it was given."""
    camera = Camera("id-1", name)

    assert resolve_camera(wanted, [GATE, camera]) == camera


def test_two_names_that_look_alike_are_refused_as_one() -> None:
    """Nobody can see which of them is meant."""
    with pytest.raises(MultipleCameras):
        resolve_camera("Front Door", [DOOR, Camera("id-2", "Front\u00a0Door")])


def test_cameras_of_one_name_have_folders_of_their_own() -> None:
    """Or one would take the other's for its own; one that shares its name with none is let be."""
    cameras = [DOOR, GATE, SECOND_GATE]

    assert [folder_name_among(camera, cameras) for camera in cameras] == [
        "Front Door",
        "Gate id-gate",
        "GATE id-gate-2",
    ]


def test_names_that_differ_only_in_what_no_folder_can_hold_are_one_folder_name() -> None:
    """So that these have folders of their own, too."""
    cameras = [Camera("id-1", "Yard/Back"), Camera("id-2", "Yard:Back")]

    names = {folder_name_among(camera, cameras) for camera in cameras}

    assert names == {"YardBack id-1", "YardBack id-2"}


def test_a_camera_that_is_listed_twice_shares_its_folder_with_itself() -> None:
    """It is one camera."""
    assert folder_name_among(DOOR, [DOOR, DOOR]) == "Front Door"


def test_a_nameless_camera_is_among_those_that_there_are() -> None:
    """It can be had by its id alone, so the sentence has to tell it."""
    with pytest.raises(CameraNotFound, match=r"one without a name \(id-nameless\)"):
        resolve_camera("Front Door", [NAMELESS])


def test_a_console_without_cameras_is_said_to_have_none() -> None:
    """An empty list would read as if something were cut off."""
    with pytest.raises(CameraNotFound, match=r"the console has: none at all$"):
        resolve_camera("Front Door", [])


@given(st.permutations([DOOR, GATE, SECOND_GATE, NAMELESS]), st.sampled_from(["gate", "shed"]))
def test_a_refusal_does_not_depend_on_the_order_of_the_cameras(
    cameras: list[Camera], wanted: str
) -> None:
    """Two runs with the same mistake say the same."""
    sentences = set()
    for listed in (cameras, [DOOR, GATE, SECOND_GATE, NAMELESS]):
        with pytest.raises((CameraNotFound, MultipleCameras)) as caught:
            resolve_camera(wanted, listed)
        sentences.add(str(caught.value))

    assert len(sentences) == 1


HIGH = Channel(0, "High", enabled=True, width=1920, height=1080, fps=30)
LOW = Channel(2, "Low", enabled=True, width=640, height=360, fps=15)
MEDIUM_OFF = Channel(1, "Medium", enabled=False, width=1280, height=720, fps=30)


def test_a_channel_that_the_camera_does_not_record_is_refused_with_those_that_it_does() -> None:
    """One that is switched off has no footage either."""
    camera = Camera("c1", "Door", channels=(HIGH, MEDIUM_OFF, LOW))
    check_channel(camera, 0)
    check_channel(camera, 2)
    with pytest.raises(SettingsError, match=r"no channel 1; it has 0 \(High, 1920x1080\), 2 \(Low"):
        check_channel(camera, 1)


@pytest.mark.parametrize("channels", [(), (MEDIUM_OFF,)])
def test_a_camera_that_says_nothing_of_its_channels_is_believed_to_have_them(
    channels: tuple[Channel, ...],
) -> None:
    """The console itself will tell."""
    check_channel(Camera("c1", "Door", channels=channels), 2)
