"""Who moves through the picture: people, cars and cats."""

from math import cos

from upvs_tasks.simulator.picture import Colour, Picture
from upvs_tasks.simulator.prng import Prng

_SLOT_MS = 24_000  # at most one of them in each slot of time
_KINDS = ("person", "person", "car", "car", "cat", "person", "nobody")


def draw_traffic(picture: Picture, camera_id: str, instant_ms: int) -> None:
    """Draw who crosses the picture at this instant, if anybody does."""
    prng = Prng("passer", camera_id, instant_ms // _SLOT_MS)
    kind = prng.choice(_KINDS)
    delay_ms, duration_ms = prng.integer(0, 5_000), prng.integer(11_000, 19_000)
    elapsed_ms = instant_ms % _SLOT_MS - delay_ms
    if kind == "nobody" or not 0 <= elapsed_ms < duration_ms:
        return
    share = elapsed_ms / duration_ms
    goes_left = prng.chance(50)
    position = 1 - share if goes_left else share
    colour = (prng.integer(60, 190), prng.integer(90, 170), prng.integer(90, 170))
    middle = (position * 1.3 - 0.15) * picture.width
    _DRAWINGS[kind](picture, middle, colour, instant_ms)


def _draw_person(picture: Picture, middle: float, colour: Colour, instant_ms: int) -> None:
    unit = picture.height / 100
    feet = 79 * unit
    stride = 2.4 * unit * cos(instant_ms / 160)
    picture.fill((middle - unit + stride, feet - 11 * unit, 2 * unit, 11 * unit), (45, 132, 126))
    picture.fill((middle - unit - stride, feet - 11 * unit, 2 * unit, 11 * unit), (52, 132, 126))
    picture.fill((middle - 2.6 * unit, feet - 23 * unit, 5.2 * unit, 12.5 * unit), colour)
    picture.ellipse((middle, feet - 25.5 * unit), (2 * unit, 2.6 * unit), (165, 112, 146))


def _draw_car(picture: Picture, middle: float, colour: Colour, _: int) -> None:
    unit = picture.height / 100
    road = 86 * unit
    picture.fill((middle - 9 * unit, road - 15 * unit, 17 * unit, 7 * unit), (60, 134, 124))
    picture.fill((middle - 15 * unit, road - 9 * unit, 30 * unit, 7 * unit), colour)
    for axle in (-9, 9):
        centre = (middle + axle * unit, road - 2 * unit)
        picture.ellipse(centre, (2.6 * unit, 2.6 * unit), (28, 128, 128))


def _draw_cat(picture: Picture, middle: float, colour: Colour, instant_ms: int) -> None:
    unit = picture.height / 100
    feet = 82 * unit + unit * cos(instant_ms / 120) / 2
    picture.fill((middle - 4 * unit, feet - 5 * unit, 8 * unit, 3 * unit), colour)
    picture.ellipse((middle + 4.5 * unit, feet - 5.5 * unit), (1.8 * unit, 1.8 * unit), colour)
    for leg in (-3.5, 2.5):
        picture.fill((middle + leg * unit, feet - 2 * unit, unit, 2 * unit), colour)


_DRAWINGS = {"person": _draw_person, "car": _draw_car, "cat": _draw_cat}
