"""The package as it is written: who imports, uses and calls what."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGE = "upvs_tasks"


@dataclass(frozen=True)
class Source:
    """One module of ours, as it is written."""

    name: str
    text: str
    is_package: bool = False

    @property
    def room(self) -> str:
        """The part of the house that it belongs to."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else parts[0]

    @property
    def place(self) -> str:
        """Its name within the package."""
        return self.name.removeprefix(f"{PACKAGE}.")

    @property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text, self.name)

    def imports(self) -> Iterator[str]:
        """Full names of all that it imports, wherever the import stands."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names):
                    yield from (each.name for each in names)
                case ast.ImportFrom(module, names, level):
                    origin = self._absolute(module, level or 0)
                    yield from (f"{origin}.{each.name}" for each in names)

    def _absolute(self, module: str | None, level: int) -> str:
        if not level:
            return module or ""
        parts = self.name.split(".")
        base = parts[: len(parts) - level + self.is_package]
        return ".".join([*base, module] if module else base)

    def names_used(self) -> Iterator[str]:
        """Full names of what it uses of imported modules, whatever they are called here."""
        known = dict(self._aliases())
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id in known:
                yield known[node.id]
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield f"{known.get(node.value.id, node.value.id)}.{node.attr}"

    def _aliases(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names):
                    yield from ((each.asname or each.name, each.name) for each in names)
                case ast.ImportFrom(module, names, 0):
                    yield from (
                        (each.asname or each.name, f"{module}.{each.name}") for each in names
                    )

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Calls of methods, each with the method's name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr, node


def read(path: Path) -> Source:
    """Source of a file in the repository."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Source(name, path.read_text(encoding="utf-8"), is_package)


def read_all(folder: str) -> list[Source]:
    """Sources of all modules below a folder of the repository."""
    return [read(path) for path in sorted((REPOSITORY / folder).rglob("*.py"))]


SOURCES = [
    read(REPOSITORY / "dodo.py"),
    *read_all(PACKAGE),
]
