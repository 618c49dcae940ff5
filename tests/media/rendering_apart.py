"""A program that renders a segment in a child: ``python -m tests.media.rendering_apart``.

Its argument is the file of the job. It prints the child's process id once the child is at work.
"""

import json
import sys
from pathlib import Path

from upvs_tasks import documents
from upvs_tasks.media import worker_pool
from upvs_tasks.media.segment import SegmentJob


def main() -> None:
    """Render, and tell who does it."""
    job = documents.from_document(json.loads(Path(sys.argv[1]).read_bytes()), SegmentJob)
    worker_pool.render_apart(job, on_frame=_tell)


def _tell(_: int) -> None:
    for process in worker_pool.running():
        print(process, flush=True)  # noqa: T201  the test waits for it


if __name__ == "__main__":
    main()
