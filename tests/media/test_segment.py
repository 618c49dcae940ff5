"""A segment shows just the frames that were planned, whatever the footage is like."""

import struct
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from samples.clips import Recipe, numbered_frame, shown_numbers
from tests.media.boxes import Box, changed, table
from tests.media.odd_boxes import laid, with_edits, with_marks, without_offsets
from tests.media.segments import (
    FILM,
    frames_of,
    number_along,
    numbered_clip,
    rendered,
    shot_of,
)
from tests.sentences import one_sentence
from upvs_tasks import documents
from upvs_tasks.errors import StorageError
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.decode import DecodedFrame, FrameRequest, decoded_frames
from upvs_tasks.media.frame_converter import BT709, FrameConverter
from upvs_tasks.media.probe import measure, read_sample_table, survey
from upvs_tasks.media.segment import SegmentJob, SegmentResult, Shot, render_segment
from upvs_tasks.media.worker_pool import render_in_worker
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.footage import AS_STORED
from upvs_tasks.model.plan import plan_film
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage

LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
UNEVEN_MS = (0, 90, 130, 300, 333, 500, 501, 800, 900, 1_700, 1_750, 3_000, 3_010, 3_600, 4_000)
FOOTAGE = {
    "h264": Recipe(frames=40),
    "hevc": Recipe(frames=40, codec="libx265"),
    "hevc with b frames": Recipe(frames=40, codec="libx265", b_frames=3),
    "av1": Recipe(frames=24, codec="libsvtav1", width=320, height=180),
    "15 frames a second": Recipe(frames=40, fps=15),
    "30 frames a second": Recipe(frames=40, fps=30),
    "uneven": Recipe(frames=len(UNEVEN_MS), times_ms=UNEVEN_MS),
    "uneven with b frames": Recipe(frames=len(UNEVEN_MS), times_ms=UNEVEN_MS, b_frames=2),
    "b frames": Recipe(frames=40, b_frames=3),
    "b frames in tiny groups": Recipe(frames=40, b_frames=2, gop=3),
    "keyframes only": Recipe(frames=40, gop=1),
    "one keyframe": Recipe(frames=40, gop=1_000),
    "audio first": Recipe(frames=40, audio_first=True, audio_secs=4),
    "audio longer": Recipe(frames=40, audio_secs=9),
    "start offset": Recipe(frames=20, times_ms=range(5_000, 7_000, 100)),
    "other time base": Recipe(frames=40, timescale=12_800),
    "full range": Recipe(frames=40, pixel_format="yuvj420p"),
    "4:2:2": Recipe(frames=40, pixel_format="yuv422p"),
    "larger": Recipe(frames=40, width=320, height=180),
    "smaller": Recipe(frames=40, width=80, height=46),
    "fragmented": Recipe(frames=40, muxer_options={"movflags": "frag_keyframe+empty_moov"}),
}


def damaged_frames(result: SegmentResult) -> int:
    """How many frames of a segment are not whole."""
    return sum(damage.damaged_frames for damage in result.damages)


def lost_clips(result: SegmentResult) -> list[str]:
    """Names of the clips that gave none of the frames that the segment wants of them."""
    return [
        damage.clip_name
        for damage in result.damages
        if damage.damaged_frames == damage.wanted_frames
    ]


@pytest.mark.parametrize("kind", FOOTAGE)
@pytest.mark.parametrize("chosen", [slice(None), slice(2, None, 3), slice(7, 8), slice(-1, None)])
def test_each_frame_is_the_planned_one(tmp_path: Path, kind: str, chosen: slice) -> None:
    clip = numbered_clip(tmp_path, "clip", FOOTAGE[kind])
    wanted = range(len(read_sample_table(clip).ticks))[chosen]
    segment, result = rendered(tmp_path, shot_of(clip, wanted))
    assert shown_numbers(segment) == list(wanted)
    assert not result.damages


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_edit_list_hides_is_not_shown(tmp_path: Path, b_frames: int) -> None:
    """A cut within a group of pictures: its frames are there, but come before the start."""
    whole = numbered_clip(tmp_path, "whole", Recipe(frames=40, b_frames=b_frames))
    clip = tmp_path / "clip.mp4"
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-ss", "1.45", "-i", str(whole)]
    subprocess.run([*program, "-c", "copy", str(clip)], check=True)
    frames = len(read_sample_table(clip).ticks)
    assert frames < 30
    segment, result = rendered(tmp_path, shot_of(clip, range(frames)))
    assert shown_numbers(segment) == list(range(40 - frames, 40))
    assert not result.damages


