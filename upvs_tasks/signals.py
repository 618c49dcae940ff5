"""Ctrl-C and SIGTERM that end a run at once, whatever its threads are doing."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread, main_thread
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_PATIENCE_SECS = 0.2


@contextmanager
def heeded() -> Iterator[None]:
    """Within the block, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit in the main thread.

    Python's own way loses a signal that comes just before the main thread begins to wait for a
    worker: it is noted, but the wait goes on. So a thread listens for signals, too, and sends one
    that was not heeded to the main thread again, until it is.
    """
    noticed = Event()

    def heed(number: int, _frame: FrameType | None) -> None:
        noticed.set()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(TERMINATED)

    listening, woken = socket.socketpair()
    woken.settimeout(0)
    former = {number: signal.signal(number, heed) for number in (signal.SIGINT, signal.SIGTERM)}
    former_descriptor = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    Thread(target=_insist, args=(listening, noticed), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former.items():
            signal.signal(number, handler)
        woken.close()


def _insist(listening: socket.socket, noticed: Event) -> None:
    """Send each signal on to the main thread until it is noticed; ends with the block."""
    with listening:
        while number := listening.recv(1):
            main_id = main_thread().ident
            while main_id is not None and not noticed.wait(_PATIENCE_SECS):
                signal.pthread_kill(main_id, number[0])
            noticed.clear()
