"""The first moments of a program, before anything that takes long is imported."""

from upvs_tasks import signals
from upvs_tasks.output import listener


def begin() -> None:
    """Do not depend on who listens; end in a sentence when a signal comes before a run does."""
    listener.secure_streams()
    signals.end_at_once()
