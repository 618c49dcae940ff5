"""What may befall a day that is filmed: at the console, on the disk, to a run."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.pipeline.life import (
    MIDNIGHT_MS,
    Life,
    Verdict,
    digest_of,
    end_of,
    exchange,
    in_words,
    instants_between,
    merged_spans,
)
from tests.pipeline.project import Finished
from upvs_tasks.simulator import SimulatedEvent

# Files that a run leaves, by what they are. Those that are named twice are met twice as often.
KINDS = {
    "clip": "clips/*/*/clip_*.mp4",
    "clip again": "clips/*/*/clip_*.mp4",
    "film": "timelapse/*.mp4",
    "captions": "timelapse/*.vtt",
    "segment": ".upvs/segments/*.mp4",
    "segment record": ".upvs/segments/*.json",
    "clip index": "manifests/clip_index.json",
    "clip list": "manifests/concat.txt",
    "day": "metadata/day.json",
    "timeline": "metadata/timeline.json",
    "camera": "metadata/camera.json",
    "film record": ".upvs/film.json",
    "overlaps": ".upvs/overlaps.json",
    "footage record": ".upvs/footage/*.json",
    "failure record": ".upvs/failures/*.json",
}
_HASHED = {"clip", "film"}  # whose bytes are proven only by `verify`, or when they are used
_MOST_EVENTS = 14
_LIMIT_OF_RUN_SECS = 0.8
# Starts a program that may not read a file of mode 0, even where the user is root: without two
# capabilities (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH), which only Linux has.
_WITHOUT_RIGHTS = """
import ctypes, os, sys
if os.geteuid() == 0:
    libc = ctypes.CDLL(None)
    assert not any(libc.prctl(24, capability, 0, 0, 0) for capability in (1, 2))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Blow:
    """One blow; its number decides all that is left to chance, whatever came before."""

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"

    def fall_on(self, life: Life) -> None:
        """Let it happen, then run with nothing failing; raises AssertionError where that errs."""
        life.story.append(str(self))
        BLOWS[self.name](life, Random(self.number))  # noqa: S311  to be the same again
        life.run()


def story_of(seed: int, length: int) -> list[Blow]:
    """As many blows at random, the same for the same seed."""
    chance = Random(seed)  # noqa: S311  likewise
    names = chance.choices(list(BLOWS), weights=list(_WEIGHTS.values()), k=length)
    return [Blow(name, chance.randrange(1_000_000)) for name in names]


def parsed(text: str) -> list[Blow]:
    """The blows that a failing test has printed."""
    parts = (word.partition(":") for word in text.split())
    return [Blow(name, int(number)) for name, _, number in parts]


def forget(life: Life, chance: Random) -> None:
    """The console's disk is a ring, so that the oldest goes; or it has not kept what was close."""
    listed = sorted(life.listed.values(), key=lambda event: event.start_ms)
    if not listed:
        return
    chosen = listed[: chance.choice((1, 1, 2, 3))]
    if chance.random() < 0.5:
        chosen = _close_to(chance.choice(listed), listed)
    _tell(life, f"the console forgets {', '.join(map(in_words, chosen))}")
    life.forget(chosen)


def _close_to(event: SimulatedEvent, listed: list[SimulatedEvent]) -> list[SimulatedEvent]:
    """The event and those between which no footage is left out."""
    for span in merged_spans(listed):
        if span[0] <= event.start_ms < span[1]:
            return [one for one in listed if span[0] <= one.start_ms < span[1]]
    raise AssertionError(event)


def come_late(life: Life, chance: Random) -> None:
    """The console lists an event that it had not listed before: alone, or beside another one.

    It is never there where footage is gone already: no console reports what it does not have.
    """
    if len(life.listed) >= _MOST_EVENTS:
        forget(life, chance)
        return
    lasts_ms = chance.choice((1_000, 2_500, 4_000, 9_300))
    near = sorted(life.listed.values(), key=lambda event: event.start_ms)
    start_ms = MIDNIGHT_MS + chance.randrange(3_600_000, 80_000_000)
    if near and chance.random() < 0.5:
        other = chance.choice(near)
        start_ms = chance.choice((other.start_ms, end_of(other))) + chance.randrange(-9_000, 9_000)
    if not all(map(life.console_has, instants_between(start_ms, start_ms + lasts_ms))):
        return
    event = life.add(start_ms, start_ms + lasts_ms)
    life.doubt_answers()
    _tell(life, f"the console lists {in_words(event)}")


def rot(life: Life, chance: Random) -> None:
    """A few bits of a file flip; its size and its dates stay."""
    kind, path = _file(life, chance)
    status, content = path.stat(), bytearray(path.read_bytes())
    if not content:
        return
    places = [chance.randrange(len(content)) for _ in range(chance.choice((1, 1, 3)))]
    for place in places:
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    _tell(life, f"bits of {_named(life, path)} flip at {places}")
    life.rotten.add(digest_of(path))
    _note_loss(life, kind)
    _let_it_matter(life, chance, kind, path)


