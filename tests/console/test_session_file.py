import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.console.conftest import Running
from tests.console.harness import ConsoleHarness
from upvs_tasks.console.client import Console
from upvs_tasks.console.session_file import SavedSession, SessionFile
from upvs_tasks.errors import SettingsError, Unauthorized
from upvs_tasks.simulator import Behaviour, Csrf, Fault, FaultKind, Flavour

HOUR_SECS = 3_600
NOW_SECS = 1_705_341_600.0
SESSION = SavedSession("TOKEN", "cookie", "csrf", int(NOW_SECS) + HOUR_SECS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the session is to be kept."""
    return tmp_path / "private" / "session.json"


def keeping(
    harness: ConsoleHarness, path: Path, *, direct: bool = False, username: str = ""
) -> Console:
    """One more process's client."""
    return harness.client(
        harness.endpoint(direct=direct),
        harness.credentials(username=username),
        session_file=path,
    )


def file_of(path: Path, *, host: str = "https://192.0.2.1", user: str = "somebody") -> SessionFile:
    return SessionFile(path, base_url=host, username=user)


@pytest.mark.parametrize("cookie_name", ["TOKEN", "UOS_TOKEN"])
@pytest.mark.parametrize("csrf", list(Csrf))
def test_a_later_process_goes_on_with_the_session(
    running: Running, path: Path, cookie_name: str, csrf: Csrf
) -> None:
    """Several commands burn one of the five logins a minute."""
    harness = running(Behaviour(cookie_name=cookie_name, csrf=csrf))
    for _ in range(7):
        assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 1


def test_a_session_is_kept_where_the_system_knows_no_owner_of_a_file(
    running: Running, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: there the folder decides who may read it."""
    monkeypatch.delattr(os, "fchmod")
    monkeypatch.delattr(os, "getuid")
    harness = running(Behaviour())
    for _ in range(2):
        assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 1


def test_a_direct_recorder_s_token_is_kept_as_well(running: Running, path: Path) -> None:
    """It says itself how long it lasts."""
    harness = running(Behaviour(flavour=Flavour.LEGACY))
    for _ in range(2):
        assert keeping(harness, path, direct=True).bootstrap().cameras
    assert harness.asked("login") == 1


def test_nothing_is_kept_unless_asked_for(harness: ConsoleHarness, tmp_path: Path) -> None:
    """A cookie on the disk is a decision."""
    harness.console.bootstrap()
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_private_and_holds_no_password(harness: ConsoleHarness, path: Path) -> None:
    """Nor the user's name or the console's address."""
    keeping(harness, path).bootstrap()
    assert path.stat().st_mode & 0o777 == 0o600
    written = path.read_text(encoding="utf-8")
    assert orjson.loads(written).keys() == {"owner", "name", "token", "csrf_token", "expires_secs"}
    for secret in (harness.simulated.password, harness.simulated.username, "127.0.0.1"):
        assert secret not in written
    assert [other.name for other in path.parent.iterdir() if other.suffix == ".partial"] == []


def test_a_session_that_the_console_forgot_is_dropped_and_renewed(
    harness: ConsoleHarness, path: Path
) -> None:
    """One fresh login, kept in its place."""
    keeping(harness, path).bootstrap()
    former = path.read_bytes()
    harness.simulated.kill_sessions()
    assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 2
    assert path.read_bytes() != former
    assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 2


def test_a_session_that_ended_is_gone_even_if_there_is_no_new_one(
    harness: ConsoleHarness, path: Path
) -> None:
    """Nobody else need try it."""
    keeping(harness, path).bootstrap()
    harness.simulated.kill_sessions()
    harness.simulated.order(Fault(FaultKind.STATUS, path="login", status=401))
    with pytest.raises(Unauthorized):
        keeping(harness, path).bootstrap()
    assert not path.exists()


@pytest.mark.parametrize(("left_secs", "is_used"), [(61, True), (60, False), (-1, False)])
def test_a_session_about_to_end_is_not_used(path: Path, left_secs: int, *, is_used: bool) -> None:
    """The last minute is not worth a question."""
    kept = replace(SESSION, expires_secs=int(NOW_SECS) + left_secs)
    file_of(path).write(kept)
    assert file_of(path).read(NOW_SECS) == (kept if is_used else None)


@pytest.mark.parametrize(
    ("host", "user"), [("https://192.0.2.2", "somebody"), ("https://192.0.2.1", "somebody else")]
)
def test_another_console_s_or_user_s_session_is_ignored(path: Path, host: str, user: str) -> None:
    """And left where it is, until a login of our own."""
    file_of(path).write(SESSION)
    assert file_of(path, host=host, user=user).read(NOW_SECS) is None
    file_of(path, host=host, user=user).drop(SESSION.token)
    assert file_of(path).read(NOW_SECS) == SESSION


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o622])
def test_a_file_that_others_can_read_is_deleted_with_a_warning(
    harness: ConsoleHarness, path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """Whoever read it may be in already; the session in it is not used any more."""
    keeping(harness, path).bootstrap()
    token = orjson.loads(path.read_bytes())["token"]
    path.chmod(mode)
    assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert orjson.loads(path.read_bytes())["token"] != token
    warned = [record.getMessage() for record in caplog.records]
    assert warned == ["session file was not private and is deleted"]
    assert token not in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"owner": "x", "name": "TOKEN", "token": "t", "csrf_token": "c", "expires_secs": "1"}',
    ],
)
def test_a_session_that_makes_no_sense_costs_a_login(
    harness: ConsoleHarness, path: Path, content: bytes
) -> None:
    """And is replaced."""
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    assert keeping(harness, path).bootstrap().cameras
    assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 1


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize(
    "content",
    [b"my notes", b"hunter2\n", b'host = "demo"\n', b"{", b"[]", b"\xff\xfe", b'{"owner": 1}'],
)
def test_a_file_that_is_no_session_is_refused_and_stays_as_it_is(
    harness: ConsoleHarness, path: Path, content: bytes, mode: int
) -> None:
    """Somebody has named the wrong file; nothing is asked of the console, either."""
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(SettingsError, match="is no session of upvs and stays as it is"):
        keeping(harness, path).bootstrap()
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == mode
    assert harness.simulated.requests == ()


def test_a_pipe_is_refused_and_not_opened(harness: ConsoleHarness, path: Path) -> None:
    """To open one would wait for ever; a device would be deleted."""
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="is no session of upvs"):
        keeping(harness, path).bootstrap()
    assert path.is_fifo()


def test_a_file_that_came_in_between_is_not_replaced(path: Path) -> None:
    """Looked at once more before it is written."""
    file = file_of(path)
    assert file.read(NOW_SECS) is None
    path.parent.mkdir()
    path.write_bytes(b"my notes")
    with pytest.raises(SettingsError):
        file.write(SESSION)
    assert path.read_bytes() == b"my notes"


@pytest.mark.parametrize(
    ("name", "value"),
    [("token", "a\r\nb"), ("token", ""), ("name", "Host"), ("csrf_token", "a\r\nb")],
)
def test_a_kept_value_that_is_fit_for_no_header_is_not_sent(
    harness: ConsoleHarness, path: Path, name: str, value: str
) -> None:
    """Whoever wrote it there."""
    keeping(harness, path).bootstrap()
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {name: value}))
    assert keeping(harness, path).bootstrap().cameras


def test_a_folder_that_may_not_be_written_costs_a_login_and_a_warning(
    harness: ConsoleHarness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The run does not need the file."""
    (tmp_path / "file").write_bytes(b"")
    assert keeping(harness, tmp_path / "file" / "session.json").bootstrap().cameras
    assert "session cannot be kept" in {record.getMessage() for record in caplog.records}


def test_a_newer_session_of_another_process_is_not_dropped(path: Path) -> None:
    """It may well be good."""
    file_of(path).write(SESSION)
    file_of(path).drop("an older cookie")
    assert file_of(path).read(NOW_SECS) == SESSION
    file_of(path).drop(SESSION.token)
    assert not path.exists()


def test_an_interrupted_write_leaves_the_former_session(path: Path) -> None:
    """And what it left behind is in nobody's way."""
    file_of(path).write(SESSION)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(b'{"owner": ')
    partial.chmod(0o600)
    assert file_of(path).read(NOW_SECS) == SESSION
    newer = replace(SESSION, token="newer")
    file_of(path).write(newer)
    assert file_of(path).read(NOW_SECS) == newer


def test_processes_that_write_at_once_leave_one_whole_session(path: Path) -> None:
    """Whichever of them comes last."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from upvs_tasks.console.session_file import SavedSession, SessionFile\n"
        "file = SessionFile(Path(sys.argv[1]), base_url='https://192.0.2.1', username='somebody')\n"
        "met = False\n"
        "for number in range(60):\n"
        "    token = sys.argv[2] * (1 + number % 5 * 400_000)\n"
        "    file.write(SavedSession('TOKEN', token, '', int(sys.argv[3])))\n"
        "    kept = file.read(0)\n"
        "    assert len(set(kept.token)) == 1 if kept else not met\n"
        "    met = met or kept is not None\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    writers = [
        subprocess.Popen([*command, letter, str(int(time.time()) + HOUR_SECS)]) for letter in "ab"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    kept = file_of(path).read(NOW_SECS)
    assert kept is not None
    assert set(kept.token) in ({"a"}, {"b"})


def test_threads_that_start_together_take_up_one_kept_session(
    harness: ConsoleHarness, path: Path
) -> None:
    """It is read once."""
    keeping(harness, path).bootstrap()
    later = keeping(harness, path)
    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(lambda _: later.bootstrap().cameras, range(8)))
    assert harness.asked("login") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_owner_is_not_used(harness: ConsoleHarness, path: Path) -> None:
    """Whoever owns it can read it, and could have written it."""
    keeping(harness, path).bootstrap()
    os.chown(path, 65_534, 65_534)
    assert keeping(harness, path).bootstrap().cameras
    assert harness.asked("login") == 2
