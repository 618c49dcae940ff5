"""Small real videos, made on the spot, whose every frame says which one it is.

A frame shows its number in black and white bars, so that one can read back from a decoded
picture which frame it is (`frame_number`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_BARS = 16
_BLACK, _GREY, _WHITE = 16, 127, 235
_AUDIO_RATE = 48_000
_AUDIO_SAMPLES = 1_024


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a clip is to be like; by default it is like a camera's, in small.

    ``times_ms`` gives each frame its own start in place of the even spacing by ``fps``; ``gop`` is
    the number of frames from one keyframe to the next; ``first_number`` is what frame 0 shows.
    """

    frames: int = 20
    fps: int = 10
    width: int = 160
    height: int = 90
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    gop: int = 10
    b_frames: int = 0
    times_ms: Sequence[int] | None = None
    timescale: int = 90_000
    first_number: int = 0
    audio_secs: float = 0.0
    audio_first: bool = False
    with_video: bool = True
    rotation: int = 0
    muxer_options: dict[str, str] = field(default_factory=dict)

    @property
    def start_times_ms(self) -> Sequence[int]:
        """When each frame comes on screen."""
        if self.times_ms is not None:
            return self.times_ms
        return [index * 1000 // self.fps for index in range(self.frames)]


def make_clip(path: Path, recipe: Recipe | None = None) -> Path:
    """Write the clip of a recipe at ``path`` as an MP4, and return ``path``."""
    recipe = recipe or Recipe()
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"video_track_timescale": str(recipe.timescale)} | recipe.muxer_options
    with av.open(str(path), "w", format="mp4", options=options) as container:
        audio = _add_audio(container) if recipe.audio_first else None
        video = _add_video(container, recipe) if recipe.with_video else None
        if recipe.audio_secs and audio is None:
            audio = _add_audio(container)
        if video is not None:
            _write_video(container, video, recipe)
        if audio is not None:
            _write_audio(container, audio, recipe.audio_secs)
    return path


def numbered_frame(number: int, recipe: Recipe | None = None) -> VideoFrame:
    """Picture that shows ``number`` (0 to 65535) as bars, the highest bit on the left."""
    recipe = recipe or Recipe()
    frame = VideoFrame(recipe.width, recipe.height, "yuv420p")
    luma, *chroma = frame.planes
    bar_width = recipe.width // _BARS
    bars = b"".join(
        bytes([_WHITE if number >> bit & 1 else _BLACK]) * bar_width
        for bit in reversed(range(_BARS))
    )
    row = bars.ljust(luma.line_size, bytes([_BLACK]))
    luma.update(row * luma.height)
    for plane in chroma:
        plane.update(bytes([128]) * (plane.line_size * plane.height))
    return frame


def frame_number(frame: VideoFrame) -> int:
    """Number that a picture of `numbered_frame` shows, however large it is."""
    luma = frame.reformat(format="gray").planes[0]
    middle = bytes(luma)[luma.line_size * (luma.height // 2) :][: luma.width]
    bar_width = luma.width / _BARS
    samples = [middle[int((bar + 0.5) * bar_width)] for bar in range(_BARS)]
    return sum((sample > _GREY) << (_BARS - 1 - bar) for bar, sample in enumerate(samples))


def shown_numbers(path: Path) -> list[int]:
    """Number of each frame of a video, in the order of display."""
    with av.open(str(path)) as container:
        return [frame_number(frame) for frame in container.decode(video=0)]


def _add_video(container: OutputContainer, recipe: Recipe) -> VideoStream:
    stream = container.add_stream(recipe.codec, rate=recipe.fps)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = recipe.width, recipe.height
    stream.pix_fmt = recipe.pixel_format
    stream.gop_size = recipe.gop
    stream.max_b_frames = recipe.b_frames
    stream.time_base = Fraction(1, recipe.timescale)
    stream.codec_context.time_base = Fraction(1, recipe.timescale)
    stream.thread_count = 1
    if recipe.rotation:
        stream.set_display_rotation(recipe.rotation)
    settings = f"bframes={recipe.b_frames}:keyint={recipe.gop}:min-keyint={recipe.gop}:scenecut=0"
    if recipe.codec == "libx264":
        stream.options = {"preset": "ultrafast", "x264-params": settings}
    elif recipe.codec == "libx265":
        settings += ":log-level=none:pools=1:frame-threads=1"
        stream.options = {"preset": "ultrafast", "x265-params": settings}
    return stream


def _write_video(container: OutputContainer, stream: VideoStream, recipe: Recipe) -> None:
    for index, start_ms in enumerate(recipe.start_times_ms):
        frame = numbered_frame(recipe.first_number + index, recipe)
        frame = frame.reformat(format=recipe.pixel_format)
        frame.time_base = Fraction(1, recipe.timescale)
        frame.pts = round(start_ms * recipe.timescale / 1000)
        frame.duration = round(recipe.timescale / recipe.fps)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_audio(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=_AUDIO_RATE)
    assert isinstance(stream, AudioStream)
    return stream


def _write_audio(container: OutputContainer, stream: AudioStream, audio_secs: float) -> None:
    for frame in _silence(audio_secs):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _silence(audio_secs: float) -> Iterator[AudioFrame]:
    for start in range(0, round(audio_secs * _AUDIO_RATE), _AUDIO_SAMPLES):
        frame = AudioFrame(format="fltp", layout="stereo", samples=_AUDIO_SAMPLES)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = _AUDIO_RATE
        frame.pts = start
        frame.time_base = Fraction(1, _AUDIO_RATE)
        yield frame
