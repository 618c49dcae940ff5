"""The sound of the clips: a quiet hum."""

from functools import lru_cache

import av
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import Flags

HUM_RATE = 16_000
HUM_FRAME_SAMPLES = 1024

_FRAMES = 32
_WARM_UP_FRAMES = 8


@lru_cache(maxsize=1)
def encoded_hum() -> tuple[bytes, ...]:
    """Return AAC frames that can be repeated without end."""
    encoder = AudioCodecContext.create("aac", "w")
    encoder.sample_rate = HUM_RATE
    encoder.layout = "mono"
    encoder.format = "fltp"
    encoder.flags |= Flags.bitexact | Flags.global_header
    half_wave = HUM_FRAME_SAMPLES // 16
    high, low = b"\x00\x00\x80\x3c", b"\x00\x00\x80\xbc"  # +-1/64 as little-endian floats
    wave = (high * half_wave + low * half_wave) * 8
    packets: list[bytes] = []
    for number in range(_FRAMES + _WARM_UP_FRAMES):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=HUM_FRAME_SAMPLES)
        frame.planes[0].update(wave)
        frame.sample_rate = HUM_RATE
        frame.pts = number * HUM_FRAME_SAMPLES
        packets.extend(bytes(packet) for packet in encoder.encode(frame))
    packets.extend(bytes(packet) for packet in encoder.encode(None))
    return tuple(packets[_WARM_UP_FRAMES:-2])