def test_frames_may_be_wanted_twice(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    segment, _ = rendered(tmp_path, shot_of(clip, [3, 3, 3, 10, 19, 19]))
    assert shown_numbers(segment) == [3, 3, 3, 10, 19, 19]


def test_clips_of_any_kind_follow_each_other(tmp_path: Path) -> None:
    """Every kind of footage in one segment, in one size."""
    clips = [
        numbered_clip(tmp_path, name, recipe, 100 * place)
        for place, (name, recipe) in enumerate(FOOTAGE.items())
    ]
    segment, result = rendered(tmp_path, *(shot_of(clip, [0, 7, 13]) for clip in clips))
    expected = [100 * place + frame for place in range(len(clips)) for frame in (0, 7, 13)]
    assert shown_numbers(segment) == expected
    assert result.frames == len(expected)


def test_a_whole_film_shows_what_its_plan_says(tmp_path: Path) -> None:
    """From tables to frames: three clips at 3.7x, each film frame by hand."""
    recipes = [Recipe(frames=50), Recipe(frames=75, fps=15, gop=30), Recipe(frames=33, b_frames=2)]
    clips = [
        numbered_clip(tmp_path, f"clip{place}", recipe, 1_000 * place)
        for place, recipe in enumerate(recipes)
    ]
    tables = [read_sample_table(clip) for clip in clips]
    source = StitchedFootage.of(
        StitchedClip(clip.stem, "0" * 64, place * 10**6, place * 10**6 + 5_000, table)
        for place, (clip, table) in enumerate(zip(clips, tables, strict=True))
    )
    frames = round(source.duration_ms * 10 / 3_700)
    plan = plan_film(source, Speed(source.duration_ms, 600, 3.7, 10, frames))
    (segment,) = plan.segments
    path, _ = rendered(tmp_path, *(shot_of(clips[run.clip], run.frames) for run in segment.runs))
    expected = []
    for k in range(frames):
        at_ms = (k + Fraction(1, 2)) * 370
        if at_ms < 5_000:
            expected.append(int(at_ms // 100))
        elif at_ms < 10_000:
            expected.append(1_000 + int((at_ms - 5_000) * 15 // 1_000))
        else:
            expected.append(2_000 + int((at_ms - 10_000) // 100))
    assert shown_numbers(path) == expected


@pytest.mark.parametrize(
    ("counter_clockwise", "start", "end"),
    [
        (0, (0, 0.5), (1, 0.5)),
        (180, (1, 0.5), (0, 0.5)),
        (270, (0.5, 0), (0.5, 1)),
        (90, (0.5, 1), (0.5, 0)),
    ],
)
def test_rotation_is_honoured(
    tmp_path: Path, counter_clockwise: int, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """What the camera turned is turned back: the left edge goes where the file says."""
    recipe = Recipe(frames=20, rotation=counter_clockwise)
    clip = numbered_clip(tmp_path, "clip", recipe, 0x1234)
    width, height = measure(clip).shown_size
    encoding = replace(FILM, width=width, height=height)
    segment, _ = rendered(tmp_path, shot_of(clip, [0, 5, 12]), encoding=encoding)
    shown = [number_along(frame, start, end) for frame in frames_of(segment)]
    assert shown == [0x1234, 0x1239, 0x1240]


@pytest.mark.parametrize(
    ("matrix", "start", "end"),
    [
        ((-1, 0, 0, 1), (1, 0.5), (0, 0.5)),
        ((1, 0, 0, -1), (0, 0.5), (1, 0.5)),
        ((0, 1, 1, 0), (0.5, 0), (0.5, 1)),
        ((0, -1, -1, 0), (0.5, 1), (0.5, 0)),
    ],
)
def test_a_mirror_is_honoured(
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    start: tuple[float, float],
    end: tuple[float, float],
) -> None:
    """Left and right, up and down, and both diagonals."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20), 0x1234)
    clip.write_bytes(laid(clip.read_bytes(), matrix))
    width, height = measure(clip).shown_size
    encoding = replace(FILM, width=width, height=height)
    segment, _ = rendered(tmp_path, shot_of(clip, [0, 5, 12]), encoding=encoding)
    shown = [number_along(frame, start, end) for frame in frames_of(segment)]
    assert shown == [0x1234, 0x1239, 0x1240]


@pytest.mark.parametrize(
    "written", [("-bsf:v", "h264_metadata=sample_aspect_ratio=16/11"), ("-aspect", "16:9")]
)
def test_pixels_that_are_not_square_are_honoured(tmp_path: Path, written: tuple[str, ...]) -> None:
    """A quarter of D1, as third-party cameras store 16:9, said in the stream or in the file."""
    stored = numbered_clip(tmp_path, "stored", Recipe(frames=20, width=176, height=144), 0x8001)
    clip = tmp_path / "clip.mp4"
    copy = ("-c", "copy", *written, "-progress", "pipe:1", str(clip))
    ffmpeg.run((ffmpeg.find_ffmpeg(), "-i", str(stored), *copy), partial=clip)
    assert measure(clip).shown_size == (256, 144)
    segment, _ = rendered(tmp_path, shot_of(clip, [0, 8]))
    shown = [number_along(frame, (0, 0.5), (1, 0.5)) for frame in frames_of(segment)]
    assert shown == [0x8001, 0x8009]


def test_another_shape_is_set_between_black_bars(tmp_path: Path) -> None:
    """4:3 in 16:9: bars at the sides, the frame whole and undistorted between them."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20, width=160, height=120), 0x8001)
    segment, _ = rendered(tmp_path, shot_of(clip, [0, 8]))
    frames = list(frames_of(segment))
    assert [number_along(frame, (0.125, 0.5), (0.875, 0.5)) for frame in frames] == [0x8001, 0x8009]
    assert {(frame.width, frame.height) for frame in frames} == {(160, 90)}
    assert number_along(frames[0], (0, 0.5), (0.125, 0.5)) == 0


def test_full_range_becomes_limited() -> None:
    """White is 255 in one and 235 in the other, black 0 and 16."""
    source = numbered_frame(0x5555, Recipe()).reformat(
        format="yuvj420p", src_color_range="MPEG", dst_color_range="JPEG"
    )
    assert bytes(source.planes[0])[5] < 3
    levels = sorted(set(bytes(FrameConverter(FILM).converted(source).planes[0])[: FILM.width]))
    assert 14 <= levels[0] <= 18
    assert 233 <= levels[-1] <= 237


def test_colours_of_another_matrix_become_the_films() -> None:
    """Pure red in BT.601 and in BT.709."""
    source = VideoFrame(160, 90, "yuv420p")
    for plane, level in zip(source.planes, (81, 90, 240), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    source.colorspace = 5
    converted = FrameConverter(FILM).converted(source)
    levels = [bytes(plane)[0] for plane in converted.planes]
    assert levels == pytest.approx([63, 102, 240], abs=2)


def test_a_frame_that_needs_no_conversion_is_not_copied() -> None:
    frame = numbered_frame(5)
    frame.colorspace = BT709
    assert FrameConverter(FILM).converted(frame) is frame


def test_keyframes_are_had_without_decoding_any_other(tmp_path: Path) -> None:
    """Every other frame is destroyed, and not missed."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, gop=10))
    shot = shot_of(clip, [0, 10, 20, 30])
    _destroy(clip, lambda place: place % 10 != 0)
    segment, result = rendered(tmp_path, shot)
    assert shown_numbers(segment) == [0, 10, 20, 30]
    assert not result.damages


def test_decoding_stops_at_the_last_wanted_frame_of_a_group(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, gop=10))
    shot = shot_of(clip, [4, 14, 34])
    _destroy(clip, lambda place: place % 10 > 4 or 20 <= place < 30)
    segment, result = rendered(tmp_path, shot)
    assert shown_numbers(segment) == [4, 14, 34]
    assert not result.damages


def _destroy(clip: Path, is_victim: Callable[[int], bool]) -> None:
    """Overwrite frames of a clip; without B frames they are stored as they are shown."""
    import av  # noqa: PLC0415  only to find them

    with av.open(str(clip)) as container:
        places = [
            (packet.pos, packet.size)
            for number, packet in enumerate(p for p in container.demux(video=0) if p.size)
            if is_victim(number)
        ]
    content = bytearray(clip.read_bytes())
    for start, size in places:
        assert start is not None
        content[start : start + size] = bytes([0xFF]) * size
    clip.write_bytes(content)


def test_what_a_decoder_makes_of_damage_is_shown_and_named(tmp_path: Path) -> None:
    """Frame 13 is destroyed: it shows a neighbour, and up to the next keyframe nothing is whole."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=30, gop=10))
    shot = shot_of(clip, range(30))
    _destroy(clip, lambda place: place == 13)
    segment, result = rendered(tmp_path, shot)
    assert shown_numbers(segment) == [*range(13), 12, *range(14, 30)]
    assert result.damages == (Damage("clip", 30, 7, "they do not decode without errors"),)
    assert not lost_clips(result)


MARKS = {
    "all frames": None,
    "P frames": (1, 4, 7, 13, 26, 33),
    "none": (),
    "not the first": (21,),
    "only wrong ones": (2, 12, 27),
}


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("marks", MARKS)
def test_keyframes_that_an_index_marks_wrongly_cost_nothing(
    tmp_path: Path, marks: str, codec: str
) -> None:
    """Decoding begins where it can, whatever the table of sync samples says."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, gop=10, codec=codec))
    clip.write_bytes(with_marks(clip.read_bytes(), MARKS[marks]))
    assert read_sample_table(clip).keyframes == (0, 10, 20, 30)
    segment, result = rendered(tmp_path, shot_of(clip, range(1, 40, 3)))
    assert shown_numbers(segment) == [*range(1, 40, 3)]
    assert not result.damages


def test_a_table_that_names_wrong_keyframes_costs_time_alone(tmp_path: Path) -> None:
    """Each frame that a decode from the start shows is shown."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, gop=40))
    footage, table = survey(clip)
    doubtful = replace(table, keyframes=(0, 5, 17, 30))
    shot = Shot.of("clip", clip, footage=footage, table=doubtful, frames=range(3, 40, 4))
    segment, result = rendered(tmp_path, shot)
    assert shown_numbers(segment) == [*range(3, 40, 4)]
    assert not result.damages


@pytest.mark.parametrize("b_frames", [0, 2])
def test_an_edit_list_within_a_group_hides_its_keyframe_and_nothing_else(
    tmp_path: Path, b_frames: int
) -> None:
    """Frames 15 to 19 are shown; those from 10 on are stored."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=30, gop=10, b_frames=b_frames))
    clip.write_bytes(with_edits(clip.read_bytes(), ((0.5, 1.5),)))
    shot = shot_of(clip, range(5))
    segment, result = rendered(tmp_path, shot)
    assert shown_numbers(segment) == [15, 16, 17, 18, 19]
    assert not result.damages


@pytest.mark.parametrize("b_frames", [0, 2])
def test_two_parts_that_an_edit_list_shows_are_both_shown(tmp_path: Path, b_frames: int) -> None:
    """Both begin and end within a group of pictures."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, gop=10, b_frames=b_frames))
    clip.write_bytes(with_edits(clip.read_bytes(), ((0.5, 0.3), (0.6, 2.6))))
    segment, result = rendered(tmp_path, shot_of(clip, range(11)))
    assert shown_numbers(segment) == [*range(3, 8), *range(26, 32)]
    assert not result.damages


def test_pictures_that_have_the_times_of_decoding_are_shown_in_their_order(tmp_path: Path) -> None:
    """Such a file has B frames, and no table of when to show them."""
    recipe = Recipe(frames=40, b_frames=2, muxer_options={"movflags": "negative_cts_offsets"})
    clip = numbered_clip(tmp_path, "clip", recipe)
    clip.write_bytes(without_offsets(clip.read_bytes()))
    segment, result = rendered(tmp_path, shot_of(clip, range(2, 40, 3)))
    assert shown_numbers(segment) == [*range(2, 40, 3)]
    assert not result.damages


def test_of_two_frames_at_one_time_each_is_had(tmp_path: Path) -> None:
    """Frames 4 and 5 are both shown at 400 ms, so that players show the second."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=20))
    content = clip.read_bytes()
    step = struct.pack(">II", 20, 9_000)
    assert content.count(step) == 1
    odd = table("II", (4, 9_000), (1, 0), (15, 9_000))

    def with_two_at_once(whole: Box) -> None:
        whole.the(b"stts").payload = odd

    clip.write_bytes(changed(content, with_two_at_once))
    segment, result = rendered(tmp_path, shot_of(clip, [3, 5, 6, 12]))
    assert shown_numbers(segment) == [3, 5, 6, 12]
    assert not result.damages


def test_what_was_whole_before_the_damage_is_shown(tmp_path: Path) -> None:
    """With B frames the decoder still holds frames when it meets the damage."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=30, gop=10, b_frames=2))
    shot = shot_of(clip, range(30))
    _destroy(clip, lambda place: place == 16)
    segment, result = rendered(tmp_path, shot)
    shown = shown_numbers(segment)
    assert shown[:13] == list(range(13))
    assert shown[20:] == list(range(20, 30))
    assert 0 < damaged_frames(result) < 8


BAD_CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a web page": lambda _: b"<!DOCTYPE html><html><body>UniFi OS</body></html>" * 50,
    "without its index": lambda content: content[: len(content) * 3 // 4],
    "rotten": lambda content: content[:40] + b"\x5a" * (len(content) - 40),
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("kind", BAD_CONTENTS)
def test_a_clip_that_gives_nothing_is_named_and_loses_itself_alone(
    tmp_path: Path, kind: str
) -> None:
    """It was whole when it was planned."""
    clips = [numbered_clip(tmp_path, f"clip{n}", Recipe(frames=20), 100 * n) for n in range(3)]
    shots = [shot_of(clip, range(0, 20, 2)) for clip in clips]
    clips[1].write_bytes(BAD_CONTENTS[kind](clips[1].read_bytes()))
    segment, result = rendered(tmp_path, *shots)
    before, after = range(0, 20, 2), range(200, 220, 2)
    assert shown_numbers(segment) == [*before, *[18] * 5, *[200] * 5, *after]
    assert lost_clips(result) == ["clip1"]
    assert result.frames == 30


def test_bit_rot_costs_the_groups_that_it_hits(tmp_path: Path) -> None:
    """Pictures of many colours, so that there is something to rot; the clips around are whole."""
    clips = [numbered_clip(tmp_path, f"clip{n}", Recipe(frames=60), 100 * n) for n in range(3)]
    shots = [shot_of(clip, range(60)) for clip in clips]
    _destroy(clips[1], lambda place: place in {5, 38})
    segment, result = rendered(tmp_path, *shots)
    shown = shown_numbers(segment)
    assert shown[:60] == list(range(60))
    assert shown[70:90] == list(range(110, 130))
    assert shown[100:120] == list(range(140, 160))
    assert shown[120:] == list(range(200, 260))
    assert damaged_frames(result) == 7


def test_a_clip_cut_off_after_its_index_loses_its_end(tmp_path: Path) -> None:
    faststart = Recipe(frames=40, muxer_options={"movflags": "faststart"})
    clip = numbered_clip(tmp_path, "clip", faststart)
    after = numbered_clip(tmp_path, "after", Recipe(frames=10), 500)
    shots = [shot_of(clip, range(40)), shot_of(after, range(10))]
    clip.write_bytes(clip.read_bytes()[:-1_000])
    segment, result = rendered(tmp_path, *shots)
    shown = shown_numbers(segment)
    whole = 40 - damaged_frames(result)
    assert shown[:whole] == list(range(whole))
    assert shown[40:] == list(range(500, 510))
    assert 0 < damaged_frames(result) < 40


def test_a_clip_that_is_gone_is_named(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    shot = shot_of(clip, [0, 5])
    clip.unlink()
    segment, result = rendered(tmp_path, shot)
    assert lost_clips(result) == ["clip"]
    assert "clip.mp4" in result.damages[0].reason
    assert len(list(frames_of(segment))) == 2


@pytest.mark.parametrize("codec", Codec)
def test_a_segment_has_its_format_and_nothing_of_its_makers(tmp_path: Path, codec: Codec) -> None:
    """A keyframe first, every frame at its time, no encoder's name."""
    encoding = Encoding(width=160, height=96, fps=30, crf=30, preset="veryfast", codec=codec)
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40, height=96))
    job = SegmentJob(encoding, tmp_path / "segment.mp4", (shot_of(clip, range(40)),))
    assert render_in_worker(job).frames == 40
    table = read_sample_table(job.output_path)
    assert table.keyframes[0] == 0
    assert {b - a for a, b in pairwise((*table.ticks, table.end_ticks))} == {512}
    assert table.tick_secs == Fraction(1, 30 * 512)
    first = next(frames_of(job.output_path))
    assert (first.width, first.height, first.color_range) == (160, 96, LIMITED_RANGE)
    content = job.output_path.read_bytes()
    assert not [name for name in (b"x264", b"x265", b"Lavf", b"Lavc", b"SVT") if name in content]
    assert shown_numbers(job.output_path) == list(range(40))


def test_the_bytes_are_the_same_in_any_number_of_processes(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=90, b_frames=2))
    encoding = replace(FILM, preset="medium")
    films = []
    for processes in (1, 2, 4):
        jobs = [
            SegmentJob(
                encoding,
                tmp_path / f"{processes}-{start}.mp4",
                (shot_of(clip, range(start, start + 30)),),
            )
            for start in (0, 30, 60)
        ]
        with ThreadPoolExecutor(processes) as pool:
            assert [result.frames for result in pool.map(render_in_worker, jobs)] == [30, 30, 30]
        films.append([job.output_path.read_bytes() for job in jobs])
    here = SegmentJob(encoding, tmp_path / "here.mp4", (shot_of(clip, range(30)),))
    render_segment(here)
    assert films[0] == films[1] == films[2]
    assert here.output_path.read_bytes() == films[0][0]


def test_a_job_survives_its_way_to_another_process(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(FILM, tmp_path / "segment.mp4", (shot_of(clip, [1, 2]),))
    assert documents.from_document(documents.to_document(job), SegmentJob) == job


def test_progress_is_told_while_it_is_made(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=40))
    reported: list[int] = []
    job = SegmentJob(FILM, tmp_path / "segment.mp4", (shot_of(clip, range(40)),))
    render_in_worker(job, nice=5, on_frame=reported.append)
    assert reported == [10, 20, 30, 40]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    job = SegmentJob(FILM, tmp_path / "nowhere" / "segment.mp4", (shot_of(clip, [1]),))
    with pytest.raises(StorageError, match="cannot be written") as caught:
        render_in_worker(job)
    one_sentence(str(caught.value))


def test_a_file_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"nothing")
    _, result = rendered(tmp_path, Shot("clip", path, AS_STORED, (FrameRequest(0, 0),)))
    assert "clip.mp4 cannot be opened" in result.damages[0].reason


def test_an_unwanted_time_gives_no_frame(tmp_path: Path) -> None:
    """A time between two frames is none of the table's, and so no frame's."""
    clip = numbered_clip(tmp_path, "clip", Recipe(frames=10))
    frames = list(decoded_frames(clip, [FrameRequest(5, 0)]))
    assert frames == [DecodedFrame(None, is_whole=False)]
