import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from upvs_tasks.model.event import UNKNOWN_TYPE, Event

HOUR_MS = 3_600_000
CONTINUOUS = "continuous"
_SHORTEST_MS = 1_000
# How much is asked for of an event that has never ended: the console was switched off in the
# middle of it, say, and nothing tells how long it went on.
NEVER_ENDED_MS = 300_000
# An export is cut at keyframes on both sides; on all known recorders they are at most 5 s apart.
_MOST_ADDED_MS = 20_000
_SAFE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_NAME = re.compile(r"clip_(\d{1,15})_(\d{1,15})_([0-9A-Za-z-]+)(?:_channel(\d))?")


class FilmedSource(StrEnum):
    """Which footage of the day is filmed."""

    EVENTS = "events"
    CONTINUOUS = "continuous"


class Overlaps(StrEnum):
    """What is done with events that overlap."""

    MERGE = "merge"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class Clip:
    """One export request and the one MP4 that it gives; Unix ms, at most an hour.

    ``events`` are those that it covers at least in part, in the order of the film. ``channel`` is
    the camera's quality, 0 the best.
    """

    start_ms: int
    end_ms: int
    events: tuple[Event, ...]
    channel: int = 0

    @property
    def name(self) -> str:
        """File name without suffix: the same in every run, unique within a camera's day."""
        channel = f"_channel{self.channel}" if self.channel else ""
        return f"clip_{self.start_ms}_{self.end_ms}_{safe_id(self.events[0].event_id)}{channel}"

    @classmethod
    def of_name(cls, name: str) -> "Clip | None":
        """The clip that has this name; None where no clip has it.

        Of its events the name holds the first one's id and nothing more.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        start_ms, end_ms, event_id, channel = match.groups()
        event = Event(event_id, UNKNOWN_TYPE, int(start_ms), int(end_ms), None)
        clip = cls(int(start_ms), int(end_ms), (event,), int(channel or 0))
        return clip if clip.name == name and 0 < clip.duration_ms <= HOUR_MS else None

    @property
    def timeline_key(self) -> tuple[int, int, str]:
        """Order of the film (specification §6 A)."""
        return (self.start_ms, self.end_ms, self.events[0].event_id)

    @property
    def duration_ms(self) -> int:
        """Length that is asked for; the footage may be longer or shorter."""
        return self.end_ms - self.start_ms


def is_short(clip: Clip, footage_ms: int) -> bool:
    """Whether the footage is less than half of what was asked for: there is a gap in it."""
    return 2 * footage_ms < clip.duration_ms


def may_be_all_of(clip: Clip, footage_ms: int) -> bool:
    """Whether footage of this length can be the export of the clip; it may have gaps."""
    return 0 < footage_ms <= clip.duration_ms + _MOST_ADDED_MS


@dataclass(frozen=True, slots=True)
class Padding:
    """Milliseconds of footage to show before and after each event."""

    before_ms: int = 0
    after_ms: int = 0


def clips_of(
    events: Iterable[Event],
    *,
    overlaps: Overlaps,
    merge_gap_ms: int,
    padding: Padding = Padding(),
) -> tuple[Clip, ...]:
    """Clips that cover every second of the events, in the order of the film.

    Of an event without end they cover the first `NEVER_ENDED_MS`.

    Merged, no two clips share a second, and none lie closer than ``merge_gap_ms``: exports are
    cut at keyframes, so closer ones would show the same frames twice. No clip is longer than an
    hour: longer spans are cut at whole hours of Unix time, so that a late event moves no cut.
    """
    ordered = sorted(events, key=lambda event: event.timeline_key)
    alone = (
        Clip(event.start_ms - padding.before_ms, end_of(event) + padding.after_ms, (event,))
        for event in ordered
    )
    spans = _merged(alone, merge_gap_ms) if overlaps is Overlaps.MERGE else alone
    pieces = (piece for span in spans for piece in _hourly(span))
    return tuple(sorted(pieces, key=lambda clip: clip.timeline_key))


def forgotten_apart(
    cut: Callable[[Iterable[Event]], Iterable[Clip]],
    events: Iterable[Event],
    *,
    forgotten: Container[str],
    kept: Iterable[Clip],
) -> tuple[Clip, ...]:
    """What ``cut`` makes of the events, but events that the console has forgotten stay apart.

    A console exports what it has left of a span, and nothing tells which part of the span came. So
    no clip that is still to be fetched mixes forgotten events with others. A clip that is
    ``kept`` on the disk, and holds a forgotten event, goes on to do so.
    """
    kept, known = tuple(kept), {event.event_id: event for event in events}
    names, clips = {clip.name for clip in kept}, tuple(cut(known.values()))
    mixed = [
        clip
        for clip in clips
        if clip.name not in names and any(event.event_id in forgotten for event in clip.events)
    ]
    concerned = {event.event_id: event for clip in mixed for event in clip.events}.values()
    holders = {
        event.event_id: _holder(event, kept) for event in concerned if event.event_id in forgotten
    }
    return _united(
        (
            *cut(event for event in concerned if event.event_id not in forgotten),
            *cut(event for event in concerned if not holders.get(event.event_id, True)),
            *filter(None, holders.values()),
            *(clip for clip in clips if clip not in mixed),
        ),
        known,
    )


def _united(pieces: Iterable[Clip], known: dict[str, Event]) -> tuple[Clip, ...]:
    """Each clip once, with all the events that it is there for, as they are known now."""
    by_name: dict[str, Clip] = {}
    for piece in pieces:
        before = by_name.get(piece.name, piece)
        events = {event.event_id: event for event in (*before.events, *piece.events)} | known
        ids = dict.fromkeys(event.event_id for event in (*before.events, *piece.events))
        by_name[piece.name] = replace(piece, events=tuple(events[name] for name in ids))
    return tuple(sorted(by_name.values(), key=lambda clip: clip.timeline_key))


def _holder(event: Event, kept: Iterable[Clip]) -> Clip | None:
    """The shortest clip that was made for an event, and holds all of it; None where none does."""
    holders = (
        clip
        for clip in kept
        if clip.start_ms <= event.start_ms
        and end_of(event) <= clip.end_ms
        and any(one.event_id == event.event_id for one in clip.events)
    )
    return min(holders, key=lambda clip: (clip.duration_ms, clip.timeline_key), default=None)


def slices_of(start_ms: int, end_ms: int, camera_id: str) -> tuple[Clip, ...]:
    """Clips of an hour at most that cover a whole span, with or without events."""
    everything = Event(CONTINUOUS, CONTINUOUS, start_ms, end_ms, camera_id)
    return tuple(_hourly(Clip(start_ms, end_ms, (everything,))))


def safe_id(event_id: str) -> str:
    """The console's id where it is plain letters, digits and dashes; else a digest of it."""
    if _SAFE_ID.fullmatch(event_id):
        return event_id
    return "x" + sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _merged(alone: Iterable[Clip], merge_gap_ms: int) -> Iterator[Clip]:
    current: Clip | None = None
    for clip in alone:
        if current is None or clip.start_ms > current.end_ms + merge_gap_ms:
            if current is not None:
                yield current
            current = clip
        else:
            end_ms = max(current.end_ms, clip.end_ms)
            current = Clip(current.start_ms, end_ms, (*current.events, *clip.events))
    if current is not None:
        yield current


def _hourly(span: Clip) -> Iterator[Clip]:
    if span.duration_ms <= HOUR_MS:
        yield span
        return
    start_ms = span.start_ms
    while start_ms < span.end_ms:
        end_ms = min(span.end_ms, (start_ms // HOUR_MS + 1) * HOUR_MS)
        begun = tuple(event for event in span.events if event.start_ms < end_ms)
        touching = tuple(event for event in begun if end_of(event) > start_ms)
        yield Clip(start_ms, end_ms, touching or begun[-1:])
        start_ms = end_ms


def end_of(event: Event) -> int:
    """End to ask for: at least a second after the start, even if the event has no length."""
    if event.end_ms is None:
        return event.start_ms + NEVER_ENDED_MS
    return max(event.start_ms + _SHORTEST_MS, event.end_ms)
