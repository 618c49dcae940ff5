"""Whatever a console sends under the name of a video: a sentence or facts, never a crash."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from samples.clips import Recipe, make_clip
from tests.sentences import one_sentence
from tests.thorough import thorough
from upvs_tasks.errors import BrokenFootageError, StorageError
from upvs_tasks.media.probe import decode_check, measure, read_sample_table

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
INDEX_FIRST = {"movflags": "faststart"}
UNKNOWN_BOX = struct.pack(">I4s", 24, b"uuid") + bytes(16)
BASES = {
    "plain": Recipe(),
    "reordered": Recipe(b_frames=2),
    "with audio": Recipe(audio_secs=3),
    "fragmented": Recipe(b_frames=2, muxer_options=FRAGMENTED),
    "hevc": Recipe(codec="libx265"),
}
EXTREMES = [0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x100000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def fault_of(path: Path) -> str:
    """Sentence with which the probe refuses the file."""
    with pytest.raises(BrokenFootageError) as refusal:
        measure(path)
    sentence = one_sentence(str(refusal.value))
    assert sentence.startswith(path.name)
    return sentence


def overwritten(clip: bytes, kind: bytes, offset: int, value: int) -> bytes:
    """The clip with another number at an offset inside the first box of a kind."""
    place = clip.index(kind) + 4 + offset
    return clip[:place] + struct.pack(">I", value) + clip[place + 4 :]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><head><title>UniFi OS</title>", "is no MP4 video"),
        (b'{"error":"Unable to export"}', "is no MP4 video"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is no MP4 video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "is no MP4 video"),
        (b"moov", "is no MP4 video"),
        (struct.pack(">I4s", 8, b"ftyp"), "has no index"),
        (struct.pack(">I4s", 4, b"ftyp"), "impossible size"),
        (struct.pack(">I4sQ", 1, b"mdat", 1 << 63), "is cut off"),
        (struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 8, b"moov"), "no video track"),
        (struct.pack(">I4s", 8, b"free") * 500_001, "boxes"),
        (struct.pack(">I4s", 8, b"ftyp") + bytes(3), "is cut off"),
    ],
)
def test_what_is_no_video_is_named_as_what_it_is(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    """Error pages, playlists that would read other files, empty and meaningless boxes."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert fault in fault_of(path)


def test_a_file_that_is_not_there_is_no_footage(tmp_path: Path) -> None:
    """It may have been deleted between two steps."""
    assert "is not there" in fault_of(tmp_path / "clip.mp4")


def test_a_folder_is_the_disk_s_fault(tmp_path: Path) -> None:
    """What cannot be read is not called broken footage."""
    with pytest.raises(StorageError, match="cannot be read"):
        measure(tmp_path)


@pytest.mark.parametrize("movflags", [{}, INDEX_FIRST, FRAGMENTED])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.97])
def test_a_cut_clip_is_refused_wherever_its_index_stands(
    tmp_path: Path, movflags: dict[str, str], share: float
) -> None:
    """With its index at the end it has none; with it at the start, frames are missing."""
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=movflags))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    fault_of(path)


BEHIND: dict[str, Callable[[bytes], bytes]] = {
    "a few bytes": lambda clip: clip + bytes([0, 0, 1]),
    "zeros": lambda clip: clip + bytes(5_000),
    "noise": lambda clip: clip + bytes([0xA5]) * 50,
    "an impossible size": lambda clip: clip + struct.pack(">I4s", 3, b"free"),
    "an unfinished box": lambda clip: clip + struct.pack(">I4s", 500, b"free") + bytes(7),
    "an unfinished random access table": lambda clip: clip[:-1],
}


