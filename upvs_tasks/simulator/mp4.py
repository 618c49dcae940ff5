"""MP4 files as a console writes them: ``ftyp`` first, ``moov`` last, a 90 kHz clock, no dates."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import IO

import av
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Stream

from upvs_tasks.simulator.cameras import Audio, Codec, FootageFormat
from upvs_tasks.simulator.footage import (
    ENCODER_OPTIONS,
    TICKS_PER_MS,
    TICKS_PER_SEC,
    EncodedFrame,
    encoder_of,
    pixel_format,
)

_IN_MEMORY_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 16
_AUDIO_RATE = 16_000
_AUDIO_FRAME_SAMPLES = 1024
_AUDIO_LOOP = 32
_AUDIO_WARM_UP = 8
_AUDIO_EXCESS_MS = 3_000
_JUNK = bytes(range(256)) * (_CHUNK_BYTES // 256)
_TURNS: dict[int, tuple[int, int, int, int]] = {
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A finished clip: a file, plus junk that is sent within its ``mdat``, after the samples."""

    file: IO[bytes]
    size: int
    mdat_at: int
    moov_at: int
    junk_bytes: int = 0

    def __len__(self) -> int:
        """Return how many bytes ``chunks`` yields."""
        return self.size + self.junk_bytes

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes from first to last, few at a time."""
        if not self.junk_bytes:
            yield from _pieces(self.file, 0, self.size)
            return
        # The muxer leaves an empty ``free`` box before ``mdat``: room for a 64 bit length.
        yield from _pieces(self.file, 0, self.mdat_at - 8)
        mdat_bytes = self.moov_at - self.mdat_at + 8 + self.junk_bytes
        yield (1).to_bytes(4) + b"mdat" + mdat_bytes.to_bytes(8)
        yield from _pieces(self.file, self.mdat_at + 8, self.moov_at)
        left = self.junk_bytes
        while left:
            piece = _JUNK[:left]
            left -= len(piece)
            yield piece
        yield from _pieces(self.file, self.moov_at, self.size)

    def close(self) -> None:
        """Give up the file behind it."""
        self.file.close()


def write_clip(
    footage: FootageFormat, frames: Iterable[EncodedFrame], *, gaps_closed: bool, grow_to: int = 0
) -> ClipFile | None:
    """Write frames as one MP4, or return None when there are none.

    Media time is wall time since the first frame; with ``gaps_closed`` gaps take no media time.
    ``grow_to`` is the least size in bytes of what is sent.
    """
    timed = _timed(footage, frames, gaps_closed=gaps_closed)
    with ExitStack() as undo:
        file = undo.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
        with av.open(file, "w", format="mp4", options=_MUXER_OPTIONS) as container:
            video, audio = _add_streams(container, footage)
            container.start_encoding()
            end_ticks = _mux_video(container, video, footage, timed)
            if end_ticks and audio is not None:
                _mux_audio(container, audio, footage, end_ticks)
        if not end_ticks:
            return None
        undo.pop_all()  # from here on the clip closes its file
        return _finished(file, footage, grow_to)


def empty_mp4() -> bytes:
    """Return a well-formed MP4 without a track, as consoles send for footage they lost."""
    movie_header = bytes(4) + bytes(8) + TICKS_PER_SEC.to_bytes(4) + bytes(4)
    movie_header += (0x10000).to_bytes(4) + (0x100).to_bytes(2) + bytes(10)
    movie_header += _matrix((1, 0, 0, 1)) + bytes(24) + (1).to_bytes(4)
    header = _box(b"ftyp", b"mp42" + bytes(4) + b"mp42isom")
    return header + _box(b"mdat", b"") + _box(b"moov", _box(b"mvhd", movie_header))


_MUXER_OPTIONS = {
    "fflags": "+bitexact",
    "video_track_timescale": str(TICKS_PER_SEC),
    "brand": "mp42",
}


def _add_streams(
    container: OutputContainer, footage: FootageFormat
) -> tuple[Stream, Stream | None]:
    audio = _add_audio(container) if footage.audio_first else None
    video = container.add_stream(
        encoder_of(footage.codec), rate=footage.fps, options=dict(ENCODER_OPTIONS[footage.codec])
    )
    video.width, video.height = footage.width, footage.height
    video.pix_fmt = pixel_format(footage)
    video.time_base = Fraction(1, TICKS_PER_SEC)
    video.codec_context.thread_count = 1
    video.codec_context.flags |= Flags.bitexact
    if footage.codec is Codec.HEVC:
        video.codec_context.codec_tag = "hvc1"
    if footage.audio is not Audio.NONE and not footage.audio_first:
        audio = _add_audio(container)
    return video, audio


def _add_audio(container: OutputContainer) -> Stream:
    stream = container.add_stream("aac", rate=_AUDIO_RATE, layout="mono")
    stream.codec_context.flags |= Flags.bitexact
    return stream


def _timed(
    footage: FootageFormat, frames: Iterable[EncodedFrame], *, gaps_closed: bool
) -> Iterator[tuple[EncodedFrame, int]]:
    """Pair each frame with its media time in ms."""
    spacing_ms = 1000 // footage.fps
    longest_ms = 2 * spacing_ms
    skipped_ms = previous_ms = first_ms = None
    for frame in frames:
        if first_ms is None or previous_ms is None or skipped_ms is None:
            first_ms, skipped_ms = frame.instant_ms, 0
        elif gaps_closed and frame.instant_ms - previous_ms > longest_ms:
            skipped_ms += frame.instant_ms - previous_ms - spacing_ms
        previous_ms = frame.instant_ms
        yield frame, frame.instant_ms - first_ms - skipped_ms


def _mux_video(
    container: OutputContainer,
    stream: Stream,
    footage: FootageFormat,
    timed: Iterator[tuple[EncodedFrame, int]],
) -> int:
    """Write the pictures and return the ticks at which the last one ends."""
    last_ticks = TICKS_PER_SEC // footage.fps
    current = next(timed, None)
    end_ticks = 0
    while current is not None:
        following = next(timed, None)
        frame, media_ms = current
        packet = av.Packet(frame.data)
        packet.pts = packet.dts = media_ms * TICKS_PER_MS
        end_ticks = following[1] * TICKS_PER_MS if following else packet.pts + last_ticks
        packet.duration = end_ticks - packet.pts
        packet.time_base = Fraction(1, TICKS_PER_SEC)
        packet.is_keyframe = frame.is_keyframe
        packet.stream = stream
        container.mux_one(packet)
        current = following
    return end_ticks


def _mux_audio(
    container: OutputContainer, stream: Stream, footage: FootageFormat, end_ticks: int
) -> None:
    excess_ms = _AUDIO_EXCESS_MS if footage.audio is Audio.AAC_LONGER else 0
    end_ms = end_ticks // TICKS_PER_MS + excess_ms
    hum = _hum()
    for number in range(end_ms * _AUDIO_RATE // 1000 // _AUDIO_FRAME_SAMPLES):
        packet = av.Packet(hum[number % len(hum)])
        packet.pts = packet.dts = number * _AUDIO_FRAME_SAMPLES
        packet.duration = _AUDIO_FRAME_SAMPLES
        packet.time_base = Fraction(1, _AUDIO_RATE)
        packet.is_keyframe = True
        packet.stream = stream
        container.mux_one(packet)


@lru_cache(maxsize=1)
def _hum() -> tuple[bytes, ...]:
    """Return compressed frames of a quiet hum that may be repeated for ever."""
    encoder = AudioCodecContext.create("aac", "w")
    encoder.sample_rate = _AUDIO_RATE
    encoder.layout = "mono"
    encoder.format = "fltp"
    encoder.flags |= Flags.bitexact | Flags.global_header
    half_wave = _AUDIO_FRAME_SAMPLES // 16
    loud, soft = b"\x00\x00\x80\x3c", b"\x00\x00\x80\xbc"  # +-1/64 as little-endian floats
    wave = (loud * half_wave + soft * half_wave) * 8
    packets: list[bytes] = []
    for number in range(_AUDIO_LOOP + _AUDIO_WARM_UP):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=_AUDIO_FRAME_SAMPLES)
        frame.planes[0].update(wave)
        frame.sample_rate = _AUDIO_RATE
        frame.pts = number * _AUDIO_FRAME_SAMPLES
        packets.extend(bytes(packet) for packet in encoder.encode(frame))
    packets.extend(bytes(packet) for packet in encoder.encode(None))
    return tuple(packets[_AUDIO_WARM_UP:-2])


def _finished(
    file: "SpooledTemporaryFile[bytes]", footage: FootageFormat, grow_to: int
) -> ClipFile:
    places = {kind: (start, end) for kind, start, end in _top_boxes(file)}
    moov_at, size = places[b"moov"]
    _rename_brand(file, places[b"ftyp"][1])
    if footage.rotation_degrees:
        _turn(file, footage.rotation_degrees, places[b"moov"])
    junk_bytes = max(0, grow_to - size)
    return ClipFile(file, size, places[b"mdat"][0], moov_at, junk_bytes)


def _top_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while True:
        file.seek(at)
        header = file.read(8)
        if not header:
            return
        size = int.from_bytes(header[:4])
        yield header[4:], at, at + size
        at += size


def _rename_brand(file: IO[bytes], ftyp_end: int) -> None:
    file.seek(0)
    ftyp = file.read(ftyp_end)
    file.seek(0)
    file.write(ftyp.replace(b"iso2", b"isom"))


def _turn(file: IO[bytes], degrees: int, moov: tuple[int, int]) -> None:
    """Put a rotation into the header of the video track, the one that has a width."""
    file.seek(moov[0])
    content = bytearray(file.read(moov[1] - moov[0]))
    at = content.find(b"tkhd")
    while at >= 0:
        if any(content[at + 80 : at + 84]):
            content[at + 44 : at + 80] = _matrix(_TURNS[degrees])
        at = content.find(b"tkhd", at + 4)
    file.seek(moov[0])
    file.write(content)


def _matrix(corners: tuple[int, int, int, int]) -> bytes:
    a, b, c, d = ((value * 0x10000).to_bytes(4, signed=True) for value in corners)
    return a + b + bytes(4) + c + d + bytes(12) + (0x4000_0000).to_bytes(4)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def _pieces(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start
    while left > 0:
        piece = file.read(min(_CHUNK_BYTES, left))
        left -= len(piece)
        yield piece
