"""The ffmpeg that makes the film: the first that does the same work in small, in the same folder.

The one on PATH may be too old for the options, lack a library or the encoder, or be kept out of the
folder by the system. Then the film would fail after all downloads, though a good ffmpeg came with
our package. So they are tried before the first of the work, and not at all where there is none.
"""

import logging
import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from upvs_tasks import durable, media
from upvs_tasks.errors import BrokenFootageError, RenderError, UpvsError, UsageError
from upvs_tasks.model.encoding import Codec, Encoding, Engine
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.layout import Layout
from upvs_tasks.settings import Settings

log = logging.getLogger(__name__)

LONGEST_TRIAL_SECS = 60.0
_PIECES, _FRAMES_EACH = 2, 2
# The least that all encoders take.
_WIDTH, _HEIGHT = 64, 64


@dataclass(frozen=True, slots=True)
class _SmallFilm:
    """The film in small: what it is made of, and where that and it are."""

    folder: Path
    pieces: tuple[Path, ...]
    encoding: Encoding

    @property
    def film(self) -> Path:
        return durable.partial_of(self.folder / "film.mp4")

    @property
    def listing(self) -> Path:
        return self.folder / "pieces.txt"


class FilmProgram:
    """The ffmpeg of one run. Threads may share it: the first that asks waits for the trials."""

    def __init__(self, settings: Settings, layout: Layout, note: Callable[[str], None]) -> None:
        self._settings = settings
        self._layout = layout
        self._note = note
        self._lock = Lock()
        self._path = ""
        self._error: UpvsError | None = None

    def path(self) -> str:
        """Its absolute path. Raises UsageError when none can make the film, or StorageError."""
        with self._lock:
            if self._error is not None:
                raise copy(self._error)
            if not self._path:
                try:
                    self._path = self._chosen()
                except UpvsError as error:
                    self._error = error
                    raise
            return self._path

    def _chosen(self) -> str:
        refusals: dict[str, str] = {}
        for program in media.ffmpeg.candidates():
            try:
                self._try(program)
            except (RenderError, BrokenFootageError) as error:
                refusals[program] = str(error)
                log.warning("ffmpeg refused", extra={"path": program, "reason": str(error)})
                continue
            if refusals:
                self._note(f"NOTE: {_told(refusals)}; {program} makes it")
            log.info("ffmpeg chosen", extra={"path": program})
            return program
        raise UsageError(
            f"{_told(refusals)}: install ffmpeg 4.4 or newer, on PATH, with x264, and such that it "
            f"may read {self._layout.out_dir}; doit run fetch downloads the clips without it"
        )

    def _try(self, program: str) -> None:
        """Make a film of four frames. Raises an error that says why it is not made."""
        folder = self._layout.trial
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        try:
            with durable.storing(folder):
                folder.mkdir(parents=True)
                small = _prepared(folder, self._settings)
            _TRIALS[self._settings.engine](program, small)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _prepared(folder: Path, settings: Settings) -> _SmallFilm:
    codec = settings.codec if settings.engine is Engine.SEGMENTS else Codec.H264
    encoding = Encoding(_WIDTH, _HEIGHT, settings.output_fps, settings.crf, settings.preset, codec)
    pieces = tuple(folder / f"piece_{number}.mp4" for number in range(_PIECES))
    for piece in pieces:
        media.encode.write_blank(piece, encoding, frames=_FRAMES_EACH)
    return _SmallFilm(folder, pieces, encoding)


def _join(program: str, small: _SmallFilm) -> None:
    """As the film is joined from its segments."""
    fps, tags_path = small.encoding.fps, small.folder / "tags.txt"
    pieces = [(piece, _FRAMES_EACH) for piece in small.pieces]
    tags = media.join.FilmTags(title="Trial", date="", camera="")
    durable.write_if_changed(small.listing, media.join.segment_list(pieces, fps).encode())
    durable.write_if_changed(tags_path, media.join.tags_text(tags, fps).encode())
    whole = media.join.Join(small.listing, tags_path, small.film, small.encoding)
    command = media.join.join_command(program, whole)
    media.ffmpeg.run(command, partial=small.film, longest_secs=LONGEST_TRIAL_SECS)
    media.join.check_joined(small.film, frames=_PIECES * _FRAMES_EACH, fps=fps)


def _render_at_once(program: str, small: _SmallFilm) -> None:
    """As the specification's own command renders the film."""
    durable.write_if_changed(small.listing, concat_text(small.pieces).encode())
    job = media.concat_engine.ConcatRender(
        concat_path=small.listing,
        output_path=small.film,
        speed_factor=1.0,
        encoding=small.encoding,
        output_frames=_PIECES * _FRAMES_EACH,
    )
    command = media.concat_engine.concat_command(program, job)
    media.ffmpeg.run(command, partial=small.film, longest_secs=LONGEST_TRIAL_SECS)
    media.probe.measure(small.film)


_TRIALS = {Engine.SEGMENTS: _join, Engine.CONCAT: _render_at_once}


def _told(refusals: dict[str, str]) -> str:
    if not refusals:
        return "no ffmpeg was found"
    return "; ".join(f"{path} cannot make the film ({why})" for path, why in refusals.items())
