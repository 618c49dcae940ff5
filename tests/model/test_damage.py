"""Damages of segments become damages of clips."""

from dataclasses import replace

from upvs_tasks.model.damage import Damage, damage_by_clip


def test_what_segments_say_of_one_clip_is_added_up() -> None:
    """A clip may be shown by several segments; the first reason stands for all."""
    damages = [
        Damage("clip1", 250, 3, "damaged frames"),
        Damage("clip2", 10, 10, "clip2.mp4 cannot be opened"),
        Damage("clip1", 50, 50, "clip1.mp4 cannot be opened"),
    ]
    assert damage_by_clip(damages) == (
        Damage("clip1", 300, 53, "damaged frames"),
        Damage("clip2", 10, 10, "clip2.mp4 cannot be opened"),
    )


def test_no_damage_in_any_segment_is_no_damage() -> None:
    assert damage_by_clip([]) == ()


def test_damage_can_heal_unless_it_came_so_or_the_console_has_the_clip_no_more() -> None:
    damage = Damage("clip1", 250, 3, "damaged frames")
    assert damage.can_heal
    assert not replace(damage, came_so=True).can_heal
    assert not replace(damage, is_lost=True).can_heal
