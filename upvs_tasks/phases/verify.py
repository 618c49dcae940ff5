"""Hold what is on the disk against what the specification promises of it (§10)."""

from collections.abc import Iterator
from dataclasses import replace

from upvs_tasks import durable, media
from upvs_tasks.errors import BrokenFootageError, VerificationError, quoted
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plural import counted
from upvs_tasks.model.verification import film_findings, manifest_findings
from upvs_tasks.phases import fetch, timelapse
from upvs_tasks.phases.clip_store import ClipStore
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlan, FilmPlanner
from upvs_tasks.phases.manifest import wanted_concat
from upvs_tasks.phases.shared_frames import Recorded
from upvs_tasks.phases.timelapse import film_path


def run(context: Context, *, reads_all: bool = False) -> str:
    """Check every clip, the manifests and the film anew. Returns the summary.

    With ``reads_all``, every byte is read: it has to be what arrived, or what was made. A clip or a
    film that is not is noted, so that the next run fetches or makes it again. Raises
    VerificationError with everything that does not hold. Asks nothing of the console.
    """
    layout = context.layout
    film = _film_on_disk(context)
    findings = [
        *_clip_findings(layout, film.recorded),
        *_manifest_findings(layout, film),
        *_film_findings(layout, film),
    ]
    remarks: list[str] = []
    if reads_all:
        findings += _changed_clips(context, film)
        findings += _changed_film(context, film)
        remarks += _undecodable(layout, film.recorded)
    day = film.index.day.text
    if findings:
        raise VerificationError(f"{day} does not hold: {'; '.join(findings)}")
    if not film.recorded:
        return "no clip is to be in the film: nothing to check"
    clips = counted(len(film.recorded), "clip")
    whole = f"{clips} whole and in order; film as planned"
    return "; ".join([whole, *remarks])


def _film_on_disk(context: Context) -> FilmPlan:
    """The film, from files that are all read again: other tasks may use what is known of them."""
    engine = engine_of(context.settings.engine)
    planner = FilmPlanner(
        context.settings, ClipStore(context.layout), follows_plan=engine.follows_plan
    )
    return replace(context, planner=planner).film()


def _clip_findings(layout: Layout, recorded: Recorded) -> Iterator[str]:
    for entry, record in recorded:
        try:
            footage = media.probe.measure(layout.at(entry.file_path))
        except BrokenFootageError as error:
            yield str(error)
        else:
            if footage != record.footage:
                yield f"{entry.name} is not the footage that was measured"


def _changed_clips(context: Context, film: FilmPlan) -> Iterator[str]:
    """Clips whose bytes are not those that arrived; each is noted."""
    for entry, record in film.recorded:
        path = context.layout.at(entry.file_path)
        if durable.digest_of(path) != record.sha256:
            context.clips.doubt(entry)
            fetch.prove(context, entry, camera_id=None)
            yield f"{path.name} does not hold the bytes that arrived: the next run fetches it again"
        elif not record.is_as_it_arrived:
            yield f"{path.name} was changed by the disk, and could not be had again"


def _undecodable(layout: Layout, recorded: Recorded) -> Iterator[str]:
    """Clips that are as they arrived, and yet damaged: they came like that."""
    for entry, _ in recorded:
        try:
            media.probe.decode_check(layout.at(entry.file_path))
        except BrokenFootageError as error:
            yield f"came damaged from the console: {error}"


def _changed_film(context: Context, film: FilmPlan) -> Iterator[str]:
    """What of the film is not what was made; it is noted."""
    layout = context.layout
    stamp, path = timelapse.stamp_of(layout), film_path(layout, film.index)
    if not film.recorded or not path.is_file():
        return
    if stamp is None or not timelapse.is_made(layout, film):
        yield "the film was made of other clips, or with other settings"
    elif durable.digest_of(path) != stamp.sha256:
        durable.delete(layout.film_stamp)
        yield "the film does not hold the bytes that were made: the next run makes it again"
    elif not timelapse.has_timeline(context, film):
        yield "timeline.json or the captions do not tell what the film shows"


def _manifest_findings(layout: Layout, film: FilmPlan) -> tuple[str, ...]:
    concat = durable.read_bytes(layout.concat_text) or b""
    expected = wanted_concat(layout, film.recorded)
    return manifest_findings(
        film.index,
        present={entry.name for entry, _ in film.recorded},
        concat_lines=concat.decode(errors="replace").splitlines(),
        expected_lines=expected.splitlines(),
    )


def _film_findings(layout: Layout, film: FilmPlan) -> Iterator[str]:
    path = film_path(layout, film.index)
    if not film.recorded:
        return
    if not path.is_file():
        yield f"there is no film at {quoted(path)}"
        return
    try:
        footage = media.probe.measure(path)
    except BrokenFootageError as error:
        yield f"the film is broken: {error}"
    else:
        for finding in film_findings(footage, film.speed):
            yield f"the film is not what was planned: {finding}"
