"""Ctrl-C and other signals that end a run at once, whatever its threads are doing."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread, main_thread
from types import FrameType

from upvs_tasks import machine
from upvs_tasks.errors import ExitCode

_RESEND_SECS = 0.2
_STDERR = 2
# Each signal that ends a program, and what it did. Windows has no SIGHUP.
_ENDINGS = {
    signal.SIGINT: (ExitCode.INTERRUPTED, "interrupted"),
    signal.SIGTERM: (ExitCode.TERMINATED, "terminated"),
}
if hasattr(signal, "SIGHUP"):
    _ENDINGS[signal.SIGHUP] = (ExitCode.HUNG_UP, "ended with its terminal")


@dataclass(slots=True)
class Received:
    """The last signal that came; None while none has."""

    number: signal.Signals | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a process that this signal ended."""
        return _ENDINGS[self.number][0] if self.number else ExitCode.WHOLE

    @property
    def in_words(self) -> str:
        """What the signal did to the run."""
        return _ENDINGS[self.number][1] if self.number else ""


def end_at_once() -> None:
    """From now on, and outside of `handled`, let a signal end the program in a sentence.

    For the time in which nothing is at work yet: nothing is tidied up.
    """
    for number in _expected():
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    exit_code, what_happened = _ENDINGS[signal.Signals(number)]
    with suppress(OSError):
        os.write(_STDERR, f"{what_happened}\n".encode())
    os._exit(exit_code)


def _expected() -> list[signal.Signals]:
    """Signals that end a program; not a hang-up where somebody had it ignored (nohup)."""
    is_ignored = {number: signal.getsignal(number) == signal.SIG_IGN for number in _ENDINGS}
    keeps = {number for number in _ENDINGS if number in (signal.SIGINT, signal.SIGTERM)}
    return [number for number in _ENDINGS if number in keeps or not is_ignored[number]]


@contextmanager
def handled() -> Iterator[Received]:
    """Within the block, SIGINT raises KeyboardInterrupt, others SystemExit, in the main thread.

    Python loses a signal that comes just before the main thread begins to wait for a worker: it
    notes the signal, but the wait goes on. So a thread listens for signals, too, and sends each one
    to the main thread again until its handler has run.
    """
    received, has_run = Received(), Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        received.number = signal.Signals(number)
        has_run.set()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(received.exit_code)

    listening, woken = socket.socketpair()
    woken.settimeout(0)
    former = {number: signal.signal(number, handle) for number in _expected()}
    former_descriptor = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    Thread(target=_resend, args=(listening, has_run), daemon=True).start()
    try:
        yield received
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former.items():
            signal.signal(number, handler)
        woken.close()


def _resend(listening: socket.socket, has_run: Event) -> None:
    """Send each signal to the main thread until its handler has run; ends with the block."""
    with listening:
        while number := listening.recv(1):
            main_id = main_thread().ident
            while main_id is not None and not has_run.wait(_RESEND_SECS):
                machine.signal_thread(main_id, number[0])
            has_run.clear()
