"""Statements on the export of footage."""

from itertools import pairwise

from tests.contract.statements import statement
from tests.contract.visit import Visit, boxes, opened
from tests.simulator.browser import instants

# Long before there were such consoles.
_LONG_AGO_MS = 978_307_200_000
_TEN_SECS_MS = 10_000
_EMPTY_MP4_BYTES = 300


@statement()
def export_is_an_mp4(visit: Visit) -> None:
    """An export is 200 with the type `video/mp4`, and begins with an `ftyp` box."""
    assert visit.clip.status_code == 200
    assert visit.clip.headers["Content-Type"].partition(";")[0] == "video/mp4"
    assert visit.clip.content[4:8] == b"ftyp"


@statement()
def index_of_an_export_comes_last(visit: Visit) -> None:
    """The `moov` box comes last: without the end of the file nothing in it can be read."""
    kinds = [kind for kind in boxes(visit.clip.content) if kind in {"ftyp", "mdat", "moov"}]
    assert kinds[0] == "ftyp"
    assert kinds[-1] == "moov"
    assert set(kinds[1:-1]) == {"mdat"}


@statement()
def length_is_told_or_the_body_is_chunked(visit: Visit) -> None:
    """`Content-Length`, where there is one, is the size of the file; else the body is chunked."""
    headers = visit.clip.headers
    if "Content-Length" in headers:
        assert int(headers["Content-Length"]) == len(visit.clip.content)
    else:
        is_chunked = headers.get("Transfer-Encoding") == "chunked"
        assert is_chunked or headers.get("Connection") == "close"


@statement()
def export_begins_with_a_keyframe(visit: Visit) -> None:
    """An export is cut at keyframes: its first frame is one, and the others come regularly."""
    with opened(visit.clip.content) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    assert packets[0].is_keyframe
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert all(later > former for former, later in pairwise(keys))


@statement()
def export_is_at_least_as_long_as_asked(visit: Visit) -> None:
    """What was recorded without a gap is exported in full: never shorter than was asked."""
    start_ms, end_ms = visit.clip_window_ms
    with opened(visit.clip.content) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) * 1_000 >= end_ms - start_ms


@statement(only_embedded="only its pictures tell the time to the millisecond")
def export_holds_all_of_the_asked_span(visit: Visit) -> None:
    """An export begins at or before the asked start and reaches the asked end, by seconds."""
    start_ms, end_ms = visit.clip_window_ms
    shown = [instant for instant in instants(visit.clip.content) if instant is not None]
    assert start_ms - 5_000 <= shown[0] <= start_ms
    assert end_ms - 100 <= shown[-1] <= end_ms + 5_000
    assert shown == sorted(shown)


@statement()
def range_is_ignored(visit: Visit) -> None:
    """A `Range` header changes nothing: 200 and the whole file, so nothing can be resumed."""
    reply = visit.export(visit.clip_window_ms, headers={"Range": "bytes=1000-"})
    assert reply.status_code == 200
    assert reply.content[4:8] == b"ftyp"
    assert len(reply.content) >= 0.9 * len(visit.clip.content)


@statement()
def best_channel_is_the_default(visit: Visit) -> None:
    """An export without `channel` has the picture size of one with `channel=0`."""
    named = visit.export(visit.clip_window_ms, ("channel", 0))
    assert _pixels(named.content) == _pixels(visit.clip.content)


@statement()
def lower_channels_are_smaller(visit: Visit) -> None:
    """An export with `channel=1` has no larger a picture than one without."""
    lower = visit.export(visit.clip_window_ms, ("channel", 1))
    assert _pixels(lower.content) <= _pixels(visit.clip.content)


@statement()
def no_recording_is_404_or_said_otherwise(visit: Visit) -> None:
    """Where nothing was recorded, an export is 404; older builds say 500 or send an empty MP4."""
    reply = visit.export((_LONG_AGO_MS, _LONG_AGO_MS + _TEN_SECS_MS))
    match reply.status_code:
        case 404:
            pass
        case 500:
            assert "o files found" in reply.text
        case _:
            assert reply.status_code == 200
            assert len(reply.content) < _EMPTY_MP4_BYTES


@statement()
def export_of_nobody_is_refused(visit: Visit) -> None:
    """An export of a camera that does not exist is 400 or 404, as is one without a camera."""
    start_ms, end_ms = visit.clip_window_ms
    window = (("start", start_ms), ("end", end_ms))
    nobody = visit.get("video/export", ("camera", "0" * 24), *window)
    assert nobody.status_code in {400, 403, 404}
    assert visit.get("video/export", *window).status_code in {400, 403, 404}


@statement(only_embedded="what comes of it is a matter of chance")
def last_seconds_are_short_or_refused(visit: Visit) -> None:
    """An export that ends only just now is shorter than was asked, or 500."""
    now_ms = visit.simulated.now_ms
    reply = visit.export((now_ms - 20_000, now_ms))
    if reply.status_code != 500:
        shown = [instant for instant in instants(reply.content) if instant is not None]
        assert shown[-1] < now_ms - 1_000


def _pixels(content: bytes) -> int:
    """Width times height of a clip's picture."""
    with opened(content) as container:
        stream = container.streams.video[0]
        return int(stream.width) * int(stream.height)
