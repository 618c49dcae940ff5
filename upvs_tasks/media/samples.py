"""Reads the frames of a video track from its index: when each is shown, and whether it is whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from av.container import InputContainer
from av.video.stream import VideoStream

from upvs_tasks.errors import BrokenFootageError, reading
from upvs_tasks.media.keyframes import INSPECTED_BYTES, DecodesAlone, keyframe_check
from upvs_tasks.media.mp4_boxes import Structure


class Sample(NamedTuple):
    """A frame as it is stored: its time stamp, its duration (0: unknown), its place in the file."""

    ticks: int
    duration_ticks: int
    is_keyframe: bool
    offset: int
    size: int


def samples_of(
    path: Path, structure: Structure, container: InputContainer, stream: VideoStream
) -> list[Sample]:
    """All frames that are shown, in the order in which they are stored.

    Keyframes are those that decode alone, whatever the index says. Raises BrokenFootageError where
    a frame lies outside the file.
    """
    if structure.reorders:
        samples = list(_reordered(path, container, stream))
    else:
        samples = list(_stored(path, structure, container, stream))
    context = stream.codec_context
    check = keyframe_check(context.name, context.extradata)
    if check is None or not samples:
        return samples
    begins_marked = next((entry.is_keyframe for entry in stream.index_entries), True)
    with reading(path), path.open("rb") as content:
        return _with_true_keyframes(content, samples, check, begins_marked=begins_marked)


def _stored(
    path: Path, structure: Structure, container: InputContainer, stream: VideoStream
) -> Iterator[Sample]:
    """Frames of a track that shows them in the order of storage; the index in memory has all."""
    entries = stream.index_entries
    if structure.samples not in {None, len(entries)}:
        raise BrokenFootageError(
            f"{path.name} names {structure.samples} frames, but only {len(entries)} can be found"
        )
    file_bytes = container.size
    for entry in entries:
        _check_inside(path, entry.pos, entry.size, file_bytes)
        if entry.size and not entry.is_discard:
            yield Sample(
                entry.timestamp, structure.last_ticks, entry.is_keyframe, entry.pos, entry.size
            )


def _reordered(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[Sample]:
    """Frames of a track with B frames: only their packets say when they are shown."""
    file_bytes = container.size
    for packet in container.demux(stream):
        if not packet.size:
            continue
        offset = packet.pos or 0
        _check_inside(path, offset, packet.size, file_bytes)
        if packet.is_corrupt:
            raise BrokenFootageError(f"{path.name} is cut off in the middle of a frame")
        if packet.pts is not None and not packet.is_discard:
            yield Sample(packet.pts, packet.duration or 0, packet.is_keyframe, offset, packet.size)
    for entry in stream.index_entries:  # at a frame that is not there, libav ends without an error
        _check_inside(path, entry.pos, entry.size, file_bytes)


def _check_inside(path: Path, offset: int, sample_bytes: int, file_bytes: int) -> None:
    if offset < 0 or sample_bytes < 0 or offset + sample_bytes > file_bytes:
        raise BrokenFootageError(
            f"{path.name} is cut off: a frame should end at byte {offset + sample_bytes}, "
            f"the file ends at {file_bytes}"
        )


def _with_true_keyframes(
    content: BinaryIO, samples: list[Sample], check: DecodesAlone, *, begins_marked: bool
) -> list[Sample]:
    """The frames, each of them looked at if a mark is wrong, or there is hardly any."""

    def decodes_alone(sample: Sample) -> bool:
        content.seek(sample.offset)
        return check(content.read(min(sample.size, INSPECTED_BYTES)))

    marked = [sample for sample in samples if sample.is_keyframe]
    if begins_marked and len(marked) > 1 and all(map(decodes_alone, marked)):
        return samples
    return [sample._replace(is_keyframe=decodes_alone(sample)) for sample in samples]
