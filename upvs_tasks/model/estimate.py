"""How large a film gets and how long it takes to render, estimated from a few frames."""

from dataclasses import dataclass
from math import ceil

# Frames differ over a day, so an estimate may be too low by this factor.
_MARGIN = 1.3


@dataclass(frozen=True, slots=True)
class Estimate:
    """A film's size, and the time to render it; None where that is not known.

    ``missing_bytes`` is the size of the segments that are not rendered yet.
    """

    film_bytes: int
    missing_bytes: int
    render_secs: float | None = None

    @property
    def needed_bytes(self) -> int:
        """Free space that rendering needs: for the missing segments, and for the joined film."""
        return ceil(_MARGIN * (self.missing_bytes + self.film_bytes))

    @classmethod
    def of_segments(cls, *, frames: int, all_frames: int, size_bytes: int) -> "Estimate":
        """Estimate of a film of which ``frames`` are rendered already, in ``size_bytes``."""
        bytes_per_frame = size_bytes / max(1, frames)
        return cls(
            film_bytes=round(bytes_per_frame * all_frames),
            missing_bytes=round(bytes_per_frame * (all_frames - frames)),
        )

    @classmethod
    def of_trials(
        cls, trials: "tuple[Trial, ...]", *, segments: int, all_frames: int, secs: float
    ) -> "Estimate":
        """Estimate from trials in several places of the film, which took ``secs`` side by side."""
        key_bytes = sum(trial.key_bytes for trial in trials) / len(trials)
        other_bytes = sum(trial.other_bytes for trial in trials) / len(trials)
        film_bytes = round(segments * key_bytes + (all_frames - segments) * other_bytes)
        tried_frames = sum(trial.frames for trial in trials)
        return cls(film_bytes, film_bytes, all_frames * secs / tried_frames)


@dataclass(frozen=True, slots=True)
class Trial:
    """Some frames that were rendered as a test: bytes of the first, a keyframe, and of all."""

    frames: int
    key_bytes: int
    all_bytes: int

    @property
    def other_bytes(self) -> float:
        """Mean bytes of a frame that is not a keyframe."""
        return max(0, self.all_bytes - self.key_bytes) / max(1, self.frames - 1)


def in_words(estimate: Estimate) -> str:
    """The estimate as a phrase, in round numbers because it is not exact."""
    size = f"about {_size(estimate.film_bytes)}"
    if estimate.render_secs is not None:
        return f"{size}, in about {_time(estimate.render_secs)}"
    if estimate.missing_bytes:
        return f"{size}, {_size(estimate.missing_bytes)} of it to be rendered"
    return size


def _size(size_bytes: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size_bytes >= unit:
            return f"{_rounded(size_bytes / unit)} {name}"
    return f"{_rounded(size_bytes / 1e3)} kB"


def _time(secs: float) -> str:
    return f"{_rounded(secs)} s" if secs < 90 else f"{_rounded(secs / 60)} min"  # noqa: PLR2004


def _rounded(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}" if value >= 1 else "1"
