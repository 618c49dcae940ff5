"""How fast clips come from a console: this client beside curl, with as many connections.

    python -m benchmarks.download --clips 40 --megabytes 20 --connections 2 4 --repeats 5

All fetch the same clips over TLS, verified, from an embedded console that runs in a process of its
own on loopback, and write them to the same folder, taking turns, every other one in reverse: it
matters who came before. Nobody syncs. Ours is timed from its first question to its last byte,
pacing and digests included; curl, which makes no digests, from its start, in one process with
--parallel. The line without digests shows what they cost: the product never leaves them out. Times
are medians, and so is the ratio, of the turns: each run beside curl's of the same turn. Processor
time counts the start of each program; peak memory is never less than this program's own, which a
child inherits.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import orjson

from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.export import as_received
from upvs_tasks.console.retry import RetryPolicy

_DAY_START_MS = 1_706_763_600_000  # midnight in New York, 2024-02-01
_MINUTE_MS = 60_000
_CLIP_MS = 2_000
_MEGABYTE = 1_000_000
_OURS, _UNDIGESTED, _CURL = "ours", "ours without digests", "curl"


@dataclass(frozen=True, slots=True)
class Arena:
    """A console, the clips that it is asked for, and where they go."""

    endpoint: Endpoint
    credentials: Credentials
    clips: int
    folder: Path
    camera_id: str = ""

    @property
    def session_file(self) -> Path:
        """The session that all contestants share."""
        return self.folder / "session.json"

    def client(self, connections: int = 1) -> Console:
        """Our client of this console."""
        return Console(
            self.endpoint,
            self.credentials,
            policy=RetryPolicy(attempts=1),
            connections=connections,
            session_file=self.session_file,
        )

    def path(self, number: int) -> Path:
        """Where a clip goes."""
        return self.folder / f"clip{number:03d}.mp4"

    def span_ms(self, number: int) -> tuple[int, int]:
        """What a clip shows."""
        start_ms = _DAY_START_MS + number * _MINUTE_MS
        return start_ms, start_ms + _CLIP_MS


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one contestant."""

    wall_secs: float
    cpu_secs: float
    peak_mb: float


