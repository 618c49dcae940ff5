"""Canaries for secrets: whatever happens to a run, none is found in anything that it leaves.

What is looked through: every file in the user's folder, home and temporary folder, all that was
said at the most talkative setting, and the command lines of the run and all its children.
"""

import os
import re
import signal
import stat
import subprocess
from base64 import b32decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest

from tests.pipeline.project import REPOSITORY, Finished, Project
from tests.waiting import deadline
from upvs_tasks.simulator import Behaviour, Csrf, Fault, FaultKind, SimulatedConsole
from upvs_tasks.simulator.certificate import CERTIFICATE_FILE, server_context

# Its beginning is looked for alone: neither quoting nor shortening would hide that.
PASSWORD = 'canary7fe3 "quoted\\ slashed" ümläut & 100%'
WRONG_PASSWORD = "canary7fe3-but-wrong"
WRONG_CODE = "canary7fe3"
WRONG_SECRET = "CANARY7FE3CANARY7FE3CANARY7FE3AA"
DEBUG = ("-m", "upvs_tasks", "--verbose", "run", "--date", "2024-01-17")
DOIT = ("-m", "doit", "run", "-v", "2", "timelapse", "date=2024-01-17")
PDB = ("-m", "doit", "run", "--pdb", "timelapse", "date=2024-01-17")
DOIT_S_OWN = ("-m", "doit", "run", "-r", "console", "-v", "2", "timelapse", "date=2024-01-17")
AS_JSON = ("-m", "doit", "run", "-r", "json", "timelapse", "date=2024-01-17")
TALKATIVE = REPOSITORY / "tests" / "talkative"
SHOWS_PROCESSES = Path("/proc/self/environ").exists()
PAGE = "<!doctype html><html><body><h1>500</h1></body></html>"