@pytest.mark.parametrize("movflags", [INDEX_FIRST, FRAGMENTED])
@pytest.mark.parametrize("behind", BEHIND)
def test_what_stands_behind_the_last_frame_costs_nothing(
    tmp_path: Path, movflags: dict[str, str], behind: str
) -> None:
    """Recorders and disks leave such things; each frame of the index is in the file."""
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=movflags))
    whole = path.read_bytes()
    if movflags is INDEX_FIRST and "random access" in behind:
        whole += struct.pack(">I4s", 9, b"free") + bytes(1)
    path.write_bytes(BEHIND[behind](whole))
    assert measure(path).frames == 20


def test_a_box_of_media_may_claim_more_than_there_is(tmp_path: Path) -> None:
    """As long as all frames are there."""
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=INDEX_FIRST))
    path.write_bytes(overwritten(path.read_bytes(), b"mdat", -8, 1_000_000))
    assert measure(path).frames == 20


def test_a_box_of_a_maker_s_own_may_come_first(tmp_path: Path) -> None:
    relative = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=relative))
    path.write_bytes(UNKNOWN_BOX + path.read_bytes())
    assert measure(path).frames == 20


@pytest.mark.parametrize("kind", [b"moov", b"moof"])
def test_an_unfinished_index_is_never_left_out(tmp_path: Path, kind: bytes) -> None:
    """It would name frames."""
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=FRAGMENTED))
    path.write_bytes(path.read_bytes() + struct.pack(">I4s", 500, kind) + bytes(7))
    assert "is cut off" in fault_of(path)


def test_a_frame_outside_the_file_is_refused_though_all_boxes_are_whole(tmp_path: Path) -> None:
    """An index that points beyond what was stored."""
    path = make_clip(tmp_path / "clip.mp4")
    path.write_bytes(overwritten(path.read_bytes(), b"stco", 8, 1_000_000))
    assert "is cut off: a frame should end at byte" in fault_of(path)


@pytest.mark.parametrize(
    ("kind", "offset", "value", "fault"),
    [
        (b"stsz", 8, 0x80000000, "table of 2147483648 entries"),
        (b"stts", 4, 0x80000000, "table of 2147483648 entries"),
        (b"stts", 8, 0x80000000, "claims to hold"),
        (b"stts", 12, 0, "claims to last 0 s"),
        (b"stco", 4, 0x80000000, "table of 2147483648 entries"),
        (b"stsc", 4, 0x80000000, "table of 2147483648 entries"),
        (b"elst", 4, 0x10000000, "cut together from 268435456 parts"),
        (b"moov", -8, 0x7FFFFFFF, "is cut off"),
        (b"trak", -8, 0x7FFFFFFF, "is cut off"),
        (b"mdia", -8, 3, "impossible size"),
    ],
)
def test_an_index_that_claims_the_impossible_is_refused(
    tmp_path: Path, kind: bytes, offset: int, value: int, fault: str
) -> None:
    """Before libav sets aside memory for what it claims."""
    path = make_clip(tmp_path / "clip.mp4")
    clip = path.read_bytes()
    if kind != b"elst":
        clip = clip.replace(b"edts", b"free")  # what is not shown is not counted either
    path.write_bytes(overwritten(clip, kind, offset, value))
    with pytest.raises(BrokenFootageError, match=fault):
        measure(path)


def test_a_constant_frame_size_does_not_hide_two_thousand_million_frames(tmp_path: Path) -> None:
    """Such a table takes no room in the file, whatever it claims."""
    path = make_clip(tmp_path / "clip.mp4")
    clip = overwritten(path.read_bytes(), b"stsz", 4, 1)
    path.write_bytes(overwritten(clip, b"stsz", 8, 0x80000000))
    assert "claims to hold 2147483648 frames" in fault_of(path)


def test_a_fragment_does_not_either(tmp_path: Path) -> None:
    """A run of frames with nothing said of each takes no room."""
    path = make_clip(tmp_path / "clip.mp4", Recipe(muxer_options=FRAGMENTED))
    clip = overwritten(path.read_bytes(), b"trun", 0, 0)
    path.write_bytes(overwritten(clip, b"trun", 4, 0x80000000))
    assert "claims to hold" in fault_of(path)


