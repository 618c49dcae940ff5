"""How far a request travels through the client: files entered, functions, and changes of file.

    python -m benchmarks.call_paths

Counted by Python's profiler in the thread that asks, against the embedded console: every call of a
function of ours, in the order in which they happen. A change of file is a call in another file than
the one before. With ``--verbose`` the first call after each change is printed as well.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import FrameType

import upvs_tasks
from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.simulator import FRONT_DOOR, Fault, FaultKind, SimulatedConsole

_PACKAGE = Path(upvs_tasks.__file__).parent
_NOON_MS = 1_705_338_000_000

Calls = list[tuple[str, str]]


def main() -> None:
    """Print a row for each kind of request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--verbose", action="store_true", help="print the call at each change of file"
    )
    flags = parser.parse_args()
    print("| request | files | functions | changes of file |")
    print("|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedConsole(state_dir=Path(folder)) as simulated,
    ):
        for what, calls in measured(simulated):
            files = {file for file, _ in calls}
            changes = sum(one[0] != other[0] for one, other in pairwise(calls))
            print(f"| {what} | {len(files)} | {len(set(calls))} | {changes} |")
            if flags.verbose:
                print("\n".join(hops(calls)))


def hops(calls: Calls) -> Iterator[str]:
    """The first call after each change of file."""
    former = ""
    for file, function in calls:
        if file != former:
            yield f"  {file}: {function}"
        former = file


def measured(simulated: SimulatedConsole) -> list[tuple[str, Calls]]:
    """The calls of each kind of request, in a client that has logged in already."""
    console = Console(
        Endpoint(simulated.host, ca_file=Path(simulated.ca_file)),
        Credentials(simulated.username, simulated.password),
        clock=Clock(sleep=lambda _secs: None),
    )
    with console:
        console.bootstrap()
        found = [
            ("one GET", calls_of(console.bootstrap)),
            ("one export", calls_of(lambda: _export(console))),
        ]
        simulated.order(Fault(FaultKind.STATUS, status=503))
        found.append(("one export with a 503", calls_of(lambda: _export(console))))
        simulated.kill_sessions()
        found.append(("one GET with a new login", calls_of(console.bootstrap)))
    return found


def calls_of(act: Callable[[], object]) -> Calls:
    """The calls that an action makes in this thread, each as its file and its function."""
    calls: Calls = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(_PACKAGE):
            name = file.relative_to(_PACKAGE).as_posix()
            if not name.startswith("simulator/"):
                calls.append((name, frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


def _export(console: Console) -> None:
    console.export(
        FRONT_DOOR.camera_id,
        start_ms=_NOON_MS,
        end_ms=_NOON_MS + 10_000,
        into=io.BytesIO(),
        accept=lambda download: download,
    )


if __name__ == "__main__":
    main()
