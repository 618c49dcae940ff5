from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """How many frames of the film are not whole, because those of a clip are damaged.

    They show what a decoder makes of them, or a neighbour. ``wanted_frames`` counts all frames that
    the film takes from the clip. ``came_so``: the clip has the bytes that the console sent.
    ``is_lost``: it has not, and the console has it no more.
    """

    clip_name: str
    wanted_frames: int
    damaged_frames: int
    reason: str
    came_so: bool = False
    is_lost: bool = False

    @property
    def can_heal(self) -> bool:
        """Whether another run may get better bytes."""
        return not (self.came_so or self.is_lost)


@dataclass(frozen=True, slots=True)
class RunDamage:
    """How many frames of a run of a segment are not whole; ``run`` is its place, from 0.

    Clips of the same bytes share segments, so that a segment cannot name its clips.
    """

    run: int
    damaged_frames: int
    reason: str


def damage_by_clip(damages: Iterable[Damage]) -> tuple[Damage, ...]:
    """The damages of all segments, added up for each clip; the first reason counts."""
    found: dict[str, Damage] = {}
    for damage in damages:
        known = found.get(damage.clip_name)
        if known is None:
            found[damage.clip_name] = damage
        else:
            found[damage.clip_name] = Damage(
                damage.clip_name,
                known.wanted_frames + damage.wanted_frames,
                known.damaged_frames + damage.damaged_frames,
                known.reason,
                known.came_so and damage.came_so,
            )
    return tuple(found.values())
