"""Whatever a console sends, a bound is set to what is taken of it; docs/bounds.md has them all."""

import io
import itertools
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from tests.console.harness import clock_without_waits
from tests.console.scripted import ENTERED, Answer, ScriptedServer, Seen
from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.export import Bounds, as_received
from upvs_tasks.console.paging import MOST_EVENTS, MOST_PAGES, collect
from upvs_tasks.console.wire import EventPage, parse_bootstrap, parse_events
from upvs_tasks.errors import ConsoleError, MaxAttemptsExceeded, UpvsError
from upvs_tasks.model.event import Event

GZIP = (("Content-Encoding", "gzip"),)
CAMERAS = {"nvr": {}, "cameras": [{"id": "c1", "name": "Door"}]}
DAY_MS = 86_400_000
TOO_LARGE = "sends more than 16 MB: it has no such answer"


def endless(piece: bytes = b"[]," * 20_000) -> Iterator[bytes]:
    """A body without end."""
    return itertools.repeat(piece)


def bomb() -> Iterator[bytes]:
    """A body without end, a thousandth of its size."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    while True:
        yield packing.compress(bytes(1 << 20))


def answering(answers: dict[str, Answer]) -> Callable[[Seen], Answer]:
    """What answers each path by its ending, and all is well at the others."""

    def answer(seen: Seen) -> Answer:
        ending = urlsplit(seen.path).path.rpartition("/")[2]
        usual = {"login": ENTERED, "bootstrap": Answer(body=orjson.dumps(CAMERAS))}
        return (usual | answers).get(ending, Answer(body=b"[]"))

    return answer


def ask_all(console: Console) -> None:
    """What each run asks for."""
    console.bootstrap()
    console.events("c1", start_ms=0, end_ms=DAY_MS, event_types=["motion"])


@pytest.mark.parametrize("place", ["login", "bootstrap", "events"])
@pytest.mark.parametrize("kind", ["endless", "bomb", "promised"])
def test_an_answer_is_read_up_to_its_bound(state_dir: Path, place: str, kind: str) -> None:
    """Once: an answer that no console has will not get better."""
    answer = ENTERED if place == "login" else Answer()
    match kind:
        case "endless":
            answer = replace(answer, pieces=endless)
        case "bomb":
            answer = replace(answer, pieces=bomb, headers=answer.headers + GZIP)
        case _:
            length = (("Content-Length", "16777217"),)
            answer = replace(answer, body=b"[]", headers=answer.headers + length)
    with (
        ScriptedServer(state_dir, answering({place: answer})) as server,
        server.client(attempts=3, clock=clock_without_waits()) as console,
        pytest.raises(ConsoleError, match=TOO_LARGE),
    ):
        ask_all(console)
    assert sum(place in seen.path for seen in server.seen) == 1


def test_an_answer_that_was_compressed_unasked_is_read_all_the_same(state_dir: Path) -> None:
    """Some gateways do so."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = packing.compress(orjson.dumps(CAMERAS)) + packing.flush()
    answer = Answer(body=body, headers=GZIP)
    with ScriptedServer(state_dir, answering({"bootstrap": answer})) as server:
        assert server.client().bootstrap().cameras[0].name == "Door"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip"])
def test_what_cannot_be_decompressed_is_said_to_be_that(state_dir: Path, encoding: str) -> None:
    answer = Answer(body=b"[]", headers=(("Content-Encoding", encoding),))
    with (
        ScriptedServer(state_dir, answering({"bootstrap": answer})) as server,
        pytest.raises(MaxAttemptsExceeded, match=r"compressed in a way|cannot be decompressed"),
    ):
        server.client().bootstrap()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, pieces=lambda: endless(b"x" * 65_536)),
        Answer(500, pieces=bomb, headers=GZIP),
        Answer(raw=lambda: endless(b"x" * 65_536)),
        Answer(raw=lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], endless(b"A: b\r\n" * 999))),
    ],
    ids=["error", "error in a bomb", "line", "headers"],
)
def test_an_error_and_a_head_without_end_are_failures_like_others(
    state_dir: Path, answer: Answer
) -> None:
    with (
        ScriptedServer(state_dir, answering({"bootstrap": answer})) as server,
        server.client(attempts=2, clock=clock_without_waits()) as console,
        pytest.raises(UpvsError) as caught,
    ):
        console.bootstrap()
    assert len(str(caught.value)) < 500


def test_an_answer_that_takes_too_long_is_given_up(state_dir: Path) -> None:
    """The clock goes on by a second with each look at it."""
    now = itertools.count()
    clock = Clock(sleep=lambda _: None, monotonic_secs=lambda: float(next(now)))
    answer = Answer(pieces=lambda: endless(b"x" * 65_536))
    with (
        ScriptedServer(state_dir, answering({"bootstrap": answer})) as server,
        server.client(clock=clock) as console,
        pytest.raises(MaxAttemptsExceeded, match="was not over after 60 s"),
    ):
        console.bootstrap()


def export(console: Console, into: io.BytesIO, secs: int = 1) -> None:
    """An export of so many seconds."""
    console.export("c1", start_ms=0, end_ms=secs * 1000, into=into, accept=as_received)


def video() -> Iterator[bytes]:
    """It begins like one, and has no end."""
    return itertools.chain([b"\0\0\0\x18ftypmp42"], itertools.repeat(bytes(1 << 17)))


