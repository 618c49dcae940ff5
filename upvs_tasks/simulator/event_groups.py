"""Events that belong together, such as a motion and the smart detection that overlaps with it.

Each function takes the numbers it needs from a generator, in a fixed order: a change of that order
changes the days that are shipped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from upvs_tasks.simulator.events import (
    MOTION,
    RING,
    SMART_AUDIO,
    SMART_LINE,
    SMART_LOITER,
    SMART_ZONE,
    VIDEO_EXPORTED,
)
from upvs_tasks.simulator.prng import Prng

SEC_MS = 1000

_HOUR_MS = 3_600 * SEC_MS
_SMART_TYPES = ("person", "person", "vehicle", "vehicle", "animal", "package")
_SOUNDS = ("alrmSpeak", "alrmBark", "alrmCarHorn")


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that has no id yet."""

    start_ms: int
    end_ms: int | None
    kind: str = MOTION
    smart_types: tuple[str, ...] = ()
    score: int = 0
    has_camera: bool = True
    extra: tuple[tuple[str, object], ...] = ()


def motion(prng: Prng, start_ms: int) -> EventDraft:
    """Return a motion of 21 to 47 s."""
    is_short = prng.chance(70)
    duration_ms = prng.integer(21_000, 28_000) if is_short else prng.integer(28_000, 47_000)
    return EventDraft(start_ms, start_ms + duration_ms, score=prng.integer(0, 99))


def smart_detection(prng: Prng, start_ms: int, duration_ms: int) -> EventDraft:
    """Return a smart detection of one or two types, in most cases in a zone."""
    kind = SMART_ZONE
    if prng.chance(12):
        kind = prng.choice((SMART_LINE, SMART_LOITER))
    types = {prng.choice(_SMART_TYPES)}
    if prng.chance(20):
        types.add(prng.choice(_SMART_TYPES))
    end_ms = start_ms + duration_ms
    return EventDraft(start_ms, end_ms, kind, tuple(sorted(types)), prng.integer(40, 99))


def motion_and_detection(
    prng: Prng, start_ms: int, *, smart_percent: int = 65, longest_ms: int = 60_000
) -> Iterator[EventDraft]:
    """Yield a motion and often a smart detection that overlaps with it."""
    yield motion(prng, start_ms)
    if prng.chance(smart_percent):
        delay_ms = prng.integer(6_000, 18_000)
        yield smart_detection(prng, start_ms + delay_ms, prng.integer(16_700, longest_ms))


def close_motions(prng: Prng, start_ms: int) -> Iterator[EventDraft]:
    """Yield motions so close that they overlap, or do so with the padding of their exports."""
    for _ in range(prng.integer(3, 4)):
        yield motion(prng, start_ms)
        start_ms += prng.integer(17_000, 24_000)


def equal_starts(prng: Prng, start_ms: int) -> Iterator[EventDraft]:
    """Yield two events with the same start."""
    later = motion(prng, start_ms)
    yield smart_detection(prng, start_ms, prng.integer(17_000, 30_000))
    yield later


def long_detection(prng: Prng, start_ms: int) -> Iterator[EventDraft]:
    """Yield a long smart detection and several motions within it."""
    yield smart_detection(prng, start_ms, 222_000)
    for number in range(4):
        yield motion(prng, start_ms + 8_000 + number * 45_000)


def other_types(prng: Prng, noon_ms: int) -> Iterator[EventDraft]:
    """Yield events around noon that are neither motions nor smart detections of pictures."""
    yield EventDraft(noon_ms, noon_ms + SEC_MS, RING)
    sound_ms = noon_ms - 2 * _HOUR_MS
    yield EventDraft(sound_ms, sound_ms + 6 * SEC_MS, SMART_AUDIO, (prng.choice(_SOUNDS),))
    one_ms, two_ms, three_ms, four_ms = (noon_ms + hours * _HOUR_MS for hours in (1, 2, 3, 4))
    yield EventDraft(one_ms, one_ms, "access", has_camera=False)
    yield EventDraft(two_ms, two_ms, "adminActivity", has_camera=False)
    yield EventDraft(three_ms, three_ms, VIDEO_EXPORTED)
    yield EventDraft(four_ms, four_ms + 5 * SEC_MS, "petFeederJammed")
