"""Bring one clip onto the disk: whole, or not at all and with the reason."""

import hashlib
import logging
from pathlib import Path
from typing import IO, TYPE_CHECKING

from upvs_tasks import durable, media
from upvs_tasks.clock import Clock
from upvs_tasks.errors import (
    BrokenFootageError,
    ConsoleError,
    NoFootageError,
    PermanentError,
    TransientError,
    UpvsError,
)
from upvs_tasks.model.clip import Clip, is_short
from upvs_tasks.model.clip_index import FailureKind, IndexEntry
from upvs_tasks.phases.clip_store import FootageRecord, date_file
from upvs_tasks.phases.context import Context

if TYPE_CHECKING:
    from upvs_tasks.console.export import Download

log = logging.getLogger(__name__)

# A clip asked for earlier is short or refused: the recorder writes whole groups of pictures of
# 5 s, and unifi-protect-backup waits one and a half of them.
_SETTLING_MS = 8_000


def is_current(context: Context, entry: IndexEntry) -> bool:
    """Whether the clip is there as it was measured."""
    return context.clips.record_of(entry) is not None


def all_current(context: Context) -> bool:
    """Whether the day has clips, and every one is there as it was measured."""
    index = context.clips.known_index()
    return (
        index is not None
        and bool(index.entries)
        and all(is_current(context, entry) for entry in index.entries)
    )


def failure(context: Context, entry: IndexEntry) -> str:
    """Why the clip could not be had; empty where it is there."""
    return "" if is_current(context, entry) else context.clips.standing_of(entry).reason


def run(context: Context, camera_id: str, entry: IndexEntry) -> None:
    """Make the clip current, or record why it could not be had.

    A clip that cannot be had is no reason to stop: the film is made from the others. What would
    stop every clip (no access, no disk) is raised.
    """
    try:
        record = _adopted(context, entry) or _downloaded(context, camera_id, entry)
    except (ConsoleError, BrokenFootageError) as error:
        context.clips.note_failure(entry, str(error), _kind_of(error))
        log.warning("clip failed", extra={"clip": entry.name, "reason": str(error)})
    else:
        context.clips.note_record(entry, record)


def _kind_of(error: UpvsError) -> FailureKind:
    match error:
        case NoFootageError():
            return FailureKind.NOT_RECORDED
        case PermanentError():
            return FailureKind.REFUSED
    return FailureKind.CAN_HEAL


def _adopted(context: Context, entry: IndexEntry) -> FootageRecord | None:
    """Record of a whole clip that lies there already: not measured yet, copied, or re-dated."""
    path = context.layout.at(entry.file_path)
    if not path.exists():
        return None
    try:
        footage, table = media.probe.survey(path)
    except BrokenFootageError as error:
        log.warning("clip on disk is broken", extra={"clip": entry.name, "reason": str(error)})
        return None
    date_file(path, entry.clip.end_ms)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    log.info("clip on disk adopted", extra={"clip": entry.name})
    size_bytes = path.stat().st_size
    return FootageRecord(
        size_bytes=size_bytes,
        modified_ms=entry.clip.end_ms,
        arrived_sha256=digest,
        sha256=digest,
        events=entry.clip.events,
        footage=footage,
        table=table.to_document(),
    )


def _downloaded(context: Context, camera_id: str, entry: IndexEntry) -> FootageRecord:
    clip, path = entry.clip, context.layout.at(entry.file_path)
    _wait_until_settled(clip, context.clock)
    started_secs = context.clock.monotonic_secs()
    with durable.replacing(path) as stream:
        check = ClipCheck(
            clip, stream, durable.partial_of(path), may_retry=context.settings.retry_limit > 1
        )
        record = context.connection.console().export(
            camera_id,
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            channel=clip.channel,
            into=stream,
            on_bytes=context.progress.add_bytes,
            accept=check.record_of,
        )
        date_file(durable.partial_of(path), clip.end_ms)
    log.debug(
        "clip downloaded",
        extra={
            "clip": entry.name,
            "bytes": record.size_bytes,
            "secs": round(context.clock.monotonic_secs() - started_secs, 3),
            "footage_ms": record.footage.duration_ms,
        },
    )
    return record


class ClipCheck:
    """Surveys the file of each attempt. Raises TransientError where another attempt may help."""

    def __init__(self, clip: Clip, stream: IO[bytes], partial: Path, *, may_retry: bool) -> None:
        self._clip = clip
        self._stream = stream
        self._partial = partial
        self._may_retry = may_retry
        self._lengths_ms: set[int] = set()

    def record_of(self, download: "Download") -> FootageRecord:
        """What is measured of a file that just came; refuses one that is broken or much too short.

        A recording may have gaps, and then the export is that short each time; or a console that
        is overloaded sends a blank of a single frame. So a short one is accepted only if it came so
        before. With a single attempt there is nothing to compare with: then the clip is only named.
        """
        self._stream.flush()
        try:
            footage, table = media.probe.survey(self._partial)
        except BrokenFootageError as error:
            raise TransientError(str(error)) from error
        footage_ms = footage.duration_ms
        is_news = footage_ms not in self._lengths_ms
        if self._may_retry and is_short(self._clip, footage_ms) and is_news:
            self._lengths_ms.add(footage_ms)
            asked_secs = self._clip.duration_ms / 1000
            raise TransientError(f"only {footage_ms / 1000:g} s of {asked_secs:g} s came")
        return FootageRecord(
            size_bytes=download.size_bytes,
            modified_ms=self._clip.end_ms,
            arrived_sha256=download.sha256,
            sha256=download.sha256,
            events=self._clip.events,
            footage=footage,
            table=table.to_document(),
        )


def _wait_until_settled(clip: Clip, clock: Clock) -> None:
    wait_ms = clip.end_ms + _SETTLING_MS - clock.unix_secs() * 1000
    if wait_ms > 0:
        clock.sleep(min(wait_ms, _SETTLING_MS) / 1000)