def vanish(life: Life, chance: Random) -> None:
    """A file is deleted."""
    kind, path = _file(life, chance)
    path.unlink()
    _tell(life, f"{_named(life, path)} vanishes")
    _note_loss(life, kind)


def empty(life: Life, chance: Random) -> None:
    """A file loses all that it holds."""
    kind, path = _file(life, chance)
    path.write_bytes(b"")
    _tell(life, f"{_named(life, path)} is emptied")
    _note_loss(life, kind)


def swap(life: Life, chance: Random) -> None:
    """Two files of a kind have each other's name."""
    many = [kind for kind in KINDS if len(_files(life, kind)) > 1]
    if not many:
        return
    kind = chance.choice(many)
    one, other = chance.sample(_files(life, kind), 2)
    exchange(one, other)
    _tell(life, f"{_named(life, one)} and {_named(life, other)} are swapped")
    _note_loss(life, kind)
    _let_it_matter(life, chance, kind, one)


def refuse(life: Life, chance: Random) -> None:
    """A file cannot be read during one run, in which something else is to be done, too."""
    _, path = _file(life, chance)
    _tell(life, f"{_named(life, path)} cannot be read for once")
    if chance.random() < 0.5:
        come_late(life, chance)
    run = _run_without(path, life)
    Verdict(life, run, life.available(), is_healthy=False).check()


def kill(life: Life, chance: Random) -> None:
    """A run that has something to do is killed."""
    chance.choice((come_late, come_late, vanish, rot, empty))(life, chance)
    process = life.project.start("run", "timelapse")
    secs = chance.uniform(0.1, _LIMIT_OF_RUN_SECS)
    try:
        process.communicate(timeout=secs)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    _tell(life, f"a run is killed after {secs:.2f} s")


BLOWS: dict[str, Callable[[Life, Random], None]] = {
    "forget": forget,
    "late": come_late,
    "rot": rot,
    "vanish": vanish,
    "empty": empty,
    "swap": swap,
    "refuse": refuse,
    "kill": kill,
}
_WEIGHTS = {
    "forget": 3,
    "late": 3,
    "rot": 4,
    "vanish": 3,
    "empty": 2,
    "swap": 2,
    "refuse": 2,
    "kill": 3,
}
assert _WEIGHTS.keys() == BLOWS.keys()


def _file(life: Life, chance: Random) -> tuple[str, Path]:
    kind = chance.choice([kind for kind in KINDS if _files(life, kind)])
    return kind, chance.choice(_files(life, kind))


def _files(life: Life, kind: str) -> list[Path]:
    return sorted(life.project.out.glob(KINDS[kind]))


def _content(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _named(life: Life, path: Path) -> str:
    return str(path.relative_to(life.project.out))


def _tell(life: Life, sentence: str) -> None:
    life.story.append(f"    {sentence}")


def _note_loss(life: Life, kind: str) -> None:
    """What the program can no longer know."""
    if kind == "clip index":
        life.lose_index()
    if kind in {"failure record", "footage record"} or kind.startswith("clip"):
        life.doubt_answers()


def _let_it_matter(life: Life, chance: Random, kind: str, path: Path) -> None:
    """Let the bytes of the file be needed: a run that has nothing to do proves none."""
    match kind.split(maxsplit=1)[0]:
        case "segment" if not kind.endswith("record"):
            life.project.film.unlink(missing_ok=True)
        case "film" if not kind.endswith("record"):
            _verify(life, path)
        case "clip" if path.suffix == ".mp4":
            is_filmed = path.name in _content(life.project.out / "manifests" / "concat.txt")
            if is_filmed and chance.random() < 0.7:
                _verify(life, path)
            else:
                come_late(life, chance)


def _verify(life: Life, path: Path) -> None:
    """Let `verify` find what is wrong with a file."""
    run = life.project.doit("run", "verify")
    life.story.append(f"    verify -> {run.code}")
    assert run.code == 1, f"verify finds nothing wrong with {path.name}\n{run.output}"
    is_film = path == life.project.film
    assert path.stem in run.output or (is_film and "film" in run.output), (
        f"verify does not name {path.name}\n{run.output}"
    )
    assert "Traceback" not in run.output, run.output


def _run_without(path: Path, life: Life) -> Finished:
    """Run while a file cannot be read."""
    mode = path.stat().st_mode
    path.chmod(0)
    words = ("-m", "doit", "run", "timelapse", f"date={life.project.date}")
    process = life.project.start_bare("-c", _WITHOUT_RIGHTS, *words)
    output, _ = process.communicate(timeout=60)
    for each in life.project.out.rglob("*"):
        if not each.stat().st_mode & stat.S_IRWXU:
            each.chmod(mode)
    run = Finished(process.returncode, output)
    life.note_run(run, life.available(), is_healthy=False)
    return run
