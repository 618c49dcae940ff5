"""A small camera's day as it really is, beside what the program says of it.

The account here is kept without the program: what the console has listed and still holds is known
because the test decides it; what the disk holds is read from the pictures, each of which shows its
own instant. So a film can be judged by what could have been in it.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from av.error import FFmpegError

from tests.film import shown_instants
from tests.pipeline.project import Finished, Project
from upvs_tasks.simulator import SPARROW, FootageFormat, SimulatedConsole, SimulatedEvent

DATE = "2024-02-01"
MIDNIGHT_MS = 1_706_763_600_000  # in New York, where the console is
ZONE = ZoneInfo("America/New_York")
FRAME_MS = 500
GROUP_MS = 2_000
TAIL_MS = 2_200  # an export goes on for so long at most
MERGE_GAP_MS = 5_000
RUNS_TO_SETTLE = 2
CAMERA = replace(SPARROW, footage=FootageFormat(width=96, height=54, fps=2, keyframe_secs=2))

_SECOND = r"\d\d:\d\d:\d\d"
_SPANS = re.compile(rf"({_SECOND})(?:-({_SECOND}))?")


def instants_between(start_ms: int, end_ms: int) -> range:
    """Instants of the frames that the camera records in a span."""
    first_ms = start_ms + (CAMERA.keyframe_phase_ms - start_ms) % FRAME_MS
    return range(first_ms, end_ms, FRAME_MS)


def group_of(instant_ms: int) -> int:
    """Instant of the keyframe at or before another one."""
    return instant_ms - (instant_ms - CAMERA.keyframe_phase_ms) % GROUP_MS


def end_of(event: SimulatedEvent) -> int:
    """End of an event, all of which have ended here."""
    assert event.end_ms is not None
    return event.end_ms


def clock(instant_ms: int) -> str:
    """An instant on the console's clock, as sentences say it."""
    return f"{datetime.fromtimestamp(instant_ms // 1000, ZONE):%H:%M:%S}"


@dataclass
class Life:
    """One day of the camera: the console, the folder, and what is true of both.

    ``listed`` is what the console lists now, ``ever`` what a run was told of and can still know,
    ``events`` all that there has been. ``gone`` holds the starts of the groups of pictures that
    the console has deleted, ``rotten`` the digests of files that we have damaged.
    """

    project: Project
    console: SimulatedConsole
    listed: dict[str, SimulatedEvent] = field(default_factory=dict)
    ever: dict[str, SimulatedEvent] = field(default_factory=dict)
    events: dict[str, SimulatedEvent] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    rotten: set[str] = field(default_factory=set)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)

    def add(self, start_ms: int, end_ms: int) -> SimulatedEvent:
        """Let the console list one event more."""
        identity = f"{len(self.events) + 1:024x}"
        event = SimulatedEvent(identity, "motion", CAMERA.camera_id, start_ms, end_ms)
        self.listed[identity] = self.events[identity] = event
        self._tell_console()
        return event

    def forget(self, events: Iterable[SimulatedEvent]) -> None:
        """Let the console delete events, and their footage."""
        for event in events:
            del self.listed[event.event_id]
            self.gone |= {group_of(at_ms) for at_ms in instants_of(event)}
        self._tell_console()

    def console_has(self, instant_ms: int) -> bool:
        """Whether the console still holds the frame of an instant."""
        return group_of(instant_ms) not in self.gone

    def _tell_console(self) -> None:
        gaps = tuple((at_ms, at_ms + GROUP_MS) for at_ms in sorted(self.gone))
        self.console.add_camera(replace(CAMERA, gaps=gaps))
        self.console.set_events(self.listed.values(), camera_id=CAMERA.camera_id)

    def lose_index(self) -> None:
        """Know what can be known once the clip index is gone: what is listed, or has footage."""
        on_disk = self.on_disk()
        self.ever = {
            identity: event
            for identity, event in self.ever.items()
            if identity in self.listed or on_disk & set(instants_of(event))
        }
        self.doubt_answers()

    def doubt_answers(self) -> None:
        """Take no answer of the console for remembered."""
        self.asked = {identity: (0, most) for identity, (_, most) in self.asked.items()}

    @property
    def clip_files(self) -> list[Path]:
        """All files among the clips, those too that were set aside."""
        return sorted(
            path
            for path in (self.project.out / "clips").rglob("*")
            if path.is_file() and path.suffix != ".partial"
        )

    def copies(self) -> set[str]:
        """Digests of all that is among the clips and holds anything."""
        return {digest_of(path) for path in self.clip_files if path.stat().st_size}

    def on_disk(self) -> set[int]:
        """Instants of which there is an undamaged picture in a clip of the right name."""
        return {
            at_ms
            for path in self.clip_files
            if path.suffix == ".mp4" and digest_of(path) not in self.rotten
            for at_ms in instants_in_place(path)
        }

    def available(self) -> dict[str, list[int]]:
        """Of each event that can be known: the instants that can still be had."""
        on_disk = self.on_disk()
        return {
            identity: [
                at_ms for at_ms in instants_of(event) if at_ms in on_disk or self.console_has(at_ms)
            ]
            for identity, event in (self.ever | self.listed).items()
        }

    def run(self, *arguments: str) -> Finished:
        """Film the day, with nothing failing, and judge the film and what is said of it."""
        available, copies = self.available(), self.copies()
        run = self.project.doit("run", "timelapse", *arguments)
        self.note_run(run, available, is_healthy=True)
        Verdict(self, run, available, is_healthy=True).check()
        lost = copies - self.copies()
        assert not lost, f"bytes of {len(lost)} clips are nowhere any more\n{run.output}"
        return run

    def note_run(self, run: Finished, available: dict[str, list[int]], *, is_healthy: bool) -> None:
        """Keep what a run was told, and how often the console said that it has no footage."""
        self.ever |= self.listed
        asked = {}
        for identity, instants in available.items():
            if not instants:
                least, most = self.asked.get(identity, (0, 0))
                asked[identity] = (least + is_healthy, most + 1)
        self.asked = asked
        self.story.append(f"    -> {run.code}")

    def shown(self) -> list[int | None]:
        """The instant of each frame of the film."""
        if not self.project.film.exists():
            return []
        return list(instants_of_file(self.project.film, digest_of(self.project.film)))


