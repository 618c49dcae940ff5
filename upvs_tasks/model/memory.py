"""How much memory a worker takes, and so how many can render at once.

Measured from 640x360 to 3840x2160: memory grows with the pixels of a frame. Most of it are frames
that the encoder looks ahead at, and so the preset decides.
"""

from dataclasses import dataclass

from upvs_tasks.model.encoding import PRESETS, Codec, Encoding

# Python, libav and the codec, whatever the size of a frame.
_BASE_BYTES = {Codec.H264: 65 << 20, Codec.HEVC: 105 << 20, Codec.AV1: 95 << 20}
# Bytes for each pixel of the film, by preset from the fastest to the slowest; a decoder for frames
# of the same size is part of that.
_BYTES_PER_PIXEL = {
    Codec.H264: (30, 65, 90, 125, 155, 190, 230, 300, 375),
    Codec.HEVC: (125, 140, 165, 165, 165, 190, 210, 345, 345),
    Codec.AV1: (160, 160, 165, 170, 275, 290, 305, 330, 350),
}
# What a decoder takes for each pixel by which frames of a clip are larger than the film's.
_DECODER_BYTES_PER_PIXEL = 12
# The rest is for this program, and for what was not measured.
_USABLE_PERCENT = 90


def worker_bytes(encoding: Encoding, *, clip_pixels: int) -> int:
    """Memory of a worker at its peak; ``clip_pixels`` are those of the largest frame it decodes."""
    film_pixels = encoding.width * encoding.height
    per_pixel = _BYTES_PER_PIXEL[encoding.codec][PRESETS.index(encoding.preset)]
    more_pixels = max(0, clip_pixels - film_pixels)
    return (
        _BASE_BYTES[encoding.codec]
        + film_pixels * per_pixel
        + more_pixels * _DECODER_BYTES_PER_PIXEL
    )


@dataclass(frozen=True, slots=True)
class WorkerMemory:
    """How much memory is free, None where that is not known, and how much a worker takes."""

    free_bytes: int | None
    worker_bytes: int

    def at_once(self, most: int) -> int:
        """How many workers of ``most`` have room; one renders however little there is."""
        if self.free_bytes is None:
            return most
        room = self.free_bytes * _USABLE_PERCENT // 100 // self.worker_bytes
        return max(1, min(most, room))

    def sentence(self, most: int) -> str:
        """Why fewer than ``most`` render at once; empty where all have room."""
        if self.free_bytes is None or self.worker_bytes * most * 100 <= (
            self.free_bytes * _USABLE_PERCENT
        ):
            return ""
        count = self.at_once(most)
        each = f"{self.free_bytes / 1e9:.1f} GB of memory are free, each takes up to"
        return f"{count} of {most} at once: {each} {self.worker_bytes / 1e9:.1f} GB"
