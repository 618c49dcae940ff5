"""Download one clip, and put it under its name once it is whole."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from upvs_tasks import durable, media
from upvs_tasks.clock import Clock
from upvs_tasks.errors import BrokenFootageError, TransientError
from upvs_tasks.model.clip import Clip, is_short
from upvs_tasks.model.clip_index import IndexEntry
from upvs_tasks.phases.clip_records import FootageRecord
from upvs_tasks.phases.context import Context

if TYPE_CHECKING:
    from upvs_tasks.console.export import Download

log = logging.getLogger(__name__)

# A clip asked for earlier is short or refused: the recorder writes whole groups of pictures of
# 5 s, and unifi-protect-backup waits one and a half of them.
_SETTLING_MS = 8_000
_COMPARED_BYTES = 1 << 20


def download(context: Context, camera_id: str, entry: IndexEntry) -> Path | None:
    """Bring a clip onto the disk, and note its record.

    A file that has the clip's name is set aside unless its bytes are elsewhere; where it went is
    returned. Raises ConsoleError or AccessError, and then changes nothing.
    """
    clip, path = entry.clip, context.layout.at(entry.file_path)
    _wait_until_settled(clip, context.clock)
    started_secs = context.clock.monotonic_secs()
    with durable.replacing(path) as stream:
        partial = durable.partial_of(path)
        check = ClipCheck(clip, stream, partial, may_retry=context.settings.retry_limit > 1)
        record = context.connection.console().export(
            camera_id,
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            channel=clip.channel,
            span_text=context.index().day.clock_span(clip.start_ms, clip.end_ms),
            into=stream,
            on_bytes=context.progress.add_bytes,
            accept=check.record_of,
        )
        durable.sync(stream)  # or the disk may date the file anew, once it writes it
        record = replace(record, modified_ms=durable.date(partial, clip.end_ms))
        context.clips.write_record(entry, record)
        aside = _set_aside(context, entry, path, partial)
    context.clips.note_record(entry, record)
    log.debug(
        "clip downloaded",
        extra={
            "clip": entry.name,
            "bytes": record.size_bytes,
            "secs": round(context.clock.monotonic_secs() - started_secs, 3),
            "footage_ms": record.footage.duration_ms,
        },
    )
    return aside


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
            table=table,
        )


def _wait_until_settled(clip: Clip, clock: Clock) -> None:
    wait_ms = clip.end_ms + _SETTLING_MS - clock.unix_secs() * 1000
    if wait_ms > 0:
        clock.sleep(min(wait_ms, _SETTLING_MS) / 1000)


def _set_aside(context: Context, entry: IndexEntry, path: Path, download: Path) -> Path | None:
    """Keep the file that the download replaces, unless all of its bytes are elsewhere."""
    if not path.is_file() or _begins_with_all_of(download, path):
        return None
    digest = durable.digest_of(path)
    if digest is not None and context.clips.is_of_another(entry, digest):
        return None
    aside = path.with_name(f"{path.name}.replaced-{digest[:8] if digest else 'unreadable'}")
    durable.set_aside(path, aside)
    log.warning("clip on disk set aside", extra={"clip": entry.name, "path": str(aside)})
    return aside


def _begins_with_all_of(download: Path, path: Path) -> bool:
    """Whether the download begins with all bytes of the other file: it was only cut off."""
    try:
        with path.open("rb") as old, download.open("rb") as new:
            while piece := old.read(_COMPARED_BYTES):
                if new.read(len(piece)) != piece:
                    return False
    except OSError:
        return False
    return True
