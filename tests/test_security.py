"""What SECURITY.md says, held against the programs and packages themselves."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SECURITY = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
WORKFLOW = (REPOSITORY / ".github" / "workflows" / "audit.yml").read_text(encoding="utf-8")


def needed_by(package: str, known: set[str]) -> Iterator[str]:
    """What a package needs on this machine, and what that needs."""
    for requirement in requires(package) or []:
        name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
        if "extra ==" in requirement or name in known:
            continue
        known.add(name)
        try:
            yield from needed_by(name, known)
        except PackageNotFoundError:  # for another system or another Python
            continue
        yield name


def test_each_package_that_is_used_is_listed_with_its_licence() -> None:
    table = SECURITY.partition("| package | licence |\n")[2].partition("\n\n")[0].lower()
    listed = set(re.findall(r"[\w-]+", " ".join(line.split("|")[1] for line in table.splitlines())))
    needed = set(needed_by("upvs", set()))
    assert {"doit", "future", "cryptography"} <= needed
    assert needed - {"typing-extensions"} <= listed


@pytest.mark.parametrize("program", [("doit", "list"), ("upvs_tasks", "--version")])
def test_a_file_called_test_in_the_folder_is_not_run(
    tmp_path: Path, program: tuple[str, str]
) -> None:
    """What the package future would do if somebody imported its standard_library."""
    (tmp_path / "dodo.py").write_text((REPOSITORY / "dodo.py").read_text(encoding="utf-8"))
    (tmp_path / "test.py").write_text("raise SystemExit('test.py was run')\n")
    looks = "import ffmpeg, sys; sys.exit('future.standard_library' in sys.modules)"
    for command in (("-m", *program), ("-c", looks)):
        ended = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert "test.py was run" not in ended.stdout + ended.stderr


def test_the_audit_passes_over_only_what_is_explained() -> None:
    passed_over = set(re.findall(r"--ignore-vuln (\S+)", WORKFLOW))
    assert passed_over == set(re.findall(r"CVE-\d+-\d+", SECURITY))
    assert "pip-audit" in WORKFLOW
