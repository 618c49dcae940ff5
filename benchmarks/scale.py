"""How long a run with nothing to do takes, and how much memory runs need, by number of clips.

    python benchmarks/scale.py [--clips 1000 5000] [--runs 5] [--big-clip-mb 1000]

Everything runs against an embedded console on loopback. A no-op run's time is given whole and
without the time that the console took to answer.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from upvs_tasks.simulator import SPARROW, Behaviour, SimulatedConsole, SimulatedEvent

REPOSITORY = Path(__file__).parents[1]
DAY = "2024-02-01"
DAY_START_MS = 1_706_763_600_000  # midnight in New York
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Measured:
    """One run of a command."""

    wall_secs: float
    peak_mb: float


def main() -> None:
    """Measure and print the table."""
    arguments = _arguments()
    print("| what | clips | median s | of it ours, s | peak MB |")
    print("|---|---|---|---|---|")
    for count in arguments.clips:
        _measure_day(count, arguments.runs)
    _measure_big_clip(arguments.big_clip_mb)


def _measure_day(count: int, runs: int) -> None:
    with SimulatedConsole() as console, tempfile.TemporaryDirectory() as folder:
        console.set_events(_events(count), camera_id=SPARROW.camera_id)
        first = _doit(console, folder, "run", "timelapse")
        _row("first run", count, [first], console)
        for words in (["run", "timelapse"], ["list", "--all", "--status"]):
            console.forget_requests()
            measured = [_doit(console, folder, *words) for _ in range(runs)]
            _row(f"no-op {' '.join(words)}", count, measured, console)


def _measure_big_clip(megabytes: int) -> None:
    behaviour = Behaviour(grow_exports_to_bytes=megabytes * 1_000_000)
    with SimulatedConsole(behaviour=behaviour) as console, tempfile.TemporaryDirectory() as folder:
        console.set_events(_events(1), camera_id=SPARROW.camera_id)
        _row(f"fetch of {megabytes} MB", 1, [_doit(console, folder, "run", "fetch")], console)


def _row(what: str, count: int, measured: list[Measured], console: SimulatedConsole) -> None:
    answers_ms = (one.ended_ms - one.started_ms for one in console.requests if one.ended_ms)
    answering_secs = sum(answers_ms) / 1000
    wall_secs = statistics.median(one.wall_secs for one in measured)
    ours_secs = wall_secs - answering_secs / len(measured)
    # Where downloads run side by side, the console's time is no part of the whole.
    ours = f"{ours_secs:.2f}" if what.startswith("no-op") else "-"
    peak_mb = max(one.peak_mb for one in measured)
    print(f"| {what} | {count} | {wall_secs:.2f} | {ours} | {peak_mb:.0f} |", flush=True)


def _events(count: int) -> list[SimulatedEvent]:
    """Events of two seconds, evenly over the day, none near another."""
    step_ms = DAY_MS // count
    return [
        SimulatedEvent(
            event_id=f"{number:024x}",
            kind="motion",
            camera_id=SPARROW.camera_id,
            start_ms=DAY_START_MS + number * step_ms,
            end_ms=DAY_START_MS + number * step_ms + 2_000,
        )
        for number in range(count)
    ]


def _doit(console: SimulatedConsole, folder: str, *words: str) -> Measured:
    variables = {
        "date": DAY,
        "host": console.host,
        "username": console.username,
        "ca_file": console.ca_file,
        "camera": "Sparrow",
        "preset": "ultrafast",
        "target_duration": "10",
        "out_dir": f"{folder}/{{camera}}/{{date}}",
    }
    given = [f"{name}={value}" for name, value in variables.items()]
    command = [sys.executable, "-m", "doit", "-f", str(REPOSITORY / "dodo.py"), *words, *given]
    started_secs = time.monotonic()
    # The kernel counts the memory of the process that forks, too: so let a small shell do that.
    process = subprocess.Popen(  # noqa: S603  our own program
        ["/bin/sh", "-c", '"$@"; exit $?', "sh", *command],
        env=os.environ | {"UPVS_PASSWORD": console.password},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_secs = time.monotonic() - started_secs
    if status:
        sys.exit(f"doit {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return Measured(wall_secs, usage.ru_maxrss / 1024)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--big-clip-mb", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
