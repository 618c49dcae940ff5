"""Takes from Python what macOS does not have; it runs at the start of each Python that finds it.

That is so of all whose PYTHONPATH names this folder. What they ask for is then missing as it is
there: it is no attribute, or raises what the system's own refusal raises.
"""

# ruff: noqa: INP001  a folder of PYTHONPATH, and no package

import os
import select
import signal
import sys
import sysconfig
from types import ModuleType

LINUX_ONLY: list[tuple[ModuleType, tuple[str, ...]]] = [
    (
        os,
        (
            "copy_file_range",
            "memfd_create",
            "pidfd_open",
            "posix_fadvise",
            "posix_fallocate",
            "sched_getaffinity",
            "sched_setaffinity",
            "setns",
            "unshare",
        ),
    ),
    (select, ("epoll",)),
    (signal, ("pidfd_send_signal", "sigtimedwait", "sigwaitinfo")),
]


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "ctypes.dlsym" and arguments[1] == "prctl":
        raise AttributeError("prctl: symbol not found")
    if event in {"open", "os.listdir", "os.scandir"} and str(arguments[0]).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", arguments[0])


for module, names in LINUX_ONLY:
    for name in names:
        vars(module).pop(name, None)
# The standard library asks macOS for its proxies by way of this module, which only macOS has.
proxies = ModuleType("_scproxy")
proxies._get_proxies = dict  # type: ignore[attr-defined]  # noqa: SLF001  its own name
proxies._get_proxy_settings = dict  # type: ignore[attr-defined]  # noqa: SLF001  likewise
sys.modules["_scproxy"] = proxies
# How Python was built is kept under the name of the system on which it was.
sysconfig.get_config_vars()
sys.addaudithook(_refuse)
sys.platform = "darwin"
