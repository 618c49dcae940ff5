"""Every kind of odd file that may lie in the middle of a day: of another kind, or spoilt."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import av

from samples.clips import Recipe
from upvs_tasks.media import ffmpeg

_GAP_AFTER = 25
_UNEVEN_MS = [at * 100 + at * 37 % 90 + (1_500 if at > _GAP_AFTER else 0) for at in range(40)]

Spoil = Callable[[Path], None]


def keep(_: Path) -> None:
    """Leave the file as it was made."""


def shorten(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Leave nothing of it."""
    path.write_bytes(b"")


def put_page_instead(path: Path) -> None:
    """Put a page for people in its place."""
    path.write_bytes(b"<!DOCTYPE html><html><body>UniFi OS</body></html>" * 50)


def rot(path: Path) -> None:
    """Write noise over every seventh frame or so, and leave the index as it is."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        places = [(packet.pos or 0, packet.size) for packet in packets[5::7]]
    content = bytearray(path.read_bytes())
    for start, size in places:
        content[start : start + size] = bytes([0xA5]) * size
    path.write_bytes(content)


def cut_by_edit_list(path: Path) -> None:
    """Hide the first one and a half seconds."""
    whole = path.rename(path.with_suffix(".whole"))
    program = [ffmpeg.find_ffmpeg(), "-v", "error", "-ss", "1.45", "-i", str(whole)]
    subprocess.run([*program, "-c", "copy", str(path)], check=True)
    whole.unlink()


def leap(path: Path, secs: int = 3 * 3_600, options: dict[str, str] | None = None) -> None:
    """Move the time stamps of a later group of pictures, and of all after it, by so much."""
    whole = path.rename(path.with_suffix(".whole"))
    with (
        av.open(str(whole)) as source,
        av.open(str(path), "w", format="mp4", options=options or {}) as target,
    ):
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.size]
        keyframes = [place for place, packet in enumerate(packets) if packet.is_keyframe]
        first = min(keyframes[1:], key=lambda place: abs(place - len(packets) // 2))
        ticks = round(secs / (video.time_base or 1))
        for place, packet in enumerate(packets):
            late = ticks if place >= first else 0
            packet.pts, packet.dts = (packet.pts or 0) + late, (packet.dts or 0) + late
            packet.stream = copy
            target.mux(packet)
    whole.unlink()


@dataclass(frozen=True, slots=True)
class Oddity:
    """An odd file: how it is made, and what happens to it before it is looked at, and after.

    ``recipe`` changes the plain recipe of whoever makes it. ``verdict`` is what has to be said of
    it: "whole", "damaged" (frames of it are missing), or "missing".
    """

    name: str
    recipe: Callable[[Recipe], Recipe] = lambda plain: plain
    before: Spoil = keep
    after: Spoil = keep
    verdict: str = "whole"


def _with(**changes: object) -> Callable[[Recipe], Recipe]:
    return lambda plain: replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


_FASTSTART = _with(muxer_options={"movflags": "faststart"})

ODDITIES = (
    Oddity("(a good one)"),
    Oddity("truncated, index at the end", before=shorten, verdict="missing"),
    Oddity("truncated, index first", _FASTSTART, before=shorten, verdict="missing"),
    Oddity("truncated after the check", _FASTSTART, after=shorten, verdict="missing"),
    Oddity("bit-rotten", before=rot, verdict="damaged"),
    Oddity("empty", before=empty, verdict="missing"),
    Oddity("gone after the check", after=Path.unlink, verdict="missing"),
    Oddity("HTML", before=put_page_instead, verdict="missing"),
    Oddity("audio only", _with(with_video=False, audio_secs=4), verdict="missing"),
    Oddity("HEVC among H.264", _with(codec="libx265")),
    Oddity("AV1 among H.264", _with(codec="libsvtav1", width=320, height=180)),
    Oddity("4K", _with(width=3840, height=2160)),
    Oddity("portrait", _with(width=96, height=160)),
    Oddity("other size", _with(width=320, height=180)),
    Oddity("15 fps", _with(fps=15, frames=60)),
    Oddity("other time base", _with(timescale=12_800)),
    Oddity("variable frame rate, a gap", _with(times_ms=_UNEVEN_MS)),
    Oddity("time stamps that leap by hours", before=leap),
    Oddity("turned by 90 degrees", _with(rotation=90)),
    Oddity("full range", _with(pixel_format="yuvj420p")),
    Oddity("start offset 5 s", _with(times_ms=range(5_000, 9_000, 100))),
    Oddity("edit list", before=cut_by_edit_list),
    Oddity("audio first", _with(audio_first=True, audio_secs=4)),
    Oddity("audio longer", _with(audio_secs=9)),
)
