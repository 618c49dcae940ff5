"""The picture in front of a camera: a house, the hour's light, and whoever walks by.

Everything is a function of the camera's look and the instant. Planes are 4:2:0 without padding.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sqrt

from upvs_tasks.simulator.clockface import blocks_height, caption_height
from upvs_tasks.simulator.dice import Dice

Colour = tuple[int, int, int]

HOURS_PER_DAY = 24

_CAPTION_LUMA = 34
_NEUTRAL = 128
_BLACK = 16
_SLOT_MS = 24_000
_PASSERS = ("person", "person", "car", "car", "cat", "person", "nobody")
_NIGHT_LIGHT = 0.16
_GLOW_BELOW = 0.45
_HORIZON = 0.52
_SUNRISE_HOUR = 5.5
_SUNSET_HOUR = 19.0


@dataclass(slots=True)
class Picture:
    """A picture in the making: three planes, rows without padding."""

    width: int
    height: int
    luma: bytearray
    blue: bytearray
    red: bytearray

    def fill(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill left, top, width, height, all in pixels, cut to the picture."""
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right = min(self.width, int(box[0] + box[2]))
        bottom = min(self.height, int(box[1] + box[3]))
        if left >= right or top >= bottom:
            return
        line = bytes([colour[0]]) * (right - left)
        for row in range(top, bottom):
            start = row * self.width + left
            self.luma[start : start + len(line)] = line
        self._tint((left // 2, top // 2, (right + 1) // 2, (bottom + 1) // 2), colour)

    def disc(self, centre: tuple[float, float], radii: tuple[float, float], tone: Colour) -> None:
        """Fill an upright ellipse."""
        for row in range(int(centre[1] - radii[1]), int(centre[1] + radii[1]) + 1):
            share = 1 - ((row - centre[1]) / radii[1]) ** 2
            if share > 0:
                half = radii[0] * sqrt(share)
                self.fill((centre[0] - half, row, 2 * half, 1), tone)

    def copy(self) -> "Picture":
        """Return a picture that may be drawn upon without touching this one."""
        return Picture(self.width, self.height, self.luma[:], self.blue[:], self.red[:])

    def _tint(self, box: tuple[int, int, int, int], colour: Colour) -> None:
        left, top, right, bottom = box
        pitch = self.width // 2
        length = min(right, pitch) - left
        for plane, value in ((self.blue, colour[1]), (self.red, colour[2])):
            line = bytes([value]) * length
            for row in range(top, min(bottom, self.height // 2)):
                start = row * pitch + left
                plane[start : start + length] = line


def daylight(hour: float) -> float:
    """Return how bright it is at a local hour, from 0 (night) to 1 (noon)."""
    if not _SUNRISE_HOUR < hour < _SUNSET_HOUR:
        return 0.0
    through = (hour - _SUNRISE_HOUR) / (_SUNSET_HOUR - _SUNRISE_HOUR)
    return min(1.0, 1.6 * (1 - cos(2 * pi * through)) / 2)


@lru_cache(maxsize=24)
def backdrop(look: str, width: int, height: int, minutes: int) -> Picture:
    """Return the still part of the scene at so many local minutes after midnight."""
    hour = minutes / 60
    light = daylight(hour)
    picture = _by_day(look, width, height).copy()
    shade = _NIGHT_LIGHT + (1 - _NIGHT_LIGHT) * light
    picture.luma = picture.luma.translate(_scaled(_BLACK, shade))
    picture.blue = picture.blue.translate(_scaled(_NEUTRAL, 0.35 + 0.65 * light))
    picture.red = picture.red.translate(_scaled(_NEUTRAL, 0.35 + 0.65 * light))
    _draw_sky(picture, look, hour, light)
    if light < _GLOW_BELOW:
        for window in _windows(look, width, height):
            picture.fill(window, (205, 92, 150))
    picture.fill((0, 0, width, caption_height(width)), (_CAPTION_LUMA, _NEUTRAL, _NEUTRAL))
    blocks = blocks_height(width)
    picture.fill((0, height - blocks, width, blocks), (_BLACK, _NEUTRAL, _NEUTRAL))
    return picture


def draw_passer(picture: Picture, look: str, instant_ms: int) -> None:
    """Draw who is crossing the picture at this instant, if anybody is."""
    dice = Dice("passer", look, instant_ms // _SLOT_MS)
    kind = dice.one_of(_PASSERS)
    begins_ms, lasts_ms = dice.between(0, 5_000), dice.between(11_000, 19_000)
    elapsed_ms = instant_ms % _SLOT_MS - begins_ms
    if kind == "nobody" or not 0 <= elapsed_ms < lasts_ms:
        return
    share = elapsed_ms / lasts_ms
    goes_left = dice.hits(50)
    where = 1 - share if goes_left else share
    coat = (dice.between(60, 190), dice.between(90, 170), dice.between(90, 170))
    middle = (where * 1.3 - 0.15) * picture.width
    _SPRITES[kind](picture, middle, coat, instant_ms)


def _draw_person(picture: Picture, middle: float, coat: Colour, instant_ms: int) -> None:
    unit = picture.height / 100
    feet = 79 * unit
    stride = 2.4 * unit * cos(instant_ms / 160)
    picture.fill((middle - unit + stride, feet - 11 * unit, 2 * unit, 11 * unit), (45, 132, 126))
    picture.fill((middle - unit - stride, feet - 11 * unit, 2 * unit, 11 * unit), (52, 132, 126))
    picture.fill((middle - 2.6 * unit, feet - 23 * unit, 5.2 * unit, 12.5 * unit), coat)
    picture.disc((middle, feet - 25.5 * unit), (2 * unit, 2.6 * unit), (165, 112, 146))


def _draw_car(picture: Picture, middle: float, coat: Colour, _: int) -> None:
    unit = picture.height / 100
    road = 86 * unit
    picture.fill((middle - 9 * unit, road - 15 * unit, 17 * unit, 7 * unit), (60, 134, 124))
    picture.fill((middle - 15 * unit, road - 9 * unit, 30 * unit, 7 * unit), coat)
    for axle in (-9, 9):
        picture.disc(
            (middle + axle * unit, road - 2 * unit), (2.6 * unit, 2.6 * unit), (28, 128, 128)
        )


def _draw_cat(picture: Picture, middle: float, coat: Colour, instant_ms: int) -> None:
    unit = picture.height / 100
    feet = 82 * unit + unit * cos(instant_ms / 120) / 2
    picture.fill((middle - 4 * unit, feet - 5 * unit, 8 * unit, 3 * unit), coat)
    picture.disc((middle + 4.5 * unit, feet - 5.5 * unit), (1.8 * unit, 1.8 * unit), coat)
    for leg in (-3.5, 2.5):
        picture.fill((middle + leg * unit, feet - 2 * unit, unit, 2 * unit), coat)


_SPRITES = {"person": _draw_person, "car": _draw_car, "cat": _draw_cat}


@lru_cache(maxsize=24)
def _by_day(look: str, width: int, height: int) -> Picture:
    chroma = bytes([_NEUTRAL]) * ((width // 2) * (height // 2))
    picture = Picture(
        width, height, bytearray(width * height), bytearray(chroma), bytearray(chroma)
    )
    unit = height / 100
    horizon = _HORIZON * height
    picture.fill((0, 0, width, horizon), (150, 140, 122))
    _draw_garden(picture, look, unit)
    _draw_house(picture, look, unit)
    return picture


def _draw_garden(picture: Picture, look: str, unit: float) -> None:
    width = picture.width
    dice = Dice("garden", look)
    for row in range(int(_HORIZON * picture.height), picture.height):
        depth = (row / picture.height - _HORIZON) / (1 - _HORIZON)
        picture.fill((0, row, width, 1), (int(92 + 34 * depth), 104, 114))
    for _ in range(5):
        crown = dice.between(0, 100) / 100 * width
        spread = dice.between(9, 16) * unit
        picture.disc((crown, 50 * unit), (spread, spread * 0.7), (74, 112, 114))
    picture.fill((0, 78 * unit, width, 12 * unit), (118, 127, 129))
    for dash in range(0, width, max(8, int(24 * unit))):
        picture.fill((dash, 83.5 * unit, 10 * unit, 1.2 * unit), (190, 126, 130))


def _draw_house(picture: Picture, look: str, unit: float) -> None:
    left, wall = _house_left(look, picture.width), Dice("wall", look).one_of(_WALLS)
    for row in range(int(20 * unit)):
        half = row * 1.9
        picture.fill((left + 32 * unit - half, 18 * unit + row, 2 * half, 1), (84, 116, 156))
    picture.fill((left, 38 * unit, 64 * unit, 34 * unit), wall)
    picture.fill((left + 25 * unit, 47 * unit, 14 * unit, 25 * unit), (72, 110, 158))
    picture.disc((left + 36.5 * unit, 60 * unit), (0.8 * unit, 0.8 * unit), (200, 96, 146))
    picture.fill((left + 22 * unit, 72 * unit, 20 * unit, 6 * unit), (158, 124, 132))
    for window in _windows(look, picture.width, picture.height):
        x, y, wide, high = window
        picture.fill((x - unit, y - unit, wide + 2 * unit, high + 2 * unit), (215, 128, 128))
        picture.fill(window, (120, 140, 120))


_WALLS: tuple[Colour, ...] = ((186, 116, 138), (170, 132, 120), (178, 120, 122), (160, 118, 142))


def _house_left(look: str, width: int) -> float:
    return Dice("house", look).between(18, 58) / 100 * width


def _windows(look: str, width: int, height: int) -> list[tuple[float, float, float, float]]:
    unit, left = height / 100, _house_left(look, width)
    return [(left + offset * unit, 46 * unit, 12 * unit, 11 * unit) for offset in (7, 45)]


def _draw_sky(picture: Picture, look: str, hour: float, light: float) -> None:
    """Fill what lies above the roofs and trees; these were drawn darker than the sky."""
    width, horizon = picture.width, int(_HORIZON * picture.height)
    day = _by_day(look, width, picture.height)
    sky = Picture(width, picture.height, bytearray(picture.luma), picture.blue, picture.red)
    warmth = max(0.0, 1 - abs(light - 0.3) / 0.3)
    for row in range(horizon):
        height_share = 1 - row / horizon
        luma = 24 + light * (196 - 50 * height_share) + warmth * 22 * (1 - height_share)
        blue = 128 + 8 * (0.5 + light * height_share) - warmth * 26 * (1 - height_share)
        red = 126 - 6 * light * height_share + warmth * 30 * (1 - height_share)
        _fill_where_sky(sky, day, row, (int(min(luma, 235)), int(blue), int(red)))
    _draw_sun(sky, day, hour)
    picture.luma = sky.luma


def _fill_where_sky(sky: Picture, day: Picture, row: int, colour: Colour) -> None:
    width, pitch = sky.width, sky.width // 2
    for start, length in _runs(bytes(day.luma[row * width : (row + 1) * width])):
        at = row * width + start
        sky.luma[at : at + length] = bytes([colour[0]]) * length
        if row % 2 == 0:
            at = row // 2 * pitch + start // 2
            sky.blue[at : at + length // 2] = bytes([colour[1]]) * (length // 2)
            sky.red[at : at + length // 2] = bytes([colour[2]]) * (length // 2)


_SKY_LUMA = 150


@lru_cache(maxsize=2048)
def _runs(line: bytes) -> tuple[tuple[int, int], ...]:
    found, start = [], 0
    while start < len(line):
        if line[start] != _SKY_LUMA:
            start += 1
            continue
        end = start
        while end < len(line) and line[end] == _SKY_LUMA:
            end += 1
        found.append((start, end - start))
        start = end
    return tuple(found)


def _draw_sun(sky: Picture, day: Picture, hour: float) -> None:
    """Draw the sun by day and the moon by night, behind everything else."""
    by_day = _SUNRISE_HOUR < hour < _SUNSET_HOUR
    night_hours = HOURS_PER_DAY - (_SUNSET_HOUR - _SUNRISE_HOUR)
    since = hour - _SUNRISE_HOUR if by_day else (hour - _SUNSET_HOUR) % HOURS_PER_DAY
    share = since / ((_SUNSET_HOUR - _SUNRISE_HOUR) if by_day else night_hours)
    radius = sky.height * (0.05 if by_day else 0.035)
    x = share * sky.width
    y = sky.height * (0.46 - 0.3 * (1 - (2 * share - 1) ** 2))
    tone = bytes([232 if by_day else 190])
    for row in range(int(y - radius), int(y + radius) + 1):
        half = sqrt(max(0.0, radius**2 - (row - y) ** 2))
        for column in range(max(0, int(x - half)), min(sky.width, int(x + half))):
            at = row * sky.width + column
            if day.luma[at] == _SKY_LUMA:
                sky.luma[at : at + 1] = tone


@lru_cache(maxsize=256)
def _scaled(pivot: int, factor: float) -> bytes:
    return bytes(max(0, min(255, round(pivot + (value - pivot) * factor))) for value in range(256))
