"""How fast clips come from a console: this client beside curl, with as many connections.

    python -m benchmarks.download --clips 40 --megabytes 20 --connections 2 4 --repeats 5

Both fetch the same clips over TLS, verified, from an embedded console that runs in a process of its
own on loopback, and write them to the same folder, taking turns. Ours is timed from its first
question to its last byte, pacing and digests included; curl from its start, in one process with
--parallel. The table gives medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from upvs_tasks.console.access import Access
from upvs_tasks.console.client import Console
from upvs_tasks.console.retrying import Patience

_DAY_START_MS = 1_706_763_600_000  # midnight in New York, 2024-02-01
_MINUTE_MS = 60_000
_CLIP_MS = 2_000
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Arena:
    """A console, the clips that it is asked for, and where they go."""

    access: Access
    camera_id: str
    clips: int
    folder: Path

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
        with _console(folder, flags.megabytes * _MEGABYTE) as access:
            arena = Arena(access, _camera_id(access), flags.clips, folder)
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
def _console(folder: Path, clip_bytes: int) -> Iterator[Access]:
    """A console whose exports are that large, and how to get in."""
    behaviour = folder / "behaviour.json"
    behaviour.write_bytes(orjson.dumps({"grow_exports_to_bytes": clip_bytes}))
    command = [sys.executable, "-m", "upvs_tasks.simulator", "--until-stdin-closes"]
    with subprocess.Popen(  # noqa: S603  our own program
        [*command, "--behaviour", str(behaviour)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            sys.exit("no pipes to the console")
        ready = orjson.loads(process.stdout.readline())
        yield Access(
            host=ready["host"],
            username=ready["username"],
            password=ready["password"],
            ca_file=Path(ready["ca_file"]),
            session_file=folder / "session.json",
        )
        process.stdin.close()


def _camera_id(access: Access) -> str:
    """The camera with the smallest pictures; asking for it also leaves the session in its file."""
    with Console(access, patience=Patience.of(1)) as console:
        cameras = console.bootstrap().cameras
    return next(camera.camera_id for camera in cameras if camera.name == "Sparrow")


def _compare(arena: Arena, connections: int, flags: argparse.Namespace) -> None:
    measures: dict[str, list[Measure]] = {"ours": [], "curl": []}
    for _ in range(flags.repeats):
        measures["ours"].append(_ours(arena, connections))
        _check_and_clear(arena, flags.megabytes * _MEGABYTE)
        measures["curl"].append(_curl(arena, connections))
        _check_and_clear(arena, flags.megabytes * _MEGABYTE)
    megabytes = flags.clips * flags.megabytes
    walls = {name: median(one.wall_secs for one in runs) for name, runs in measures.items()}
    cells = [str(connections), f"{walls['curl'] / walls['ours']:.2f}"]
    for name, runs in measures.items():
        cpu_secs = median(one.cpu_secs for one in runs)
        cells += [f"{megabytes / walls[name]:.0f}", f"{cpu_secs:.2f}"]
        cells.append(f"{max(one.peak_mb for one in runs):.0f}")
    print(f"| {' | '.join(cells)} |", flush=True)


def _ours(arena: Arena, connections: int) -> Measure:
    order = {
        "host": arena.access.host,
        "username": arena.access.username,
        "password": arena.access.password,
        "ca_file": str(arena.access.ca_file),
        "session_file": str(arena.access.session_file),
        "camera_id": arena.camera_id,
        "clips": arena.clips,
        "folder": str(arena.folder),
        "connections": connections,
    }
    command = [sys.executable, "-m", "benchmarks.download", "--contestant"]
    output, measure = _timed(command, orjson.dumps(order))
    return Measure(float(output), measure.cpu_secs, measure.peak_mb)


def _be_ours(order: dict[str, Any]) -> None:
    """Fetch the clips, and say how long it took."""
    access = Access(
        host=order["host"],
        username=order["username"],
        password=order["password"],
        ca_file=Path(order["ca_file"]),
        session_file=Path(order["session_file"]),
    )
    arena = Arena(access, order["camera_id"], order["clips"], Path(order["folder"]))
    workers = order["connections"]
    with (
        Console(access, patience=Patience.of(1), connections=workers) as console,
        ThreadPoolExecutor(workers) as pool,
    ):
        started_secs = time.perf_counter()
        list(pool.map(lambda number: _fetch(console, arena, number), range(arena.clips)))
        print(time.perf_counter() - started_secs)


def _fetch(console: Console, arena: Arena, number: int) -> None:
    start_ms, end_ms = arena.span_ms(number)
    with arena.path(number).open("wb") as into:
        console.export(arena.camera_id, start_ms=start_ms, end_ms=end_ms, into=into)


def _curl(arena: Arena, connections: int) -> Measure:
    session = orjson.loads((arena.folder / "session.json").read_bytes())
    lines = [
        "fail",
        "silent",
        "http1.1",
        "parallel",
        "parallel-immediate",
        f"parallel-max = {connections}",
        f'cacert = "{arena.access.ca_file}"',
        f'header = "Cookie: {session["name"]}={session["token"]}"',
    ]
    for number in range(arena.clips):
        start_ms, end_ms = arena.span_ms(number)
        query = f"camera={arena.camera_id}&start={start_ms}&end={end_ms}"
        lines.append(f'url = "{arena.access.base_url}/proxy/protect/api/video/export?{query}"')
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


_HEAD = (
    "| connections | ours / curl, speed | ours MB/s | cpu s | peak MB | curl MB/s | cpu s | "
    "peak MB |\n|--|--|--|--|--|--|--|--|"
)


if __name__ == "__main__":
    main()
