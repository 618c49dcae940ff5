"""Takes an MP4 apart into its boxes, so that a test can change some, and puts it together again."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf"}
)


@dataclass(slots=True)
class Box:
    """A box: its kind, and what it holds, either bytes or other boxes."""

    kind: bytes
    payload: bytes = b""
    boxes: list["Box"] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The box as it stands in a file."""
        content = self.payload + b"".join(box.to_bytes() for box in self.boxes)
        return struct.pack(">I4s", len(content) + 8, self.kind) + content

    def find(self, kind: bytes) -> Iterator["Box"]:
        """All boxes of a kind inside this one, however deep."""
        for box in self.boxes:
            if box.kind == kind:
                yield box
            yield from box.find(kind)

    def the(self, kind: bytes) -> "Box":
        """The first box of a kind inside this one."""
        return next(self.find(kind))

    def without(self, kind: bytes) -> None:
        """Take all boxes of a kind out."""
        self.boxes = [box for box in self.boxes if box.kind != kind]
        for box in self.boxes:
            box.without(kind)


def parsed(content: bytes) -> Box:
    """The file as a box without a kind."""
    return Box(b"file", boxes=list(_boxes(content)))


def _boxes(content: bytes) -> Iterator[Box]:
    offset = 0
    while offset < len(content):
        size, kind = struct.unpack_from(">I4s", content, offset)
        payload = content[offset + 8 : offset + size]
        inner = list(_boxes(payload)) if kind in _CONTAINERS else []
        yield Box(kind, b"" if inner else payload, inner)
        offset += size


def changed(content: bytes, change: Callable[[Box], None]) -> bytes:
    """The file after a change of its boxes.

    What stands before the media data may not change its size: the index says where that begins.
    """
    whole = parsed(content)
    change(whole)
    return b"".join(box.to_bytes() for box in whole.boxes)


def table(entry_format: str, *entries: tuple[int, ...], version_and_flags: int = 0) -> bytes:
    """Payload of a box that is a table: `stss`, `elst` and their like."""
    rows = b"".join(struct.pack(f">{entry_format}", *entry) for entry in entries)
    return struct.pack(">II", version_and_flags, len(entries)) + rows
