"""When the frames of a clip are shown, and for how long, in milliseconds."""

from itertools import pairwise

from upvs_tasks.model.sample_table import SampleTable


def times_ms(table: SampleTable) -> tuple[int, ...]:
    """Start of each frame, counted from the start of the first."""
    return tuple(table.ms_of(tick - table.ticks[0]) for tick in table.ticks)


def durations_ms(table: SampleTable) -> tuple[int, ...]:
    """Duration of each frame; they add up to that of the clip."""
    return tuple(after - at for at, after in pairwise((*times_ms(table), table.duration_ms)))
