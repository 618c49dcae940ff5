"""Which processes run, whosever they are."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def processes_at(path: Path) -> list[int]:
    """Ids of the processes that were told to write ``path``; not of those that told them."""
    return [
        process_id
        for process_id, arguments in _running()
        if str(path) in arguments and "tests.media.rendering" not in arguments
    ]


def is_running(process_id: int) -> bool:
    """Whether a process has not ended yet, or ended without a word to anyone."""
    return process_id in {running_id for running_id, _ in _running()}


def _running() -> Iterator[tuple[int, list[str]]]:
    """Id and arguments of each process but those that have ended."""
    if not (_PROC / "self").exists():
        command = ["ps", "-axww", "-o", "pid=,stat=,args="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            process_id, state, *arguments = line.split()
            if not state.startswith("Z"):
                yield int(process_id), arguments
        return
    for folder in _PROC.glob("[0-9]*"):
        try:
            content = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if content:
            yield int(folder.name), content.decode(errors="replace").split("\0")
