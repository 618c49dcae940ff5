"""Segments become one film without a seam."""

from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import av
import pytest

from samples.clips import Recipe, shown_numbers
from tests.media.segments import numbered_clip, shot_of
from upvs_tasks.errors import RenderError
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.join import (
    FilmTags,
    Join,
    check_joined,
    join_command,
    segment_list,
    tags_text,
)
from upvs_tasks.media.probe import measure
from upvs_tasks.media.segment import SegmentJob, render_segment
from upvs_tasks.model.encoding import Codec, Encoding
from upvs_tasks.model.timeline import Chapter

FPS = 30
ENCODING = Encoding(width=160, height=90, fps=FPS, crf=24, preset="veryfast")
TAGS = FilmTags(
    title="Front Door; 50 % = half \\ #1",
    date="2024-01-15",
    camera="Haustür Süd",
    chapters=(Chapter(0, 30, "09:00 person"), Chapter(30, 77, "10:00\nvehicle")),
)


def segments(folder: Path, lengths: list[int], codec: Codec = Codec.H264) -> list[tuple[Path, int]]:
    """Segments of such lengths, whose frames show the numbers from 0 on; with B frames."""
    clip = numbered_clip(folder, "clip", Recipe(frames=sum(lengths)))
    encoding = replace(ENCODING, codec=codec)
    made, start = [], 0
    for length in lengths:
        path = folder / f"segment{start}.mp4"
        render_segment(SegmentJob(encoding, path, (shot_of(clip, range(start, start + length)),)))
        made.append((path, length))
        start += length
    return made


def joined(
    folder: Path, parts: list[tuple[Path, int]], *, name: str = "film", codec: Codec = Codec.H264
) -> Path:
    """Film of some segments."""
    encoding = replace(ENCODING, codec=codec)
    join = Join(folder / "list.txt", folder / "tags.txt", folder / f"{name}.mp4", encoding)
    join.list_path.write_text(segment_list(parts, FPS), encoding="utf-8")
    join.tags_path.write_text(tags_text(TAGS, FPS), encoding="utf-8")
    ffmpeg.run(join_command(ffmpeg.find_ffmpeg(), join), partial=join.output_path)
    return join.output_path


@pytest.mark.parametrize("codec", Codec)
def test_every_frame_of_every_segment_is_in_the_film(tmp_path: Path, codec: Codec) -> None:
    film = joined(tmp_path, segments(tmp_path, [30, 46, 1], codec), codec=codec)
    assert shown_numbers(film) == list(range(77))
    check_joined(film, frames=77, fps=FPS)


def test_hundreds_of_segments_join_without_a_tick_too_much(tmp_path: Path) -> None:
    """A third of a frame's length that is rounded off would add up."""
    parts = list(islice(cycle(segments(tmp_path, [7, 8, 11])), 400))
    film = joined(tmp_path, parts)
    check_joined(film, frames=sum(length for _, length in parts), fps=FPS)


def test_the_film_says_what_it_is(tmp_path: Path) -> None:
    film = joined(tmp_path, segments(tmp_path, [30, 47]))
    with av.open(str(film)) as container:
        metadata, chapters = container.metadata, container.chapters()
    assert metadata["title"] == TAGS.title
    assert metadata["date"] == TAGS.date
    assert metadata["artist"] == TAGS.camera
    starts = [float(chapter["start"] * (chapter["time_base"] or 0)) for chapter in chapters]
    assert starts == pytest.approx([0, 1], abs=0.001)
    titles = [chapter["metadata"]["title"] for chapter in chapters]
    assert titles == ["09:00 person", "10:00\\nvehicle"]


def test_the_film_begins_with_its_index_and_names_no_build(tmp_path: Path) -> None:
    film = joined(tmp_path, segments(tmp_path, [30, 47]))
    content = film.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert not [name for name in (b"x264", b"Lavf", b"Lavc") if name in content]
    assert measure(film).frames == 77


def test_the_same_segments_make_the_same_bytes(tmp_path: Path) -> None:
    parts = segments(tmp_path, [30, 47])
    assert joined(tmp_path, parts).read_bytes() == joined(tmp_path, parts, name="2").read_bytes()


def test_a_film_of_another_length_is_refused(tmp_path: Path) -> None:
    film = joined(tmp_path, segments(tmp_path, [30, 47]))
    with pytest.raises(RenderError, match="77 frames instead of 78"):
        check_joined(film, frames=78, fps=FPS)


def test_a_film_with_uneven_frames_is_refused(tmp_path: Path) -> None:
    film = numbered_clip(tmp_path, "film", Recipe(frames=4, times_ms=[0, 33, 67, 150]))
    with pytest.raises(RenderError, match="even distances"):
        check_joined(film, frames=4, fps=FPS)


def test_paths_with_quotes_and_spaces_join(tmp_path: Path) -> None:
    folder = tmp_path / "it's a = # day"
    folder.mkdir()
    film = joined(folder, segments(folder, [30, 47]))
    check_joined(film, frames=77, fps=FPS)
