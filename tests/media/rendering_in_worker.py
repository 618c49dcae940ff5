"""A program that renders a segment in a worker: ``python -m tests.media.rendering_in_worker``.

Its argument is the file of the job. It prints the worker's process id once the worker renders.
"""

import sys
from pathlib import Path

from upvs_tasks.media import worker_pool
from upvs_tasks.media.worker_protocol import decode_job


def main() -> None:
    """Render, and print which process does it."""
    job = decode_job(Path(sys.argv[1]).read_bytes())
    worker_pool.render_in_worker(job, on_frame=_print_worker)


def _print_worker(_: int) -> None:
    for process in worker_pool.busy_workers():
        print(process, flush=True)  # noqa: T201  the test waits for it


if __name__ == "__main__":
    main()
