"""The profiles of hypothesis, and how results of tests travel between processes."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of what is tested.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)

# The same examples in every run: a change is red or green, never both.
settings.register_profile("ci", _UNHURRIED, derandomize=True, database=None)
# Others each time, and five times as many, without a hurry:
# `pytest --hypothesis-profile=random -m hypothesis --timeout=0`.
settings.register_profile("random", _UNHURRIED, max_examples=500)
settings.load_profile("ci")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a report be text, whatever a test has logged or printed.

    Some log halves of characters on purpose. No process can send those to another, so that a
    worker of pytest-xdist would end.
    """
    return _as_text((yield))


def _as_text(part: Any) -> Any:  # noqa: ANN401  whatever a report is made of
    match part:
        case str():
            return part.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_as_text(key): _as_text(value) for key, value in part.items()}
        case list() | tuple():
            return type(part)(map(_as_text, part))
        case _:
            return part
