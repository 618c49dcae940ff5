"""Hold what is on the disk against what the specification promises of it (§10)."""

from collections.abc import Iterator
from dataclasses import replace

from upvs_tasks import durable, media
from upvs_tasks.errors import BrokenFootageError, VerificationError
from upvs_tasks.model.layout import Layout
from upvs_tasks.model.plural import counted
from upvs_tasks.model.verification import film_findings, manifest_findings
from upvs_tasks.phases.clip_store import ClipStore, Recorded
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.engines import engine_of
from upvs_tasks.phases.film_plan import FilmPlan, FilmPlanner
from upvs_tasks.phases.manifest import wanted_concat
from upvs_tasks.phases.timelapse import film_path


def run(context: Context, *, decodes: bool = False) -> str:
    """Check every clip, the manifests and the film anew. Returns the summary.

    With ``decodes``, each clip's first and last pictures are decoded, too. Raises
    VerificationError with everything that does not hold. Asks nothing of the console.
    """
    layout = context.layout
    film = _film_on_disk(context)
    findings = [
        *_clip_findings(layout, film.recorded, decodes=decodes),
        *_manifest_findings(layout, film),
        *_film_findings(layout, film),
    ]
    day, entries = film.index.day.text, film.index.entries
    if findings:
        raise VerificationError(f"{day} does not hold: {'; '.join(findings)}")
    clips = counted(len(entries), "clip")
    return f"{len(film.recorded)} of {clips} whole and in order; film as planned"


def _film_on_disk(context: Context) -> FilmPlan:
    """The film, from files that are all read again: other tasks may use what is known of them."""
    engine = engine_of(context.settings.engine)
    planner = FilmPlanner(
        context.settings, ClipStore(context.layout), follows_plan=engine.follows_plan
    )
    return replace(context, planner=planner).film()


def _clip_findings(layout: Layout, recorded: Recorded, *, decodes: bool) -> Iterator[str]:
    for entry, record in recorded:
        path = layout.at(entry.file_path)
        try:
            footage = media.probe.measure(path)
            if decodes:
                media.probe.decode_check(path)
        except BrokenFootageError as error:
            yield str(error)
        else:
            if footage != record.footage:
                yield f"{entry.name} is not the footage that was measured"


def _manifest_findings(layout: Layout, film: FilmPlan) -> tuple[str, ...]:
    concat = durable.read_bytes(layout.concat_text) or b""
    expected = wanted_concat(layout, film.recorded)
    return manifest_findings(
        film.index,
        concat_lines=concat.decode(errors="replace").splitlines(),
        expected_lines=expected.splitlines(),
    )


def _film_findings(layout: Layout, film: FilmPlan) -> Iterator[str]:
    path = film_path(layout, film.index)
    if not film.recorded:
        return
    if not path.exists():
        yield f"there is no film at {path}"
        return
    try:
        footage = media.probe.measure(path)
    except BrokenFootageError as error:
        yield f"the film is broken: {error}"
    else:
        for finding in film_findings(footage, film.speed):
            yield f"the film is not what was planned: {finding}"
