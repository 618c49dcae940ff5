"""Whatever call the disk refuses: one sentence, one code, and the next run makes it good.

Each command is carried out once on a disk that is well, which shows what it calls. Then it is
carried out again for each of these calls, and that one is refused.
"""

import errno
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from tests.pipeline.project import Finished, Project, motions
from tests.refusals import WHY_NOT, FileSystem, Refusal, can_refuse, numbered
from tests.sentences import one_sentence
from upvs_tasks.simulator import SPARROW, Behaviour, SimulatedConsole

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not can_refuse, reason=WHY_NOT),
]

TEN_MS = 1_705_503_600_000
AT_ONCE = 2
# All of them take minutes: `--refusal=""` is for a change of what writes files.
ONE_OF = 10
NO_PATH = "-"
_DATE = re.compile(rb'"(modified_ms": \d+|seal": "\w+"),')
# What file systems answer to each kind of call, in turn.
ERRORS = {
    "open": (errno.EIO, errno.EACCES, errno.EMFILE, errno.ESTALE, errno.ENOENT, errno.ENFILE),
    "create": (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EMFILE, errno.EDQUOT, errno.EIO),
    "opendir": (errno.EACCES, errno.EIO, errno.EMFILE),
    "read": (errno.EIO, errno.ESTALE, errno.EINVAL),
    "write": (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG),
    "fsync": (errno.EIO, errno.EINVAL, errno.ENOSPC, errno.ENOTSUP, errno.EDQUOT),
    "rename": (errno.EIO, errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EBUSY, errno.ENOENT),
    "link": (errno.EPERM, errno.ENOTSUP, errno.EMLINK),
    "unlink": (errno.EIO, errno.EACCES, errno.EROFS, errno.EBUSY),
    "rmdir": (errno.EIO,),
    "mkdir": (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT, errno.ENOENT),
    "stat": (errno.EIO, errno.EACCES, errno.ESTALE),
    "fstat": (errno.EIO, errno.ESTALE),
    "statvfs": (errno.EIO, errno.EACCES, errno.ENOSYS),
    "utime": (errno.EPERM, errno.EIO, errno.EROFS, errno.ENOTSUP),
    "flock": (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.EIO),
    "truncate": (errno.EIO, errno.EINVAL, errno.ENOSPC),
    "chmod": (errno.EPERM, errno.ENOTSUP),
    "close": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "fork": (errno.EAGAIN, errno.ENOMEM),
    "pipe": (errno.EMFILE, errno.ENFILE),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command, and what of the finished day is there before it.

    Of the calls of one kind on one path, the first ``most`` are refused, one by one.
    """

    command: tuple[str, ...]
    prepare: Callable[[Project], object]
    most: int = 1


def nothing(project: Project) -> None:
    """As before the first run."""
    shutil.rmtree(project.out.parent)


def clips_alone(project: Project) -> None:
    """As after the loss of all that is made of clips."""
    shutil.rmtree(project.out / "timelapse")
    shutil.rmtree(project.out / ".upvs")


def everything(project: Project) -> None:
    """As after a run."""


SCENARIOS = {
    "first run": Scenario(("run", "timelapse"), nothing, most=2),
    "run over clips": Scenario(("run", "timelapse"), clips_alone),
    "run with nothing to do": Scenario(("run", "timelapse"), everything),
    "verify": Scenario(("run", "verify"), everything),
    "list": Scenario(("list", "--all", "--status"), everything),
    "clean": Scenario(("clean",), everything),
}


@pytest.fixture(scope="module")
def small_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedConsole]:
    """A camera of two short clips."""
    behaviour = Behaviour(login_limit_per_minute=None)
    folder = tmp_path_factory.mktemp("console")
    with SimulatedConsole(behaviour=behaviour, state_dir=folder) as running:
        running.set_events(motions(SPARROW.camera_id, TEN_MS, 2), camera_id=SPARROW.camera_id)
        yield running


def small_project(folder: Path, console: SimulatedConsole) -> Project:
    """A day whose film is made in a second, with a session file in the same folder."""
    project = Project(folder, console)
    session = str(folder / "out" / "session")
    project.configure(target_duration=2, height=90, session_file=session)
    return project


@pytest.fixture(scope="module")
def small_day(tmp_path_factory: pytest.TempPathFactory, small_console: SimulatedConsole) -> Project:
    """The day after its first run."""
    day = small_project(tmp_path_factory.mktemp("small-day") / "home", small_console)
    run = day.doit("run", "timelapse")
    assert run.code == 0, run.output
    return day


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_call_of_a_command_refused_once(
    tmp_path: Path, small_day: Project, name: str, request: pytest.FixtureRequest
) -> None:
    only = request.config.getoption("--refusal")
    refusals = list(_refusals(tmp_path, small_day, name))
    if only is None:
        refusals = refusals[::ONE_OF]
    else:
        refusals = [each for each in refusals if only in str(each)]
    assert refusals
    with ThreadPoolExecutor(AT_ONCE) as pool:
        trials = [
            pool.submit(_fault, tmp_path / str(number), small_day, name, refusal)
            for number, refusal in enumerate(refusals)
        ]
    faults = [fault for trial in trials if (fault := trial.result())]
    assert not faults, f"{len(faults)} of {len(refusals)}:\n" + "\n".join(faults)


def _prepared(folder: Path, day: Project, name: str) -> Project:
    project = small_project(folder, day.console)
    project.copy_day_of(day)
    SCENARIOS[name].prepare(project)
    return project


def _refusals(folder: Path, day: Project, name: str) -> list[Refusal]:
    """One for each call of the command on a disk that is well."""
    project = _prepared(folder / "undisturbed", day, name)
    system = FileSystem(project.folder / "out")
    run = project.doit(*SCENARIOS[name].command, environment=system.environment)
    assert run.code == 0, run.output
    errors = {kind: cycle(numbers) for kind, numbers in ERRORS.items()}
    calls = [
        (call, which)
        for call, which in numbered(system.calls())
        if which <= SCENARIOS[name].most or call.path == NO_PATH
    ]
    system.forget()
    return [Refusal(call.kind, call.path, next(errors[call.kind]), which) for call, which in calls]


def _fault(folder: Path, day: Project, name: str, refusal: Refusal) -> str:
    """What is wrong with how the command takes the refusal; empty where nothing is."""
    project = _prepared(folder, day, name)
    system = FileSystem(project.folder / "out", [refusal])
    run = project.doit(*SCENARIOS[name].command, environment=system.environment)
    refused = system.refused()
    system.forget()
    is_of_program = refusal.pattern == NO_PATH or "/trial/" in refusal.pattern
    codes = (0, 1, 3) if is_of_program else (0, 1)
    wrong = [*_wrong_words(run, codes), *([] if len(refused) <= 1 else ["refused more than once"])]
    wanted = _contents(day)
    if _contents(project) != wanted:
        again = project.doit("run", "timelapse")
        wrong += [f"the next run ends with {again.code}: {again.output}"] if again.code else []
    found = _contents(project)
    differ = sorted(each for each in {*found, *wanted} if found.get(each) != wanted.get(each))
    wrong += [f"after the next run differ {', '.join(differ)}"] if differ else []
    shutil.rmtree(folder)
    return f"--- {name}: {refusal}: {'; '.join(wrong)}\n{run.code}\n{run.output}" if wrong else ""


def _wrong_words(run: Finished, codes: Sequence[int]) -> Iterator[str]:
    """What a user should not read, or should have read.

    Not each refusal can be told from an ffmpeg that is absent or cannot make the film: that is 3.
    """
    for word in ("Traceback", "bug in upvs", "Errno", "Exception", "Logging error"):
        if word in run.output:
            yield f"says {word}"
    if run.code not in codes:
        yield f"ends with {run.code}"
    errors = [line for line in run.output.splitlines() if line.startswith("ERROR: ")]
    if len(errors) > 1:
        yield "says several errors"
    if run.code and not errors and "report " not in run.output:
        yield "does not say why"
    for line in errors:
        one_sentence(line)


def _contents(project: Project) -> dict[str, bytes]:
    """Every file, as if all projects had one folder; what was set aside does not count.

    Nor does what is left of a trial, which goes with the next one, nor the date of a clip, and the
    seal over it: what the disk made of that is not made good.
    """
    folder = str(project.folder).encode()
    return {
        str(path.relative_to(project.out)): _DATE.sub(b"", path.read_bytes().replace(folder, b""))
        for path in sorted(project.out.rglob("*"))
        if path.is_file()
        and path.parent.name not in {"logs", "trial"}
        and ".replaced-" not in path.name
    }
