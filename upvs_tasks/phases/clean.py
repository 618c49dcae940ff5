"""Delete what can be made again, and say what that was."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from upvs_tasks import durable
from upvs_tasks.errors import quoted
from upvs_tasks.model.plural import counted

_MOST_NAMED = 3
_RECORDS = ".upvs"


def remove(out_dir: Path, paths: Sequence[Path], *, pretends: bool) -> str:
    """Delete those of the files that are there, or only look; says which, in a line."""
    there = [path for path in paths if path.is_file()]
    place = quoted(out_dir)
    if not there:
        return f"nothing to delete in {place}"
    size_bytes = sum(path.stat().st_size for path in there)
    for path in () if pretends else there:
        durable.delete(path)
    done = "would delete" if pretends else "deleted"
    what = f"{counted(len(there), 'file')}, {size_bytes / 1e6:.1f} MB"
    return f"{done} {what}, in {place}: {', '.join(_named(out_dir, there))}"


def _named(out_dir: Path, paths: Sequence[Path]) -> Iterator[str]:
    """The files by name, and by number alone where there are many, or they are records of ours."""
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        folder = path.relative_to(out_dir).parent
        is_ours = folder.parts[0] == _RECORDS
        by_folder.setdefault(_RECORDS if is_ours else str(folder), []).append(path.name)
    for place, names in by_folder.items():
        if len(names) > _MOST_NAMED or place == _RECORDS:
            yield f"{counted(len(names), 'file')} of {place}"
        else:
            yield from names
