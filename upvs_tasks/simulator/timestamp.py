"""The time of a frame, drawn into the picture twice: digits for people and blocks for programs.

The blocks are two rows of 32 square cells at the bottom edge, over the full width. A white cell
(luma 235) is 1, a black one (luma 16) is 0. The cells are read row by row, the most significant bit
first: 48 bits of Unix ms, then 16 bits of CRC-16/CCITT-FALSE over these six bytes.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

CELLS_PER_ROW = 32
BLOCK_ROWS = 2
WHITE = 235
BLACK = 16

_TIME_BYTES = 6
_CRC_START = 0xFFFF
_CRC_BITS = 16
_BITS = CELLS_PER_ROW * BLOCK_ROWS
_CAPTION_TEXT_LUMA = 230
_CAPTION_BACKGROUND_LUMA = 34
_GLYPH_COLUMNS = 5
_GLYPH_ROWS = 7
_GLYPH_ADVANCE = 6
_PIXELS_PER_SCALE = 320
_ASPECTS = ((16, 9), (4, 3), (9, 16), (3, 4), (1, 1))
_EARLIEST_MS = (
    946_684_800_000  # 2000-01-01; a limit, because random bits pass the CRC once in 65,536 tries
)
_LATEST_MS = 4_102_444_800_000  # 2100-01-01

# A glyph has seven rows of five pixels. Each row is a number; its highest bit is the left pixel.
_FONT: dict[str, tuple[int, ...]] = {
    " ": (0, 0, 0, 0, 0, 0, 0),
    "-": (0, 0, 0, 31, 0, 0, 0),
    ":": (0, 4, 4, 0, 4, 4, 0),
    ".": (0, 0, 0, 0, 0, 12, 12),
    "/": (1, 2, 2, 4, 8, 8, 16),
    "'": (4, 4, 8, 0, 0, 0, 0),
    '"': (10, 10, 10, 0, 0, 0, 0),
    "*": (0, 21, 14, 31, 14, 21, 0),
    "?": (14, 17, 1, 2, 4, 0, 4),
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 6, 8, 16, 31),
    "3": (14, 17, 1, 6, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (14, 17, 17, 31, 17, 17, 17),
    "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (28, 18, 17, 17, 17, 18, 28),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "F": (31, 16, 16, 30, 16, 16, 16),
    "G": (14, 17, 16, 23, 17, 17, 15),
    "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "J": (7, 2, 2, 2, 2, 18, 12),
    "K": (17, 18, 20, 24, 20, 18, 17),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "N": (17, 25, 21, 19, 17, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "Q": (14, 17, 17, 17, 21, 18, 13),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14),
    "V": (17, 17, 17, 17, 17, 10, 4),
    "W": (17, 17, 17, 21, 21, 27, 17),
    "X": (17, 17, 10, 4, 10, 17, 17),
    "Y": (17, 17, 10, 4, 4, 4, 4),
    "Z": (31, 1, 2, 4, 8, 16, 31),
}
_UNKNOWN_GLYPH = (31, 17, 17, 17, 17, 17, 31)


def draw_blocks(luma: bytearray, width: int, height: int, instant_ms: int) -> None:
    """Draw the instant as two rows of cells at the bottom of an upright picture."""
    bits = _bits_of(instant_ms)
    cell_height = max(1, width // CELLS_PER_ROW)
    for row in range(BLOCK_ROWS):
        top = height - (BLOCK_ROWS - row) * cell_height
        line = _block_line(bits >> (_BITS - CELLS_PER_ROW * (row + 1)), width)
        luma[top * width : (top + cell_height) * width] = line * cell_height


def read_blocks(luma: bytes, width: int, height: int, line_size: int) -> int | None:
    """Return the Unix ms that a picture's blocks show, or None when the checksum is wrong.

    The picture may have been scaled, stretched, encoded again, or placed between black bars.
    """
    for area in _possible_areas(width, height):
        bits = _bits(luma, line_size, area)
        instant_ms = bits >> _CRC_BITS
        if _EARLIEST_MS < instant_ms < _LATEST_MS and bits == _bits_of(instant_ms):
            return instant_ms
    return None


def draw_caption(luma: bytearray, width: int, time_text: str, name: str) -> None:
    """Draw the time at the left and, if it fits, the name at the right of the bar at the top."""
    scale = max(1, width // _PIXELS_PER_SCALE)
    margin = 2 * scale
    room = width - 2 * margin - _text_width(time_text, scale)
    fits = _text_width("  " + name, scale) <= room
    gap = bytes([_CAPTION_BACKGROUND_LUMA]) * (room - _text_width(name, scale) if fits else room)
    side = bytes([_CAPTION_BACKGROUND_LUMA]) * margin
    for row in range(_GLYPH_ROWS):
        label = _text_row(name, row, scale) if fits else b""
        line = b"".join((side, _text_row(time_text, row, scale), gap, label, side))
        top = margin + row * scale
        luma[top * width : (top + scale) * width] = line[:width] * scale


def caption_height(width: int) -> int:
    """Return the height of the caption's bar in a picture of this width."""
    scale = max(1, width // _PIXELS_PER_SCALE)
    return (_GLYPH_ROWS + 4) * scale


def blocks_height(width: int) -> int:
    """Return the height of the blocks in a picture of this width."""
    return BLOCK_ROWS * max(1, width // CELLS_PER_ROW)


def _bits_of(instant_ms: int) -> int:
    """Return what the blocks of this instant show, as one number."""
    content = instant_ms.to_bytes(_TIME_BYTES)
    return instant_ms << _CRC_BITS | crc_hqx(content, _CRC_START)


def _block_line(bits: int, width: int) -> bytes:
    white, black = bytes([WHITE]), bytes([BLACK])
    edges = [column * width // CELLS_PER_ROW for column in range(CELLS_PER_ROW + 1)]
    return b"".join(
        (white if bits >> (CELLS_PER_ROW - 1 - column) & 1 else black)
        * (edges[column + 1] - edges[column])
        for column in range(CELLS_PER_ROW)
    )


def _bits(luma: bytes, line_size: int, area: "_Area") -> int:
    """Return what the cells show when the picture lies in this area."""
    bits = 0
    for row in range(BLOCK_ROWS):
        middle = area.bottom - (BLOCK_ROWS - row - 0.5) * area.cell_height
        for column in range(CELLS_PER_ROW):
            centre = area.left + (column + 0.5) * area.width / CELLS_PER_ROW
            bits = bits << 1 | _is_white(luma, line_size, (centre, middle), area.cell_height)
    return bits


class _Area(NamedTuple):
    """Where the original picture lies in another one."""

    left: float
    bottom: float
    width: float
    cell_height: float


def _possible_areas(width: int, height: int) -> Iterator[_Area]:
    yield _Area(0, height, width, width / CELLS_PER_ROW)
    for ratio_width, ratio_height in _ASPECTS:
        # A stretched picture: its cells are no longer square, but keep their share of the height.
        yield _Area(0, height, width, height * ratio_width / ratio_height / CELLS_PER_ROW)
        inner_width = min(width, height * ratio_width / ratio_height)
        inner_height = inner_width * ratio_height / ratio_width
        bottom = (height - inner_height) / 2 + inner_height
        left = (width - inner_width) / 2
        yield _Area(left, bottom, inner_width, inner_width / CELLS_PER_ROW)


def _is_white(luma: bytes, line_size: int, centre: tuple[float, float], cell_height: float) -> bool:
    radius = max(0, int(cell_height / 6))
    column, row = int(centre[0]), int(centre[1])
    total = count = 0
    for offset in (-radius, 0, radius):
        start = (row + offset) * line_size + column
        samples = luma[max(0, start - radius) : start + radius + 1]
        total += sum(samples)
        count += len(samples)
    return count > 0 and total * 2 >= (WHITE + BLACK) * count


def _text_width(text: str, scale: int) -> int:
    return len(text) * _GLYPH_ADVANCE * scale


def _text_row(text: str, row: int, scale: int) -> bytes:
    return b"".join(_glyph(letter, scale)[row] for letter in text.upper())


@cache
def _glyph(letter: str, scale: int) -> tuple[bytes, ...]:
    text, background = (
        bytes([_CAPTION_TEXT_LUMA]) * scale,
        bytes([_CAPTION_BACKGROUND_LUMA]) * scale,
    )
    return tuple(
        b"".join(
            text if row >> (_GLYPH_COLUMNS - 1 - column) & 1 else background
            for column in range(_GLYPH_COLUMNS)
        )
        + background
        for row in _FONT.get(letter, _UNKNOWN_GLYPH)
    )
