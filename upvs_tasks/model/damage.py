from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """How many frames of the film show a neighbour because those of a clip are damaged.

    ``wanted_frames`` counts all frames that the film takes from the clip. ``came_so``: the clip has
    the bytes that the console sent, so that no other run gets better ones.
    """

    clip_name: str
    wanted_frames: int
    replaced_frames: int
    reason: str
    came_so: bool = False


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
                known.replaced_frames + damage.replaced_frames,
                known.reason,
                known.came_so and damage.came_so,
            )
    return tuple(found.values())
