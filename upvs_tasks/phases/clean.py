"""Delete what can be made again, and say what that was."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from upvs_tasks import durable
from upvs_tasks.model.plural import counted

_MOST_NAMED = 3


def remove(out_dir: Path, paths: Sequence[Path], *, pretends: bool) -> str:
    """Delete those of the files that are there, or only look; says which, in a line."""
    there = sorted(path for path in paths if path.is_file())
    if not there:
        return f"nothing to delete in {out_dir}"
    size_bytes = sum(path.stat().st_size for path in there)
    for path in () if pretends else there:
        with durable.storing(path):
            path.unlink(missing_ok=True)
    done = "would delete" if pretends else "deleted"
    what = f"{counted(len(there), 'file')}, {size_bytes / 1e6:.1f} MB"
    return f"{done} {what}, in {out_dir}: {', '.join(_named(out_dir, there))}"


def _named(out_dir: Path, paths: Sequence[Path]) -> Iterator[str]:
    """The files by name, and by number alone where a folder has many of them."""
    for folder, group in groupby(paths, key=lambda path: path.parent):
        names = [path.name for path in group]
        if len(names) > _MOST_NAMED:
            yield f"{counted(len(names), 'file')} of {folder.relative_to(out_dir)}"
        else:
            yield from names