def test_an_index_larger_than_any_video_needs_is_not_read(tmp_path: Path) -> None:
    """A sparse file of a gigabyte that says it is all index."""
    path = tmp_path / "clip.mp4"
    with path.open("wb") as stream:
        stream.write(struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 1 << 30, b"moov"))
        stream.truncate((1 << 30) + 8)
    assert "has an index of 1024 MB" in fault_of(path)


def test_sound_alone_is_no_footage(tmp_path: Path) -> None:
    """A camera without a picture."""
    recipe = Recipe(with_video=False, audio_secs=1)
    assert "has no video track" in fault_of(make_clip(tmp_path / "clip.mp4", recipe))


def test_a_blank_clip_is_no_footage(tmp_path: Path) -> None:
    """Consoles answer so, in less than 300 bytes, for a span that they hold nothing of."""
    blank = make_clip(tmp_path / "fragmented.mp4", Recipe(muxer_options=FRAGMENTED)).read_bytes()
    path = tmp_path / "clip.mp4"
    path.write_bytes(blank[: blank.index(b"moof") - 4])
    assert "holds no frame" in fault_of(path)


def test_a_damaged_frame_is_found_by_decoding_only(tmp_path: Path) -> None:
    """The quick look sees a whole table; the thorough one, a last frame that is noise."""
    path = make_clip(tmp_path / "clip.mp4")
    decode_check(path)
    clip = bytearray(path.read_bytes())
    frames_end = clip.index(b"moov") - 4
    clip[frames_end - 60 : frames_end] = bytes([0xA5]) * 60
    path.write_bytes(clip)
    assert measure(path).frames == 20
    with pytest.raises(BrokenFootageError, match=r"clip\.mp4"):
        decode_check(path)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One clip of each way of storing, to be damaged."""
    folder = tmp_path_factory.mktemp("bases")
    return [
        make_clip(folder / f"{name}.mp4", recipe).read_bytes() for name, recipe in BASES.items()
    ]


Spoiling = Callable[[bytearray], None]


@st.composite
def spoilings(draw: st.DrawFn) -> Spoiling:
    """Way to spoil a clip, mostly in its index."""
    share = draw(st.floats(min_value=0, max_value=1, exclude_max=True))
    in_index = draw(st.integers(min_value=0, max_value=9)) > 0
    bits = draw(st.sampled_from([*range(8), None, None]))
    value = draw(st.one_of(st.sampled_from(EXTREMES), st.integers(0, 0xFFFFFFFF)))

    def spoil(clip: bytearray) -> None:
        first = max(clip.find(b"moov"), 0) if in_index else 0
        place = first + int(share * max(len(clip) - first - 4, 0))
        if bits is None:
            clip[place : place + 4] = struct.pack(">I", value)
        elif place < len(clip):
            clip[place] ^= 1 << bits

    return spoil


@thorough(6, HealthCheck.function_scoped_fixture)
@given(
    base=st.integers(min_value=0, max_value=len(BASES) - 1),
    spoils=st.lists(spoilings(), min_size=1, max_size=6),
)
def test_bit_rot_gives_facts_or_a_sentence(
    bases: list[bytes], tmp_path: Path, base: int, spoils: list[Spoiling]
) -> None:
    """Nothing else comes out, and what facts come out are possible ones."""
    clip = bytearray(bases[base])
    for spoil in spoils:
        spoil(clip)
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    try:
        footage, table = measure(path), read_sample_table(path)
    except BrokenFootageError as refusal:
        assert one_sentence(str(refusal)).startswith("clip.mp4 ")  # noqa: PT017  either outcome is right
        return
    assert 0 < footage.duration_ms <= min(table.duration_ms, 25 * 3_600_000)
    assert len(table.keyframes) <= footage.frames == len(table.ticks)
    assert list(table.ticks) == sorted(table.ticks)
