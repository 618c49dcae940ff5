"""The profiles of hypothesis: what is the same in every run, and what searches on."""

from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of what is tested.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)

# The same examples in every run: a change is red or green, never both.
settings.register_profile("ci", _UNHURRIED, derandomize=True, database=None)
# Others each time, and five times as many: `pytest --hypothesis-profile=random tests/model`.
settings.register_profile("random", _UNHURRIED, max_examples=500)
settings.load_profile("ci")
