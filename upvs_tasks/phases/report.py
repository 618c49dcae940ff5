"""Account for every event of the day: in the film, or named with the reason why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks.model.clip import is_short
from upvs_tasks.model.clip_index import ClipIndex, ClipStatus, IndexEntry
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.plural import counted, is_or_are
from upvs_tasks.phases import timelapse
from upvs_tasks.phases.context import Context

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class DayAccount:
    """What became of the day's clips, judged from the disk; ``short`` ones with their ms."""

    index: ClipIndex
    film_is_current: bool
    short: tuple[tuple[IndexEntry, int], ...] = ()
    leftovers: tuple[Path, ...] = ()
    damages: tuple[Damage, ...] = ()

    @property
    def missing(self) -> tuple[IndexEntry, ...]:
        """Clips that were asked for and could not be had."""
        return tuple(
            entry for entry in self.index.entries if entry.standing.status is ClipStatus.FAILED
        )

    def lines(self, *, film_wanted: bool) -> Iterator[str]:
        """The account in words, one sentence a line."""
        index = self.index
        for entry in self.missing[:_MOST_NAMED]:
            word = "not to be had" if entry.standing.is_settled else "missing"
            yield f"{word}: {_span(index, entry)} {entry.name}: {entry.standing.reason}"
        if len(self.missing) > _MOST_NAMED:
            unnamed = len(self.missing) - _MOST_NAMED
            yield f"missing: {unnamed} more, each with its reason in clip_index.json"
        for entry, footage_ms in self.short[:_MOST_NAMED]:
            share = f"{footage_ms / 1000:.0f} of {entry.clip.duration_ms / 1000:.0f} s"
            yield f"short: {_span(index, entry)} {entry.name}: {share} were recorded"
        if len(self.short) > _MOST_NAMED:
            yield f"short: {len(self.short) - _MOST_NAMED} more"
        for damage in self.damages if film_wanted else ():
            share = f"{damage.replaced_frames} of {damage.wanted_frames} frames"
            yield f"damaged: {damage.clip_name}: {share} of it show a neighbour: {damage.reason}"
        for event in index.ongoing:
            began = index.day.clock(event.start_ms)
            yield f"under way: {event.event_type} since {began:%H:%M:%S}; a later run takes it up"
        if self.leftovers:
            folder = self.leftovers[0].parent
            clips = counted(len(self.leftovers), "clip")
            yield f"left over: {clips} of an earlier list, safe to delete, in {folder}"
        if not index.entries:
            yield f"no events on {index.day.text}: nothing to film"
        elif film_wanted and self.film_is_current:
            yield self._whole_or_not()

    def _whole_or_not(self) -> str:
        day, events = self.index.day.text, counted(self.index.event_count, "event")
        if self.missing:
            lost = len({event.event_id for entry in self.missing for event in entry.clip.events})
            missing = f"{lost} of {events} of {day} {is_or_are(lost)} missing"
            if all(entry.standing.is_settled for entry in self.missing):
                return f"whole but for what the console does not have: {missing}"
            return f"not whole: {missing}; running again asks for those alone"
        if self.damages:
            count = len(self.damages)
            clips = counted(count, "clip")
            return f"not whole: {clips} of {day} {is_or_are(count)} damaged on this disk"
        which = "the only event" if self.index.event_count == 1 else f"all {events}"
        whole = f"whole: {which} of {day} {is_or_are(self.index.event_count)} in the film"
        return f"{whole}, as far as they were recorded" if self.short else whole


def run(context: Context) -> DayAccount | None:
    """Account of the day as it stands; None when it was never scanned."""
    film = context.planner.film()
    if film is None:
        return None
    return DayAccount(
        index=context.clips.judged(film.index),
        film_is_current=timelapse.is_current(context),
        short=tuple(
            (entry, record.footage.duration_ms)
            for entry, record in film.recorded
            if is_short(entry.clip, record.footage.duration_ms)
        ),
        leftovers=context.clips.leftovers(film.index),
        damages=timelapse.damages(context),
    )


def _span(index: ClipIndex, entry: IndexEntry) -> str:
    start, end = (index.day.clock(ms) for ms in (entry.clip.start_ms, entry.clip.end_ms))
    return f"{start:%H:%M:%S}-{end:%H:%M:%S}"
