"""Genuine clients, unchanged, over verified TLS: what the embedded console says, they understand.

They are other people's reading of real consoles. Where one of them fails, the embedded console is
no model of anything.
"""

import json
import os
import re
import signal
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.certificates import put_signed
from tests.contract.consoles import NEWER, OLDER
from tests.contract.genuine import (
    BACKUP,
    UIPROTECT_10,
    UIPROTECT_15,
    Client,
    Household,
    InstallError,
    unavailable,
)
from tests.film import shown_instants
from tests.simulator.browser import at, bounds
from upvs_tasks.simulator import (
    DRIVEWAY,
    FRONT_DOOR,
    SPARROW,
    Behaviour,
    SimulatedConsole,
    SimulatedEvent,
)

Installed = Callable[[Client], Path]

DAY = date(2024, 1, 17)
ASKED_TYPES = ("motion", "smartDetectZone")
BACKUP_SECS = 90


@pytest.fixture(scope="module", params=[OLDER, NEWER], ids=["older", "newer"])
def console(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimulatedConsole]:
    """A console that a client's commands share, and with it the limit to logins.

    An authority has signed its certificate for its address: the clients accept nothing else.
    """
    state_dir = tmp_path_factory.mktemp("signed")
    put_signed(state_dir, "127.0.0.1")
    with SimulatedConsole(behaviour=request.param, state_dir=state_dir) as running:
        yield running


@pytest.fixture(scope="module", params=[UIPROTECT_15, UIPROTECT_10], ids=lambda one: one.name)
def uiprotect(
    request: pytest.FixtureRequest,
    installed: Installed,
    console: SimulatedConsole,
    tmp_path_factory: pytest.TempPathFactory,
) -> Household:
    """The command line of uiprotect, in one of its versions, at home."""
    return Household(installed(request.param), tmp_path_factory.mktemp("home"), console)


def answered(client: Household, *arguments: str) -> str:
    """What a command says that succeeds."""
    done = client.run(*arguments)
    assert done.code == 0, done.errors
    return done.output


def events_of_all(console: SimulatedConsole) -> dict[str, SimulatedEvent]:
    """All cameras' events of the day, of the types that are asked for."""
    return {
        event.event_id: event
        for camera in console.cameras
        for event in console.events_of(camera.camera_id, *bounds(DAY))
        if event.kind in ASKED_TYPES
    }


def assert_it_shows(video: Path, start_ms: int, end_ms: int) -> None:
    """Decode all of it: each picture tells its instant, in order, and all that was asked is in."""
    shown = [instant_ms for instant_ms in shown_instants(video) if instant_ms is not None]
    assert len(shown) == len(shown_instants(video))
    assert shown == sorted(shown)
    assert start_ms - 5_000 <= shown[0] <= start_ms
    assert end_ms - 500 <= shown[-1] <= end_ms + 5_000


@pytest.mark.registry
def test_uiprotect_shows_the_recorder(uiprotect: Household) -> None:
    nvr: dict[str, Any] = json.loads(answered(uiprotect, "nvr"))
    behaviour = uiprotect.console.behaviour
    assert nvr["version"] == behaviour.version
    assert nvr["timezone"] == behaviour.timezone


@pytest.mark.registry
def test_uiprotect_lists_the_cameras(uiprotect: Household) -> None:
    lines = answered(uiprotect, "cameras", "list-ids").strip().splitlines()
    named = {camera.camera_id: camera.name for camera in uiprotect.console.cameras}
    assert {tuple(line.split("\t")) for line in lines} == {
        (camera_id, name) for camera_id, name in named.items() if name is not None
    }


@pytest.mark.registry
def test_uiprotect_lists_the_day_s_events(uiprotect: Household) -> None:
    """Each event with its bounds, type and camera, and no other."""
    first, last = (f"{day}T00:00:00" for day in (DAY, DAY + timedelta(days=1)))
    types = [word for kind in ASKED_TYPES for word in ("--type", kind)]
    listed: dict[str, dict[str, Any]] = json.loads(
        answered(uiprotect, "events", "--start", first, "--end", last, *types)
    )
    facts = {
        row["id"]: (row["type"], row["camera"], row["start"], row["end"]) for row in listed.values()
    }
    assert facts == {
        event.event_id: (event.kind, event.camera_id, event.start_ms, event.end_ms)
        for event in events_of_all(uiprotect.console).values()
    }
    assert len(facts) > 30


@pytest.mark.registry
def test_uiprotect_saves_the_video_of_an_event(uiprotect: Household) -> None:
    event = next(
        event
        for event in events_of_all(uiprotect.console).values()
        if event.camera_id == DRIVEWAY.camera_id and event.kind == "motion"
    )
    answered(uiprotect, "events", event.event_id, "save-video", "event.mp4")
    assert event.end_ms is not None
    assert_it_shows(uiprotect.home / "event.mp4", event.start_ms, event.end_ms)


