import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance; tests have some of their own, in which nobody really waits."""

    sleep: Callable[[float], object] = time.sleep
    roll: Callable[[], float] = random.random
    monotonic_secs: Callable[[], float] = time.monotonic
    unix_secs: Callable[[], float] = time.time
