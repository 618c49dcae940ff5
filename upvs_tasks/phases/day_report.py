"""The account of a day in words: a sentence for each thing to name, and one that sums up."""

import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks.errors import as_typed
from upvs_tasks.model.account import DayAccount, EventState
from upvs_tasks.model.clip import CONTINUOUS, NEVER_ENDED_MS
from upvs_tasks.model.clip_index import ClipIndex, ClipStatus, IndexEntry
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.event import Event
from upvs_tasks.model.plural import counted, is_or_are
from upvs_tasks.model.stitching import ClipGap

_MOST_NAMED = 20
_MISSING_STATES = frozenset(
    {EventState.NOT_FETCHED, EventState.FAILED, EventState.REFUSED, EventState.NOT_RECORDED}
)


@dataclass(frozen=True, slots=True)
class DayReport:
    """The account of a day as it stands on the disk, and what else has to be named.

    ``film`` is where the film lies, or is to lie. ``short`` are clips of which less than half was
    recorded, and ``long`` those that hold more than was asked for, each with its ms. ``gaps`` are
    those within clips. ``kept`` are clips on the disk that the film does not need. ``smart_types``
    are those that the settings ask for.
    """

    index: ClipIndex
    account: DayAccount
    film: Path
    clips_folder: Path
    film_is_current: bool
    short: tuple[tuple[IndexEntry, int], ...] = ()
    long: tuple[tuple[IndexEntry, int], ...] = ()
    gaps: tuple[tuple[IndexEntry, ClipGap], ...] = ()
    damages: tuple[Damage, ...] = ()
    kept: tuple[IndexEntry, ...] = ()
    smart_types: tuple[str, ...] = ()

    def lacks_something(self, fetched: Collection[str], *, film_wanted: bool) -> bool:
        """Whether something is missing that another run may get, or there are events and no film.

        Without a film only the clips count that were asked for, by their names.
        """
        if film_wanted:
            has_events = bool(self.index.entries or self.index.unreadable)
            return self.account.can_heal or (has_events and not self._has_film)
        entries = [entry for entry in self.index.entries if entry.name in fetched]
        return self.account.of_clips(entries).can_heal

    def lines(self, *, film_wanted: bool) -> Iterator[str]:
        """The report in words, one sentence a line; the last one sums up."""
        yield from _first("missing", list(map(self._missing, self._missing_clips)))
        yield from _first("short", [self._short(entry, ms) for entry, ms in self.short])
        yield from _first("gap", [self._gap(entry, gap) for entry, gap in self.gaps])
        yield from _first("long", [self._long(entry, ms) for entry, ms in self.long])
        yield from _first("damaged", list(map(_damaged, self.damages)))
        if film_wanted:
            yield from self._left_out()
            yield from self._in_one_line(
                "perhaps not in what the console gave", self._events_in(EventState.UNCERTAIN)
            )
            yield from self._too_short()
        for event in self._events_in(EventState.NEVER_ENDED):
            asked_mins = NEVER_ENDED_MS // 60_000
            yield f"no end: {self._event(event)}; {counted(asked_mins, 'minute')} were asked for"
        for event in self._events_in(EventState.ONGOING):
            yield f"under way: {self._event(event)}; a later run takes it up"
        for odd in self.index.unreadable:
            yield f"unreadable: event {odd.event_id!r} of the console's list: {odd.reason}"
        yield from self._last_copies()
        yield self.sum(film_wanted=film_wanted)

    @property
    def _missing_clips(self) -> list[IndexEntry]:
        """Clips that are not on the disk, unless others hold their events and no more can come."""
        missing = {
            each.event.event_id
            for each in self.account.events
            if each.state in _MISSING_STATES or each.can_heal
        }
        return [
            entry
            for entry in self.index.entries
            if entry.standing.status is not ClipStatus.COMPLETE
            and any(event.event_id in missing for event in entry.clip.events)
        ]

    def _too_short(self) -> Iterator[str]:
        yield from self._in_one_line("too short to be seen", self._events_in(EventState.TOO_SHORT))

    def _left_out(self) -> Iterator[str]:
        """The events that are not in the film although their clips are there."""
        named = {event.event_id for entry in self._missing_clips for event in entry.clip.events}
        absent = self._events_in(EventState.NOT_RECORDED)
        left_out = [event for event in absent if event.event_id not in named]
        yield from self._in_one_line("not in what the console gave", left_out)

    def _in_one_line(self, label: str, events: Sequence[Event]) -> Iterator[str]:
        """Name events in one line, since there may be hundreds."""
        more = f" and {len(events) - _MOST_NAMED} more" if len(events) > _MOST_NAMED else ""
        if events:
            yield f"{label}: {', '.join(map(self._event, events[:_MOST_NAMED]))}{more}"

    def _missing(self, entry: IndexEntry) -> str:
        standing = entry.standing
        word = "not to be had" if standing.is_settled else "missing"
        reason = standing.reason or "not fetched yet"
        return f"{word}: {self._span(entry)} {entry.name}: {reason}"

    def _short(self, entry: IndexEntry, footage_ms: int) -> str:
        share = f"{footage_ms / 1000:.0f} of {entry.clip.duration_ms / 1000:.0f} s"
        return f"short: {self._span(entry)} {entry.name}: {share} were recorded"

    def _long(self, entry: IndexEntry, footage_ms: int) -> str:
        asked_secs = entry.clip.duration_ms / 1000
        came = f"{footage_ms / 1000:.0f} s came, and {asked_secs:.0f} s were asked for"
        return f"long: {self._span(entry)} {entry.name}: {came}; the film shows it faster"

    def _gap(self, entry: IndexEntry, gap: ClipGap) -> str:
        start, secs = self.index.day.clock(gap.start_ms), gap.duration_ms / 1000
        if gap.is_wrong:
            leap = f"the time stamps leap by {secs:.0f} s, which cannot be"
            return f"gap: {start:%H:%M:%S} {entry.name}: {leap}; what follows is shown at once"
        end = self.index.day.clock(gap.start_ms + gap.duration_ms)
        span = f"{start:%H:%M:%S}-{end:%H:%M:%S}"
        return f"gap: {span} {entry.name}: nothing was recorded for {secs:.0f} s"

    def _span(self, entry: IndexEntry) -> str:
        start, end = (self.index.day.clock(ms) for ms in entry.span)
        return f"{start:%H:%M:%S}-{end:%H:%M:%S}"

    def _event(self, event: Event) -> str:
        began = self.index.day.clock(event.start_ms)
        return f"{' '.join(event.smart_types) or event.event_type} at {began:%H:%M:%S}"

    def _events_in(self, state: EventState) -> list[Event]:
        return [each.event for each in self.account.events if each.state is state]

    def _last_copies(self) -> Iterator[str]:
        """What of the clips only this disk may have, and those that the film does not need."""
        if forgotten := len(self.index.forgotten):
            events = counted(forgotten, "event")
            yield (
                f"last copy: the console does not list {events} any more; "
                "the clips here may be the last copy"
            )
        if self.kept:
            clips, folder = (
                counted(len(self.kept), "clip"),
                shlex.quote(as_typed(self.clips_folder)),
            )
            yield f"kept: {clips} of earlier lists or other settings, not in the film: {folder}"

    def sum(self, *, film_wanted: bool) -> str:
        """The one sentence about the day."""
        if not self.account.events and not self.index.unreadable:
            return self._nothing()
        if not film_wanted:
            return self._sum_of_clips()
        return self._sum_of_film() if self._has_film else self._no_film()

    @property
    def _has_film(self) -> bool:
        """Whether there is a film, and it is of these clips; a day without any needs none."""
        has_clips = bool(self.index.entries) or bool(self.index.ongoing)
        return self.film_is_current and has_clips

    def _sum_of_film(self) -> str:
        in_film = f"{self._share()} in the film"
        where = f": {shlex.quote(as_typed(self.film))}" if self.account.shown_count else ""
        if self.account.can_heal:
            return f"not whole: {in_film}{self._gaps()}; run again to get the rest{where}"
        if not self.index.is_final:
            return f"provisional: {in_film} so far{self._gaps()}; {self._until()}{where}"
        if not self.account.is_whole or self.index.unreadable:
            return f"whole but for what cannot be had: {in_film}{self._gaps()}{where}"
        has_gaps = self.short or any(not gap.is_wrong for _, gap in self.gaps)
        recorded = ", as far as they were recorded" if has_gaps else ""
        return f"whole: {in_film}{recorded}{self._excluded()}{where}"

    def _nothing(self) -> str:
        day, unwanted = self.index.day.text, self.index.unwanted
        so_far = "" if self.index.is_final else " so far"
        if not unwanted:
            return f"no events on {day}{so_far}: nothing to film"
        found = sorted({kind for event in unwanted for kind in event.smart_types})
        has = f"that day has {', '.join(found)}" if found else "nothing was recognised that day"
        wanted = f", none with {' or '.join(self.smart_types)}: {has}" if self.smart_types else ""
        events = counted(len(unwanted), "event")
        return f"nothing to film: {events} on {day}{so_far}, and the settings exclude all{wanted}"

    def _no_film(self) -> str:
        if not self.account.shown_count:
            return f"no film: none of {self._events()} could be had{self._gaps()}"
        return f"no film: it was not made of what is on the disk; {self._events()}{self._gaps()}"

    def _sum_of_clips(self) -> str:
        total = len(self.index.entries)
        done = len(self.index.complete)
        folder = shlex.quote(as_typed(self.clips_folder))
        share = f"{done} of {counted(total, 'clip')} of {self.index.day.text}"
        is_all = done == total and not self.account.can_heal
        word = "fetched" if is_all else "not all fetched"
        return f"{word}: {share} {is_or_are(done, of=total)} on the disk: {folder}"

    def _share(self) -> str:
        """How many of the events, with the verb."""
        shown, total = self.account.shown_count, self._total
        if shown == total == 1:
            return f"the only {self._noun} of {self.index.day.text} is"
        which = f"all {total}" if shown == total else f"{shown} of {total}"
        return f"{which} {self._noun}{'' if total == 1 else 's'} of {self.index.day.text} " + (
            is_or_are(shown, of=total)
        )

    def _events(self) -> str:
        return f"{counted(self._total, self._noun)} of {self.index.day.text}"

    @property
    def _total(self) -> int:
        return len(self.account.events) + len(self.index.unreadable)

    @property
    def _noun(self) -> str:
        """What the account counts: events, or the hours of all footage."""
        events = (each.event for each in self.account.events)
        return "hour" if any(event.event_type == CONTINUOUS for event in events) else "event"

    def _gaps(self) -> str:
        """Of what is not simply in the film: how many, and why."""
        counts = self.account.counts
        parts = [
            f"{counts[state]} {state}"
            for state in EventState
            if state is not EventState.IN_FILM and counts[state]
        ]
        if self.index.unreadable:
            parts.append(f"{len(self.index.unreadable)} unreadable")
        return f" ({', '.join(parts)})" if parts else ""

    def _until(self) -> str:
        if self.account.counts[EventState.ONGOING]:
            return "run again when all events have ended"
        over = self.index.day.clock(self.index.day.end_ms)
        return f"run again when the day is over, at {over:%Y-%m-%d %H:%M} ({over:%Z})"

    def _excluded(self) -> str:
        count = len(self.index.unwanted)
        return f", {count} more {is_or_are(count)} excluded by the settings" if count else ""


def _first(label: str, sentences: Sequence[str]) -> Iterator[str]:
    """The first sentences, and how many more there are."""
    yield from sentences[:_MOST_NAMED]
    if len(sentences) > _MOST_NAMED:
        more = len(sentences) - _MOST_NAMED
        yield f"{label}: {more} more, see clip_index.json"


def _damaged(damage: Damage) -> str:
    share = f"{damage.damaged_frames} of {counted(damage.wanted_frames, 'frame')}"
    cause = "it came so from the console"
    if not damage.came_so:
        cause = "the console has it no more" if damage.is_lost else "the next run asks for it again"
    return f"damaged: {damage.clip_name}: {share} are not whole ({damage.reason}); {cause}"
