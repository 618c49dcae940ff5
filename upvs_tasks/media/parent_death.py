"""A command that ends with the process that started it, even when that one is killed outright.

ffmpeg neither minds that nobody reads its progress any more (it ignores SIGPIPE) nor ends with its
standard input, and would go on for an hour. So this file, run as a program, starts the command and
waits for two things. One is the command's end; then it ends likewise. The other is the end of its
own standard input, a pipe of which the parent alone holds the other end; then the parent is gone,
or wants no more of the command, and the command is killed.

Every system closes the pipes of a process that ends. The signal that Linux can send in its place
is Linux's alone, and comes with the end of the thread that started the process.
"""

import _thread
import os
import signal
import sys
from collections.abc import Sequence

NOT_STARTED = "cannot be started"


def ending_with_parent(command: Sequence[str]) -> tuple[str, ...]:
    """Command line that runs ``command``, an absolute path and its arguments.

    It is to be started with a pipe as standard input. Where that is closed, both end at once.
    """
    return (sys.executable, "-I", "-S", __file__, *command)


def main(command: list[str]) -> int:
    """Run the command to its end. Returns its exit code, or ends by the signal that ended it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing but its end ends the wait for it
    try:
        child_id = os.fork()
    except OSError as error:
        sys.exit(f"{command[0]} {NOT_STARTED}: {error.strerror}")
    if child_id == 0:
        _become(command)
    _thread.start_new_thread(_kill_at_end_of_input, (child_id,))
    _, status = os.waitpid(child_id, 0)
    exit_code = os.waitstatus_to_exitcode(status)
    if exit_code < 0:
        if -exit_code != signal.SIGKILL:
            signal.signal(-exit_code, signal.SIG_DFL)
        os.kill(os.getpid(), -exit_code)
    return exit_code


def _become(command: list[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    try:
        os.execv(command[0], command)  # noqa: S606  that there is no shell between is the point
    except OSError as error:
        sys.exit(f"{command[0]} {NOT_STARTED}: {error.strerror}")


def _kill_at_end_of_input(child_id: int) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(child_id, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
