"""A day on which a third of the exports fail, sessions end and the console restarts: same film."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.pipeline.project import Finished, Project, motions
from upvs_tasks.simulator import (
    SPARROW,
    Behaviour,
    Fault,
    FaultKind,
    RequestRecord,
    SimulatedConsole,
)

DATE = "2024-02-01"
MIDNIGHT_MS = 1_706_763_600_000  # in New York, where the console is
EVERY_MS = 600_000
PAGE = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
HTML = "text/html"

# What consoles were seen to do, and what HTTP allows besides. Silences end by themselves here: one
# that does not is given up after two minutes, longer than a test may take.
HEALING = {
    "a 408": Fault(FaultKind.STATUS, status=408),
    "a 425": Fault(FaultKind.STATUS, status=425),
    "a 429": Fault(FaultKind.STATUS, status=429),
    "a 429 that names the seconds": Fault(FaultKind.STATUS, status=429, retry_after=1),
    "a 429 that names a date": Fault(
        FaultKind.STATUS, status=429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"
    ),
    "a 429 that names nonsense": Fault(FaultKind.STATUS, status=429, retry_after="soon"),
    "a session that has ended": Fault(FaultKind.KILLED_SESSION),
    "a 500": Fault(FaultKind.STATUS, status=500),
    "a 500 without a word": Fault(FaultKind.STATUS, status=500, body=""),
    "a 502 with a page": Fault(FaultKind.STATUS, status=502, body=PAGE, content_type=HTML),
    "a 503": Fault(FaultKind.STATUS, status=503),
    "a 503 that names the seconds": Fault(FaultKind.STATUS, status=503, retry_after=1),
    "a 504 with a page": Fault(FaultKind.STATUS, status=504, body=PAGE, content_type=HTML),
    "a 401": Fault(FaultKind.STATUS, status=401),
    "a 202 that is no video": Fault(FaultKind.STATUS, status=202, body="{}"),
    "a console that nobody answers for, then 404": Fault(FaultKind.OUTAGE, secs=2.0, status=404),
    "JSON with 200": Fault(FaultKind.STATUS, status=200, body='{"error":"busy"}'),
    "JSON with 200 that is said to be a video": Fault(
        FaultKind.STATUS, status=200, body='{"error":"busy"}', content_type="video/mp4"
    ),
    "a page with 200": Fault(FaultKind.HTML),
    "a page with 200 that is said to be a video": Fault(
        FaultKind.STATUS, status=200, body=PAGE, content_type="video/mp4"
    ),
    "nothing with 200": Fault(FaultKind.EMPTY),
    "an MP4 without frames": Fault(FaultKind.EMPTY_MP4),
    "an MP4 of one frame": Fault(FaultKind.TINY_MP4),
    "wrong bytes of the right length": Fault(FaultKind.WRONG_BYTES),
    "a body cut in the middle": Fault(FaultKind.CUT_BODY),
    "a body cut before its first byte": Fault(FaultKind.CUT_BODY, after_bytes=0),
    "a body of unknown length cut in the middle": Fault(FaultKind.CUT_BODY_NO_LENGTH),
    "a body of unknown length cut in its first box": Fault(
        FaultKind.CUT_BODY_NO_LENGTH, after_bytes=20
    ),
    "a reset before the answer": Fault(FaultKind.RESET),
    "a reset in mid-body": Fault(FaultKind.RESET, after_bytes=9_000),
    "a first byte that takes its time": Fault(FaultKind.SLOW, secs=2.0),
    "a silence before the answer": Fault(FaultKind.STALL_FIRST, release_after_secs=1.0),
    "a silence in mid-body": Fault(FaultKind.STALL_BODY, release_after_secs=1.0),
    "another session that has ended": Fault(FaultKind.KILLED_SESSION),
    "400 to everything": Fault(FaultKind.REBOOT, requests=0, secs=2.0, status=400),
}

LEFT_OUT = {
    FaultKind.ECHO: "it is a status like any other; what it repeats is the canary tests' matter",
}
CLIPS = 3 * len(HEALING)


@dataclass(frozen=True)
class Day:
    """How a day was got, what is on the disk of it, and what the console was asked for."""

    run: Finished
    film: bytes
    clips: dict[str, bytes]
    requests: tuple[RequestRecord, ...]

    def asks(self, start_ms: int) -> list[RequestRecord]:
        """All requests for one clip, in order of time."""
        exports = (request for request in self.requests if request.endpoint == "export")
        return [export for export in exports if export.value("start") == str(start_ms)]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedConsole]:
    """A console on which a small camera saw something every few minutes, for a moment each."""
    folder = tmp_path_factory.mktemp("console")
    with SimulatedConsole(state_dir=folder, behaviour=Behaviour()) as running:
        events = motions(SPARROW.camera_id, start(0), CLIPS, spacing_ms=EVERY_MS)
        running.set_events(events, camera_id=SPARROW.camera_id)
        yield running


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, console: SimulatedConsole) -> Day:
    """The day without a fault."""
    return lived(tmp_path_factory.mktemp("calm"), console)


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory, console: SimulatedConsole, calm: Day) -> Day:
    """The same day; every third clip meets another fault when it is first asked for."""
    assert calm.run.code == 0, calm.run.output
    console.order(
        *(replace(fault, start_ms=hit(number)) for number, fault in enumerate(HEALING.values()))
    )
    return lived(tmp_path_factory.mktemp("rough"), console)


def start(number: int) -> int:
    """When an event begins."""
    return MIDNIGHT_MS + number * EVERY_MS


def hit(number: int) -> int:
    """Start of the clip that meets the fault of this number."""
    return start(3 * number + 1)


def lived(folder: Path, console: SimulatedConsole) -> Day:
    """The day from nothing to its film, with the settings as shipped."""
    console.forget_requests()
    project = Project(folder / "home", console, date=DATE)
    run = project.doit("run", "timelapse")
    clips = {clip.name: clip.read_bytes() for clip in project.clips}
    film = project.film.read_bytes() if project.film.exists() else b""
    return Day(run, film, clips, console.requests)


@pytest.mark.slow
def test_a_rough_day_ends_well(console: SimulatedConsole, rough: Day) -> None:
    assert rough.run.code == 0, rough.run.output
    assert f"whole: all {CLIPS} events" in rough.run.output
    assert console.outstanding_faults == ()


@pytest.mark.slow
def test_the_film_of_a_rough_day_is_that_of_a_calm_one(calm: Day, rough: Day) -> None:
    assert len(calm.clips) == CLIPS
    assert rough.clips == calm.clips
    assert calm.film
    assert rough.film == calm.film


@pytest.mark.slow
def test_a_rough_day_takes_at_most_twice_the_requests_of_a_calm_one(calm: Day, rough: Day) -> None:
    assert len(rough.requests) <= 2 * len(calm.requests)


@pytest.mark.slow
def test_every_session_that_ended_cost_one_login(calm: Day, rough: Day) -> None:
    logins = [sum(request.endpoint == "login" for request in day.requests) for day in (calm, rough)]
    ended = sum(fault.kind is FaultKind.KILLED_SESSION for fault in HEALING.values())
    refused = sum(fault.status == 401 for fault in HEALING.values())
    assert logins == [1, 1 + ended + refused]


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALING)
def test_a_clip_comes_whole_after(calm: Day, rough: Day, name: str) -> None:
    number = list(HEALING).index(name)
    asks = rough.asks(hit(number))
    assert asks[0].fault == HEALING[name].kind
    assert (asks[-1].status, asks[-1].fault is None or len(asks) == 1) == (200, True)
    clip = next(clip for clip in calm.clips if clip.startswith(f"clip_{hit(number)}_"))
    assert rough.clips[clip] == calm.clips[clip]


def test_no_kind_of_fault_is_forgotten() -> None:
    """What the embedded console can do wrong heals, or is left out for a reason."""
    healing = {FaultKind(fault.kind) for fault in HEALING.values()}
    assert healing | LEFT_OUT.keys() == set(FaultKind)
    assert not healing & LEFT_OUT.keys()