@dataclass(frozen=True)
class Verdict:
    """What the film shows after a run, held against what there was to show and what was said."""

    life: Life
    run: Finished
    available: dict[str, list[int]]
    is_healthy: bool

    def check(self) -> None:
        """Raise AssertionError with everything that is not as it should be."""
        complaints = [*self._complaints()]
        assert not complaints, "\n".join((*complaints, self.run.output))

    def _complaints(self) -> Iterator[str]:
        if "Traceback" in self.run.output or "bug in upvs" in self.run.output:
            yield "a bug is told"
        shown = self.life.shown()
        legible = [at_ms for at_ms in shown if at_ms is not None]
        if len(legible) < len(shown) and not self.life.rotten:
            yield f"{len(shown) - len(legible)} frames of the film are damaged"
        yield from _order(legible)
        yield from self._foreign(legible)
        if self.is_healthy:
            yield from self._gaps(legible)
            yield from self._exit_code(legible)
        yield from self._words(legible)

    def _foreign(self, shown: list[int]) -> Iterator[str]:
        """Frames of instants for which no event was ever listed."""
        spans = list(merged_spans(self.life.events.values()))
        for at_ms in shown:
            if not any(start_ms <= at_ms <= end_ms for start_ms, end_ms in spans):
                yield f"{clock(at_ms)} is in the film and belongs to no event"

    def _gaps(self, shown: list[int]) -> Iterator[str]:
        """What can be had and is not shown."""
        reach_ms = 2 * self._step_ms(len(shown)) + FRAME_MS
        for identity, instants in self.available.items():
            event = self._event(identity)
            if len(instants) * FRAME_MS < reach_ms:
                continue
            hidden = [at_ms for at_ms in instants if not _is_near(at_ms, shown, reach_ms)]
            if hidden:
                yield (
                    f"{clock(hidden[0])} to {clock(hidden[-1])} of {in_words(event)} can be had, "
                    "and is not in the film"
                )

    def _exit_code(self, shown: list[int]) -> Iterator[str]:
        absent = [event for event in self._known() if not _shows(shown, event, exactly=False)]
        lost = [event for event in absent if not self.available[event.event_id]]
        asked = [self.life.asked.get(event.event_id, (0, 0)) for event in lost]
        allowed = {0}
        if any(most < RUNS_TO_SETTLE for _, most in asked) or (self.life.events and not shown):
            allowed = {1}
        elif any(least < RUNS_TO_SETTLE for least, _ in asked) or self._may_know_more():
            allowed = {0, 1}
        if self.run.code not in allowed:
            yield f"the exit code is {self.run.code}, and should be in {allowed}"

    def _words(self, shown: list[int]) -> Iterator[str]:
        """What is said, and is not so."""
        absent = [event for event in self._known() if not _shows(shown, event, exactly=False)]
        says_whole = re.search(r"whole: (all|the only)", self.run.output) and not re.search(
            r"not whole", self.run.output
        )
        if says_whole and absent:
            yield f"whole is said, but {', '.join(map(in_words, absent))} not in the film"
        events = self.life.events.values()
        is_all_there = all(_shows(shown, event, exactly=True) for event in events)
        if self.is_healthy and is_all_there and not self._is_damage_possible() and not says_whole:
            yield "all is in the film, but whole is not said"
        named = list(_named_spans(self.run.output))
        is_account_given = self.is_healthy and shown
        for event in absent if is_account_given else ():
            at = clock(event.start_ms)
            if not any(start <= at <= end for start, end in named):
                yield f"{in_words(event)} is not in the film, and not named"

    def _known(self) -> list[SimulatedEvent]:
        return list((self.life.ever | self.life.listed).values())

    def _may_know_more(self) -> bool:
        """Whether a run may rightly find more wanting: damage, or what only the lost index knew."""
        is_index_lost = len(self._known()) < len(self.life.events)
        return is_index_lost or self._is_damage_possible()

    def _event(self, identity: str) -> SimulatedEvent:
        return self.life.events[identity]

    def _is_damage_possible(self) -> bool:
        """Whether a clip that we have damaged may be the last copy of something."""
        return any(digest_of(path) in self.life.rotten for path in self.life.clip_files)

    def _step_ms(self, frames: int) -> int:
        spans = merged_spans(self._known())
        return sum(end_ms - start_ms for start_ms, end_ms in spans) // max(1, frames)


