"""What it costs to allow four downloads at once on a console that bears two.

    python benchmarks/pacing.py [--exports 40] [--export-secs 0.5] [--rounds 2] [--bears 2]

A console on loopback answers 503 to every export beyond so many at once. `doit run fetch`, the
whole process, brings the same day from it with max_workers=4 and with max_workers=2, taking turns
and changing who goes first. Nothing may be lost, four may take at most 1.3 times as long as two,
and must have settled at what the console bears: that is how many exports ran at once for most of
the second half of the time. The exit code tells whether all that was so.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from upvs_tasks.simulator import (
    SPARROW,
    Behaviour,
    RequestRecord,
    SimulatedConsole,
    SimulatedEvent,
)

REPOSITORY = Path(__file__).parents[1]
DAY = "2024-02-01"
DAY_START_MS = 1_706_763_600_000  # midnight in New York
DAY_MS = 86_400_000
CLIP_MS = 2_000
MOST = 1.3
CONTESTANTS = (4, 2)


@dataclass(frozen=True)
class Measured:
    """One run: how long, how many clips came whole, and what the console saw of it."""

    wall_secs: float
    clips: int
    refused: int
    settled_at: int


def main() -> int:
    """Measure, print the table, and say whether all is as it should be."""
    arguments = _arguments()
    behaviour = Behaviour(
        max_parallel_exports=arguments.bears,
        export_latency_secs=arguments.export_secs,
        login_limit_per_minute=None,
    )
    measured: dict[int, list[Measured]] = {workers: [] for workers in CONTESTANTS}
    with SimulatedConsole(behaviour=behaviour) as console:
        console.set_events(_events(arguments.exports), camera_id=SPARROW.camera_id)
        for turn in range(arguments.rounds):
            for workers in CONTESTANTS if turn % 2 == 0 else CONTESTANTS[::-1]:
                measured[workers].append(_fetch(console, workers))
    return _report(measured, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--exports", type=int, default=40)
    parser.add_argument("--export-secs", type=float, default=0.5, help="that each export takes")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--bears", type=int, default=2, help="exports at once that get no 503")
    return parser.parse_args()


def _events(count: int) -> list[SimulatedEvent]:
    """Events of two seconds, evenly over the day, none near another."""
    starts_ms = range(DAY_START_MS, DAY_START_MS + DAY_MS, DAY_MS // count)
    return [
        SimulatedEvent(f"{number:024x}", "motion", SPARROW.camera_id, start_ms, start_ms + CLIP_MS)
        for number, start_ms in enumerate(starts_ms[:count])
    ]


def _fetch(console: SimulatedConsole, workers: int) -> Measured:
    """Bring the day into a new folder."""
    console.forget_requests()
    with tempfile.TemporaryDirectory(prefix="upvs-pacing-") as folder:
        shutil.copy(REPOSITORY / "dodo.py", folder)
        command = [sys.executable, "-m", "doit", "run", "fetch", f"date={DAY}"]
        started_secs = time.monotonic()
        run = subprocess.run(  # noqa: S603  built here, without a shell
            [*command, f"max_workers={workers}"],
            cwd=folder,
            env=os.environ | _settings(console),
            capture_output=True,
            text=True,
            check=False,
        )
        wall_secs = time.monotonic() - started_secs
        if run.returncode:
            sys.exit(
                f"max_workers={workers} ended with {run.returncode}:\n{run.stdout}{run.stderr}"
            )
        clips = len(list(Path(folder).rglob("clip_*.mp4")))
    refused = sum(export.status != 200 for export in console.exports)  # noqa: PLR2004  OK
    return Measured(wall_secs, clips, refused, _settled_at(console.exports))


def _settings(console: SimulatedConsole) -> dict[str, str]:
    return {
        "UPVS_HOST": console.host,
        "UPVS_USERNAME": console.username,
        "UPVS_PASSWORD": console.password,
        "UPVS_CA_FILE": console.ca_file,
        "UPVS_CAMERA": SPARROW.camera_id,
        "PYTHONPATH": str(REPOSITORY),
    }


def _settled_at(exports: tuple[RequestRecord, ...]) -> int:
    """How many exports ran at once for most of the second half of the time."""
    spans = [(one.started_ms, one.ended_ms) for one in exports if one.ended_ms is not None]
    changes = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    half_ms = (changes[0][0] + changes[-1][0]) // 2
    running, lasted_ms = 0, Counter[int]()
    for (at_ms, change), (next_ms, _) in pairwise(changes):
        running += change
        lasted_ms[running] += max(0, next_ms - max(at_ms, half_ms))
    return lasted_ms.most_common(1)[0][0]


def _report(measured: dict[int, list[Measured]], arguments: argparse.Namespace) -> int:
    print("| max_workers | median s | each s | clips | answered 503 | settled at |")
    print("|--|--|--|--|--|--|")
    for workers, runs in measured.items():
        cells = [
            str(workers),
            f"{statistics.median(run.wall_secs for run in runs):.2f}",
            " ".join(f"{run.wall_secs:.2f}" for run in runs),
            " ".join(str(run.clips) for run in runs),
            " ".join(str(run.refused) for run in runs),
            " ".join(str(run.settled_at) for run in runs),
        ]
        print(f"| {' | '.join(cells)} |")
    many, few = (
        statistics.median(run.wall_secs for run in measured[workers]) for workers in CONTESTANTS
    )
    everything = [run for runs in measured.values() for run in runs]
    claims = {
        f"four took {many / few:.2f} times as long as two, at most {MOST}": many <= MOST * few,
        "nothing was lost": all(run.clips == arguments.exports for run in everything),
        f"settled at {arguments.bears}": all(
            run.settled_at == arguments.bears for run in measured[CONTESTANTS[0]]
        ),
    }
    for claim, holds in claims.items():
        print(f"{'yes' if holds else 'NO'}: {claim}")
    return 0 if all(claims.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
