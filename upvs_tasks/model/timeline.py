"""Which part of the film shows which clip, and when that was recorded."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from upvs_tasks.escaping import in_captions
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.day import Day
from upvs_tasks.model.plan import Plan
from upvs_tasks.model.sampling import Pick

# A chapter that is over sooner cannot be read, let alone chosen.
_SHORTEST_CHAPTER_SECS = 2


@dataclass(frozen=True, slots=True)
class Scene:
    """Frames of the film, from the first to the one after the last, that show one clip.

    A gap in a clip ends a scene. The instants are Unix ms, exact to about a keyframe interval.
    """

    start_frame: int
    end_frame: int
    shown_from_ms: int
    shown_to_ms: int
    clip_name: str
    detected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Neighbouring scenes under one title; frames as in `Scene`."""

    start_frame: int
    end_frame: int
    title: str


def scenes_of(plan: Plan, entries: Iterable[IndexEntry]) -> tuple[Scene, ...]:
    """The film, clip by clip, and part by part where a clip has gaps."""
    detected = {entry.name: _detected(entry) for entry in entries}
    return tuple(_scenes(plan, detected))


def chapters_of(scenes: Sequence[Scene], *, day: Day, fps: int) -> tuple[Chapter, ...]:
    """The film's chapters: one for each scene that is long enough, and at least one an hour.

    Shorter scenes belong to the chapter before. A title is the local time and what was detected.
    """
    starts = [place for place, scene in enumerate(scenes) if place == 0]
    for place, scene in enumerate(scenes[1:], start=1):
        chapter = scenes[starts[-1]]
        is_long = all(
            frames >= _SHORTEST_CHAPTER_SECS * fps
            for frames in (
                scene.start_frame - chapter.start_frame,
                scene.end_frame - scene.start_frame,
            )
        )
        if is_long or _hour(day, scene) != _hour(day, chapter):
            starts.append(place)
    ends = [*starts[1:], len(scenes)]
    return tuple(_chapter(scenes[start:end], day) for start, end in zip(starts, ends, strict=True))


def timeline_document(scenes: Iterable[Scene], *, day: Day, fps: int) -> dict[str, object]:
    """``timeline.json``: what each part of the film shows, and when that was recorded."""
    return {
        "date": day.text,
        "timezone": day.timezone,
        "scenes": [
            {
                "film_start_secs": round(scene.start_frame / fps, 3),
                "film_end_secs": round(scene.end_frame / fps, 3),
                "shown_from_ms": scene.shown_from_ms,
                "shown_to_ms": scene.shown_to_ms,
                "shown_from": day.clock(scene.shown_from_ms).isoformat(timespec="seconds"),
                "clip": scene.clip_name,
                "detected": list(scene.detected),
            }
            for scene in scenes
        ],
    }


def captions(scenes: Iterable[Scene], *, day: Day, fps: int) -> str:
    """The same as WebVTT subtitles, one for each clip."""
    cues = (
        f"{_vtt_time(scene.start_frame, fps)} --> {_vtt_time(scene.end_frame, fps)}\n"
        f"{day.clock(scene.shown_from_ms):%Y-%m-%d %H:%M:%S} "
        f"{in_captions(' '.join(scene.detected))}".rstrip()
        for scene in scenes
    )
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _scenes(plan: Plan, detected: dict[str, tuple[str, ...]]) -> Iterator[Scene]:
    start_frame, clips = 0, plan.footage.clips

    def part_of(pick: Pick) -> tuple[int, int]:
        return pick[0], clips[pick[0]].recorded.part_of(pick[1])

    for (place, _), picks in groupby(plan.picks(), key=part_of):
        frames = [frame for _, frame in picks]
        clip = clips[place]
        end_frame = start_frame + len(frames)
        yield Scene(
            start_frame=start_frame,
            end_frame=end_frame,
            shown_from_ms=clip.wall_ms(frames[0]),
            shown_to_ms=clip.wall_ms(frames[-1]),
            clip_name=clip.name,
            detected=detected.get(clip.name, ()),
        )
        start_frame = end_frame


def _detected(entry: IndexEntry) -> tuple[str, ...]:
    """What was recognised in the events of a clip, or else their types."""
    events = entry.clip.events
    recognised = {kind for event in events for kind in event.smart_types}
    return tuple(sorted(recognised or {event.event_type for event in events}))


def _chapter(scenes: Sequence[Scene], day: Day) -> Chapter:
    detected = sorted({kind for scene in scenes for kind in scene.detected})
    title = f"{day.clock(scenes[0].shown_from_ms):%H:%M} {', '.join(detected)}".rstrip()
    return Chapter(scenes[0].start_frame, scenes[-1].end_frame, title)


def _hour(day: Day, scene: Scene) -> dt.datetime:
    return day.clock(scene.shown_from_ms).replace(minute=0, second=0, microsecond=0)


def _vtt_time(frame: int, fps: int) -> str:
    total_ms = round(frame * 1000 / fps)
    hours, left_ms = divmod(total_ms, 3_600_000)
    minutes, left_ms = divmod(left_ms, 60_000)
    return f"{hours:02}:{minutes:02}:{left_ms // 1000:02}.{left_ms % 1000:03}"
