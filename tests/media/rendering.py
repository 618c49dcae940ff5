"""A program that renders without end, for tests that end it: ``python -m tests.media.rendering``.

Its arguments are the file to write, and the thread that renders: ``main``, ``daemon`` (the program
does not wait for it) or ``stopped`` (the program stops ffmpeg, then waits). It prints a line once
ffmpeg works, and exits with 7 when the render fails. Where another thread renders, the main thread
ends with the standard input.
"""

import os
import sys
from pathlib import Path
from threading import Thread

from upvs_tasks.errors import RenderError
from upvs_tasks.media import ffmpeg


def render_without_end(partial: Path) -> None:
    """Encode noise for a day."""
    noise = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30,noise=alls=20:allf=t")
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
    output = ("-t", "86400", *encoder, "-f", "mp4", "-y", str(partial))
    progress = ("-progress", "pipe:1", "-stats_period", "0.05")
    watched = ("-nostdin", "-nostats", "-loglevel", "warning", *progress)
    command = (ffmpeg.find_ffmpeg(), *watched, *noise, *output)
    try:
        ffmpeg.run(command, on_frame=_print_frames, partial=partial)
    except RenderError:
        os._exit(7)


def _print_frames(frames: int) -> None:
    if frames:
        print("at work", flush=True)  # noqa: T201  the test waits for it


def main() -> None:
    """Render from the thread that is asked for."""
    partial, where = Path(sys.argv[1]), sys.argv[2]
    if where == "main":
        render_without_end(partial)
        return
    worker = Thread(target=render_without_end, args=[partial], daemon=where == "daemon")
    worker.start()
    sys.stdin.read()
    if where == "stopped":
        ffmpeg.stop_all()
        worker.join()


if __name__ == "__main__":
    main()
