from dataclasses import dataclass
from math import log

SLOWEST_FACTOR = 1.0
FASTEST_FACTOR = 2000.0
# How far from the target a film may end (specification §10).
_TOLERANCE_SECS = 10.0


def speed_factor(total_secs: float, target_secs: float) -> float:
    """How many times faster than real time the film runs (specification §6 D).

    At least 1: less footage than the target is not slowed down.
    """
    return min(max(total_secs / target_secs, SLOWEST_FACTOR), FASTEST_FACTOR)


def stepped(factor: float, *, step_percent: float, target_secs: float) -> float:
    """The nearest factor on a scale that begins at 1 and has steps of ``step_percent``.

    The steps are smaller where the film would otherwise miss its target by more than 10 s.
    """
    ratio = 1 + min(step_percent / 100, 2 * _TOLERANCE_SECS / target_secs)
    if ratio == 1:
        return factor
    return min(round(ratio ** round(log(factor) / log(ratio)), 6), FASTEST_FACTOR)


@dataclass(frozen=True, slots=True)
class Speed:
    """How much footage becomes how much film.

    ``output_frames`` is the length of the film, at least one frame where there is any footage.
    """

    total_duration_ms: int
    target_secs: float
    speed_factor: float
    output_fps: int
    output_frames: int

    @classmethod
    def of(
        cls,
        *,
        total_duration_ms: int,
        target_secs: float,
        output_fps: int,
        step_percent: float = 0.0,
    ) -> "Speed":
        """Speed at which the film reaches its target, within the specification's bounds.

        With ``step_percent`` the film lasts up to 10 s more or less, and a little more footage
        seldom changes the speed.
        """
        total_secs = total_duration_ms / 1000
        factor = stepped(
            speed_factor(total_secs, target_secs),
            step_percent=step_percent,
            target_secs=target_secs,
        )
        return cls(
            total_duration_ms=total_duration_ms,
            target_secs=target_secs,
            speed_factor=factor,
            output_fps=output_fps,
            output_frames=max(round(total_secs * output_fps / factor), min(total_duration_ms, 1)),
        )

    @property
    def step_ms(self) -> float:
        """Milliseconds of footage from one frame of the film to the next."""
        return 1000 * self.speed_factor / self.output_fps

    @property
    def output_duration_secs(self) -> float:
        """Length of the film, to the millisecond."""
        return round(self.output_frames / self.output_fps, 3)

    def to_document(self) -> dict[str, object]:
        """The fields of ``day.json`` about the speed: the specification's, and two of ours."""
        return {
            "total_duration_secs": self.total_duration_ms / 1000,
            "speed_factor": self.speed_factor,
            "target_secs": self.target_secs,
            "output_duration_secs": self.output_duration_secs,
            "output_fps": self.output_fps,
            "output_frames": self.output_frames,
        }
