"""Whole runs against consoles that never stop sending: little memory, little disk, and an end."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from threading import Event, Thread

import orjson
import pytest

from tests.console.scripted import ENTERED, PASSWORD, Answer, ScriptedServer, Seen
from tests.console.test_bounds import GZIP, answering, bomb, endless, video
from tests.pipeline.project import REPOSITORY
from upvs_tasks.simulator.certificate import CERTIFICATE_FILE

pytestmark = pytest.mark.slow

MOST_MEMORY_KB = 250_000
LONGEST_SECS = 60.0
NOON_MS = 1_705_320_000_000
CLIP = {"id": "e1", "type": "motion", "start": NOON_MS, "end": NOON_MS + 5_000, "camera": "c1"}
ONE_EVENT = Answer(body=orjson.dumps([CLIP]))
ROW = b'{"id":"%d","type":"motion","start":1705320000000,"end":1705320001000,"camera":"c1"},'
# Says how much memory the program took at most that it is given.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def million() -> Iterator[bytes]:
    """As many events, whatever was asked for."""
    rows = (ROW % number for number in range(1_000_000))
    return itertools.chain([b"["], rows, [b"{}]"])


HOSTILE = {
    "login": {"login": Answer(headers=ENTERED.headers, pieces=endless)},
    "login in a bomb": {"login": Answer(headers=ENTERED.headers + GZIP, pieces=bomb)},
    "cameras": {"bootstrap": Answer(pieces=endless)},
    "cameras in a bomb": {"bootstrap": Answer(headers=GZIP, pieces=bomb)},
    "events": {"events": Answer(pieces=endless)},
    "a million events": {"events": Answer(pieces=million)},
    "just the most values": {
        "events": Answer(body=b"[[" + b'{"a":1},' * 499_000 + b'{"a":1}]]'),
    },
    "just the longest text": {
        "events": Answer(body=b'["\xf0\x9f\x98\x80%s"]' % (b"x" * 16_000_000))
    },
    "errors": {"events": Answer(500, pieces=endless)},
    "errors in a bomb": {"events": Answer(500, pieces=bomb, headers=GZIP)},
    "a clip": {"events": ONE_EVENT, "export": Answer(pieces=video)},
}


@dataclass(frozen=True)
class Measured:
    """How a run ended, and what it took at most."""

    code: int
    output: str
    secs: float
    memory_kb: int
    disk_bytes: int


def measured(folder: Path, answer: Callable[[Seen], Answer]) -> Measured:
    """Run doit against a console that answers so."""
    folder.mkdir()
    copy(REPOSITORY / "dodo.py", folder)
    with ScriptedServer(folder, answer) as server:
        access = [
            f"host={server.host}",
            f"ca_file={folder / CERTIFICATE_FILE}",
            "username=somebody",
        ]
        command = ["-m", "doit", "run", "timelapse", "date=2024-01-15", "timezone=UTC", *access]
        began_secs = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", MEASURE, sys.executable, *command, "camera=Door"],
            cwd=folder,
            env=os.environ | {"UPVS_PASSWORD": PASSWORD},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with watched(folder) as sizes:
            output, _ = process.communicate(timeout=240)
        secs = time.monotonic() - began_secs
    peak_kb = int(output.rpartition("peak ")[2])
    return Measured(process.returncode, output, secs, peak_kb, max(sizes))


@contextmanager
def watched(folder: Path) -> Iterator[list[int]]:
    """How many bytes lie below a folder, from moment to moment."""
    sizes, is_over = [0], Event()

    def watch() -> None:
        while not is_over.wait(0.05):
            sizes.append(sum(map(size_of, folder.rglob("*"))))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        is_over.set()
        thread.join()


def size_of(path: Path) -> int:
    """Bytes of a file that may be gone by now."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_run_against_a_console_that_never_stops_ends_within_its_bounds(
    tmp_path: Path, kind: str
) -> None:
    run = measured(tmp_path / "home", answering(HOSTILE[kind]))
    assert run.memory_kb < MOST_MEMORY_KB
    assert run.secs < LONGEST_SECS
    assert run.disk_bytes < 300_000_000
    assert "Traceback" not in run.output
    assert "bug" not in run.output
    is_understood = kind.startswith("just")  # though its events may be unreadable: then no film
    assert run.code in ({0, 1} if is_understood else {1, 2, 3, 4}), run.output
    assert ("ERROR: " in run.output) == (not is_understood and kind != "a clip"), run.output


def test_a_busy_day_is_within_them_as_well(tmp_path: Path) -> None:
    """19,000 events, and a console that has no recordings of them."""
    rows = [
        CLIP
        | {"id": str(number), "start": NOON_MS + number * 2_000, "end": NOON_MS + number * 2_000}
        for number in range(19_000)
    ]

    def answer(seen: Seen) -> Answer:
        if "/video/export" in seen.path:
            return Answer(404, b'{"error":502}')
        if "/events" not in seen.path:
            return answering({})(seen)
        asked = dict(part.split("=") for part in seen.path.partition("?")[2].split("&"))
        first_ms, last_ms, limit = (int(asked[name]) for name in ("start", "end", "limit"))
        page = [row for row in rows if first_ms <= int(str(row["start"])) <= last_ms][:limit]
        return Answer(body=orjson.dumps(page))

    run = measured(tmp_path / "home", answer)
    assert run.memory_kb < MOST_MEMORY_KB
    assert run.secs < LONGEST_SECS
    assert "19000 events" in run.output
