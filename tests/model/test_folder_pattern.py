import datetime as dt
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.folder_pattern import folder_pattern

DATE = dt.date(2024, 1, 15)
LITERALS = st.text(st.sampled_from([*"ab*?[]!-/ "]), max_size=8)
FIELDS = st.sampled_from(["{camera}", "{date}", "{date:%Y/%m}", "{{x}}"])


@pytest.mark.parametrize(
    ("out_dir", "of_the_day", "of_the_camera"),
    [
        ("out/{camera}/{date}", "out/*/2024-01-15", "out/Door/*"),
        ("films/{date:%Y/%m-%d}/{camera}", "films/2024/01-15/*", "films/*/*-*/Door"),
        ("films", "films", "films"),
        ("[a]/{date}", "[[]a]/2024-01-15", "[[]a]/*"),
        ("{{camera}}", "{camera}", "{camera}"),
    ],
)
def test_what_is_not_given_may_be_anything(
    out_dir: str, of_the_day: str, of_the_camera: str
) -> None:
    """The rest stands for itself."""
    assert folder_pattern(out_dir, date=DATE) == of_the_day
    assert folder_pattern(out_dir, camera="Door") == of_the_camera


@given(
    st.lists(LITERALS | FIELDS).map("".join),
    st.text(st.sampled_from([*"ab *?[]"]), min_size=1),
    st.dates(),
)
def test_the_folder_of_every_day_fits_the_pattern(out_dir: str, camera: str, date: dt.date) -> None:
    """Whatever is in the names."""
    folder = out_dir.format(camera=camera, date=date)

    for pattern in (
        folder_pattern(out_dir),
        folder_pattern(out_dir, date=date),
        folder_pattern(out_dir, camera=camera),
    ):
        assert fnmatchcase(folder, pattern)
    assert fnmatchcase(folder, folder_pattern(out_dir, camera=camera, date=date))
