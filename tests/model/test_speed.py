import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.speed import Speed, speed_factor, stepped


@pytest.mark.parametrize(
    ("total_secs", "target_secs", "factor"),
    [
        (7200, 600, 12.0),
        (599.9, 600, 1.0),
        (600, 600, 1.0),
        (0, 600, 1.0),
        (86_400, 10, 2000.0),
        (1_200_000, 600, 2000.0),
    ],
)
def test_the_factor_is_footage_by_target_within_its_bounds(
    total_secs: float, target_secs: float, factor: float
) -> None:
    """The specification's example, its two edge cases, and a day without footage."""
    assert speed_factor(total_secs, target_secs) == factor


def test_two_hours_make_ten_minutes() -> None:
    """The document holds the specification's names and its example's values."""
    speed = Speed.of(total_duration_ms=7_200_000, target_secs=600, output_fps=30)
    assert speed.to_document() == {
        "total_duration_secs": 7200.0,
        "speed_factor": 12.0,
        "target_secs": 600,
        "output_duration_secs": 600.0,
        "output_fps": 30,
        "output_frames": 18_000,
    }
    assert speed.step_ms == 400.0


def test_less_footage_than_the_target_is_shown_as_it_is() -> None:
    """A minute of footage gives a minute of film."""
    speed = Speed.of(total_duration_ms=60_000, target_secs=600, output_fps=25)
    assert (speed.output_frames, speed.output_duration_secs) == (1500, 60.0)


@pytest.mark.parametrize(("total_duration_ms", "frames"), [(0, 0), (1, 1), (10, 1)])
def test_any_footage_gives_at_least_one_frame(total_duration_ms: int, frames: int) -> None:
    """Ten milliseconds are less than a frame, but not nothing."""
    speed = Speed.of(total_duration_ms=total_duration_ms, target_secs=600, output_fps=30)
    assert speed.output_frames == frames


@given(
    total_duration_ms=st.integers(min_value=1, max_value=25 * 3_600_000),
    target_secs=st.integers(min_value=1, max_value=86_400),
    output_fps=st.integers(min_value=1, max_value=240),
)
def test_the_film_is_as_long_as_asked_for_to_half_a_frame(
    total_duration_ms: int, target_secs: int, output_fps: int
) -> None:
    """Unless the bounds of the factor stand against it, or less than a frame is wanted."""
    speed = Speed.of(
        total_duration_ms=total_duration_ms, target_secs=target_secs, output_fps=output_fps
    )
    wanted_secs = total_duration_ms / 1000 / speed.speed_factor
    if 1 < speed.speed_factor < 2000:
        assert wanted_secs == pytest.approx(target_secs)
    if wanted_secs * output_fps >= 1:
        assert abs(speed.output_frames - wanted_secs * output_fps) <= 0.5 + 1e-6


@given(
    total_duration_ms=st.integers(min_value=600_000, max_value=25 * 3_600_000),
    target_secs=st.integers(min_value=60, max_value=86_400),
    step_percent=st.floats(0, 3),
)
def test_in_steps_the_film_ends_within_ten_seconds_of_its_target(
    total_duration_ms: int, target_secs: int, step_percent: float
) -> None:
    """However coarse the steps are, as far as there is footage enough."""
    speed = Speed.of(
        total_duration_ms=total_duration_ms,
        target_secs=target_secs,
        output_fps=30,
        step_percent=step_percent,
    )
    wanted_secs = min(target_secs, total_duration_ms / 1000)
    assert abs(speed.output_duration_secs - wanted_secs) < 10.02
    assert speed.speed_factor >= 1


def test_in_steps_the_speed_seldom_moves() -> None:
    """Two hours of footage and then another ten seconds, a hundred times: 1.4 times the footage."""
    speeds = {
        Speed.of(
            total_duration_ms=7_200_000 + 10_000 * late,
            target_secs=600,
            output_fps=30,
            step_percent=3,
        ).speed_factor
        for late in range(100)
    }
    assert len(speeds) <= 6


def test_without_steps_the_speed_is_exact() -> None:
    """0 percent is none."""
    assert stepped(12.3456789, step_percent=0, target_secs=600) == 12.3456789