@dataclass(frozen=True)
class Case:
    """What happens, and how the run has to end for it to have happened.

    ``is_slow`` leaves it to the long tier: the run waits for real, or there is one much like it.
    """

    code: int
    faults: tuple[Fault, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = DEBUG
    has_second_factor: bool = False
    is_slow: bool = False


def echoes(
    path: str, status: int, content_type: str | None = None, *, times: int | None = 1
) -> tuple[Fault, ...]:
    """The console repeats a request to this path in its answer, once or as often as is said."""
    fault = Fault(FaultKind.ECHO, path, times, status=status, content_type=content_type)
    return (fault,)


def refuses(path: str, status: int, **more: object) -> tuple[Fault, ...]:
    """The console answers a request to this path with a status, once or as often as is said."""
    return (Fault(FaultKind.STATUS, path=path, status=status, **more),)  # type: ignore[arg-type]


SECOND_FACTOR: dict[str, object] = {"username": "careful"}
ONCE: dict[str, object] = {"retry_limit": 1}
DIRECT: dict[str, object] = {"direct_api": True}
KEPT: dict[str, object] = {"session_file": "session.json"}

CASES = {
    "all is well": Case(0),
    "all is well under doit": Case(0, command=DOIT, is_slow=True),
    "all is well with ffmpeg": Case(0, settings={"engine": "concat"}),
    "all is well with a second factor": Case(0, settings=SECOND_FACTOR, has_second_factor=True),
    "all is well with a bearer token": Case(0, settings=DIRECT, is_slow=True),
    "the session is kept": Case(0, settings=KEPT, is_slow=True),
    "the session is kept after a second factor": Case(
        0, settings=KEPT | SECOND_FACTOR, has_second_factor=True
    ),
    "the bearer token is kept": Case(0, settings=KEPT | DIRECT, is_slow=True),
    "the password is wrong": Case(2, environment={"UPVS_PASSWORD": WRONG_PASSWORD}),
    "the password is wrong under doit": Case(
        2, environment={"UPVS_PASSWORD": WRONG_PASSWORD}, command=DOIT
    ),
    "the password is wrong for a bearer token": Case(
        2, settings=DIRECT, environment={"UPVS_PASSWORD": WRONG_PASSWORD}
    ),
    "the login is answered 403": Case(2, refuses("login", 403)),
    "the login is answered 429 at first": Case(
        0, refuses("login", 429, retry_after=1), is_slow=True
    ),
    "the login is answered 499 for no reason": Case(2, refuses("login", 499)),
    "the login is answered 500 with a page": Case(
        1, refuses("login", 500, body=PAGE, content_type="text/html"), ONCE
    ),
    "a second factor is wanted": Case(2, settings=SECOND_FACTOR),
    "a one-time code is wrong": Case(
        2, settings=SECOND_FACTOR, environment={"UPVS_ONE_TIME_CODE": WRONG_CODE}
    ),
    "a second factor's secret is none": Case(
        3, settings=SECOND_FACTOR, environment={"UPVS_TOTP_SECRET": "canary7fe3-0189"}
    ),
    "a second factor's secret is another account's": Case(
        2, settings=SECOND_FACTOR, environment={"UPVS_TOTP_SECRET": WRONG_SECRET}, is_slow=True
    ),
    "the session ends in mid-run": Case(
        0, (Fault(FaultKind.KILLED_SESSION, skip=2),), is_slow=True
    ),
    "the session ends in mid-run with a second factor": Case(
        0, (Fault(FaultKind.KILLED_SESSION, skip=2),), KEPT | SECOND_FACTOR, has_second_factor=True
    ),
    "the bearer token ends in mid-run": Case(
        0, (Fault(FaultKind.KILLED_SESSION, skip=2),), KEPT | DIRECT, is_slow=True
    ),
    "no session is good enough": Case(2, refuses("export", 401, times=None)),
    "the account may not download": Case(2, settings={"username": "viewer"}),
    "an export is answered 500 with a page": Case(
        1, refuses("export", 500, body=PAGE, content_type="text/html"), ONCE, is_slow=True
    ),
    "an export is cut": Case(1, (Fault(FaultKind.CUT_BODY),), ONCE, is_slow=True),
    "an export is reset": Case(1, (Fault(FaultKind.RESET, after_bytes=9_000),), ONCE, is_slow=True),
    "the certificate is another's": Case(3, settings={"ca_file": "other/" + CERTIFICATE_FILE}),
    "the certificate is not checked": Case(0, settings={"tls_insecure": True}, is_slow=True),
    "the login is echoed with 400": Case(1, echoes("login", 400), ONCE),
    "the login is echoed with 401": Case(2, echoes("login", 401)),
    "the login is echoed with 418 as text": Case(1, echoes("login", 418, "text/plain"), ONCE),
    "the login is echoed with 500": Case(1, echoes("login", 500), ONCE),
    "the list of cameras is echoed with 418": Case(1, echoes("bootstrap", 418), ONCE),
    "the list of cameras is echoed with 200": Case(1, echoes("bootstrap", 200), ONCE),
    "the list of events is echoed with 403": Case(2, echoes("events", 403, times=None)),
    "the list of events is echoed with 200 as text": Case(
        1, echoes("events", 200, "text/plain"), ONCE
    ),
    "an export is echoed with 418": Case(1, echoes("export", 418), ONCE),
    "an export is echoed with 500 as text": Case(
        1, echoes("export", 500, "text/plain"), ONCE, is_slow=True
    ),
    "an export is echoed with 200 as a video": Case(
        1, echoes("export", 200, "video/mp4"), ONCE, is_slow=True
    ),
    "an export with a bearer token is echoed with 418": Case(
        1, echoes("export", 418), ONCE | DIRECT, is_slow=True
    ),
    "an export with a bearer token is echoed with 403": Case(
        2, echoes("export", 403, times=None), DIRECT
    ),
}
# In each of these a request raises an error of which nobody knows, and which tells all it knows.
BUGS = {
    "at the login": ("auth/login", Case(3)),
    "at the login under doit": ("auth/login", Case(3, command=DOIT)),
    "at the login, with a debugger": ("auth/login", Case(3, command=PDB)),
    "at the login with a second factor": (
        "auth/login",
        Case(3, settings=SECOND_FACTOR, has_second_factor=True),
    ),
    "at the login with a bearer token": ("api/auth", Case(3, settings=DIRECT)),
    "at the list of events": ("events", Case(1, is_slow=True)),
    "at the list of events with a bearer token": ("events", Case(1, settings=DIRECT)),
    "at the list of events with a second factor": (
        "events",
        Case(1, settings=SECOND_FACTOR, has_second_factor=True),
    ),
    "at an export, with a debugger": ("export", Case(1, command=PDB)),
    "at an export, with doit's own reporter": ("export", Case(1, command=DOIT_S_OWN)),
    "at an export, told as JSON": ("export", Case(1, command=AS_JSON)),
}
WITH_SESSION_FILE = [name for name, case in CASES.items() if "session_file" in case.settings]


@dataclass(frozen=True)
class Process:
    """A process as others see it."""

    pid: int
    command: bytes
    environment: bytes


class Watch:
    """Everything that /proc shows of a run and its children, again and again until it ends."""

    def __init__(self) -> None:
        self.mark = f"CANARY_RUN={uuid4()}"
        self.seen: set[Process] = set()
        self._others: set[tuple[int, bytes]] = set()
        self._is_over = Event()
        self._thread = Thread(target=self._look_again_and_again)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Look from now on, until the block ends."""
        self._thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._thread.join()

    def _look_again_and_again(self) -> None:
        while not self._is_over.wait(0.01):
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    self._look_at(int(folder.name), folder)

    def _look_at(self, pid: int, folder: Path) -> None:
        # In this order: who has become another program by now has its environment, too.
        command = (folder / "cmdline").read_bytes()
        if (pid, command) in self._others:
            return
        environment = (folder / "environ").read_bytes()
        if self.mark.encode() in environment:
            self.seen.add(Process(pid, command, environment))
        elif (folder / "cmdline").read_bytes() == command:
            self._others.add((pid, command))


@dataclass
class Scene:
    """A user's folder, a console that keeps record of its secrets, and an eye on the processes."""

    project: Project
    console: SimulatedConsole
    watch: Watch = field(default_factory=Watch)
    pid: int = 0

    def start(self, case: Case) -> "subprocess.Popen[str]":
        """Let a case happen."""
        folder = self.project.folder
        for name in ("other", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        server_context(folder / "other")
        self.project.configure(**case.settings)
        self.console.order(*case.faults)
        surroundings = {"TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
        name, _, value = self.watch.mark.partition("=")
        if case.has_second_factor:
            surroundings["UPVS_TOTP_SECRET"] = self.totp_secret
        process = self.project.start_bare(
            *case.command, environment=surroundings | {name: value} | dict(case.environment)
        )
        self.pid = process.pid
        return process

    def run(self, case: Case) -> Finished:
        """Let a case happen to its end."""
        with self.watch.at_work():
            process = self.start(case)
            output, _ = process.communicate(timeout=120)
        return Finished(process.returncode, output)

    @property
    def totp_secret(self) -> str:
        """The second factor's secret, as its owner was given it."""
        return self.console.account("careful").totp_secret_text

    @property
    def owners_secrets(self) -> list[bytes]:
        """What its owner typed, and what may not even be in a file of ours that is private."""
        secret = self.totp_secret.encode()
        return [b"canary7fe3", b"CANARY7FE3", secret, secret[:16], b32decode(secret)]

    @property
    def issued_secrets(self) -> list[bytes]:
        """What the console gave out in the run: tokens, whole or cut off, and CSRF tokens."""
        issued = [secret.encode() for secret in self.console.issued_secrets]
        tokens = [secret for secret in issued if b"." in secret]
        return issued + [part for token in tokens for part in (token[:20], token[-20:])]

    def places(self, output: str) -> list[str]:
        """Where a secret is found that may not be there."""
        secrets = forms(self.owners_secrets + self.issued_secrets)
        private = forms(self.owners_secrets)
        session_file = self.project.folder / "session.json"
        found = [
            str(path.relative_to(self.project.folder))
            for path in sorted(self.project.folder.rglob("*"))
            if path.is_file() and holds(path, private if path == session_file else secrets)
        ]
        if any(form in output.encode() for form in secrets):
            found.append("what was said")
        if any(form in one.command for form in secrets for one in self.watch.seen):
            found.append("the list of processes")
        return found


After = Callable[[str], tuple[Scene, Finished]]


def forms(secrets: list[bytes]) -> list[bytes]:
    """Each secret as it is, in hexadecimal, and in base 64 wherever it may begin."""
    spelled = {form for secret in secrets for form in (secret, secret.hex().encode())}
    for secret in secrets:
        for skipped in range(3):
            # The outermost letters depend on what surrounds the secret.
            spelled.add(b64encode(bytes(skipped) + secret)[4 if skipped else 0 : -4])
    return sorted(spelled)


def holds(path: Path, secrets: list[bytes]) -> bool:
    """Whether a file holds any of the secrets, in its bytes or in its name."""
    content = path.read_bytes() + b"\0" + str(path).encode()
    return any(secret in content for secret in secrets)


def in_tiers(names: Iterable[str]) -> list[object]:
    """Names of cases, the slow ones marked as such."""
    return [
        pytest.param(name, marks=pytest.mark.slow if CASES[name].is_slow else ()) for name in names
    ]


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate is kept, so that it is made once."""
    return tmp_path_factory.mktemp("console")


@contextmanager
def a_scene(folder: Path, state_dir: Path) -> Iterator[Scene]:
    """A quiet day of a small camera, on a console that changes its CSRF token all the time."""
    behaviour = Behaviour(login_limit_per_minute=None, csrf=Csrf.ROTATING)
    with SimulatedConsole(behaviour=behaviour, state_dir=state_dir, password=PASSWORD) as console:
        yield Scene(Project(folder / "home", console), console)


@pytest.fixture
def scene(tmp_path: Path, state_dir: Path) -> Iterator[Scene]:
    """Where nothing has happened yet."""
    with a_scene(tmp_path, state_dir) as scene:
        yield scene


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory, state_dir: Path) -> After:
    """How a case has ended; it happens once, whoever asks, so that tests only look."""

    @cache
    def happened(name: str) -> tuple[Scene, Finished]:
        with a_scene(tmp_path_factory.mktemp("scene"), state_dir) as scene:
            return scene, scene.run(CASES[name])

    return happened


@pytest.mark.parametrize("name", in_tiers(CASES))
def test_nothing_is_given_away_when(after: After, name: str) -> None:
    case = CASES[name]
    scene, run = after(name)
    assert run.code == case.code, run.output
    assert all(fault.times is None for fault in scene.console.outstanding_faults)
    assert "Traceback" not in run.output
    assert bool(scene.watch.seen) is SHOWS_PROCESSES
    assert scene.places(run.output) == []


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * BUGS[one][1].is_slow) for one in BUGS]
)
def test_a_bug_gives_nothing_away(scene: Scene, name: str) -> None:
    """Neither its traceback, nor a debugger, nor what libraries log when all of them may."""
    place, case = BUGS[name]
    run = scene.run(replace(case, environment={"TALKATIVE_BUG": place, **talkative()}))
    assert run.code == case.code, run.output
    assert "a bug that tells" in run.output
    assert "DEBUG:urllib3" in run.output or place != "export"
    assert scene.places(run.output) == []


@pytest.mark.parametrize("settings", [{}, DIRECT, SECOND_FACTOR], ids=["cookie", "bearer", "code"])
def test_what_libraries_log_gives_nothing_away(
    scene: Scene, settings: Mapping[str, object]
) -> None:
    """urllib3 tells of each request, and shows its path."""
    has_second_factor = settings is SECOND_FACTOR
    case = Case(0, (), settings, talkative(), has_second_factor=has_second_factor)
    run = scene.run(case)
    assert run.code == 0, run.output
    assert re.search(r"DEBUG:urllib3.*/auth.* 200", run.output)
    assert re.search(r"DEBUG:urllib3.*/video/export.* 200", run.output)
    assert scene.places(run.output) == []


def talkative() -> dict[str, str]:
    """Surroundings in which every library logs all it can."""
    return {"PYTHONPATH": os.pathsep.join((str(TALKATIVE), str(REPOSITORY)))}


@pytest.mark.parametrize("form", range(5))
def test_a_secret_is_found_in_any_form(scene: Scene, form: int) -> None:
    """In a name, in the middle of a binary file, in base 64, in hexadecimal, in what was said."""
    secret, folder = PASSWORD.encode(), scene.project.folder
    assert scene.places("whatever") == []
    match form:
        case 0:
            (folder / "canary7fe3.txt").touch()
        case 1:
            (folder / ".hidden").write_bytes(b"\0\xff" + secret + b"\0")
        case 2:
            (folder / ".hidden").write_bytes(b64encode(b"timelapse:" + secret))
        case 3:
            (folder / ".hidden").write_text(secret.hex())
    assert len(scene.places(PASSWORD if form == 4 else "")) == 1


@pytest.mark.parametrize("name", in_tiers(WITH_SESSION_FILE))
def test_only_its_owner_may_read_the_session_when(after: After, name: str) -> None:
    scene, run = after(name)
    assert run.code == 0
    session_file = scene.project.folder / "session.json"
    assert stat.S_IMODE(session_file.stat().st_mode) == 0o600
    assert holds(session_file, scene.issued_secrets)


@pytest.mark.parametrize("path", ["login", "bootstrap", "events"])
def test_nothing_is_given_away_when_killed_while_the_console_thinks_about(
    scene: Scene, path: str
) -> None:
    case = Case(-signal.SIGKILL, (Fault(FaultKind.STALL_FIRST, path=path),), KEPT)
    output = killed(scene, case, lambda: True)
    assert scene.places(output) == []


def test_nothing_is_given_away_when_killed_in_mid_download(scene: Scene) -> None:
    case = Case(-signal.SIGKILL, (Fault(FaultKind.STALL_BODY, skip=2),), KEPT | {"max_workers": 1})
    output = killed(scene, case, lambda: bool(partials(scene, "clips")))
    assert partials(scene, "clips")
    assert scene.places(output) == []


@pytest.mark.parametrize("engine", ["segments", "concat"])
def test_nothing_is_given_away_when_killed_in_mid_render(scene: Scene, engine: str) -> None:
    case = Case(-signal.SIGKILL, settings={"engine": engine, "preset": "veryslow", "nice": 19})
    output = killed(scene, case, lambda: bool(partials(scene, ".")))
    assert scene.places(output) == []


@pytest.mark.skipif(not SHOWS_PROCESSES, reason="this system shows nobody's environment")
@pytest.mark.parametrize("name", ["all is well with ffmpeg", "all is well with a second factor"])
def test_no_child_is_handed_a_secret_when(after: After, name: str) -> None:
    """What renders has no need of the password, and so does not inherit it."""
    scene, _ = after(name)
    ours = {one.command for one in scene.watch.seen if one.pid == scene.pid}
    children = {one for one in scene.watch.seen if one.command and one.command not in ours}
    assert children
    assert [
        one.command for one in children if any(s in one.environment for s in scene.owners_secrets)
    ] == []


def killed(scene: Scene, case: Case, is_time: Callable[[], bool]) -> str:
    """Let a case happen until its fault is met and it is time, then kill; gives what was said."""
    with scene.watch.at_work():
        process = scene.start(case)
        if case.faults:
            scene.console.wait_for_stalls()
        for _ in deadline():
            if is_time():
                break
            assert process.poll() is None, "it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    scene.console.release()
    assert process.returncode == case.code
    return output


def partials(scene: Scene, folder: str) -> list[Path]:
    """Files half written below one of the day's folders."""
    return list((scene.project.out / folder).rglob("*.partial"))
