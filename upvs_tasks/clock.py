import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, given to whatever needs them; tests give a clock on which nobody waits.

    ``random`` is uniform in [0, 1).
    """

    sleep: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random
    monotonic_secs: Callable[[], float] = time.monotonic
    unix_secs: Callable[[], float] = time.time