def main() -> None:
    """Measure what the flags say, and print a table; or be one of the contestants."""
    flags = _flags().parse_args()
    if flags.contestant:
        _be_ours(orjson.loads(sys.stdin.buffer.read()))
        return
    print(_HEAD)
    with tempfile.TemporaryDirectory(prefix="upvs-download-") as name:
        folder = Path(name)
        with _console(folder, flags.megabytes * _MEGABYTE) as (endpoint, credentials):
            arena = Arena(endpoint, credentials, flags.clips, folder)
            arena = replace(arena, camera_id=_camera_id(arena))
            for connections in flags.connections:
                _compare(arena, connections, flags)


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--megabytes", type=int, default=20, help="of each clip")
    parser.add_argument("--connections", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--contestant", action="store_true", help=argparse.SUPPRESS)
    return parser


@contextmanager
def _console(folder: Path, clip_bytes: int) -> Iterator[tuple[Endpoint, Credentials]]:
    """Where a console is whose exports are that large, and how to log in."""
    behaviour = folder / "behaviour.json"
    behaviour.write_bytes(orjson.dumps({"grow_exports_to_bytes": clip_bytes}))
    command = [sys.executable, "-m", "upvs_tasks.simulator", "--until-stdin-closes"]
    with subprocess.Popen(  # noqa: S603  our own program
        [*command, "--behaviour", str(behaviour)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            sys.exit("no pipes to the console")
        ready = orjson.loads(process.stdout.readline())
        yield (
            Endpoint(ready["host"], ca_file=Path(ready["ca_file"])),
            Credentials(ready["username"], ready["password"]),
        )
        process.stdin.close()


def _camera_id(arena: Arena) -> str:
    """The camera with the smallest pictures; asking for it also leaves the session in its file."""
    with arena.client() as console:
        cameras = console.bootstrap().cameras
    return next(camera.camera_id for camera in cameras if camera.name == "Sparrow")


def _compare(arena: Arena, connections: int, flags: argparse.Namespace) -> None:
    contestants: dict[str, Callable[[], Measure]] = {
        _OURS: lambda: _ours(arena, connections, makes_digests=True),
        _UNDIGESTED: lambda: _ours(arena, connections, makes_digests=False),
        _CURL: lambda: _curl(arena, connections),
    }
    turns: list[dict[str, Measure]] = []
    for number in range(flags.repeats):
        turn = {}
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            turn[name] = contestants[name]()
            _check_and_clear(arena, flags.megabytes * _MEGABYTE)
        turns.append(turn)
    for name in contestants:
        print(_row(name, connections, turns, flags.clips * flags.megabytes), flush=True)


def _row(name: str, connections: int, turns: list[dict[str, Measure]], megabytes: int) -> str:
    runs = [turn[name] for turn in turns]
    ratio = median(turn[_CURL].wall_secs / turn[name].wall_secs for turn in turns)
    cells = [
        str(connections),
        name,
        f"{megabytes / median(run.wall_secs for run in runs):.0f}",
        f"{ratio:.2f}",
        f"{median(run.cpu_secs for run in runs):.2f}",
        f"{max(run.peak_mb for run in runs):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _ours(arena: Arena, connections: int, *, makes_digests: bool) -> Measure:
    order = {
        "host": arena.endpoint.host,
        "username": arena.credentials.username,
        "password": arena.credentials.password,
        "ca_file": str(arena.endpoint.ca_file),
        "camera_id": arena.camera_id,
        "clips": arena.clips,
        "folder": str(arena.folder),
        "connections": connections,
        "makes_digests": makes_digests,
    }
    command = [sys.executable, "-m", "benchmarks.download", "--contestant"]
    output, measure = _timed(command, orjson.dumps(order))
    return Measure(float(output), measure.cpu_secs, measure.peak_mb)


def _be_ours(order: dict[str, Any]) -> None:
    """Fetch the clips, and say how long it took."""
    arena = Arena(
        Endpoint(order["host"], ca_file=Path(order["ca_file"])),
        Credentials(order["username"], order["password"]),
        order["clips"],
        Path(order["folder"]),
        order["camera_id"],
    )
    workers = order["connections"]
    with (
        nullcontext() if order["makes_digests"] else patch("hashlib.sha256", _NoDigest),
        arena.client(workers) as console,
        ThreadPoolExecutor(workers) as pool,
    ):
        started_secs = time.perf_counter()
        list(pool.map(lambda number: _fetch(console, arena, number), range(arena.clips)))
        print(time.perf_counter() - started_secs)


class _NoDigest:
    """A digest that costs nothing."""

    def update(self, piece: bytes) -> None:
        """Leave the piece alone."""

    def hexdigest(self) -> str:
        """Nothing."""
        return ""


def _fetch(console: Console, arena: Arena, number: int) -> None:
    start_ms, end_ms = arena.span_ms(number)
    with arena.path(number).open("wb") as into:
        console.export(
            arena.camera_id, start_ms=start_ms, end_ms=end_ms, into=into, accept=as_received
        )


def _curl(arena: Arena, connections: int) -> Measure:
    session = orjson.loads((arena.folder / "session.json").read_bytes())
    lines = [
        "fail",
        "silent",
        "http1.1",
        "parallel",
        "parallel-immediate",
        f"parallel-max = {connections}",
        "insecure",  # it knows no certificate by anything but its name
        f'header = "Cookie: {session["name"]}={session["token"]}"',
    ]
    for number in range(arena.clips):
        start_ms, end_ms = arena.span_ms(number)
        query = f"camera={arena.camera_id}&start={start_ms}&end={end_ms}"
        lines.append(f'url = "{arena.endpoint.base_url}/proxy/protect/api/video/export?{query}"')
        lines.append(f'output = "{arena.path(number)}"')
    return _timed(["curl", "--config", "-"], "\n".join(lines).encode())[1]


def _timed(command: list[str], given: bytes) -> tuple[bytes, Measure]:
    """What a program says, and what it took."""
    started_secs = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  built here, without a shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            sys.exit("no pipes to the contestant")
        process.stdin.write(given)
        process.stdin.close()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_secs = time.perf_counter() - started_secs
    if status:
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    cpu_secs = usage.ru_utime + usage.ru_stime
    return output, Measure(wall_secs, cpu_secs, usage.ru_maxrss / 1024)


def _check_and_clear(arena: Arena, least_bytes: int) -> None:
    for number in range(arena.clips):
        path = arena.path(number)
        if path.stat().st_size < least_bytes:
            sys.exit(f"{path.name} is not whole")
        path.unlink()


_HEAD = "| connections | contestant | MB/s | speed / curl | cpu s | peak MB |\n|--|--|--|--|--|--|"


if __name__ == "__main__":
    main()
