"""Changes files byte by byte, into such as odd programs write."""

import random
import struct
from collections.abc import Sequence

from tests.media.boxes import Box, changed, table


def spoilt(content: bytes, seed: int, *, flips: int) -> bytes:
    """The file with some bits of its pictures flipped, all after the first of them."""
    chance = random.Random(seed)  # noqa: S311  the same bits each time
    begin = content.index(b"mdat") + 4
    end = content.rindex(b"moov") - 4
    changed_bytes = bytearray(content)
    middle = begin + (end - begin) // 3
    for _ in range(flips):
        changed_bytes[chance.randrange(middle, end)] ^= 1 << chance.randrange(8)
    return bytes(changed_bytes)


def laid(content: bytes, matrix: tuple[int, int, int, int], kind: bytes = b"tkhd") -> bytes:
    """The file with this matrix (a, b, c, d) in the header of its first track, or of the movie."""
    a, b, c, d = (value << 16 for value in matrix)

    def lay(whole: Box) -> None:
        header = whole.the(kind)
        at = (40 if kind == b"tkhd" else 36) + (12 if header.payload[0] else 0)
        numbers = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
        header.payload = header.payload[:at] + numbers + header.payload[at + 36 :]

    return changed(content, lay)


def with_edits(content: bytes, edits: Sequence[tuple[float, float | None]]) -> bytes:
    """The file with an edit list: lengths and media times in seconds, None for nothing shown."""

    def edit(whole: Box) -> None:
        movie_ticks = struct.unpack_from(">I", whole.the(b"mvhd").payload, 12)[0]
        media_ticks = struct.unpack_from(">I", whole.the(b"mdhd").payload, 12)[0]
        first = struct.unpack_from(">i", whole.the(b"elst").payload, 12)[0]
        rows = [
            (round(secs * movie_ticks), -1 if at is None else first + round(at * media_ticks), 1, 0)
            for secs, at in edits
        ]
        whole.the(b"elst").payload = table("Iihh", *rows)

    return changed(content, edit)


def with_marks(content: bytes, numbers: tuple[int, ...] | None) -> bytes:
    """The file with these frames marked as keyframes, counted from 1; None for no table at all."""

    def mark(whole: Box) -> None:
        if numbers is None:
            whole.without(b"stss")
        else:
            whole.the(b"stss").payload = table("I", *((number,) for number in numbers))

    return changed(content, mark)


def all_marked(content: bytes) -> bytes:
    """The fragmented file with each frame flagged as a keyframe."""
    sync = 0x02000000

    def flag(whole: Box) -> None:
        for box in whole.find(b"tfhd"):
            flags = struct.unpack_from(">I", box.payload)[0]
            if flags & 0x20:
                box.payload = box.payload[:-4] + struct.pack(">I", sync)
        for box in whole.find(b"trun"):
            flags, count = struct.unpack_from(">II", box.payload)
            if flags & 0x4:
                at = 8 + (4 if flags & 1 else 0)
                box.payload = box.payload[:at] + struct.pack(">I", sync) + box.payload[at + 4 :]
            if flags & 0x400:
                width = (flags >> 8 & 0xF).bit_count() * 4
                ahead = 4 * ((flags >> 8 & 0x3).bit_count())
                at = 8 + 4 * ((flags & 1) + (flags >> 2 & 1))
                payload = bytearray(box.payload)
                for number in range(count):
                    struct.pack_into(">I", payload, at + number * width + ahead, sync)
                box.payload = bytes(payload)
        for box in whole.find(b"trex"):
            box.payload = box.payload[:-4] + struct.pack(">I", sync)

    return changed(content, flag)


def with_too_long_media(content: bytes) -> bytes:
    """The file with a box of media that claims to go on for a kilobyte longer than the file."""
    at = content.index(b"mdat") - 4
    size = struct.unpack_from(">I", content, at)[0]
    return content[:at] + struct.pack(">I", size + 1000) + content[at + 4 :]


def without_offsets(content: bytes) -> bytes:
    """The file without the times at which its frames are shown: only when to decode them."""
    return changed(content, lambda whole: whole.without(b"ctts"))


def with_few_offsets(content: bytes) -> bytes:
    """The file with the times at which its frames are shown, but only of the first few."""

    def shorten(whole: Box) -> None:
        offsets = whole.the(b"ctts")
        offsets.payload = table("Ii", *struct.iter_unpack(">Ii", offsets.payload[8:72]))

    return changed(content, shorten)


def with_unfinished_notes(content: bytes) -> bytes:
    """The file with user data that claim more than there is of them."""

    def note(whole: Box) -> None:
        whole.the(b"moov").boxes.append(Box(b"udta", struct.pack(">I4s", 500, b"meta") + bytes(4)))

    return changed(content, note)
