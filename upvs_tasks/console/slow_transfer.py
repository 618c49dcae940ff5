"""An answer may take its time, but not come in drops for ever.

A read timeout is for a single read: a body that brings a byte a minute keeps within it, for days.
"""

MEASURED_SECS = 60.0
LEAST_BYTES_PER_SEC = 1_000


class SlowTransferError(TimeoutError):
    """Less than 1,000 bytes a second came, for a minute or longer."""


def check_speed(received_bytes: int, secs: float) -> None:
    """Raise SlowTransferError where so few bytes came in so many seconds, a minute or more."""
    if received_bytes < LEAST_BYTES_PER_SEC * secs:
        raise SlowTransferError(f"{received_bytes} bytes in {secs:.0f} s")
