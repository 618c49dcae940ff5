import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.camera import Camera
from upvs_tasks.model.clip import Overlaps, clips_of
from upvs_tasks.model.clip_index import COMPLETE, ClipIndex
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event
from upvs_tasks.model.footage import AS_STORED, Footage
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.verification import film_findings, manifest_findings

DAY = Day.of(dt.date(2024, 1, 15), "UTC")
HOUR_MS = 3_600_000
SPEED = Speed.of(total_duration_ms=2 * HOUR_MS, target_secs=600, output_fps=30)
FILM = Footage(
    duration_ms=600_000,
    frames=18_000,
    codec="h264",
    width=1920,
    height=1080,
    pixel_format="yuv420p",
    track=0,
    has_b_frames=False,
    has_audio=False,
    display=AS_STORED,
    first_frame_ms=0,
    gaps=(),
)
EVENTS = st.builds(
    lambda event_id, start_ms, length_ms: Event(
        event_id, "motion", DAY.start_ms + start_ms, DAY.start_ms + start_ms + length_ms, "66a0c1"
    ),
    st.text("aZ0-/.", max_size=3),
    st.sampled_from([0, 1, HOUR_MS - 1, HOUR_MS]),
    st.sampled_from([0, 1, 999, 20_000, HOUR_MS, 3 * HOUR_MS]),
)


def index_of(events: list[Event], overlaps: Overlaps) -> ClipIndex:
    """Index of a day, as a scan makes it."""
    clips = clips_of(events, overlaps=overlaps, merge_gap_ms=5_000)
    return ClipIndex.of(Camera("66a0c1", "Door"), DAY, clips, ())


def test_a_film_as_planned_has_no_findings() -> None:
    """Two hours at twelve times their speed."""
    assert film_findings(FILM, SPEED) == ()


@pytest.mark.parametrize("off_ms", [-1_000, 1_000])
def test_what_ffmpeg_rounds_at_the_seams_is_tolerated(off_ms: int) -> None:
    """Up to a second and its frames."""
    film = replace(FILM, duration_ms=600_000 + off_ms, frames=18_000 + off_ms * 30 // 1000)

    assert film_findings(film, SPEED) == ()


@pytest.mark.parametrize(
    ("film", "finding"),
    [
        (replace(FILM, duration_ms=598_990), "it lasts 598.99 s, not 600.00 s"),
        (replace(FILM, duration_ms=601_010), "it lasts 601.01 s, not 600.00 s"),
        (replace(FILM, frames=17_969), "it has 17969 frames, not 18000"),
        (replace(FILM, frames=18_031), "it has 18031 frames, not 18000"),
        (replace(FILM, has_audio=True), "it has sound"),
    ],
)
def test_a_film_that_is_not_as_planned_is_found_out(film: Footage, finding: str) -> None:
    """Cut short, drawn out, or with sound."""
    assert film_findings(film, SPEED) == (finding,)


def test_everything_that_is_wrong_with_a_film_is_told() -> None:
    """Not the first finding alone."""
    film = replace(FILM, duration_ms=0, frames=0, has_audio=True)

    assert len(film_findings(film, SPEED)) == 3


@given(st.lists(EVENTS, max_size=5, unique_by=lambda event: event.event_id))
@pytest.mark.parametrize("overlaps", Overlaps)
def test_an_index_as_a_scan_writes_it_has_no_findings(
    overlaps: Overlaps, events: list[Event]
) -> None:
    """Whatever the day was like, a run does not find fault with its own work."""
    index = index_of(events, overlaps)
    lines = [f"file '/films/{entry.file_path}'" for entry in index.entries]

    assert manifest_findings(index, present=(), concat_lines=lines, expected_lines=lines) == ()


TWO = index_of(
    [
        Event("e1", "motion", DAY.start_ms, DAY.start_ms + 20_000, "66a0c1"),
        Event("e2", "motion", DAY.start_ms + HOUR_MS, DAY.start_ms + HOUR_MS + 20_000, "66a0c1"),
    ],
    Overlaps.MERGE,
)


def test_an_index_out_of_order_is_found_out() -> None:
    """The film would jump back in time."""
    turned = replace(TWO, entries=TWO.entries[::-1])

    assert manifest_findings(turned, present=(), concat_lines=[], expected_lines=[]) == (
        "clip_index.json is not in the order of time",
    )


@pytest.mark.parametrize("lines", [[], ["a"], ["b", "a"], ["a", "b", "b"], ["a", "b", "c"]])
def test_a_list_of_other_clips_is_found_out(lines: list[str]) -> None:
    """One that is missing, extra, twice, or out of order."""
    assert manifest_findings(TWO, present=(), concat_lines=lines, expected_lines=["a", "b"]) == (
        "concat.txt does not name the clips that are on the disk, in their order",
    )


def test_a_clip_that_the_index_has_and_the_disk_has_not_is_found_out() -> None:
    complete = TWO.with_standings(lambda _: COMPLETE)
    first, second = complete.entries
    assert manifest_findings(
        complete, present={first.name}, concat_lines=["a"], expected_lines=["a"]
    ) == (f"{second.name} is not on the disk as it was measured",)
