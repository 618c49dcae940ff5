from dataclasses import replace
from pathlib import Path

import av
import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from tests.frame_times import durations_ms, times_ms
from tests.media.odd_boxes import laid
from upvs_tasks.errors import BrokenFootageError
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.probe import decode_check, measure, read_sample_table
from upvs_tasks.model.footage import AS_STORED, Footage

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
GAP_TIMES_MS = [*range(0, 1000, 100), *range(4000, 5000, 100)]
UNEVEN_TIMES_MS = [0, 90, 210, 290, 400, 512, 601, 699, 800, 903]

ORDINARY = Footage(
    duration_ms=2000,
    frames=20,
    codec="h264",
    width=160,
    height=90,
    pixel_format="yuv420p",
    track=0,
    has_b_frames=False,
    has_audio=False,
    display=AS_STORED,
    first_frame_ms=0,
    gaps=(),
)

RECIPES = {
    "ordinary": Recipe(),
    "b frames": Recipe(b_frames=2),
    "b frames without an edit list": Recipe(
        b_frames=2, muxer_options={"movflags": "negative_cts_offsets"}
    ),
    "hevc": Recipe(codec="libx265"),
    "hevc with b frames": Recipe(codec="libx265", b_frames=2),
    "fragmented": Recipe(muxer_options=FRAGMENTED),
    "fragmented with b frames": Recipe(b_frames=2, muxer_options=FRAGMENTED),
    "index first": Recipe(muxer_options={"movflags": "faststart"}),
    "with audio": Recipe(audio_secs=3),
    "audio track first": Recipe(audio_secs=1, audio_first=True),
    "late start": Recipe(times_ms=[5000 + 100 * place for place in range(20)]),
    "gap": Recipe(times_ms=GAP_TIMES_MS),
    "uneven": Recipe(frames=10, times_ms=UNEVEN_TIMES_MS),
    "one frame": Recipe(frames=1),
    "coarse time scale": Recipe(timescale=600),
    "fine time scale": Recipe(timescale=10_000_000),
}


def test_a_clip_is_what_its_frames_are(tmp_path: Path) -> None:
    """Every fact of an ordinary clip."""
    assert measure(make_clip(tmp_path / "clip.mp4")) == ORDINARY


def test_the_video_alone_says_how_long_a_clip_lasts(tmp_path: Path) -> None:
    """Audio that goes on for a second longer counts for nothing."""
    footage = measure(make_clip(tmp_path / "clip.mp4", Recipe(audio_secs=3)))
    assert footage.has_audio
    assert footage.duration_ms == 2000


def test_an_audio_track_may_come_first(tmp_path: Path) -> None:
    """The video track is found wherever it stands."""
    footage = measure(make_clip(tmp_path / "clip.mp4", RECIPES["audio track first"]))
    assert (footage.frames, footage.duration_ms, footage.has_audio) == (20, 2000, True)


def test_a_late_start_is_told_but_not_counted(tmp_path: Path) -> None:
    """Time stamps may begin anywhere."""
    footage = measure(make_clip(tmp_path / "clip.mp4", RECIPES["late start"]))
    assert (footage.first_frame_ms, footage.duration_ms) == (5000, 2000)


def test_a_gap_belongs_to_the_frame_before_it(tmp_path: Path) -> None:
    """A camera that stalls for three seconds shows one frame for that long."""
    table = read_sample_table(make_clip(tmp_path / "clip.mp4", RECIPES["gap"]))
    assert table.duration_ms == 5000
    assert max(durations_ms(table)) == 3100
    assert [times_ms(table)[place] for place in table.keyframes] == [0, 4000]


@pytest.mark.parametrize("counter_clockwise", [90, 180, 270])
def test_a_turned_clip_says_how_to_turn_it_upright(tmp_path: Path, counter_clockwise: int) -> None:
    """Of a camera that hangs on its side; libav counts the other way round."""
    footage = measure(make_clip(tmp_path / "clip.mp4", Recipe(rotation=counter_clockwise)))
    assert footage.display.rotation == 360 - counter_clockwise


