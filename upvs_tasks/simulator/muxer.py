"""Writes MP4 files as a console does: ``ftyp`` first, ``moov`` last, a 90 kHz clock, no dates."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from tempfile import SpooledTemporaryFile

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Stream

from upvs_tasks.simulator.cameras import Audio, FootageFormat, VideoCodec
from upvs_tasks.simulator.clip_file import TICKS_PER_MS, TICKS_PER_SEC, ClipFile, finished_clip
from upvs_tasks.simulator.footage import (
    ENCODER_OPTIONS,
    EncodedFrame,
    encoder_of,
    pixel_format,
)
from upvs_tasks.simulator.hum import HUM_FRAME_SAMPLES, HUM_RATE, encoded_hum

_IN_MEMORY_BYTES = 8 << 20
_AUDIO_EXCESS_MS = 3_000
_MUXER_OPTIONS = {
    "fflags": "+bitexact",
    "video_track_timescale": str(TICKS_PER_SEC),
    "brand": "mp42",
}


def write_clip(
    footage: FootageFormat,
    frames: Iterable[EncodedFrame],
    *,
    gaps_closed: bool,
    min_bytes: int = 0,
    made_secs: int = 0,
) -> ClipFile | None:
    """Write frames as one MP4, or return None when there are none.

    Media time is wall time since the first frame; with ``gaps_closed`` gaps take no media time.
    A clip smaller than ``min_bytes`` gets filler bytes when it is sent. ``made_secs`` is the date
    that the file says it was made at.
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
        return finished_clip(
            file,
            rotation_degrees=footage.rotation_degrees,
            min_bytes=min_bytes,
            made_secs=made_secs,
        )


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
    if footage.codec is VideoCodec.HEVC:
        video.codec_context.codec_tag = "hvc1"
    if footage.audio is not Audio.NONE and not footage.audio_first:
        audio = _add_audio(container)
    return video, audio


def _add_audio(container: OutputContainer) -> Stream:
    stream = container.add_stream("aac", rate=HUM_RATE, layout="mono")
    stream.codec_context.flags |= Flags.bitexact
    return stream


def _timed(
    footage: FootageFormat, frames: Iterable[EncodedFrame], *, gaps_closed: bool
) -> Iterator[tuple[EncodedFrame, int]]:
    """Pair each frame with its media time in ms."""
    spacing_ms = 1000 // footage.fps
    longest_ms = 2 * spacing_ms
    previous_ms: int | None = None
    media_ms = 0
    for frame in frames:
        if previous_ms is not None:
            step_ms = frame.instant_ms - previous_ms
            media_ms += spacing_ms if gaps_closed and step_ms > longest_ms else step_ms
        previous_ms = frame.instant_ms
        yield frame, media_ms


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
    hum = encoded_hum()
    for number in range(end_ms * HUM_RATE // 1000 // HUM_FRAME_SAMPLES):
        packet = av.Packet(hum[number % len(hum)])
        packet.pts = packet.dts = number * HUM_FRAME_SAMPLES
        packet.duration = HUM_FRAME_SAMPLES
        packet.time_base = Fraction(1, HUM_RATE)
        packet.is_keyframe = True
        packet.stream = stream
        container.mux_one(packet)
