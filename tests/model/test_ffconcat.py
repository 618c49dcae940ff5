from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from samples.clips import Recipe, make_clip, shown_numbers
from tests.model.test_footage import FOOTAGE
from upvs_tasks.errors import UsageError
from upvs_tasks.media import ffmpeg
from upvs_tasks.media.probe import measure
from upvs_tasks.model.ffconcat import concat_text

HOSTILE_NAMES = [
    "it's",
    "''",
    "'; rm -rf ~; '",
    "trailing space ",
    " leading space",
    "back\\slash\\",
    "\\'",
    "# no comment",
    "file 'x'",
    "tab\there",
    "50% %d $HOME `id`",
    'double "quotes"',
    "duration 5",
    "Einfahrt größer 庭",
    "file:colon",
]


def test_each_clip_is_a_line_of_its_own() -> None:
    """The specification's own example."""
    paths = [PurePosixPath("/absolute/path/to/clip1.mp4"), PurePosixPath("/absolute/clip2.mp4")]
    assert concat_text(paths) == "file '/absolute/path/to/clip1.mp4'\nfile '/absolute/clip2.mp4'\n"


def test_a_quote_in_a_path_is_escaped_as_the_specification_says() -> None:
    """The quoting ends, an escaped quote follows, the quoting begins anew."""
    assert concat_text([PurePosixPath("/Dad's/a.mp4")]) == "file '/Dad'\\''s/a.mp4'\n"


def test_no_clips_make_an_empty_list() -> None:
    """A day without footage has a list, too."""
    assert concat_text([]) == ""


def test_what_the_video_of_a_clip_spans_follows_its_line() -> None:
    """In seconds, to the millisecond; a start is named only where it is not the clip's own."""
    paths = [PurePosixPath("/a.mp4"), PurePosixPath("/b.mp4")]
    footage = [
        replace(FOOTAGE, duration_ms=12_034),
        replace(FOOTAGE, duration_ms=900, first_frame_ms=1_049),
    ]
    assert concat_text(paths, footage=footage) == (
        "file '/a.mp4'\nduration 12.034\nfile '/b.mp4'\ninpoint 1.050\nduration 0.900\n"
    )


def test_every_clip_needs_its_footage() -> None:
    """One too few would give the wrong length to all that follow."""
    with pytest.raises(ValueError, match="shorter"):
        concat_text([PurePosixPath("/a.mp4"), PurePosixPath("/b.mp4")], footage=[FOOTAGE])


@pytest.mark.parametrize("character", ["\n", "\r", "\0"])
def test_a_path_that_no_list_can_hold_is_refused(character: str) -> None:
    """A line break would become a directive of its own."""
    with pytest.raises(UsageError, match="line breaks"):
        concat_text([PurePosixPath(f"/out/a{character}b.mp4")])


@pytest.mark.parametrize("with_footage", [False, True])
def test_ffmpeg_reads_back_whatever_a_folder_is_called(
    tmp_path: Path, *, with_footage: bool
) -> None:
    """Every clip of every hostile folder is there, in order."""
    paths = [
        make_clip(tmp_path / name / f"{name}.mp4", Recipe(frames=2, first_number=place * 10))
        for place, name in enumerate(HOSTILE_NAMES)
    ]
    listing, joined = tmp_path / "concat.txt", tmp_path / "joined.mp4"
    footage = [measure(path) for path in paths] if with_footage else None
    listing.write_text(concat_text(paths, footage=footage))
    inputs = ("-f", "concat", "-safe", "0", "-i", str(listing))
    outputs = ("-c", "copy", "-progress", "pipe:1", "-f", "mp4", str(joined))
    ffmpeg.run((ffmpeg.find_ffmpeg(), "-y", *inputs, *outputs), partial=joined)
    expected = [place * 10 + frame for place in range(len(paths)) for frame in range(2)]
    assert shown_numbers(joined) == expected
