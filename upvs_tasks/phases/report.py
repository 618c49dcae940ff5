"""Find out what became of every event of the day: in the film, or the reason why not.

`model.account` decides it. `phases.day_report` puts it into words.
"""

from bisect import bisect_left
from collections.abc import Collection

from upvs_tasks.errors import VerificationError
from upvs_tasks.model.account import DayAccount, ShownFilm
from upvs_tasks.model.clip import end_of
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.span import Span
from upvs_tasks.phases import timelapse
from upvs_tasks.phases.clip_records import FootageRecord
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.day_report import DayReport
from upvs_tasks.phases.film_plan import FilmPlan

# An export is cut at keyframes, on both sides outside of what was asked for, or at least nearly so.
_SURELY_SHORTER_MS = 1_000


def run(context: Context) -> DayReport | None:
    """Report of the day as it stands; None when it was never scanned."""
    film = context.planner.film()
    return None if film is None else _report(context, film)


def verdict(context: Context) -> str:
    """The one sentence about the day. Raises VerificationError where more can be had."""
    day = _report(context, context.film())
    if day.lacks_something((), film_wanted=True):
        raise VerificationError(day.sum(film_wanted=True))
    return day.sum(film_wanted=True)


def _report(context: Context, film: FilmPlan) -> DayReport:
    index = film.index.with_standings(context.clips.standing_of)
    damages = timelapse.damages(context)
    short = tuple(
        (entry, record.footage.duration_ms)
        for entry, record in film.recorded
        if _lacks_ms(entry, record) > 0
    )
    filmed = {entry.name for entry, _ in film.recorded}
    clips = [(film.clip_of(clip.name)[0], clip) for clip in film.footage.clips]
    uneven = [entry.name for entry, clip in clips if not clip.recorded.is_sure]
    uneven += [entry.name for entry, _ in short]
    return DayReport(
        index=index,
        account=DayAccount.of(index, _shown(film, damages, frozenset(uneven), _left_out(film))),
        film=timelapse.film_path(context.layout, index),
        clips_folder=context.layout.clips_of(index.camera_folder, index.day.text),
        film_is_current=timelapse.is_current(context),
        short=short,
        long=tuple(
            (entry, clip.recorded.recorded_ms)
            for entry, clip in clips
            if clip.recorded.is_longer_than_asked
        ),
        gaps=tuple((entry, gap) for entry, clip in clips for gap in clip.gaps),
        damages=damages,
        kept=tuple(entry for entry in index.earlier if entry.name not in filmed),
        smart_types=context.settings.smart_types,
    )


def _lacks_ms(entry: IndexEntry, record: FootageRecord) -> int:
    """How much a clip certainly lacks, nobody knows where; 0 where it may be all there."""
    footage = record.footage
    known_ms = footage.duration_ms + sum(gap.duration_ms for gap in footage.gaps)
    lacks_ms = entry.clip.duration_ms - known_ms
    return lacks_ms if lacks_ms > _SURELY_SHORTER_MS else 0


def _left_out(film: FilmPlan) -> frozenset[tuple[str, Span]]:
    """Forgotten events of clips that came without a part, by the clip's name and their span.

    The console had no more of the clip when it was asked for again, and nothing tells which part
    came. It is taken for that of the events that the console still lists.
    """
    forgotten = film.index.forgotten
    return frozenset(
        (entry.name, (event.start_ms, end_of(event)))
        for entry, record in film.recorded
        if _lacks_ms(entry, record)
        and any(event.event_id not in forgotten for event in entry.clip.events)
        for event in entry.clip.events
        if event.event_id in forgotten
    )


def _shown(
    film: FilmPlan,
    damages: tuple[Damage, ...],
    uneven: Collection[str],
    left_out: Collection[tuple[str, Span]],
) -> ShownFilm:
    """What the planned film shows; of ``uneven`` clips it may not show each instant."""
    clips = tuple(entry for entry, _ in film.recorded)
    step_ms = film.speed.step_ms
    frames: dict[str, list[int]] = {}
    incomplete = {name for name, _ in left_out}

    def shows(entry: IndexEntry, span: Span) -> bool:
        if entry.name in incomplete:
            return (entry.name, span) not in left_out
        if span[1] - span[0] >= step_ms and entry.name not in uneven:
            return True
        if not frames:
            frames.update(film.frames_of_clips())
        clip = film.stitched_clip(entry.name)
        shown = frames.get(entry.name, [])
        place = bisect_left(shown, span[0], key=clip.wall_ms)
        return place < len(shown) and clip.wall_ms(shown[place]) < span[1]

    lacking_ms = {
        entry.name: lacks_ms + (film.stitched_clip(entry.name).first_group_ms or 0)
        for entry, record in film.recorded
        if (lacks_ms := _lacks_ms(entry, record)) and entry.name not in incomplete
    }

    def is_sure(entry: IndexEntry, span: Span) -> bool:
        """Whether a part of the span is there, whichever part of the clip is not."""
        return span[1] - span[0] > lacking_ms.get(entry.name, 0)

    return ShownFilm(clips, step_ms, shows, is_sure, damages)