def instants_of(event: SimulatedEvent) -> range:
    """Instants of an event's frames."""
    return instants_between(event.start_ms, end_of(event))


def merged_spans(events: Iterable[SimulatedEvent]) -> Iterator[tuple[int, int]]:
    """Spans in which footage may be shown: events, what lies between close ones, and overhangs."""
    start_ms, end_ms = 0, 0
    for event in sorted(events, key=lambda event: event.start_ms):
        if start_ms and event.start_ms <= end_ms + MERGE_GAP_MS:
            end_ms = max(end_ms, end_of(event))
        else:
            if start_ms:
                yield start_ms - GROUP_MS, end_ms + TAIL_MS
            start_ms, end_ms = event.start_ms, end_of(event)
    if start_ms:
        yield start_ms - GROUP_MS, end_ms + TAIL_MS


def in_words(event: SimulatedEvent) -> str:
    """An event by its span."""
    return f"the event {clock(event.start_ms)}-{clock(end_of(event))}"


def digest_of(path: Path) -> str:
    """Digest of a file; one that may not be read is read all the same."""
    status = path.stat()
    if status.st_mode & 0o400:
        return sha256(path.read_bytes()).hexdigest()
    path.chmod(0o600)
    try:
        return sha256(path.read_bytes()).hexdigest()
    finally:
        path.chmod(status.st_mode)


@lru_cache(maxsize=4_096)
def instants_of_file(path: Path, digest: str) -> tuple[int | None, ...]:  # noqa: ARG001  the key
    """The instant of each frame of a video; none where it is no video."""
    try:
        return tuple(shown_instants(path))
    except (FFmpegError, IndexError):
        return ()


def instants_in_place(path: Path) -> tuple[int, ...]:
    """The instants of a clip's frames, where all can be read and belong under the clip's name."""
    if not path.stat().st_size:
        return ()
    start_ms, end_ms = (int(number) for number in path.stem.split("_")[1:3])
    instants = [at_ms for at_ms in instants_of_file(path, digest_of(path)) if at_ms is not None]
    is_in_place = instants and start_ms - GROUP_MS <= instants[0] <= end_ms
    return tuple(instants) if is_in_place else ()


def _order(shown: list[int]) -> Iterator[str]:
    for before, after in pairwise(shown):
        if after < before:
            yield f"the film goes back from {clock(before)} to {clock(after)}"


def _shows(shown: list[int], event: SimulatedEvent, *, exactly: bool) -> bool:
    """Whether a frame shows an event; not exactly: or footage that came with it."""
    before_ms, after_ms = (0, 0) if exactly else (GROUP_MS + FRAME_MS, TAIL_MS + FRAME_MS)
    place = bisect_left(shown, event.start_ms - before_ms)
    return place < len(shown) and shown[place] < end_of(event) + after_ms


def _is_near(at_ms: int, shown: list[int], reach_ms: int) -> bool:
    place = bisect_left(shown, at_ms)
    return any(abs(one - at_ms) <= reach_ms for one in shown[max(0, place - 1) : place + 1])


def _named_spans(output: str) -> Iterator[tuple[str, str]]:
    """What a run names by the clock, without what it says to be whole."""
    for line in output.splitlines():
        for start, end in _SPANS.findall(line):
            yield start, end or start


def exchange(one: Path, other: Path) -> None:
    """Let two files have each other's name."""
    aside = one.with_name("aside")
    os.rename(one, aside)  # noqa: PTH104  dates travel with the files
    os.rename(other, one)  # noqa: PTH104
    os.rename(aside, other)  # noqa: PTH104
