"""The client of the console: all of HTTP.

``from upvs_tasks import console``, then ``console.client`` and so on: a module is imported when it
is first used, since HTTP takes a tenth of a second and what is done offline has no use for it.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upvs_tasks.console import client as client
    from upvs_tasks.console import embedded as embedded
    from upvs_tasks.console import endpoint as endpoint
    from upvs_tasks.console import retry as retry
    from upvs_tasks.console import usage as usage

_MODULES = ("client", "embedded", "endpoint", "retry", "usage")


def __getattr__(name: str) -> ModuleType:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
