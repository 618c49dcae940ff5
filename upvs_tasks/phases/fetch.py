"""Bring one clip onto the disk: whole, or not at all and with the reason."""

import hashlib
import logging
import time
from pathlib import Path

from upvs_tasks import durable
from upvs_tasks.errors import BrokenFootageError, ConsoleError, PermanentError, TransientError
from upvs_tasks.model.clip import Clip, is_short
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.model.footage import Footage
from upvs_tasks.model.sample_table import SampleTable
from upvs_tasks.phases.clip_store import FootageRecord, date_file
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.measuring import survey

log = logging.getLogger(__name__)

# A clip asked for earlier is short or refused: the recorder writes whole groups of pictures of
# 5 s, and unifi-protect-backup waits one and a half of them.
_SETTLING_MS = 8_000


def is_current(job: Context, entry: IndexEntry) -> bool:
    """Whether the clip is there as it was measured."""
    return job.inventory.record_of(entry) is not None


def run(job: Context, camera_id: str, entry: IndexEntry) -> None:
    """Make the clip current, or record why it could not be had.

    A clip that cannot be had is no reason to stop: the film is made from the others. What would
    stop every clip (no access, no disk) is raised.
    """
    try:
        record = _adopted(job, entry) or _downloaded(job, camera_id, entry)
    except (ConsoleError, BrokenFootageError) as error:
        can_heal = not isinstance(error, PermanentError)
        job.inventory.note_failure(entry, str(error), can_heal=can_heal)
        log.warning("clip failed", extra={"clip": entry.name, "reason": str(error)})
    else:
        job.inventory.note_record(entry, record)


def _adopted(job: Context, entry: IndexEntry) -> FootageRecord | None:
    """Record of a whole clip that lies there already: not measured yet, copied, or re-dated."""
    path = job.layout.at(entry.file_path)
    if not path.exists():
        return None
    try:
        footage, table = survey(path)
    except BrokenFootageError as error:
        log.warning("clip on disk is broken", extra={"clip": entry.name, "reason": str(error)})
        return None
    date_file(path, entry.clip.end_ms)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    log.info("clip on disk adopted", extra={"clip": entry.name})
    size_bytes = path.stat().st_size
    return FootageRecord(size_bytes, entry.clip.end_ms, digest, footage, table.to_document())


def _downloaded(job: Context, camera_id: str, entry: IndexEntry) -> FootageRecord:
    from upvs_tasks.console.retry import RetryPolicy, retry  # noqa: PLC0415  see Connection

    _wait_until_settled(entry.clip.end_ms)
    lengths_ms: set[int] = set()
    return retry(
        lambda: _attempt(job, camera_id, entry, lengths_ms),
        patience=RetryPolicy.of(job.settings.retry_limit),
        what=f"clip {entry.name}",
    )


def _attempt(
    job: Context, camera_id: str, entry: IndexEntry, lengths_ms: set[int]
) -> FootageRecord:
    clip, path = entry.clip, job.layout.at(entry.file_path)
    started_secs = time.monotonic()
    with durable.replacing(path) as stream:
        download = job.connection.console().export(
            camera_id,
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            channel=clip.channel,
            into=stream,
            on_bytes=job.progress.bytes_received,
        )
        stream.flush()
        footage, table = _whole(durable.partial_of(path))
        if job.settings.retry_limit > 1:  # or there is nothing to compare with: it is only named
            _doubt_short(clip, footage.duration_ms, lengths_ms)
        date_file(durable.partial_of(path), clip.end_ms)
    log.debug(
        "clip downloaded",
        extra={
            "clip": entry.name,
            "bytes": download.size_bytes,
            "secs": round(time.monotonic() - started_secs, 3),
            "footage_ms": footage.duration_ms,
        },
    )
    return FootageRecord(
        download.size_bytes, clip.end_ms, download.sha256, footage, table.to_document()
    )


def _whole(partial: Path) -> tuple[Footage, SampleTable]:
    """What is in a file that just came; a broken one may come whole when asked for again."""
    try:
        return survey(partial)
    except BrokenFootageError as error:
        raise TransientError(str(error)) from error


def _doubt_short(clip: Clip, footage_ms: int, lengths_ms: set[int]) -> None:
    """Raise TransientError for much less than was asked for, unless just as much came before.

    A recording may have gaps, and then the export is that short each time; or a console that
    struggles sends a blank of a single frame.
    """
    if is_short(clip, footage_ms) and footage_ms not in lengths_ms:
        lengths_ms.add(footage_ms)
        asked_secs = clip.duration_ms / 1000
        raise TransientError(f"only {footage_ms / 1000:g} s of {asked_secs:g} s came")


def _wait_until_settled(end_ms: int) -> None:
    wait_ms = end_ms + _SETTLING_MS - time.time() * 1000
    if wait_ms > 0:
        time.sleep(min(wait_ms, _SETTLING_MS) / 1000)