@pytest.mark.parametrize("is_promised", [False, True])
def test_an_export_is_read_up_to_what_its_span_can_weigh(
    state_dir: Path, *, is_promised: bool
) -> None:
    into = io.BytesIO()
    length = (("Content-Length", "248000001"),) if is_promised else ()
    answer = Answer(pieces=video, headers=length)
    with (
        ScriptedServer(state_dir, answering({"export": answer})) as server,
        server.client() as console,
        pytest.raises(MaxAttemptsExceeded, match="sends more than 248 MB, which no video of that"),
    ):
        export(console, into)
    assert into.tell() <= (0 if is_promised else 248_000_000)


def test_an_hour_of_the_best_cameras_is_far_below_that_bound() -> None:
    """25 megabits a second."""
    assert Bounds.of_span(3_600_000).size_bytes > 2 * 3_600 * 25_000_000 / 8


def test_an_export_that_takes_too_long_is_given_up(state_dir: Path) -> None:
    now = itertools.count()
    clock = Clock(sleep=lambda _: None, monotonic_secs=lambda: float(next(now)))
    with (
        ScriptedServer(state_dir, answering({"export": Answer(pieces=video)})) as server,
        server.client(clock=clock) as console,
        pytest.raises(MaxAttemptsExceeded, match="was not over after 30 minutes"),
    ):
        export(console, io.BytesIO())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" + b"[]," * 500_000 + b"[]]", "more than 1000000 values"),
        (b'[{"a":1' + b',"a":1' * 1_000_000 + b"}]", "more than 1000000 values"),
        (b"[" + b"{}," * 10_000 + b"{}]", "more than 10000 events on one page"),
    ],
)
def test_a_list_holds_no_more_than_a_page_can_have(body: bytes, reason: str) -> None:
    """Before objects are made of it: each takes twenty times as much."""
    with pytest.raises(ConsoleError, match=reason):
        parse_events(body)


def test_a_bootstrap_holds_no_more_cameras_than_a_console_can_have() -> None:
    with pytest.raises(ConsoleError, match="more than 1000 cameras"):
        parse_bootstrap(b'{"nvr":{},"cameras":[' + b"{}," * 1_000 + b"{}]}")


@pytest.mark.parametrize("field", ["id", "type", "camera"])
def test_a_word_of_an_event_is_no_longer_than_words_are(field: str) -> None:
    row = {"id": "e1", "type": "motion", "start": 1, "end": 2, "camera": "c1"}
    [odd] = parse_events(orjson.dumps([row | {field: "x" * 101}])).odd_rows
    assert odd.reason == f"{field} is not text of 100 characters at most"
    assert not parse_events(orjson.dumps([row | {field: "x" * 100}])).odd_rows


def test_of_what_was_recognised_some_words_are_kept() -> None:
    names = ["x" * 101, *(f"thing {number:02}" for number in range(40))]
    row = {"id": "e1", "start": 1, "smartDetectTypes": names}
    [event] = parse_events(orjson.dumps([row])).events
    assert event.smart_types == tuple(names[1:33])


def test_a_camera_with_an_endless_name_is_one_that_cannot_be_read() -> None:
    body = orjson.dumps({"nvr": {}, "cameras": [{"id": "c1", "name": "x" * 1_001}]})
    assert "name is not text of 1000 characters at most" in parse_bootstrap(body).cameras[0].fault


def test_a_camera_has_no_more_qualities_than_sixteen() -> None:
    channels = [{"id": number} for number in range(100)]
    body = orjson.dumps({"nvr": {}, "cameras": [{"id": "c1", "channels": channels}]})
    assert len(parse_bootstrap(body).cameras[0].channels) == 16


def starting_at(number: int, at_ms: int) -> Event:
    """An event."""
    return Event(str(number), "motion", at_ms, at_ms + 1, "c1")


def test_a_day_has_no_more_events_than_a_day_can_have() -> None:
    """A console that has new ones for each window."""
    numbers, chance, asked = itertools.count(), random.Random(1), itertools.count()  # noqa: S311

    def page(start_ms: int, end_ms: int, limit: int) -> EventPage:
        next(asked)
        starts = [chance.randint(start_ms, end_ms) for _ in range(limit)]
        return EventPage(tuple(starting_at(next(numbers), at_ms) for at_ms in starts))

    with pytest.raises(ConsoleError, match="lists more than 20000 events of one day"):
        collect(page, start_ms=0, end_ms=DAY_MS, limit=500)
    assert next(asked) <= MOST_EVENTS // 500 + 1


def test_a_day_has_no_more_pages_than_a_day_can_have() -> None:
    """A console that hands out a few of very many at a time."""
    events = [starting_at(number, number * 5_000) for number in range(17_000)]
    asked = itertools.count()

    def page(start_ms: int, end_ms: int, limit: int) -> EventPage:
        next(asked)
        inside = events[max(0, -(-start_ms // 5_000)) : end_ms // 5_000 + 1]
        return EventPage(tuple(inside[:limit]))

    with pytest.raises(ConsoleError, match="on 2000 pages, and there is no end"):
        collect(page, start_ms=0, end_ms=DAY_MS, limit=4)
    assert next(asked) == MOST_PAGES


def test_rows_that_are_no_events_count_as_well(state_dir: Path) -> None:
    numbers = itertools.count()

    def answer(seen: Seen) -> Answer:
        if not urlsplit(seen.path).path.endswith("/events"):
            return answering({})(seen)
        asked = dict(parse_qsl(urlsplit(seen.path).query))
        rows = [{"start": int(asked["start"]) + 1, "n": next(numbers)} for _ in range(9_999)]
        return Answer(body=orjson.dumps([*rows, {"id": f"e{next(numbers)}", "start": 40_000_000}]))

    with (
        ScriptedServer(state_dir, answer) as server,
        server.client() as console,
        pytest.raises(ConsoleError, match=re.escape("more than 20000 events of one day")),
    ):
        ask_all(console)
    assert len(server.seen) < 10
