from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from upvs_tasks.model.clip import Clip


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one output folder (specification §4).

    Our own records, which the specification does not name, are in ``.upvs``.
    """

    out_dir: Path

    @property
    def own_names(self) -> tuple[str, ...]:
        """Patterns of the files that are made here; any other file is somebody else's."""
        return (
            "metadata/*.json",
            "manifests/clip_index.json",
            "manifests/concat.txt",
            "clips/*/*/clip_*.mp4",
            "timelapse/*_timelapse.mp4",
            "timelapse/*_timelapse.vtt",
            ".upvs/**/*",
        )

    @property
    def camera_json(self) -> Path:
        """The camera, as the console describes it."""
        return self.out_dir / "metadata" / "camera.json"

    @property
    def day_json(self) -> Path:
        """The speed, and what it was computed from."""
        return self.out_dir / "metadata" / "day.json"

    @property
    def clip_index(self) -> Path:
        """Every clip and event of the day."""
        return self.out_dir / "manifests" / "clip_index.json"

    @property
    def concat_text(self) -> Path:
        """The clips of the film, for ffmpeg's concat demuxer."""
        return self.out_dir / "manifests" / "concat.txt"

    @property
    def run_log(self) -> Path:
        """What the runs did, one JSON object a line."""
        return self.out_dir / "logs" / "run.log"

    @property
    def lock(self) -> Path:
        """Locked by the one run that works in this folder."""
        return self.out_dir / ".upvs" / "run.lock"

    @property
    def film_stamp(self) -> Path:
        """What the film was made from."""
        return self.out_dir / ".upvs" / "film.json"

    @property
    def overlaps(self) -> Path:
        """How many frames neighbouring clips share."""
        return self.out_dir / ".upvs" / "overlaps.json"

    @property
    def segments(self) -> Path:
        """The segments of the film, each under the digest of what it was made from."""
        return self.out_dir / ".upvs" / "segments"

    @property
    def join_list(self) -> Path:
        """The segments of the film, for ffmpeg's concat demuxer."""
        return self.out_dir / ".upvs" / "segments.txt"

    @property
    def join_tags(self) -> Path:
        """Title and chapters of the film, for ffmpeg."""
        return self.out_dir / ".upvs" / "tags.txt"

    @property
    def trial(self) -> Path:
        """Where an ffmpeg is tried before it makes the film; it is there for that moment."""
        return self.out_dir / ".upvs" / "trial"

    @property
    def timeline_json(self) -> Path:
        """Which second of the film shows what, and when that was recorded."""
        return self.out_dir / "metadata" / "timeline.json"

    def segment(self, digest: str) -> Path:
        """A segment of the film."""
        return self.segments / f"{digest[:32]}.mp4"

    def film(self, camera_folder: str, date_text: str) -> Path:
        """The film."""
        return self.out_dir / "timelapse" / f"{camera_folder}_{date_text}_timelapse.mp4"

    def at(self, file_path: str) -> Path:
        """Absolute path of a ``file_path`` of the clip index."""
        return self.out_dir / file_path

    def clips_of(self, camera_folder: str, date_text: str) -> Path:
        """The folder of the clips."""
        return self.out_dir / "clips" / camera_folder / date_text

    def footage_record(self, file_path: str) -> Path:
        """What was measured of a clip."""
        return self.out_dir / ".upvs" / "footage" / f"{PurePosixPath(file_path).stem}.json"

    def failure_record(self, file_path: str) -> Path:
        """Why a clip could not be fetched."""
        return self.out_dir / ".upvs" / "failures" / f"{PurePosixPath(file_path).stem}.json"


def clip_path(clip: Clip, camera_folder: str, date_text: str) -> str:
    """Path of a clip's file below the output folder, as the clip index keeps it."""
    return f"clips/{camera_folder}/{date_text}/{clip.name}.mp4"
