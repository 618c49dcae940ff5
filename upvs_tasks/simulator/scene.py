"""What a camera sees without traffic: a house, a garden and a sky in the light of the hour.

Everything follows from the camera's id and the local time.
"""

from functools import lru_cache
from math import cos, pi, sqrt

from upvs_tasks.simulator.picture import BLACK_LUMA, NEUTRAL, Box, Colour, Picture
from upvs_tasks.simulator.prng import Prng
from upvs_tasks.simulator.timestamp import blocks_height, caption_height

_HOURS_PER_DAY = 24
_CAPTION_LUMA = 34
_NIGHT_LIGHT = 0.16
_WINDOWS_LIT_BELOW = 0.45
_HORIZON = 0.52
_SUNRISE_HOUR = 5.5
_SUNSET_HOUR = 19.0
_SKY_LUMA = 150
_WALLS: tuple[Colour, ...] = ((186, 116, 138), (170, 132, 120), (178, 120, 122), (160, 118, 142))


def daylight(hour: float) -> float:
    """Return the light at a local hour, from 0 (night) to 1 (noon)."""
    if not _SUNRISE_HOUR < hour < _SUNSET_HOUR:
        return 0.0
    through = (hour - _SUNRISE_HOUR) / (_SUNSET_HOUR - _SUNRISE_HOUR)
    return min(1.0, 1.6 * (1 - cos(2 * pi * through)) / 2)


@lru_cache(maxsize=24)
def still_scene(camera_id: str, width: int, height: int, minutes: int) -> Picture:
    """Return the scene at a local time, given in minutes after midnight."""
    hour = minutes / 60
    light = daylight(hour)
    picture = _by_day(camera_id, width, height).copy()
    shade = _NIGHT_LIGHT + (1 - _NIGHT_LIGHT) * light
    picture.luma = picture.luma.translate(_scaled(BLACK_LUMA, shade))
    picture.blue = picture.blue.translate(_scaled(NEUTRAL, 0.35 + 0.65 * light))
    picture.red = picture.red.translate(_scaled(NEUTRAL, 0.35 + 0.65 * light))
    _draw_sky(picture, camera_id, hour, light)
    if light < _WINDOWS_LIT_BELOW:
        for window in _windows(camera_id, width, height):
            picture.fill(window, (205, 92, 150))
    picture.fill((0, 0, width, caption_height(width)), (_CAPTION_LUMA, NEUTRAL, NEUTRAL))
    blocks = blocks_height(width)
    picture.fill((0, height - blocks, width, blocks), (BLACK_LUMA, NEUTRAL, NEUTRAL))
    return picture


@lru_cache(maxsize=24)
def _by_day(camera_id: str, width: int, height: int) -> Picture:
    chroma = bytes([NEUTRAL]) * ((width // 2) * (height // 2))
    picture = Picture(
        width, height, bytearray(width * height), bytearray(chroma), bytearray(chroma)
    )
    unit = height / 100
    horizon = _HORIZON * height
    picture.fill((0, 0, width, horizon), (_SKY_LUMA, 140, 122))
    _draw_garden(picture, camera_id, unit)
    _draw_house(picture, camera_id, unit)
    return picture


def _draw_garden(picture: Picture, camera_id: str, unit: float) -> None:
    width = picture.width
    prng = Prng("garden", camera_id)
    for row in range(int(_HORIZON * picture.height), picture.height):
        depth = (row / picture.height - _HORIZON) / (1 - _HORIZON)
        picture.fill((0, row, width, 1), (int(92 + 34 * depth), 104, 114))
    for _ in range(5):
        crown = prng.integer(0, 100) / 100 * width
        spread = prng.integer(9, 16) * unit
        picture.ellipse((crown, 50 * unit), (spread, spread * 0.7), (74, 112, 114))
    picture.fill((0, 78 * unit, width, 12 * unit), (118, 127, 129))
    for dash in range(0, width, max(8, int(24 * unit))):
        picture.fill((dash, 83.5 * unit, 10 * unit, 1.2 * unit), (190, 126, 130))


def _draw_house(picture: Picture, camera_id: str, unit: float) -> None:
    left, wall = _house_left(camera_id, picture.width), Prng("wall", camera_id).choice(_WALLS)
    for row in range(int(20 * unit)):
        half = row * 1.9
        picture.fill((left + 32 * unit - half, 18 * unit + row, 2 * half, 1), (84, 116, 156))
    picture.fill((left, 38 * unit, 64 * unit, 34 * unit), wall)
    picture.fill((left + 25 * unit, 47 * unit, 14 * unit, 25 * unit), (72, 110, 158))
    picture.ellipse((left + 36.5 * unit, 60 * unit), (0.8 * unit, 0.8 * unit), (200, 96, 146))
    picture.fill((left + 22 * unit, 72 * unit, 20 * unit, 6 * unit), (158, 124, 132))
    for window in _windows(camera_id, picture.width, picture.height):
        x, y, wide, high = window
        picture.fill((x - unit, y - unit, wide + 2 * unit, high + 2 * unit), (215, 128, 128))
        picture.fill(window, (120, 140, 120))


def _house_left(camera_id: str, width: int) -> float:
    return Prng("house", camera_id).integer(18, 58) / 100 * width


def _windows(camera_id: str, width: int, height: int) -> list[Box]:
    unit, left = height / 100, _house_left(camera_id, width)
    return [(left + offset * unit, 46 * unit, 12 * unit, 11 * unit) for offset in (7, 45)]


def _draw_sky(picture: Picture, camera_id: str, hour: float, light: float) -> None:
    """Colour the sky; it is where the picture by day has the luma of the sky."""
    width, horizon = picture.width, int(_HORIZON * picture.height)
    day = _by_day(camera_id, width, picture.height)
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
    """Draw the sun by day and the moon by night, only where the sky is visible."""
    is_day = _SUNRISE_HOUR < hour < _SUNSET_HOUR
    day_hours = _SUNSET_HOUR - _SUNRISE_HOUR
    if is_day:
        share, radius, tone = (hour - _SUNRISE_HOUR) / day_hours, 0.05 * sky.height, bytes([232])
    else:
        share = (hour - _SUNSET_HOUR) % _HOURS_PER_DAY / (_HOURS_PER_DAY - day_hours)
        radius, tone = 0.035 * sky.height, bytes([190])
    x = share * sky.width
    y = sky.height * (0.46 - 0.3 * (1 - (2 * share - 1) ** 2))
    for row in range(int(y - radius), int(y + radius) + 1):
        half = sqrt(max(0.0, radius**2 - (row - y) ** 2))
        for column in range(max(0, int(x - half)), min(sky.width, int(x + half))):
            at = row * sky.width + column
            if day.luma[at] == _SKY_LUMA:
                sky.luma[at : at + 1] = tone


@lru_cache(maxsize=256)
def _scaled(pivot: int, factor: float) -> bytes:
    return bytes(max(0, min(255, round(pivot + (value - pivot) * factor))) for value in range(256))
