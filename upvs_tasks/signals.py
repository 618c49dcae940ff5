"""Ctrl-C and SIGTERM that end a run at once, whatever its threads are doing."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread, main_thread
from types import FrameType

from upvs_tasks import machine
from upvs_tasks.errors import ExitCode

_RESEND_SECS = 0.2


@dataclass(slots=True)
class Received:
    """The last signal that came; None while none has."""

    number: int | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a process that this signal ended."""
        return ExitCode.INTERRUPTED if self.number == signal.SIGINT else ExitCode.TERMINATED

    @property
    def in_words(self) -> str:
        """What the signal did to the run."""
        return self.exit_code.name.lower()


@contextmanager
def handled() -> Iterator[Received]:
    """Within the block, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit in the main thread.

    Python loses a signal that comes just before the main thread begins to wait for a worker: it
    notes the signal, but the wait goes on. So a thread listens for signals, too, and sends each one
    to the main thread again until its handler has run.
    """
    received, has_run = Received(), Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        received.number = number
        has_run.set()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(received.exit_code)

    listening, woken = socket.socketpair()
    woken.settimeout(0)
    former = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
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
