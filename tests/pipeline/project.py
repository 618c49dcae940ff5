"""A user's folder beside a simulated console: dodo.py, an upvs.toml, and commands run in it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shutil import copy, copytree

import orjson

from upvs_tasks.simulator import SimulatedConsole, SimulatedEvent

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """How a command ended, and all that it said."""

    code: int
    output: str


@dataclass
class Project:
    """One camera's folder, as somebody would set it up at home."""

    folder: Path
    console: SimulatedConsole
    camera: str = "Sparrow"
    date: str = "2024-01-17"
    settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the folder out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        copy(REPOSITORY / "dodo.py", self.folder)
        self.configure()

    def configure(self, **settings: object) -> None:
        """Write upvs.toml: the console's access, and what a test wants otherwise."""
        self.settings |= settings
        values = {
            "host": self.console.host,
            "username": self.console.username,
            "ca_file": str(self.console.ca_file),
            "camera": self.camera,
            "preset": "ultrafast",
            "target_duration": 20,
        } | self.settings
        lines = (f"{name} = {orjson.dumps(value).decode()}\n" for name, value in values.items())
        (self.folder / "upvs.toml").write_text("".join(lines))

    @property
    def out(self) -> Path:
        """The day's output folder."""
        return self.folder / "out" / self.camera / self.date

    @property
    def film(self) -> Path:
        """The day's film."""
        return self.out / "timelapse" / f"{self.camera}_{self.date}_timelapse.mp4"

    def copy_day_of(self, other: "Project") -> None:
        """Take over what another project's runs have left, as if they had been run here."""
        copytree(other.out, self.out)
        for listing in self.out.rglob("*.txt"):  # they name clips and segments by absolute path
            listing.write_text(listing.read_text().replace(str(other.folder), str(self.folder)))

    @property
    def clips(self) -> list[Path]:
        """The clips on the disk, in order."""
        return sorted((self.out / "clips").rglob("*.mp4"))

    def index(self) -> dict[str, object]:
        """The clip index."""
        document = orjson.loads((self.out / "manifests" / "clip_index.json").read_bytes())
        assert isinstance(document, dict)
        return document

    def entries(self) -> list[dict[str, object]]:
        """The clip index's entries."""
        entries = self.index()["clips"]
        assert isinstance(entries, list)
        return entries

    def forget_clip(self, clip: Path) -> None:
        """Remove all that says what bytes a clip has: its record, and its digest in the index."""
        (self.out / ".upvs" / "footage" / f"{clip.stem}.json").unlink(missing_ok=True)
        index, entries = self.index(), self.entries()
        for entry in entries:
            if Path(str(entry["file_path"])).stem == clip.stem:
                entry.pop("sha256", None)
        index["clips"] = entries
        index.pop("seal", None)
        (self.out / "manifests" / "clip_index.json").write_bytes(orjson.dumps(index))

    def doit(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
        """Run doit to its end; ``date`` is said unless an argument says one."""
        process = self.start(*arguments, environment=environment)
        output, _ = process.communicate(timeout=240)
        return Finished(process.returncode, output)

    def upvs(self, command: str) -> Finished:
        """Run a command of `upvs` for the date, here where upvs.toml lies."""
        process = self.start_bare("-m", "upvs_tasks", command, "--date", self.date)
        output, _ = process.communicate(timeout=240)
        return Finished(process.returncode, output)

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stderr: int = subprocess.STDOUT,
    ) -> "subprocess.Popen[str]":
        """Start doit."""
        dated = any(argument.startswith("date=") for argument in arguments)
        given = (*arguments,) if dated else (*arguments, f"date={self.date}")
        return self.start_bare("-m", "doit", *given, environment=environment, stderr=stderr)

    def start_bare(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stderr: int = subprocess.STDOUT,
    ) -> "subprocess.Popen[str]":
        """Start our Python with just these arguments, in a session of its own."""
        ours = {"UPVS_PASSWORD": self.console.password, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=_clean_environment() | ours | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def statuses(self) -> dict[str, str]:
        """What `doit list --all --status` says of each task: U or R."""
        listed = self.doit("list", "--all", "--status")
        assert listed.code == 0, listed.output
        lines = (line.split() for line in listed.output.splitlines())
        return {line[1]: line[0] for line in lines}

    def exports(self) -> list[int]:
        """Starts of the exports that the console was asked for, in order of time."""
        return sorted(
            int(dict(request.query)["start"])
            for request in self.console.requests
            if request.path.endswith("/video/export")
        )

    def requests(self, ending: str) -> int:
        """How many requests went to a path with this ending."""
        return sum(request.path.endswith(ending) for request in self.console.requests)

    def tree(self) -> dict[str, tuple[str, int]]:
        """Every file's digest and mtime (ns); logs aside, and the lock, which holds nothing."""
        return {str(path.relative_to(self.out)): _identity(path) for path in self._files()}

    def contents(self) -> dict[str, str]:
        """Every file's digest."""
        return {name: digest for name, (digest, _) in self.tree().items()}

    def _files(self) -> Iterator[Path]:
        for path in sorted(self.out.rglob("*")):
            if path.is_file() and path.parent.name != "logs":
                yield path


def motions(
    camera_id: str, first_ms: int, count: int, *, spacing_ms: int = 600_000, lasts_ms: int = 4_000
) -> list[SimulatedEvent]:
    """Short events, one every few minutes: a day whose footage is made in no time."""
    starts_ms = range(first_ms, first_ms + count * spacing_ms, spacing_ms)
    return [
        SimulatedEvent(f"{number:024x}", "motion", camera_id, start_ms, start_ms + lasts_ms)
        for number, start_ms in enumerate(starts_ms)
    ]


def _identity(path: Path) -> tuple[str, int]:
    return sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("UPVS_")}
