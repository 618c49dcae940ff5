"""Name the clips that are on the disk, for ffmpeg and in the clip index."""

from upvs_tasks import durable
from upvs_tasks.model.ffconcat import concat_text
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plural import counted, is_or_are
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.shared_frames import Recorded


def wanted_concat(layout: Layout, recorded: Recorded) -> str:
    """Text of concat.txt for these clips."""
    paths = [layout.at(entry.file_path) for entry, _ in recorded]
    return concat_text(paths, footage=[record.footage for _, record in recorded])


def is_current(context: Context) -> bool:
    """Whether concat.txt and the clip index say what is on the disk."""
    film = context.planner.film()
    if film is None or film.index != film.index.with_standings(context.clips.standing_of):
        return False
    wanted = wanted_concat(context.layout, film.recorded)
    return durable.read_bytes(context.layout.concat_text) == wanted.encode()


def run(context: Context) -> str:
    """Write what differs. Returns the summary."""
    film = context.film()
    index = film.index.with_standings(context.clips.standing_of)
    context.clips.note_index(index)
    wanted = wanted_concat(context.layout, film.recorded)
    durable.write_if_changed(context.layout.concat_text, wanted.encode())
    done, total = len(index.complete), len(index.entries)
    return f"{done} of {counted(total, 'clip')} {is_or_are(done, of=total)} on the disk"
