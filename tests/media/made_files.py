"""Makes small video files of every kind that cameras write, and of every kind that is odd.

ffmpeg encodes a few, copies each of them into many containers, and some are changed byte by byte.
"""

import os
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.media.odd_boxes import (
    all_marked,
    laid,
    spoilt,
    with_edits,
    with_few_offsets,
    with_marks,
    with_too_long_media,
    with_unfinished_notes,
    without_offsets,
)
from upvs_tasks.media.ffmpeg import find_ffmpeg

SECS, FPS = 2, 25
# Tagged as the film is: without a matrix, so small a picture counts as BT.601.
_PICTURE = (
    *("-f", "lavfi", "-i"),
    f"testsrc2=size=160x90:rate={FPS}:duration={SECS},format=yuv420p,setparams=colorspace=bt709",
)
_SOUND = ("-f", "lavfi", "-i", f"sine=duration={SECS + 0.5}")

Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file, and what its maker knows of it.

    ``track`` is the place of the camera's picture among the video tracks. ``matrix`` is that of its
    colours, where it has one that is not the film's. ``in_order``: its times are to be taken in the
    order of its pictures, as its table has them wrong. ``is_cut``: a part of it is missing.
    ``is_locked``: it is encrypted. ``is_spoilt``: bytes of its pictures were changed.
    """

    group: str
    path: Path
    track: int = 0
    matrix: str | None = None
    in_order: bool = False
    is_cut: bool = False
    is_locked: bool = False
    is_spoilt: bool = False

    @property
    def name(self) -> str:
        """Name of the file: what it was made from, and how."""
        return self.path.stem


def _x264(*settings: str, gop: int = 25, b_frames: int = 0) -> tuple[str, ...]:
    params = ":".join(("threads=1", f"keyint={gop}", f"min-keyint={gop}", "scenecut=0", *settings))
    options = ("-preset", "veryfast", "-bf", str(b_frames), "-x264-params", params)
    return ("-c:v", "libx264", *options)


def _x265(*settings: str, gop: int = 25, b_frames: int = 0) -> tuple[str, ...]:
    fixed = ("pools=1", "frame-threads=1", "log-level=none", "scenecut=0")
    params = ":".join((*fixed, f"keyint={gop}", f"min-keyint={gop}", f"bframes={b_frames}"))
    return (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        ":".join((params, *settings)),
    )


_ENCODED: dict[str, tuple[str, ...]] = {
    "h264": _x264(),
    "h264-b2": _x264(b_frames=2),
    "h264-b3-pyramid": _x264("b-pyramid=normal", "ref=4", b_frames=3),
    "h264-gop10": _x264(gop=10),
    "h264-gop10-b2": _x264(gop=10, b_frames=2),
    "h264-gop3-b2": _x264(gop=3, b_frames=2),
    "h264-intra": _x264(gop=1),
    "h264-one-key": _x264(gop=1000),
    "h264-open-gop": _x264("open-gop=1", gop=10, b_frames=2),
    "h264-slices": _x264("slices=4", gop=10),
    "h264-baseline": (*_x264(gop=10), "-profile:v", "baseline"),
    "h264-interlaced": (*_x264("tff=1", gop=10, b_frames=2), "-vf", "scale=160:96,setsar=1"),
    "h264-refresh": _x264("intra-refresh=1", gop=10),
    "hevc": _x265(),
    "hevc-gop10": _x265(gop=10),
    "hevc-b3": _x265("b-pyramid=1", b_frames=3),
    "hevc-open-gop": _x265("open-gop=1", gop=10, b_frames=3),
    "hevc-closed": _x265("open-gop=0", gop=10, b_frames=2),
    "mpeg4": ("-c:v", "mpeg4", "-g", "10", "-q:v", "3"),
    "mpeg4-b2": ("-c:v", "mpeg4", "-g", "10", "-bf", "2", "-q:v", "3"),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"),
    "av1": ("-c:v", "libsvtav1", "-preset", "12", "-g", "10", "-svtav1-params", "lp=1"),
    "vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"),
}
_FRAGMENTS = "+empty_moov+default_base_moof"
_CONTAINERS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "index-first": ("-movflags", "+faststart"),
    "fragmented": ("-movflags", f"+frag_keyframe{_FRAGMENTS}"),
    "fragment-a-frame": ("-movflags", f"+frag_every_frame{_FRAGMENTS}"),
    "cmaf": ("-movflags", "+cmaf+frag_keyframe"),
    "offsets": ("-movflags", "+frag_keyframe+empty_moov"),
    "no-edit-list": ("-use_editlist", "0"),
    "negative-cts": ("-movflags", "+negative_cts_offsets"),
    "ticks-600": ("-video_track_timescale", "600"),
    "ticks-1000": ("-video_track_timescale", "1000"),
    "ticks-90000": ("-video_track_timescale", "90000"),
    "ticks-10000000": ("-video_track_timescale", "10000000"),
    "late": ("-output_ts_offset", "5"),
    "quicktime": ("-f", "mov"),
}
_CONTAINED = ("h264", "h264-gop10-b2", "hevc", "hevc-open-gop")
_CUT = ("h264", "h264-b2", "h264-gop10-b2", "h264-open-gop", "hevc", "hevc-open-gop")
_CUT_AT = (0.3, 0.5, 0.72, 1.3)


class Maker:
    """Makes files in a folder, by one ffmpeg for all that come from the same input."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoded: dict[str, Path] = {}

    def files(self) -> Iterator[MadeFile]:
        """All files, group by group."""
        for make in (
            self.codecs,
            self._containers,
            self._tracks,
            self._pictures,
            self._colours,
            self._turned,
            self._pixel_shapes,
            self._edited,
            self._marked,
            self._timed,
            self._boxed,
            self._cut_off,
            self._locked,
            self._spoilt,
        ):
            yield from make()

    def codecs(self) -> Iterator[MadeFile]:
        """What ffmpeg encodes; all other files are made from these, or by it."""
        outputs = {name: (*options, "-pix_fmt", "yuv420p") for name, options in _ENCODED.items()}
        outputs["mjpeg"] = _ENCODED["mjpeg"]
        self._encoded = self._make("codec", _PICTURE, outputs)
        for name, path in self._encoded.items():
            yield MadeFile("codec", path, matrix="bt470bg" if name == "mjpeg" else None)

    def _containers(self) -> Iterator[MadeFile]:
        for base in _CONTAINED:
            outputs = {
                f"{base}-{name}": ("-c", "copy", *options) for name, options in _CONTAINERS.items()
            }
            made = self._make("container", ("-i", str(self._encoded[base])), outputs)
            yield from (MadeFile("container", path) for path in made.values())

    def _tracks(self) -> Iterator[MadeFile]:
        """Sound before and behind the picture, a still of the same size before it."""
        still = ("-f", "lavfi", "-i", "color=red:size=320x180:rate=1:duration=1")
        for base in ("h264", "hevc-open-gop"):
            inputs = ("-i", str(self._encoded[base]), *_SOUND, *still)
            picture, sound, thumbnail = ("-map", "0:v"), ("-map", "1:a"), ("-map", "2:v")
            copied = ("-c", "copy", "-c:a", "aac")
            outputs = {
                f"{base}-sound-behind": (*picture, *sound, *copied),
                f"{base}-sound-first": (*sound, *picture, *copied),
                f"{base}-sound-fragmented": (
                    *(*sound, *picture, *copied),
                    *("-movflags", f"+frag_keyframe{_FRAGMENTS}"),
                ),
            }
            made = self._make("track", inputs, outputs)
            yield from (MadeFile("track", path) for path in made.values())
            stills = {
                f"{base}-still-first": (*thumbnail, *picture, "-c:v:0", "mjpeg", "-c:v:1", "copy"),
                f"{base}-still-first-fragmented": (
                    *(*thumbnail, *picture, "-c:v:0", "mjpeg", "-c:v:1", "copy"),
                    *("-movflags", f"+frag_keyframe{_FRAGMENTS}"),
                ),
                f"{base}-second-first": (
                    *(*thumbnail, *picture, *sound, "-c:v:0", "libx264", "-c:v:1", "copy"),
                    *("-pix_fmt:v:0", "yuv420p"),
                ),
            }
            made = self._make("track", inputs, stills)
            yield from (MadeFile("track", path, track=1) for path in made.values())
            behind = {
                f"{base}-still-behind": (*picture, *thumbnail, "-c:v:0", "copy", "-c:v:1", "mjpeg")
            }
            made = self._make("track", inputs, behind)
            yield from (MadeFile("track", path) for path in made.values())

    def _pictures(self) -> Iterator[MadeFile]:
        """Sizes and depths."""
        sizes = ("96x160", "64x64", "320x180", "176x144", "162x92", "50x38", "130x98")
        for encoder, options in (("h264", _x264(gop=10)), ("hevc", _x265(gop=10))):
            outputs = {
                f"{encoder}-{size}": (
                    *options,
                    "-vf",
                    f"scale={size},setsar=1",
                    "-pix_fmt",
                    "yuv420p",
                )
                for size in sizes
            }
            outputs |= {
                f"{encoder}-{pixels}": (*options, "-pix_fmt", pixels)
                for pixels in ("yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "gray")
            }
            made = self._make("picture", _PICTURE, outputs)
            yield from (MadeFile("picture", path) for path in made.values())
        for base in ("h264", "hevc"):
            source = ("-i", str(self._encoded[base]))
            cropped = f"{base}_metadata=crop_left=6:crop_top=4"
            made = self._make(
                "picture", source, {f"{base}-cropped": ("-c", "copy", "-bsf:v", cropped)}
            )
            yield from (MadeFile("picture", path) for path in made.values())

    def _colours(self) -> Iterator[MadeFile]:
        for encoder, options in (("h264", _x264(gop=10)), ("hevc", _x265(gop=10))):
            for matrix in ("bt709", "smpte170m", "bt470bg", "fcc", "bt2020nc"):
                outputs = {
                    f"{encoder}-{matrix}-{levels}-{pixels}": (
                        *options,
                        *("-vf", f"scale=out_color_matrix={matrix}:out_range={levels}"),
                        *("-pix_fmt", pixels, "-colorspace", matrix, "-color_range", levels),
                    )
                    for levels in ("tv", "pc")
                    for pixels in ("yuv420p", "yuv444p")
                }
                made = self._make("colour", _PICTURE, outputs)
                yield from (MadeFile("colour", path, matrix=matrix) for path in made.values())

    def _turned(self) -> Iterator[MadeFile]:
        """Each of the eight ways to lay a picture."""
        ways = {
            f"{turned}-{mirrored}": (a * (-1 if mirrored else 1), b * (-1 if mirrored else 1), c, d)
            for turned, (a, b, c, d) in {
                "0": (1, 0, 0, 1),
                "90": (0, 1, -1, 0),
                "180": (-1, 0, 0, -1),
                "270": (0, -1, 1, 0),
            }.items()
            for mirrored in (False, True)
        }
        for base in ("h264-gop10-b2", "hevc"):
            path = self._changed(
                base, "movie-upside-down", partial(laid, matrix=(1, 0, 0, -1), kind=b"mvhd")
            )
            yield MadeFile("turned", path)
            for name, matrix in ways.items():
                yield MadeFile(
                    "turned",
                    self._changed(base, f"turned-{name}", partial(laid, matrix=matrix)),
                )

    def _pixel_shapes(self) -> Iterator[MadeFile]:
        """Pixels that are wider than high, and higher than wide."""
        outputs = {
            f"{encoder}-sar-{ratio.replace('/', 'x')}": (
                *options,
                *("-vf", f"scale=176x144,setsar={ratio}", "-pix_fmt", "yuv420p"),
            )
            for encoder, options in (("h264", _x264(gop=10)), ("hevc", _x265(gop=10)))
            for ratio in ("16/11", "12/11", "1/2")
        }
        made = self._make("pixel shape", _PICTURE, outputs)
        yield from (MadeFile("pixel shape", path) for path in made.values())

    def _edited(self) -> Iterator[MadeFile]:
        """What an edit list hides at the beginning, and between two parts."""
        for base in _CUT:
            for at in _CUT_AT:
                source = ("-ss", str(at), "-i", str(self._encoded[base]))
                made = self._make("edited", source, {f"{base}-from-{at}": ("-c", "copy")})
                yield from (MadeFile("edited", path) for path in made.values())
            source = ("-ss", "0.5", "-i", str(self._encoded[base]))
            outputs = {f"{base}-part": ("-t", "0.32", "-c", "copy")}
            made = self._make("edited", source, outputs)
            yield from (MadeFile("edited", path) for path in made.values())
            for name, edits in {
                "two-parts": ((0.4, 0.0), (0.6, 0.92)),
                "two-parts-within": ((0.4, 0.2), (0.4, 0.72)),
                "shown-late": ((0.5, None), (1.6, 0.0)),
            }.items():
                yield MadeFile(
                    "edited",
                    self._changed(base, name, partial(with_edits, edits=edits)),
                )
        parts = [(0.02, place * 0.02) for place in range(90)]
        for base in ("h264", "hevc"):
            path = self._changed(base, "many-parts", partial(with_edits, edits=parts))
            yield MadeFile("edited", path)

    def _marked(self) -> Iterator[MadeFile]:
        """Tables that mark the wrong frames as keyframes, or none."""
        marks: dict[str, tuple[int, ...] | None] = {
            "all-marked": None,
            "wrong-marks": (1, 4, 7, 13, 26, 33),
            "first-not-marked": (26,),
            "none-marked": (),
            "shifted-marks": (2, 12, 27, 42),
        }
        for base in ("h264", "h264-gop10", "h264-b2", "h264-open-gop", "hevc", "hevc-open-gop"):
            for name, numbers in marks.items():
                yield MadeFile(
                    "marked",
                    self._changed(base, name, partial(with_marks, numbers=numbers)),
                )
            fragments = self._folder / f"container-{base}-fragmented.mp4"
            if fragments.exists():
                path = self._folder / f"marked-{base}-fragments.mp4"
                path.write_bytes(all_marked(fragments.read_bytes()))
                yield MadeFile("marked", path)

    def _timed(self) -> Iterator[MadeFile]:
        """Times that are uneven, and times that are not those of the pictures."""
        for base in ("h264-b2", "h264-b3-pyramid", "hevc-b3", "h264-gop10-b2"):
            source = ("-i", str(self._encoded[base]))
            outputs = {f"{base}-decoding-times": ("-c", "copy", "-bsf:v", "setts=pts=DTS")}
            made = self._make("timed", source, outputs)
            yield from (MadeFile("timed", path, in_order=True) for path in made.values())
            for name, change in (("no-ctts", without_offsets), ("few-ctts", with_few_offsets)):
                yield MadeFile("timed", self._changed(base, name, change), in_order=True)
        times = {
            "uneven": "N+0.4*sin(N)",
            "bursts": "N+3*floor(N/10)",
            "ntsc": "N*25*1001/30000",
            "in-pairs": "floor(N/2)*2",
        }
        uneven = {
            f"{encoder}-{name}": (
                *(*options, "-vf", f"settb=1/90000,setpts=({number})/25/TB"),
                *("-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-pix_fmt", "yuv420p"),
            )
            for encoder, options in (("h264", _x264(gop=10, b_frames=2)), ("hevc", _x265(gop=10)))
            for name, number in times.items()
        }
        made = self._make("timed", _PICTURE, uneven)
        yield from (MadeFile("timed", path) for path in made.values())

    def _boxed(self) -> Iterator[MadeFile]:
        """Boxes that are strange, but cost nothing of the picture."""
        unknown = struct.pack(">I4s", 24, b"uuid") + bytes(16)
        ways: dict[str, Change] = {
            "bytes-behind": lambda content: content + b"\0\0\1",
            "noise-behind": lambda content: content + b"\xa5" * 50,
            "zeros-behind": lambda content: content + bytes(5000),
            "cut-free-behind": lambda content: (
                content + struct.pack(">I4s", 500, b"free") + bytes(7)
            ),
            "uuid-behind": lambda content: content + unknown,
            "free-behind": lambda content: content + struct.pack(">I4s", 8, b"free"),
        }
        for base in ("h264", "hevc-open-gop"):
            for name, change in {**ways, "unfinished-notes": with_unfinished_notes}.items():
                yield MadeFile("boxed", self._changed(base, name, change))
            first = self._folder / f"container-{base}-index-first.mp4"
            if first.exists():
                for name, change in {**ways, "mdat-too-long": with_too_long_media}.items():
                    path = self._folder / f"boxed-{base}-index-first-{name}.mp4"
                    path.write_bytes(change(first.read_bytes()))
                    yield MadeFile("boxed", path)
            fragmented = self._folder / f"container-{base}-fragmented.mp4"
            if fragmented.exists():
                for name, change in ways.items():
                    path = self._folder / f"boxed-{base}-fragmented-{name}.mp4"
                    path.write_bytes(change(fragmented.read_bytes()))
                    yield MadeFile("boxed", path)
                path = self._folder / f"boxed-{base}-uuid-first.mp4"
                path.write_bytes(unknown + fragmented.read_bytes())
                yield MadeFile("boxed", path)

    def _cut_off(self) -> Iterator[MadeFile]:
        for base in ("h264", "hevc-open-gop"):
            for name in ("plain", "index-first", "fragmented"):
                whole = (self._folder / f"container-{base}-{name}.mp4").read_bytes()
                for share in (0.05, 0.5, 0.9, 0.999):
                    path = self._folder / f"cut-{base}-{name}-{share}.mp4"
                    path.write_bytes(whole[: int(len(whole) * share)])
                    yield MadeFile("cut off", path, is_cut=True)

    def _locked(self) -> Iterator[MadeFile]:
        key = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb")
        key_id = ("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
        scheme = ("-encryption_scheme", "cenc-aes-ctr")
        for base in ("h264", "h264-gop10-b2", "hevc"):
            source = ("-i", str(self._encoded[base]))
            outputs = {f"{base}-cenc": ("-c", "copy", *scheme, *key, *key_id)}
            made = self._make("locked", source, outputs)
            yield from (MadeFile("locked", path, is_locked=True) for path in made.values())

    def _spoilt(self) -> Iterator[MadeFile]:
        for base in ("h264", "h264-gop10-b2", "hevc", "hevc-open-gop"):
            for seed in range(4):
                content = self._encoded[base].read_bytes()
                path = self._folder / f"spoilt-{base}-{seed}.mp4"
                path.write_bytes(spoilt(content, seed, flips=30))
                yield MadeFile("spoilt", path, is_spoilt=True)

    def _changed(self, base: str, name: str, change: Change) -> Path:
        path = self._folder / f"{base}-{name}.mp4"
        path.write_bytes(change(self._encoded[base].read_bytes()))
        return path

    def _make(
        self, group: str, inputs: Iterable[str], outputs: Mapping[str, tuple[str, ...]]
    ) -> dict[str, Path]:
        """Run ffmpeg once, and return the path of each output by its name."""
        made = {name: self._folder / f"{group}-{name}.mp4" for name in outputs}
        arguments = [
            part for name, options in outputs.items() for part in (*options, "-y", str(made[name]))
        ]
        program = (find_ffmpeg(), "-v", "error", "-nostdin", "-threads", "1")
        quiet = {**os.environ, "SVT_LOG": "1"}
        subprocess.run([*program, *inputs, *arguments], check=True, env=quiet)
        return made
