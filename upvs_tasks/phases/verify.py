"""Hold what is on the disk against what the specification promises of it (§10)."""

from collections.abc import Iterator

from upvs_tasks import durable
from upvs_tasks.errors import BrokenFootageError, VerificationError
from upvs_tasks.model.clip_index import ClipIndex
from upvs_tasks.model.verification import film_findings, manifest_findings
from upvs_tasks.phases.clip_store import ClipStore, Recorded
from upvs_tasks.phases.context import Context
from upvs_tasks.phases.manifest import wanted_concat
from upvs_tasks.phases.measuring import decode_ends, measure
from upvs_tasks.phases.speed import speed_of
from upvs_tasks.phases.timelapse import film_path


def run(job: Context, *, decodes: bool = False) -> str:
    """Check every clip, the manifests and the film anew. Returns the story.

    With ``decodes``, each clip's first and last pictures are decoded, too. Raises
    VerificationError with everything that does not hold. Asks nothing of the console.
    """
    index = job.index()
    recorded = ClipStore(job.layout).recorded(index)
    findings = [
        *_clip_findings(job, recorded, decodes=decodes),
        *_manifest_findings(job, index, recorded),
        *_film_findings(job, index, recorded),
    ]
    if findings:
        raise VerificationError(f"{index.day.text} does not hold: {'; '.join(findings)}")
    return f"{len(recorded)} of {len(index.entries)} clips whole and in order; film as planned"


def _clip_findings(job: Context, recorded: Recorded, *, decodes: bool) -> Iterator[str]:
    for entry, record in recorded:
        path = job.layout.at(entry.file_path)
        try:
            footage = measure(path)
            if decodes:
                decode_ends(path)
        except BrokenFootageError as error:
            yield str(error)
        else:
            if footage != record.footage:
                yield f"{entry.name} is not the footage that was measured"


def _manifest_findings(job: Context, index: ClipIndex, recorded: Recorded) -> tuple[str, ...]:
    concat = durable.read_bytes(job.layout.concat_text) or b""
    expected = wanted_concat(job, recorded)
    return manifest_findings(
        index,
        concat_lines=concat.decode(errors="replace").splitlines(),
        expected_lines=expected.splitlines(),
    )


def _film_findings(job: Context, index: ClipIndex, recorded: Recorded) -> Iterator[str]:
    path = film_path(job, index)
    if not recorded:
        return
    if not path.exists():
        yield f"there is no film at {path}"
        return
    try:
        film = measure(path)
    except BrokenFootageError as error:
        yield f"the film is broken: {error}"
    else:
        for finding in film_findings(film, speed_of(job, recorded)):
            yield f"the film is not what was planned: {finding}"
