from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain, groupby, pairwise, repeat

from upvs_tasks.errors import DocumentError


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Every frame of a clip's video track, in the order in which they are shown.

    ``ticks`` are the times at which they come on screen, as the file and its decoder count them:
    never descending, in units of ``tick_secs``, not always from 0. ``end_ticks`` is when the last
    goes. ``keyframes`` are the positions of those that need no other frame to be decoded.
    """

    ticks: tuple[int, ...]
    end_ticks: int
    tick_secs: Fraction
    keyframes: tuple[int, ...]

    def to_document(self) -> dict[str, object]:
        """The table as plain values; frames at even distances take no room."""
        steps = [after - at for at, after in pairwise((*self.ticks, self.end_ticks))]
        return {
            "tick_secs": [self.tick_secs.numerator, self.tick_secs.denominator],
            "first_tick": self.ticks[0],
            "steps": [[step, len(list(run))] for step, run in groupby(steps)],
            "keyframes": list(self.keyframes),
        }

    @classmethod
    def from_document(cls, document: object) -> "SampleTable":
        """Table that `to_document` gave. Raises DocumentError for anything else.

        Cameras write an hour of uneven frames, and a day has dozens of hours: so this is no work
        for a converter that looks at each value by itself.
        """
        match document:
            case {
                "tick_secs": [int(over), int(under)],
                "first_tick": int(first),
                "steps": [*steps],
                "keyframes": [*keyframes],
            } if over > 0 and under > 0:
                with suppress(TypeError, ValueError):
                    runs = chain.from_iterable(repeat(step, count) for step, count in steps)
                    ticks = tuple(accumulate(runs, initial=first))
                    table = cls(ticks[:-1], ticks[-1], Fraction(over, under), tuple(keyframes))
                    if table._is_sound:
                        return table
        raise DocumentError("not a valid sample table")

    @property
    def _is_sound(self) -> bool:
        """Whether all times are whole and ascending, and all keyframes are among the frames."""
        times, keyframes = (*self.ticks, self.end_ticks), self.keyframes
        return (
            type(self.end_ticks) is int  # it is a sum, and so no other time is a fraction either
            and list(times) == sorted(times)
            and set(map(type, keyframes)) == {int}
            and list(keyframes) == sorted(set(keyframes))
            and keyframes[0] >= 0
            and keyframes[-1] < len(self.ticks)
        )

    @property
    def times_ms(self) -> tuple[int, ...]:
        """When each frame comes on screen, from the first frame on."""
        scale, start = 1000 * self.tick_secs, self.ticks[0]
        over, under = scale.numerator, scale.denominator
        return tuple(((tick - start) * over * 2 + under) // (under * 2) for tick in self.ticks)

    @property
    def durations_ms(self) -> tuple[int, ...]:
        """How long each frame stays on screen; they add up to ``duration_ms``."""
        return tuple(after - at for at, after in pairwise((*self.times_ms, self.duration_ms)))

    @property
    def duration_ms(self) -> int:
        """From the first frame's start to the last one's end."""
        return self.ms_of(self.end_ticks - self.ticks[0])

    def ms_of(self, ticks: int) -> int:
        """A length in ``ticks`` as whole milliseconds, halves upwards."""
        scale = 2000 * self.tick_secs
        return (ticks * scale.numerator + scale.denominator) // (scale.denominator * 2)

    def seek_ticks(self, frame: int) -> int:
        """Time stamp from which on the clip has to be decoded to get at a frame."""
        group = bisect_right(self.keyframes, frame) - 1
        return self.ticks[self.keyframes[group] if group >= 0 else 0]
