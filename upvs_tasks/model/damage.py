from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """How many frames of the film show a neighbour because those of a clip are damaged.

    ``wanted_frames`` counts all frames that the film takes from the clip. ``can_heal``: the clip
    did not come from the console like that, so another run may get a good one.
    """

    clip_name: str
    wanted_frames: int
    replaced_frames: int
    reason: str
    can_heal: bool = False


@dataclass(frozen=True, slots=True)
class RunDamage:
    """How many frames of a run of a segment show a neighbour; ``run`` is its place, from 0.

    Clips of the same bytes share segments, so that a segment cannot name its clips.
    """

    run: int
    replaced_frames: int
    reason: str


def damage_by_clip(damages: Iterable[Damage]) -> tuple[Damage, ...]:
    """The damages of all segments, added up for each clip; the first reason counts."""
    found: dict[str, Damage] = {}
    for damage in damages:
        known = found.get(damage.clip_name, Damage(damage.clip_name, 0, 0, damage.reason))
        found[damage.clip_name] = Damage(
            damage.clip_name,
            known.wanted_frames + damage.wanted_frames,
            known.replaced_frames + damage.replaced_frames,
            known.reason,
        )
    return tuple(found.values())
