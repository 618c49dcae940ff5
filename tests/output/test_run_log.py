import datetime as dt
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.sentences import one_sentence
from upvs_tasks.output import run_log
from upvs_tasks.redaction import Redactor

LOG = logging.getLogger("upvs_tasks.phases.fetch")
HIDDEN = "[hidden]"
# Anything that a keyboard, a password manager or an environment of bytes can come up with. Square
# brackets are left out: the mark that takes the password's place has them.
PASSWORDS = st.text(
    st.sampled_from("\\'\"\n\t %{}&=;") | st.characters(exclude_characters="[]"), min_size=1
)
TOKEN = "q7Zk-9_4Jx.8s~2+f/Lw=="
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiI2NmEwIn0.s5V-Hk_3q0ZzX1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is to be."""
    return tmp_path / "logs" / "run.log"


@pytest.fixture
def log_file(path: Path) -> Iterator[Path]:
    """A log without secrets that is being written."""
    handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
    yield path
    run_log.stop(handler)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What was logged."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def logged(write: Callable[[], None], *secrets: str) -> str:
    """All text of what is logged, with the texts that JSON escapes as they are.

    What stands between them is in no secret.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        handler = run_log.start(path, Redactor(secrets), pytest.fail, verbose=True)
        try:
            write()
        finally:
            run_log.stop(handler)
        [line] = lines_of(path)
    return "[]".join(str(line[name]) for name in line if name not in {"ts", "level", "source"})


def in_the_message(text: str) -> None:
    """Log a text as the event."""
    LOG.info("login as %s failed", text)


def in_a_fact(text: str) -> None:
    """Log a text beside the event."""
    LOG.info("login failed", extra={"body": text})


def in_a_path(text: str) -> None:
    """Log a text in a value that is none."""
    LOG.info("login failed", extra={"error": ValueError(f"login as {text} failed")})


def in_a_traceback(text: str) -> None:
    """Log a text in an exception and in its cause."""
    broken = RuntimeError(text)
    broken.__cause__ = ValueError(f"login as {text} failed")
    _break(broken)


PLACES = [in_the_message, in_a_fact, in_a_path, in_a_traceback]


def in_a_dictionary(text: str) -> None:
    """Log a text within what Python shows as a literal."""
    LOG.info("login failed", extra={"body": {"password": text}})


def in_a_missing_key(text: str) -> None:
    """Log a text in an exception that Python shows as a literal."""
    _break(KeyError(text))


def in_json(text: str) -> None:
    """Log a text within a request's body."""
    LOG.info("login failed", extra={"body": orjson.dumps({"password": text}).decode()})


def _break(error: Exception) -> None:
    try:
        raise error
    except type(error):
        LOG.exception("task broke")


def test_each_line_tells_when_how_grave_what_and_where(path: Path) -> None:
    """In UTC, to the millisecond; facts keep their types."""
    handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
    facts = {"clips": 3, "secs": 0.5, "whole": True, "reason": None, "folder": Path("/films")}
    record = {"name": LOG.name, "levelno": logging.WARNING, "levelname": "WARNING"}
    moment = {"created": 1_705_320_000.5, "msecs": 500.0}
    LOG.handle(logging.makeLogRecord(record | moment | {"msg": "clip failed"} | facts))
    run_log.stop(handler)

    [line] = lines_of(path)
    assert line == {
        "ts": "2024-01-15T12:00:00.500Z",
        "level": "warning",
        "event": "clip failed",
        "source": "upvs_tasks.phases.fetch",
        "clips": 3,
        "secs": 0.5,
        "whole": True,
        "reason": None,
        "folder": "/films",
    }
    assert dt.datetime.fromisoformat(line["ts"]).tzinfo is not None


