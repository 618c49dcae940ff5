"""How many examples a property is tried on."""

from hypothesis import HealthCheck, settings


def thorough(times: float, *tolerated: HealthCheck) -> settings:
    """So many times the examples that the chosen profile gives any other property.

    ``tolerated`` are health checks that do not apply to it, besides those of the profile.
    """
    chosen = settings()
    return settings(
        max_examples=round(times * chosen.max_examples),
        suppress_health_check=[*chosen.suppress_health_check, *tolerated],
    )
