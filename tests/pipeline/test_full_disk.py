"""A disk without room for the film is noticed before anything is rendered."""

import shlex
import shutil
import subprocess
import sys

import pytest

from tests.pipeline.project import REPOSITORY, Finished, Project

_DISK_MB = 16


def small_disks_can_be_had() -> bool:
    """Whether an ordinary user may mount a file system of his own here."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    mounted = subprocess.run(
        [unshare, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
    )
    return mounted.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(
    not small_disks_can_be_had(), reason="this machine lets nobody mount a disk of his own"
)
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


def in_namespace(project: Project, script: str) -> Finished:
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
        timeout=240,
    )
    return Finished(finished.returncode, finished.stdout)
