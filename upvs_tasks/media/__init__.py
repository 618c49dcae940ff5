"""All codecs, and all processes but that of the embedded console.

``from upvs_tasks import media``, then ``media.probe`` and so on: a module is imported when it is
first used, since PyAV takes a tenth of a second and a run with nothing to do has no use for it.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upvs_tasks.media import concat_engine as concat_engine
    from upvs_tasks.media import encode as encode
    from upvs_tasks.media import ffmpeg as ffmpeg
    from upvs_tasks.media import join as join
    from upvs_tasks.media import overlap as overlap
    from upvs_tasks.media import probe as probe
    from upvs_tasks.media import render_places as render_places
    from upvs_tasks.media import segment as segment
    from upvs_tasks.media import worker_pool as worker_pool

_MODULES = (
    "concat_engine",
    "encode",
    "ffmpeg",
    "join",
    "overlap",
    "probe",
    "render_places",
    "segment",
    "worker_pool",
)


def __getattr__(name: str) -> ModuleType:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def stop_all() -> None:
    """End every program that was started; each thread that waits for one gets a RenderError."""
    for name in ("worker_pool", "ffmpeg"):
        if (module := sys.modules.get(f"{__name__}.{name}")) is not None:
            module.stop_all()
