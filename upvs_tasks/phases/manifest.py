"""Name the clips that are on the disk, for ffmpeg and in the clip index."""

from dataclasses import dataclass

from upvs_tasks import documents, durable
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.index_document import IndexDocument
from upvs_tasks.phases.clip_store import Recorded
from upvs_tasks.phases.context import Context


def wanted_concat(job: Context, recorded: Recorded) -> str:
    """Text of concat.txt for these clips."""
    paths = [job.layout.at(entry.file_path) for entry, _ in recorded]
    return concat_text(paths, footage=[record.footage for _, record in recorded])


@dataclass(frozen=True, slots=True)
class Manifest:
    """Both files as they should be."""

    index: ClipIndex
    concat: str

    @classmethod
    def wanted(cls, job: Context, known: ClipIndex) -> "Manifest":
        """Manifest of what is on the disk now."""
        index = known.with_standings(job.inventory.standing_of)
        return cls(index, wanted_concat(job, job.inventory.recorded(known)))


def is_current(job: Context) -> bool:
    """Whether both files say what is on the disk."""
    known = job.inventory.known_index()
    if known is None:
        return False
    wanted = Manifest.wanted(job, known)
    concat = durable.read_bytes(job.layout.concat_text)
    return wanted.index == known and concat == wanted.concat.encode()


def run(job: Context) -> str:
    """Write what differs. Returns the story."""
    wanted = Manifest.wanted(job, job.index())
    index_content = documents.encode(IndexDocument.of(wanted.index))
    durable.write_if_changed(job.layout.clip_index, index_content)
    durable.write_if_changed(job.layout.concat_text, wanted.concat.encode())
    return f"{len(wanted.index.complete)} of {len(wanted.index.entries)} clips are on the disk"
