"""A raw picture and the shapes that can be drawn into it."""

from dataclasses import dataclass
from math import sqrt

Colour = tuple[int, int, int]  # luma, blue, red
Box = tuple[float, float, float, float]  # left, top, width, height in pixels

BLACK_LUMA = 16
NEUTRAL = 128  # of blue and red: no colour


@dataclass(slots=True)
class Picture:
    """A picture of three planes, 4:2:0, rows without padding."""

    width: int
    height: int
    luma: bytearray
    blue: bytearray
    red: bytearray

    def fill(self, box: Box, colour: Colour) -> None:
        """Fill the part of a box that lies inside the picture."""
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right = min(self.width, int(box[0] + box[2]))
        bottom = min(self.height, int(box[1] + box[3]))
        if left >= right or top >= bottom:
            return
        line = bytes([colour[0]]) * (right - left)
        for row in range(top, bottom):
            start = row * self.width + left
            self.luma[start : start + len(line)] = line
        self._fill_chroma((left // 2, top // 2, (right + 1) // 2, (bottom + 1) // 2), colour)

    def ellipse(
        self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour
    ) -> None:
        """Fill an ellipse whose axes are horizontal and vertical."""
        for row in range(int(centre[1] - radii[1]), int(centre[1] + radii[1]) + 1):
            share = 1 - ((row - centre[1]) / radii[1]) ** 2
            if share > 0:
                half = radii[0] * sqrt(share)
                self.fill((centre[0] - half, row, 2 * half, 1), colour)

    def copy(self) -> "Picture":
        """Return a picture that shares nothing with this one."""
        return Picture(self.width, self.height, self.luma[:], self.blue[:], self.red[:])

    def _fill_chroma(self, box: tuple[int, int, int, int], colour: Colour) -> None:
        left, top, right, bottom = box
        pitch = self.width // 2
        length = min(right, pitch) - left
        for plane, value in ((self.blue, colour[1]), (self.red, colour[2])):
            line = bytes([value]) * length
            for row in range(top, min(bottom, self.height // 2)):
                start = row * pitch + left
                plane[start : start + length] = line
