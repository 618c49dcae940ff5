import pytest
from hypothesis import settings


def test_a_plain_run_tries_the_same_examples_each_time(pytestconfig: pytest.Config) -> None:
    """It is red for what was changed, and never by chance; searching on is to be asked for."""
    chosen = pytestconfig.getoption("--hypothesis-profile")

    assert settings().derandomize is (chosen is None or chosen == "ci")
