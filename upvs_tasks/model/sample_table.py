from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain, groupby, pairwise, repeat

from upvs_tasks.errors import DocumentError


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Every frame of a clip's video track, in the order in which they are shown.

    ``ticks`` are the frames' start times, as in the file: in units of ``tick_secs``, ascending, not
    always from 0. ``end_ticks`` is the end of the last frame. ``keyframes`` are the places of the
    frames that are decoded without any other; there may be none, if those are not shown.

    ``by_place``: the time stamp of a picture does not say which frame it is, because the file has
    the times of decoding in its place, or one time twice. Then frame n is the picture that a
    decoder gives as number n from the start.
    """

    ticks: tuple[int, ...]
    end_ticks: int
    tick_secs: Fraction
    keyframes: tuple[int, ...]
    by_place: bool = False

    def to_document(self) -> dict[str, object]:
        """The table as plain values; frames at even distances take one line."""
        steps = [after - at for at, after in pairwise((*self.ticks, self.end_ticks))]
        return {
            "tick_secs": [self.tick_secs.numerator, self.tick_secs.denominator],
            "first_tick": self.ticks[0],
            "steps": [[step, len(list(run))] for step, run in groupby(steps)],
            "keyframes": list(self.keyframes),
            "by_place": self.by_place,
        }

    @classmethod
    def from_document(cls, document: object) -> "SampleTable":
        """Table that `to_document` gave. Raises DocumentError for anything else.

        A day can have millions of uneven frames: too many for a converter that looks at each value
        by itself.
        """
        match document:
            case {
                "tick_secs": [int(over), int(under)],
                "first_tick": int(first),
                "steps": [*steps],
                "keyframes": [*keyframes],
                "by_place": bool(by_place),
            } if over > 0 and under > 0:
                with suppress(TypeError, ValueError):
                    runs = chain.from_iterable(repeat(step, count) for step, count in steps)
                    ticks = tuple(accumulate(runs, initial=first))
                    tick_secs = Fraction(over, under)
                    table = cls(ticks[:-1], ticks[-1], tick_secs, tuple(keyframes), by_place)
                    if table._is_sound:
                        return table
        raise DocumentError("not a valid sample table")

    @property
    def _is_sound(self) -> bool:
        """Whether all times are whole and ascending, and all keyframes are among the frames."""
        times, keyframes = (*self.ticks, self.end_ticks), self.keyframes
        return (
            type(self.end_ticks) is int  # a sum of all times: so none of them is a fraction
            and list(times) == sorted(times)
            and set(map(type, keyframes)) <= {int}
            and list(keyframes) == sorted(set(keyframes))
            and all(0 <= place < len(self.ticks) for place in keyframes[:1] + keyframes[-1:])
        )

    @property
    def duration_ms(self) -> int:
        """From the start of the first frame to the end of the last."""
        return self.ms_of(self.end_ticks - self.ticks[0])

    def ms_of(self, ticks: int) -> int:
        """A length in ticks as whole milliseconds, rounded half up."""
        denominator = self.tick_secs.denominator
        return (2000 * ticks * self.tick_secs.numerator + denominator) // (2 * denominator)

    def seek_ticks(self, frame: int) -> int | None:
        """Time stamp at which decoding has to begin to get a frame; None for the very start."""
        group = bisect_right(self.keyframes, frame) - 1
        return self.ticks[self.keyframes[group]] if group >= 0 else None
