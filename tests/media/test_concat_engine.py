from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from tests.frame_times import durations_ms, times_ms
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.concat_engine import ConcatRender, concat_command
from upvs_tasks.media.probe import measure, read_sample_table
from upvs_tasks.model.encoding import Encoding
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.speed import Speed

CLIP_NUMBERS = 1000
FPS = 30
ENCODING = Encoding(width=160, height=90, fps=FPS, crf=23, preset="ultrafast")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """A short day of what cameras do: uneven frames, gaps, sound before and after the picture."""
    folder = tmp_path_factory.mktemp("clips")
    return tuple(make_clip(folder / f"clip_{place:02}.mp4", _recipe(place)) for place in range(24))


def _recipe(place: int) -> Recipe:
    frames = 15 + place * 7 % 20
    times_ms = [index * 1000 // 15 + index * 13 % 9 for index in range(frames)]
    if place % 4 == 1:
        times_ms = [at + (1900 if index >= 9 else 0) for index, at in enumerate(times_ms)]
    if place % 4 == 2:
        times_ms = [at + 1234 for at in times_ms]
    sounds = {0: frames / 15 + 2.7, 2: 0.5}
    return Recipe(
        fps=15,
        times_ms=times_ms,
        first_number=place * CLIP_NUMBERS,
        audio_secs=sounds.get(place % 3, 0.0),
    )


def day_speed(clips: Sequence[Path], factor: float) -> Speed:
    """Speed of a film of these clips that is to run so many times faster."""
    total_duration_ms = sum(measure(clip).duration_ms for clip in clips)
    target_secs = total_duration_ms / 1000 / factor
    return Speed.of(total_duration_ms=total_duration_ms, target_secs=target_secs, output_fps=FPS)


def rendered(
    folder: Path,
    clips: Sequence[Path],
    speed: Speed,
    *,
    name: str = "film.mp4",
    preset: str = "ultrafast",
) -> Path:
    """Film of the clips, by the program itself."""
    listing, film = folder / "concat.txt", folder / name
    listing.write_text(concat_text(clips, footage=[measure(clip) for clip in clips]))
    encoding = replace(ENCODING, preset=preset)
    track = measure(clips[0]).track
    render = ConcatRender(listing, film, speed.speed_factor, encoding, speed.output_frames, track)
    ffmpeg.run(concat_command(ffmpeg.find_ffmpeg(), render), partial=film)
    return film


def test_the_command_is_the_specification_s() -> None:
    """Word for word, in any order; only its filter is followed by another."""
    encoding = replace(ENCODING, preset="medium")
    render = ConcatRender(Path("/out/concat.txt"), Path("/out/film.mp4"), 12.0, encoding, 18_000)
    command = concat_command("/usr/bin/ffmpeg", render)
    pairs = set(pairwise(command))
    assert command[0] == "/usr/bin/ffmpeg"
    assert {
        ("-f", "concat"),
        ("-safe", "0"),
        ("-i", "/out/concat.txt"),
        ("-vf", "setpts=PTS/12,fps=30"),
        ("-r", "30"),
        ("-c:v", "libx264"),
        ("-crf", "23"),
        ("-preset", "medium"),
        ("-pix_fmt", "yuv420p"),
    } <= pairs
    assert {"-an", "-y", "/out/film.mp4"} <= set(command)
    assert command.index("-safe") < command.index("-i") < command.index("-vf")


def test_a_preview_beside_the_video_is_not_filmed(tmp_path: Path) -> None:
    """It comes first and is larger; ffmpeg would take it if nobody said which."""
    whole = make_clip(tmp_path / "whole.mp4", Recipe(frames=20))
    clip = tmp_path / "clip.mp4"
    still = ("-f", "lavfi", "-i", "color=white:size=320x180:rate=1:duration=1")
    tracks = ("-map", "1:v", "-map", "0:v", "-c:v:0", "mjpeg", "-c:v:1", "copy")
    program = (ffmpeg.find_ffmpeg(), "-i", str(whole), *still, *tracks, "-progress", "pipe:1")
    ffmpeg.run((*program, str(clip)), partial=clip)
    film = rendered(tmp_path, [clip, clip], day_speed([clip, clip], 1))
    assert set(shown_numbers(film)) == set(range(20))


def test_a_factor_is_passed_on_with_all_its_digits() -> None:
    """A rounded one would end the film early or late."""
    encoding = replace(ENCODING, fps=25, crf=18, preset="slow")
    render = ConcatRender(Path("/c"), Path("/o"), 4.123456789012345, encoding, 77)
    command = concat_command("ffmpeg", render)
    assert command[command.index("-vf") + 1] == "setpts=PTS/4.123456789012345,fps=25"
    assert command[command.index("-frames:v") + 1] == "77"


@pytest.mark.parametrize("factor", [1, 2, 4.12, 12, 48])
def test_a_film_has_the_planned_frames_and_shows_each_moment_at_its_time(
    tmp_path: Path, clips: tuple[Path, ...], factor: float
) -> None:
    """To one frame in number, and to a step, or the gap it falls into, in time."""
    speed = day_speed(clips, factor)
    numbers = shown_numbers(rendered(tmp_path, clips, speed))
    assert speed.output_frames - 1 <= len(numbers) <= speed.output_frames
    assert numbers == sorted(numbers)

    spans_ms: dict[int, tuple[int, int]] = {}
    clip_start_ms = 0
    for place, clip in enumerate(clips):
        table = read_sample_table(clip)
        for index, (at, lasts) in enumerate(zip(times_ms(table), durations_ms(table), strict=True)):
            start_ms = clip_start_ms + at
            spans_ms[place * CLIP_NUMBERS + index] = (start_ms, start_ms + lasts)
        clip_start_ms += table.duration_ms
    for position, number in enumerate(numbers):
        wanted_ms = (position + 0.5) * speed.step_ms
        start_ms, end_ms = spans_ms[number]
        slack_ms = speed.step_ms + 70
        assert start_ms - slack_ms <= wanted_ms <= end_ms + slack_ms


def test_every_clip_is_in_a_film_that_is_not_sped_up(
    tmp_path: Path, clips: tuple[Path, ...]
) -> None:
    """A gap in one costs the next ones nothing."""
    numbers = shown_numbers(rendered(tmp_path, clips, day_speed(clips, 1)))
    assert {number // CLIP_NUMBERS for number in numbers} == set(range(len(clips)))


def test_the_same_clips_make_the_same_bytes(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    """Whatever the film is called while it is made."""
    speed = day_speed(clips[:6], 4)
    first = rendered(tmp_path, clips[:6], speed, name="film.mp4")
    second = rendered(tmp_path, clips[:6], speed, name="film.mp4.partial")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("width", "height"), [(160, 90), (480, 270), (720, 480)])
def test_the_bytes_do_not_depend_on_what_the_memory_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    """With glibc, the variable fills whatever memory a program is given."""
    clip = make_clip(tmp_path / "clip.mp4", Recipe(frames=40, width=width, height=height))
    films = []
    for filling in ("1", "170"):
        monkeypatch.setenv("MALLOC_PERTURB_", filling)
        films.append(rendered(tmp_path, [clip], day_speed([clip], 2), preset="medium").read_bytes())
    assert films[0] == films[1]


def test_a_film_tells_nothing_of_how_it_was_made(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    """No build, no time, no sound; and its index comes first."""
    film = rendered(tmp_path, clips[:3], day_speed(clips[:3], 2))
    with av.open(str(film)) as container:
        assert not {"encoder", "creation_time"} & set(container.metadata)
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.streams.video[0].metadata["encoder"] == "Lavc libx264"
    content = film.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_film_is_described_by_what_it_holds(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    """Frames are counted, and the length is theirs."""
    speed = day_speed(clips[:6], 4)
    facts = measure(rendered(tmp_path, clips[:6], speed))
    assert facts.frames in {speed.output_frames, speed.output_frames - 1}
    assert facts.duration_ms == pytest.approx(facts.frames * 1000 / FPS, abs=1)
    assert (facts.codec, facts.width, facts.height) == ("h264", 160, 90)
    assert not facts.has_audio


@pytest.mark.parametrize(
    "written", [("-bsf:v", "h264_metadata=sample_aspect_ratio=16/11"), ("-aspect", "16:9")]
)
def test_pixels_that_are_not_square_are_not_square_in_the_film(
    tmp_path: Path, written: tuple[str, ...]
) -> None:
    """The specification's command keeps the size, so the film says what they are like."""
    stored = make_clip(tmp_path / "stored.mp4", Recipe(frames=20, width=176, height=144))
    clip = tmp_path / "clip.mp4"
    copy = ("-c", "copy", *written, "-progress", "pipe:1", str(clip))
    ffmpeg.run((ffmpeg.find_ffmpeg(), "-i", str(stored), *copy), partial=clip)
    film = measure(rendered(tmp_path, [clip, clip], day_speed([clip, clip], 1)))
    assert (film.width, film.height) == (176, 144)
    assert film.shown_size == (256, 144)
