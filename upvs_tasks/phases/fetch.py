"""Bring one clip onto the disk: whole, or not at all and with the reason.

The life of a clip's file. It arrives under another name, and its digest is computed on the way.
Its record is written, and then it gets its name. It counts as long as its size and its date are
those of the record. Before it is rendered or vouched for, its bytes are *proven*: they are read,
and have the digest of the record. Where they have not, the clip is fetched again. If it cannot be
had again, the file stays: in the film if it still has the frames that were measured, and else
beside it.
"""

import logging
from dataclasses import replace
from pathlib import Path

from upvs_tasks import durable, media
from upvs_tasks.errors import (
    BrokenFootageError,
    ConsoleError,
    NoFootageError,
    PermanentError,
    UnreachableError,
    UpvsError,
)
from upvs_tasks.model.clip import may_be_all_of
from upvs_tasks.model.clip_index import FailureKind, IndexEntry
from upvs_tasks.phases.clip_records import FootageRecord
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.download import download

log = logging.getLogger(__name__)


def is_current(context: Context, entry: IndexEntry) -> bool:
    """Whether the clip is there, and looks as it did when it arrived."""
    record = context.clips.record_of(entry)
    return record is not None and record.is_as_it_arrived


def all_current(context: Context) -> bool:
    """Whether the day has clips, and every one is there as it arrived."""
    index = context.clips.known_index()
    return (
        index is not None
        and bool(index.entries)
        and all(is_current(context, entry) for entry in index.entries)
    )


def failure(context: Context, entry: IndexEntry) -> str:
    """Why the clip could not be had; empty where it is there."""
    return "" if is_current(context, entry) else context.clips.standing_of(entry).reason


def run(context: Context, camera_id: str, entry: IndexEntry) -> str | None:
    """Make the clip current, or record why it could not be had. Returns what is worth telling.

    A clip that cannot be had is no reason to stop: the film is made from the others. What would
    stop every clip (no access, no console, no disk) is raised.
    """
    with context.clips.handling(entry):
        found = _found(context, entry)
        if found is None:
            return _fetch_anew(context, camera_id, entry)
        context.clips.note_record(entry, found)
        context.progress.count_found_clip()
        log.info("clip on disk is the right one", extra={"clip": entry.name})
        return None


def prove(context: Context, entry: IndexEntry, *, camera_id: str | None) -> str | None:
    """Read a clip's bytes, unless this run has; where they have changed, fetch the clip anew.

    ``camera_id`` is None where the console is not to be asked. Afterwards the record says what
    there is, or the clip has none. Returns what is worth telling. Raises as `run` does.
    """
    clips = context.clips
    with clips.handling(entry):
        record = clips.record_of(entry)
        if record is None or clips.is_proven(entry):
            return None
        if durable.digest_of(context.layout.at(entry.file_path)) == record.sha256:
            clips.note_proof(entry)
            return None
        log.warning("clip on disk has changed", extra={"clip": entry.name})
        news = f"the bytes of {entry.name} have changed on the disk"
        if camera_id is None:
            _keep_what_there_is(context, entry)
            return news
        aside = _fetch_anew(context, camera_id, entry)
        return f"{news}; {aside}" if aside else news


def _found(context: Context, entry: IndexEntry) -> FootageRecord | None:
    """Record of the clip if it lies there already: copied, re-dated, or not measured yet."""
    path = context.layout.at(entry.file_path)
    digest = durable.digest_of(path)
    if digest is None:
        return None
    arrived, stored = context.clips.arrived_sha256(entry), context.clips.stored_record_of(entry)
    if arrived is None and context.clips.is_of_another(entry, digest):
        return None
    if digest != (arrived or digest):
        return None
    try:
        record = _measured(context, entry, digest)
    except BrokenFootageError as error:
        log.warning("clip on disk is broken", extra={"clip": entry.name, "reason": str(error)})
        return None
    if arrived is None and not may_be_all_of(entry.clip, record.footage.duration_ms):
        return None
    if stored is None:
        log.info("clip on disk adopted", extra={"clip": entry.name})
    return _dated(record, path)


def _measured(context: Context, entry: IndexEntry, digest: str) -> FootageRecord:
    """Record of the file that has the clip's name. Raises BrokenFootageError."""
    path = context.layout.at(entry.file_path)
    footage, table = media.probe.survey(path)
    return FootageRecord(
        size_bytes=path.stat().st_size,
        modified_ms=entry.clip.end_ms,
        arrived_sha256=context.clips.arrived_sha256(entry) or digest,
        sha256=digest,
        events=entry.clip.events,
        footage=footage,
        table=table,
    )


def _fetch_anew(context: Context, camera_id: str, entry: IndexEntry) -> str | None:
    try:
        aside = download(context, camera_id, entry)
    except UnreachableError:  # that is no fault of the clip
        raise
    except (ConsoleError, BrokenFootageError) as error:
        context.clips.note_failure(entry, str(error), _kind_of(error))
        log.warning("clip failed", extra={"clip": entry.name, "reason": str(error)})
        _keep_what_there_is(context, entry)
        return None
    if aside is None:
        return None
    return f"fetched anew, and the file that was there is kept as {aside.name}"


def _keep_what_there_is(context: Context, entry: IndexEntry) -> None:
    """Note what there is of a clip that cannot be had: what its frames can be taken from, if any.

    A file counts where it has the size and the sample table that were measured of the clip.
    """
    before, path = context.clips.stored_record_of(entry), context.layout.at(entry.file_path)
    digest = durable.digest_of(path)
    if before is None or digest is None:
        context.clips.disown(entry)
        return
    try:
        record = _measured(context, entry, digest)
    except BrokenFootageError:
        context.clips.disown(entry)
        return
    measured = (before.size_bytes, before.footage, before.table)
    if (record.size_bytes, record.footage, record.table) != measured:
        context.clips.disown(entry)
        return
    context.clips.note_record(entry, _dated(record, path))


def _dated(record: FootageRecord, path: Path) -> FootageRecord:
    """Date the file like its footage; the record has the date that came of it."""
    return replace(record, modified_ms=durable.date(path, record.modified_ms))


def _kind_of(error: UpvsError) -> FailureKind:
    match error:
        case NoFootageError():
            return FailureKind.NOT_RECORDED
        case PermanentError():
            return FailureKind.REFUSED
    return FailureKind.CAN_HEAL