@pytest.mark.parametrize(
    ("matrix", "rotation"),
    [((-1, 0, 0, 1), 0), ((0, -1, -1, 0), 90), ((1, 0, 0, -1), 180), ((0, 1, 1, 0), 270)],
)
def test_a_mirrored_clip_says_so(
    tmp_path: Path, matrix: tuple[int, int, int, int], rotation: int
) -> None:
    """Of a camera that looks into a mirror, or that its firmware flips."""
    path = make_clip(tmp_path / "clip.mp4")
    path.write_bytes(laid(path.read_bytes(), matrix))
    footage = measure(path)
    assert (footage.display.is_mirrored, footage.display.rotation) == (True, rotation)


def test_the_track_with_the_most_frames_is_the_picture(tmp_path: Path) -> None:
    """A preview may come before it, and be larger."""
    path = tmp_path / "clip.mp4"
    whole = make_clip(tmp_path / "whole.mp4")
    still = ("-f", "lavfi", "-i", "color=red:size=320x180:rate=1:duration=1")
    tracks = ("-map", "1:v", "-map", "0:v", "-c:v:0", "mjpeg", "-c:v:1", "copy")
    program = (ffmpeg.find_ffmpeg(), "-i", str(whole), *still, *tracks, "-progress", "pipe:1")
    ffmpeg.run((*program, str(path)), partial=path)
    assert measure(path) == replace(ORDINARY, track=1)


def test_an_encrypted_clip_is_called_that(tmp_path: Path) -> None:
    """No decoder shows anything of it, though its table is whole."""
    path = make_clip(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1\0\0\0", b"encv\0\0\0"))
    with pytest.raises(BrokenFootageError, match=r"clip\.mp4 is encrypted"):
        measure(path)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_the_table_names_the_frames_that_a_decoder_gives(tmp_path: Path, recipe: Recipe) -> None:
    """Every one of them, at its very time stamp, in the order of display."""
    path = make_clip(tmp_path / "clip.mp4", recipe)
    table = read_sample_table(path)
    with av.open(str(path)) as container:
        decoded = [(frame.pts, frame.key_frame) for frame in container.decode(video=0)]
    assert [pts for pts, _ in decoded] == list(table.ticks)
    assert [place for place, (_, is_key) in enumerate(decoded) if is_key] == list(table.keyframes)
    assert shown_numbers(path) == list(range(len(table.ticks)))


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_edit_list_hides_is_no_footage(tmp_path: Path, b_frames: int) -> None:
    """Frames may be stored only for others to be decoded from."""
    whole = make_clip(tmp_path / "whole.mp4", Recipe(b_frames=b_frames))
    path = tmp_path / "clip.mp4"
    spans = ("-ss", "0.45", "-i", str(whole), "-c", "copy")
    ffmpeg.run((ffmpeg.find_ffmpeg(), *spans, "-progress", "pipe:1", str(path)), partial=path)
    table = read_sample_table(path)
    with av.open(str(path)) as container:
        assert [frame.pts for frame in container.decode(video=0)] == list(table.ticks)
    assert shown_numbers(path) == list(range(5, 20))
    assert table.duration_ms == pytest.approx(1500, abs=60)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_clip_lasts_as_long_as_it_was_made_to(tmp_path: Path, recipe: Recipe) -> None:
    """However it is coded and stored."""
    made_ms = recipe.start_times_ms
    table = read_sample_table(make_clip(tmp_path / "clip.mp4", recipe))
    assert table.duration_ms == pytest.approx(made_ms[-1] - made_ms[0] + 100, abs=2)
    assert times_ms(table) == pytest.approx([at - made_ms[0] for at in made_ms], abs=2)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_good_clip_decodes_from_its_first_frame_to_its_last(
    tmp_path: Path, recipe: Recipe
) -> None:
    """The thorough check has nothing against any clip that is whole."""
    decode_check(make_clip(tmp_path / "clip.mp4", recipe))