@given(st.text() | st.sampled_from(["a\nb", "a\r\nb", "\u2028", "\x85", '"', "\\", "\0", "%s"]))
@example("\udcff")
def test_each_event_is_one_line(text: str) -> None:
    """Whatever is in it, also bytes of a path that are no UTF-8."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
        LOG.info("%s", text, extra={"folder": Path("/films") / text})
        LOG.info("%s", text)
        run_log.stop(handler)

        assert len(path.read_bytes().splitlines()) == 2
        assert all(orjson.loads(line) for line in path.read_bytes().splitlines())


def test_what_cannot_be_written_is_not_blurted_out_on_the_terminal(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python's own logging shows a record that fails, secrets and all, on stderr."""
    LOG.info("run begins", extra={"out_dir": "/films/\udcff"})

    assert capsys.readouterr().err == ""
    assert len(lines_of(log_file)) == 1


def test_a_traceback_is_kept(log_file: Path) -> None:
    """With its causes: a bug is to be found by the log alone."""
    in_a_traceback("somebody")

    [line] = lines_of(log_file)
    assert (line["event"], line["level"]) == ("task broke", "error")
    assert "ValueError: login as somebody failed" in line["traceback"]
    assert "RuntimeError: somebody" in line["traceback"]
    assert "in _break" in line["traceback"]


def test_lines_of_many_threads_do_not_mix(log_file: Path) -> None:
    """Workers log at the same time."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: LOG.info("clip", extra={"number": number}), range(400)))

    assert sorted(line["number"] for line in lines_of(log_file)) == list(range(400))


@given(PASSWORDS, st.sampled_from(PLACES), st.text("ab", max_size=2))
@example(password="\udcff\udcfe", write=in_a_fact, around="")
@example(password="pass\nword", write=in_a_traceback, around="")
@example(password="%s", write=in_the_message, around="")
@example(password="\n", write=in_a_fact, around="")
def test_the_password_never_gets_through(
    password: str, write: Callable[[str], None], around: str
) -> None:
    """Whatever it is made of, in whatever it is written, and whatever stands next to it."""
    text = logged(lambda: write(f"{around}{password}{around}"), "other", password)

    assert HIDDEN in text
    assert not [piece for piece in text.split(HIDDEN) if password in piece]


@given(
    st.text(
        st.sampled_from("\\'\"\n\t\x00é猫") | st.characters(exclude_characters="[]"), min_size=6
    ).filter(lambda password: len(set(password)) > 3),
    st.sampled_from([in_a_dictionary, in_a_missing_key]),
)
@example(password="back\\slash", write=in_a_dictionary)
@example(password='it\'s "quoted"', write=in_a_missing_key)
@example(password="line\nbreak", write=in_a_dictionary)
def test_the_password_never_gets_through_as_a_literal(
    password: str, write: Callable[[str], None]
) -> None:
    """Python shows texts within others with escapes, which are easily undone."""
    text = logged(lambda: write(password), password)

    assert repr(password)[1:-1] not in text
    assert HIDDEN in text


@pytest.mark.parametrize("password", ["back\\slash", 'quo"ted', "line\nbreak"])
def test_the_password_never_gets_through_as_it_is_sent(password: str) -> None:
    """In the body of a login it has JSON's escapes."""
    text = logged(lambda: in_json(password), password)

    assert orjson.dumps(password).decode()[1:-1] not in text
    assert HIDDEN in text


def test_no_password_hides_nothing() -> None:
    """The demo has none, and an empty one is everywhere in every text."""
    assert "login as somebody failed" in logged(lambda: in_the_message("somebody"), "")


@pytest.mark.parametrize("write", [*PLACES, in_a_dictionary, in_a_missing_key, in_json])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (JWT, "s5V-Hk_3q0ZzX1"),
        (JWT, "eyJ1c2VySWQiOiI2NmEwIn0"),
        (f"token {JWT[:-15]}", "eyJ1c2VySWQiOiI2NmEwIn0"),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"authorization: bearer {TOKEN}", TOKEN),
        (f"Set-Cookie: TOKEN={TOKEN}; path=/; httponly", TOKEN),
        (f"Cookie: a=b; UOS_TOKEN={TOKEN}", TOKEN),
        (f"<Cookie TOKEN={TOKEN} for 192.168.1.1/>", TOKEN),
    ],
)
def test_a_token_never_gets_through(write: Callable[[str], None], text: str, secret: str) -> None:
    """Nobody tells the log of those beforehand: their shape gives them away."""
    assert secret not in logged(lambda: write(text))


