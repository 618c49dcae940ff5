"""A command that ends with the process that started it, even when that one is killed outright.

ffmpeg neither minds that nobody reads its progress any more (it ignores SIGPIPE) nor heeds the end
of its standard input, and would go on for an hour. Linux can send a signal to a process when its
parent dies, but has to be asked by the process itself: so this file, run as a program, asks and
then becomes the command. It imports as little as it can, to start in a few milliseconds.
"""

import os
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def on_a_leash(command: Sequence[str]) -> tuple[str, ...]:
    """Command line that runs ``command``, an absolute path and its arguments, on Linux on a leash.

    The signal comes when the *thread* ends that started the process, so that thread has to wait
    for it. Elsewhere than on Linux the command is returned as it is.
    """
    if sys.platform != "linux" or not sys.executable:
        return tuple(command)
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def _become(parent_id: int, command: list[str]) -> None:
    import ctypes  # noqa: PLC0415  only the program pays for it, not those who import the module

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent_id:  # it died before the signal was asked for
        return
    try:
        os.execv(command[0], command)  # noqa: S606  that there is no shell between is the point
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
