"""The first moments of a program, before anything that takes long is imported."""

import sys

from upvs_tasks import signals
from upvs_tasks.output import listener

_DOIT = "doit.__main__"


def begin() -> None:
    """Do not depend on who listens; end in a sentence when a signal comes before a run does."""
    listener.secure_streams()
    signals.end_at_once()


def begin_as_doit() -> None:
    """Likewise, unless doit is only a part of another program. To be called first in dodo.py."""
    if is_doit():
        begin()


def is_doit() -> bool:
    """Whether the program that runs is doit's own, by whatever name it was started."""
    main = sys.modules["__main__"]
    is_module = getattr(main.__spec__, "name", None) == _DOIT
    return is_module or getattr(getattr(main, "main", None), "__module__", None) == _DOIT