def test_what_stands_beside_a_secret_is_still_to_be_read() -> None:
    """A log that hides everything tells nothing."""
    text = logged(lambda: in_a_fact(f"Set-Cookie: TOKEN={TOKEN}; path=/ for {JWT}, says hunter2"))

    assert "path=/ for" in text
    assert "says hunter2" in text


def test_text_for_the_terminal_can_be_made_as_discreet() -> None:
    """By the same rules."""
    assert Redactor(["hunter2"]).redact(f"as hunter2 with {JWT}") == f"as {HIDDEN} with {HIDDEN}"
    assert Redactor().redact("as hunter2") == "as hunter2"


@pytest.mark.parametrize(
    ("verbose", "events"), [(False, ["step", "problem"]), (True, ["detail", "step", "problem"])]
)
def test_details_are_logged_only_if_asked_for(
    path: Path, *, verbose: bool, events: list[str]
) -> None:
    """Every request and clip would be thousands of lines."""
    handler = run_log.start(path, Redactor(), pytest.fail, verbose=verbose)
    LOG.debug("detail")
    LOG.info("step")
    LOG.error("problem")
    run_log.stop(handler)

    assert [line["event"] for line in lines_of(path)] == events


def test_a_verbose_run_does_not_make_the_next_one_verbose(tmp_path: Path) -> None:
    """Each is as talkative as it was asked to be."""
    run_log.stop(run_log.start(tmp_path / "first.log", Redactor(), pytest.fail, verbose=True))
    handler = run_log.start(tmp_path / "second.log", Redactor(), pytest.fail, verbose=False)
    LOG.debug("detail")
    run_log.stop(handler)

    assert lines_of(tmp_path / "second.log") == []


def test_a_run_goes_on_where_the_last_one_stopped(path: Path) -> None:
    """The log tells of all runs."""
    for event in ("first", "second"):
        handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
        LOG.info(event)
        run_log.stop(handler)

    assert [line["event"] for line in lines_of(path)] == ["first", "second"]


def test_nothing_is_logged_once_the_log_is_closed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is free to be moved away; and a thread that still logs is not heard on stderr."""
    handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
    run_log.stop(handler)
    LOG.error("too late")

    assert lines_of(path) == []
    assert capsys.readouterr().err == ""


def test_other_programs_do_not_write_into_our_log(log_file: Path) -> None:
    """What libraries say is theirs, and may hold anything."""
    logging.getLogger("urllib3.connectionpool").warning("Authorization: somebody")

    assert lines_of(log_file) == []


@pytest.fixture
def terminal() -> Iterator[StringIO]:
    """What somebody who set up logging for all programs would see."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_our_log_does_not_spill_onto_the_terminal(
    log_file: Path, terminal: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal has lines of its own."""
    LOG.error("problem")

    assert len(lines_of(log_file)) == 1
    assert terminal.getvalue() == ""
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("taken", ["logs", "logs/run.log/inner"])
def test_a_log_that_cannot_be_written_is_told_once_in_a_sentence(
    tmp_path: Path, taken: str
) -> None:
    """A file in place of its folder, and a folder in its place; what is logged goes nowhere."""
    path = tmp_path / "logs" / "run.log"
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("in the way")
    told: list[str] = []

    handler = run_log.start(path, Redactor(), told.append, verbose=False)
    for _ in range(2):
        LOG.info("event")
    run_log.stop(handler)

    [sentence] = told
    assert str(path) in one_sentence(sentence)


def test_a_pipe_in_place_of_the_log_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    told: list[str] = []

    run_log.stop(run_log.start(path, Redactor(), told.append, verbose=False))

    [sentence] = told
    assert str(path) in one_sentence(sentence)


def test_a_line_that_a_full_disk_cut_off_does_not_spoil_the_next(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"event": "cut o')

    handler = run_log.start(path, Redactor(), pytest.fail, verbose=False)
    LOG.info("next")
    run_log.stop(handler)

    _, line = path.read_bytes().splitlines()
    assert orjson.loads(line)["event"] == "next"