@pytest.mark.registry
def test_uiprotect_saves_any_video_of_a_camera(uiprotect: Household) -> None:
    noon_ms = at(DAY, 12, 0)
    first, last = f"{DAY}T12:00:00", f"{DAY}T12:00:20"
    answered(uiprotect, "cameras", SPARROW.camera_id, "save-video", "camera.mp4", first, last)
    assert_it_shows(uiprotect.home / "camera.mp4", noon_ms, noon_ms + 20_000)


@pytest.mark.registry
def test_uiprotect_logs_in_once_for_several_commands(uiprotect: Household) -> None:
    """The session that it has stored is good for the next command."""
    answered(uiprotect, "nvr")
    uiprotect.console.forget_requests()
    answered(uiprotect, "nvr")
    assert [request.endpoint for request in uiprotect.console.requests] == ["bootstrap"]


@pytest.mark.registry
def test_uiprotect_turns_away_from_a_console_that_it_cannot_verify(uiprotect: Household) -> None:
    """What is said here of verified TLS would otherwise mean nothing."""
    before = len(uiprotect.console.requests)
    done = uiprotect.run("nvr", SSL_CERT_FILE="")
    assert done.code != 0
    assert re.search("certificate.verif", done.output + done.errors, re.IGNORECASE)
    assert len(uiprotect.console.requests) == before


@pytest.mark.registry
@pytest.mark.parametrize(
    ("behaviour", "options"),
    [(OLDER, []), (NEWER, []), (NEWER, ["--experimental-downloader"])],
    ids=["older", "newer", "newer in two steps"],
)
def test_the_backup_fetches_every_event_that_has_ended(
    installed: Installed,
    state_dir: Path,
    tmp_path: Path,
    behaviour: Behaviour,
    options: list[str],
) -> None:
    """unifi-protect-backup fills its shelf with each of them, whole, and with nothing else."""
    store = tmp_path / "shelf"
    with SimulatedConsole(behaviour=behaviour, state_dir=state_dir) as console:
        client = Household(installed(BACKUP), tmp_path, console)
        client.put_stand_in(store)
        expected = {f"{event.event_id}.mp4": event for event in put_recent_events(console)}
        said = backed_up(client, store, expected.keys(), options)
    assert names_in(store) == expected.keys(), said
    for name, event in expected.items():
        assert event.end_ms is not None
        assert_it_shows(store / name, event.start_ms, event.end_ms)
    assert " ERROR " not in said


def put_recent_events(console: SimulatedConsole) -> list[SimulatedEvent]:
    """Leave the console with an hour of events; returns those that a backup should hold."""
    for camera in console.cameras:
        console.set_events((), camera_id=camera.camera_id)
    now_ms = console.now_ms
    # It works from the earliest on: what it should not fetch has to come before the last it should.
    console.add_event(now_ms - 3_500_000, None)
    console.add_event(now_ms - 3_400_000, now_ms - 3_390_000, camera_id=None, kind="access")
    seen = (
        (FRONT_DOOR, "motion", (), 21_000),
        (DRIVEWAY, "smartDetectZone", ("person",), 17_000),
        (DRIVEWAY, "motion", (), 24_000),
        (SPARROW, "smartDetectLine", ("vehicle",), 16_700),
        (SPARROW, "smartAudioDetect", ("alrmBark",), 6_000),
        (SPARROW, "ring", (), 1_000),
    )
    return [
        console.add_event(
            now_ms - 3_000_000 + number * 300_000,
            now_ms - 3_000_000 + number * 300_000 + lasts_ms,
            camera_id=camera.camera_id,
            kind=kind,
            smart_types=smart_types,
        )
        for number, (camera, kind, smart_types, lasts_ms) in enumerate(seen)
    ]


def backed_up(client: Household, store: Path, expected: Collection[str], options: list[str]) -> str:
    """Run the backup until its shelf holds what is expected; returns all that it said.

    The console's own certificate does not name its address, so the backup cannot verify it.
    """
    process = client.start(
        *("--rclone-destination", "shelf:/backup", "--sqlite_path", str(client.home / "events")),
        *("--file-structure-format", "{event.id}.mp4", "--retention", "1d", "-v", *options),
        UFP_SSL_VERIFY="false",
    )
    assert process.stdout is not None
    alarm = Timer(BACKUP_SECS, process.kill)
    alarm.start()
    try:
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if names_in(store) >= set(expected):
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    finally:
        alarm.cancel()
        process.kill()
    return "".join((*lines, rest))


def names_in(folder: Path) -> set[str]:
    """Names of the files in a folder that may not be there yet."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.mark.registry
def test_a_client_that_cannot_be_installed_says_why(tmp_path: Path) -> None:
    """Without an index there is none."""
    offline = dict(os.environ) | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    with pytest.raises(InstallError, match=r"uiprotect-10\.2\.2 cannot be installed: .+"):
        UIPROTECT_10.installed(tmp_path, offline)


def test_what_cannot_be_had_is_skipped_at_home_and_fails_where_it_has_to_run() -> None:
    """A contract that nobody tried must not look kept."""
    with pytest.raises(pytest.skip.Exception, match="no such thing"):
        unavailable("no such thing", is_ci=False)
    with pytest.raises(pytest.fail.Exception, match="no such thing"):
        unavailable("no such thing", is_ci=True)
