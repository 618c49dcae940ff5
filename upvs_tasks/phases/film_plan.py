"""The film before it is made: the day's footage end to end, its speed, its frames, its encoding."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from threading import Lock

from upvs_tasks import durable
from upvs_tasks.model.clip_index import ClipIndex, IndexEntry
from upvs_tasks.model.concat_limits import ListedClip
from upvs_tasks.model.encoding import Encoding, film_size
from upvs_tasks.model.fingerprint import ClipIdentity, FilmFingerprint
from upvs_tasks.model.memory import worker_bytes
from upvs_tasks.model.plan import Plan, Segment, plan_film
from upvs_tasks.model.speed import Speed
from upvs_tasks.model.stitching import StitchedClip, StitchedFootage
from upvs_tasks.model.timeline import Scene, captions, scenes_of, timeline_document
from upvs_tasks.phases.clip_records import FootageRecord
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.phases.shared_frames import Recorded
from upvs_tasks.settings import Settings


class FilmPlan:
    """The film of one set of clips; each fact of it is worked out once, when it is asked for.

    ``recorded`` are the clips of the index that are on the disk; without any there is no film, and
    only the speed can be asked for. ``follows_plan``: the film is made of the planned frames.
    """

    def __init__(
        self,
        index: ClipIndex,
        recorded: Recorded,
        settings: Settings,
        *,
        repeated_frames: Mapping[str, int],
        follows_plan: bool,
    ) -> None:
        self.index = index
        self.recorded = recorded
        self._settings = settings
        self._repeated_frames = repeated_frames
        self._follows_plan = follows_plan

    @cached_property
    def footage(self) -> StitchedFootage:
        """All footage end to end, each second once."""
        return StitchedFootage.of(self._stitched_clips())

    @cached_property
    def speed(self) -> Speed:
        """Speed of the film.

        Repeated footage counts once where it is shown once: where the film follows the plan.
        """
        if self._follows_plan:
            total_duration_ms = self.footage.duration_ms
        else:
            total_duration_ms = sum(record.footage.duration_ms for _, record in self.recorded)
        return Speed.of(
            total_duration_ms=total_duration_ms,
            target_secs=self._settings.target_duration,
            output_fps=self._settings.output_fps,
            step_percent=self._settings.speed_step,
        )

    @cached_property
    def encoding(self) -> Encoding:
        """How the film is encoded; its size is that of most of the footage."""
        settings = self._settings
        shown_ms: dict[tuple[int, int], int] = {}
        for _, record in self.recorded:
            size = record.footage.shown_size
            shown_ms[size] = shown_ms.get(size, 0) + record.footage.duration_ms
        width, height = film_size(shown_ms, settings.height or None)
        return Encoding(
            width, height, settings.output_fps, settings.crf, settings.preset, settings.codec
        )

    @cached_property
    def worker_bytes(self) -> int:
        """Memory that a worker takes which renders a segment."""
        sizes = (record.footage.width * record.footage.height for _, record in self.recorded)
        return worker_bytes(self.encoding, clip_pixels=max(sizes))

    @cached_property
    def plan(self) -> Plan:
        """Which frame of which clip each frame of the film shows."""
        return plan_film(self.footage, self.speed, by_clock=self._by_clock)

    @property
    def _by_clock(self) -> bool:
        """Whether the clock decides where segments are cut."""
        return self._settings.speed_step > 0

    @cached_property
    def fingerprint(self) -> FilmFingerprint:
        """All that the film's bytes depend on; needs no plan."""
        return FilmFingerprint(
            clips=tuple(ClipIdentity(entry.name, record.sha256) for entry, record in self.recorded),
            engine=self._settings.engine,
            speed_factor=self.speed.speed_factor,
            output_frames=self.speed.output_frames,
            by_clock=self._by_clock,
            encoding=self.encoding,
        )

    @property
    def listed(self) -> Iterator[ListedClip]:
        """The clips of the film as they stand in concat.txt."""
        for clip in self.footage.clips:
            footage = self.clip_of(clip.name)[1].footage
            is_long = clip.recorded.is_longer_than_asked
            yield ListedClip(clip.name, footage, clip.table.tick_secs, is_long)

    @cached_property
    def fingerprint_digest(self) -> str:
        """Digest of the fingerprint."""
        return self.fingerprint.digest()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments that are rendered on their own; none where the film is made at once."""
        return self.plan.segments if self.recorded and self._follows_plan else ()

    @property
    def different_segments(self) -> tuple[Segment, ...]:
        """The segments, each of several equal ones once: they share a file."""
        found: dict[str, Segment] = {}
        for segment in self.segments:
            found.setdefault(self.digest_of(segment), segment)
        return tuple(found.values())

    def frames_of(self, clip_name: str) -> int:
        """How many frames of the film are from a clip."""
        return sum(
            scene.end_frame - scene.start_frame
            for scene in self.scenes
            if scene.clip_name == clip_name
        )

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """What the film shows, clip by clip."""
        return scenes_of(self.plan, self.index.entries)

    @cached_property
    def timeline(self) -> bytes:
        """Content of timeline.json."""
        document = timeline_document(self.scenes, day=self.index.day, fps=self.encoding.fps)
        return durable.encode_json(document)

    @cached_property
    def captions(self) -> bytes:
        """The same as subtitles."""
        return captions(self.scenes, day=self.index.day, fps=self.encoding.fps).encode()

    def digest_of(self, segment: Segment) -> str:
        """Digest under which a segment is kept."""
        return self.plan.digest(segment, self.encoding)

    def clip_of(self, name: str) -> tuple[IndexEntry, FootageRecord]:
        """A clip of the film, with what was measured of it."""
        return self._clips_by_name[name]

    def frames_of_clips(self) -> dict[str, list[int]]:
        """By the name of each clip, its frames that the film shows, in the order of the film."""
        frames: dict[str, list[int]] = {}
        for segment in self.plan.segments:
            for run in segment.runs:
                clip = self.footage.clips[run.clip]
                frames.setdefault(clip.name, []).extend(run.frames)
        return frames

    def stitched_clip(self, name: str) -> StitchedClip:
        """The footage of a clip of the film."""
        return self._stitched_by_name[name]

    @cached_property
    def _stitched_by_name(self) -> dict[str, StitchedClip]:
        return {clip.name: clip for clip in self.footage.clips}

    @cached_property
    def _clips_by_name(self) -> dict[str, tuple[IndexEntry, FootageRecord]]:
        return {pair[0].name: pair for pair in self.recorded}

    def _stitched_clips(self) -> Iterator[StitchedClip]:
        for entry, record in self.recorded:
            clip, repeated = entry.clip, self._repeated_frames.get(entry.name, 0)
            yield StitchedClip(
                entry.name, record.sha256, clip.start_ms, clip.end_ms, record.table, repeated
            )


class FilmPlanner:
    """Plans the film of the clips that are on the disk, once for each set of them.

    Cheap to ask as often as one likes. Threads may share it.
    """

    def __init__(self, settings: Settings, clips: ClipStore, *, follows_plan: bool) -> None:
        self._settings = settings
        self._clips = clips
        self._follows_plan = follows_plan
        self._lock = Lock()
        self._planned: tuple[int, FilmPlan | None] = (-1, None)

    def film(self) -> FilmPlan | None:
        """Plan of the film as things stand; None where the day was never scanned."""
        with self._lock:
            revision = self._clips.revision
            if self._planned[0] != revision:
                self._planned = (revision, self._plan())
            return self._planned[1]

    def _plan(self) -> FilmPlan | None:
        index = self._clips.known_index()
        if index is None:
            return None
        recorded = self._clips.recorded(index)
        return FilmPlan(
            index,
            recorded,
            self._settings,
            repeated_frames=self._clips.repeated_frames(recorded),
            follows_plan=self._follows_plan,
        )
