"""A disk without room for the film is noticed before anything is rendered."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.pipeline.project import REPOSITORY, Finished, Project, motions
from tests.sentences import one_sentence
from upvs_tasks.simulator import SPARROW, SimulatedConsole

_DISK_MB = 16
TEN_MS = 1_705_503_600_000
SIZES_KB = range(64, 1_025, 64)


def small_disks_can_be_had() -> bool:
    """Whether an ordinary user may mount a file system of his own here."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    mounted = subprocess.run(
        [unshare, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
    )
    return mounted.returncode == 0


needs_small_disks = pytest.mark.skipif(
    not small_disks_can_be_had(), reason="this machine lets nobody mount a disk of his own"
)


@pytest.mark.slow
@needs_small_disks
def test_a_film_without_room_is_not_begun_and_made_once_there_is_room(project: Project) -> None:
    """The clips are kept, one sentence says what is needed, and no segment is rendered."""
    project.configure(output_fps=60, crf=0)
    project.out.mkdir(parents=True)
    doit = shlex.join([sys.executable, "-m", "doit", "run"])
    date = f"date={project.date}"
    script = f"""
        mount -t tmpfs -o size={_DISK_MB}m none {shlex.quote(str(project.out))}
        {doit} speed {date} || exit 9
        free=$(df --output=avail -k {shlex.quote(str(project.out))} | tail -1)
        head -c $(((free - 100) * 1024)) /dev/zero > {shlex.quote(str(project.out / "other"))}
        {doit} timelapse {date}; echo "first exit: $?"
        ls {shlex.quote(str(project.out / ".upvs" / "segments"))} 2>/dev/null | sed 's/^/left: /'
        rm {shlex.quote(str(project.out / "other"))}
        {doit} timelapse {date}; echo "second exit: $?"
    """
    said = in_namespace(project, script)
    assert said.code == 0, said.output
    assert "first exit: 1" in said.output, said.output
    [sentence] = [line for line in said.output.splitlines() if line.startswith("ERROR")]
    assert "estimate: the film takes about" in sentence
    assert "left:" not in said.output
    assert "second exit: 0" in said.output, said.output


@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs_small_disks
def test_a_disk_that_is_full_at_any_step_is_a_sentence_and_heals(
    project: Project, console: SimulatedConsole
) -> None:
    """Each size of disk, up to one that has room for all; then more room for the same folder."""
    console.set_events(motions(SPARROW.camera_id, TEN_MS, 2), camera_id=SPARROW.camera_id)
    project.configure(target_duration=2, height=90)
    project.out.mkdir(parents=True)
    out = shlex.quote(str(project.out))
    doit = shlex.join([sys.executable, "-m", "doit", "run", "timelapse", f"date={project.date}"])
    script = f"""
        for size in {" ".join(map(str, SIZES_KB))}; do
            mount -t tmpfs -o size=${{size}}k none {out}
            {doit}; echo "size $size exit: $?"
            mount -o remount,size=64m {out}
            {doit} > /dev/null 2>&1; echo "size $size then: $?"
            echo "size $size made: $(cd {out} && find . -name logs -prune -o -type f -print \\
                | sort | xargs sha256sum | sha256sum)"
            umount {out}
        done
    """
    said = in_namespace(project, script, timeout_secs=1500).output
    assert "Traceback" not in said, said
    assert "bug in upvs" not in said, said
    exits = re.findall(r"^size \d+ exit: (\d+)$", said, re.MULTILINE)
    assert len(exits) == len(SIZES_KB)
    assert exits == sorted(exits, reverse=True)
    assert set(exits) == {"0", "1"}, said
    parts = re.split(r"^size \d+ made: .*$", said, flags=re.MULTILINE)
    for part, code in zip(parts, exits, strict=False):
        errors = [line for line in part.splitlines() if line.startswith("ERROR: ")]
        assert bool(errors) == (code == "1"), part
        assert all("free some" in one_sentence(error) for error in errors), part
    assert re.findall(r"^size \d+ then: (\d+)$", said, re.MULTILINE) == ["0"] * len(SIZES_KB)
    assert len(set(re.findall(r"^size \d+ made: (.*)$", said, re.MULTILINE))) == 1, said


def in_namespace(project: Project, script: str, *, timeout_secs: float = 240) -> Finished:
    """Run a script that sees disks of its own, as the user's folder would see them."""
    finished = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],  # noqa: S607  wherever it is
        check=False,
        cwd=project.folder,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "UPVS_PASSWORD": project.console.password,
            "PYTHONPATH": str(REPOSITORY),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_secs,
    )
    return Finished(finished.returncode, finished.stdout)
