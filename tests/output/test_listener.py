"""Streams that never fail, whoever listens."""

import io
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from upvs_tasks.escaping import one_line
from upvs_tasks.output.listener import Listener, hide_secrets, listening, plain
from upvs_tasks.redaction import Redactor

REPOSITORY = Path(__file__).parents[2]
# A file that is always full; not every system has it.
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
PROGRAM = """
import sys
from upvs_tasks.output import listener
listener.secure_streams()
for number in range(10_000):
    print("Küche \\u732b", number)
print("Küche \\u732b", file=sys.stderr)
sys.exit(7)
"""


def said(command: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell's command line in which $PROGRAM speaks a lot and ends with code 7."""
    python = f'"{sys.executable}" -c "$PROGRAM"'
    return subprocess.run(
        [which("bash") or "bash", "-c", f"set -o pipefail; {command.replace('SPEAK', python)}"],
        env=os.environ | {"PROGRAM": PROGRAM, "PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "SPEAK",
        "SPEAK | head -1",
        pytest.param("SPEAK >/dev/full", marks=needs_full),
        pytest.param("SPEAK 2>/dev/full", marks=needs_full),
        pytest.param("SPEAK >/dev/full 2>&1", marks=needs_full),
        "SPEAK >&-",
        "SPEAK 2>&-",
        "SPEAK >&- 2>&- <&-",
    ],
)
def test_a_program_ends_as_it_would_whoever_listens(command: str) -> None:
    ended = said(command)

    assert ended.returncode == 7
    assert b"Traceback" not in ended.stdout + ended.stderr
    assert b"Exception ignored" not in ended.stderr


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"K\\xfcche \\u732b\n"),
        ("latin-1", b"K\xfcche \\u732b\n"),
        ("ascii:strict", b"K\\xfcche \\u732b\n"),
        ("utf-8", "Küche 猫\n".encode()),
    ],
)
def test_what_an_encoding_has_not_is_escaped(encoding: str, shown: bytes) -> None:
    ended = said("SPEAK", PYTHONIOENCODING=encoding)

    assert ended.returncode == 7
    assert ended.stderr == shown


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_closed_stream(closed: str) -> None:
    """What a codec writes to stderr would be in that file."""
    program = """
import os
from upvs_tasks.output import listener
listener.secure_streams()
raise SystemExit(os.open("/", os.O_RDONLY))
"""
    ended = said(f"SPEAK {closed}", PROGRAM=program)

    assert ended.returncode > 2


def test_a_stream_that_is_no_file_may_fail_as_well() -> None:
    stream = io.StringIO()
    listener = listening(stream)
    stream.close()

    listener.write("whole\n")
    listener.writelines(["whole\n"])
    listener.flush()


def test_a_listener_is_the_stream_in_all_else() -> None:
    stream = io.StringIO()
    listener = Listener(stream)

    assert listener.write("whole") == 5
    assert listener.getvalue() == "whole"
    assert listening(listener) is listener  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Front Door", "Front Door"),
        ("Küche\u00a0猫 👨‍👩‍👧", "Küche\u00a0猫 👨‍👩‍👧"),
        ("Door\nreport     whole", "Door\\nreport     whole"),
        ("\x1b[2J\x1b]0;Door\x07", "\\x1b[2J\\x1b]0;Door\\x07"),
        ("\x9b2J\u2028\u202edoor", "\\x9b2J\\u2028\\u202edoor"),
    ],
)
def test_a_name_cannot_move_the_cursor_or_forge_a_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_what_others_write_shows_no_secret_and_our_own_sentences_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password may be a common word: hidden in each sentence of ours, it could be guessed."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", listening(stream))
    ours = plain(sys.stdout)
    hide_secrets(Redactor(["camera"]).redact)
    sys.stdout.write("{'password': 'camera'}\n")
    ours.write("no camera is called\n")
    assert stream.getvalue() == "{'password': '[hidden]'}\nno camera is called\n"


def test_only_a_bar_may_move_the_cursor() -> None:
    stream = io.StringIO()
    listener = Listener(stream)
    listener.write("\x1b[2Jred\r\n\ttext\n")
    listener.raw().write("\x1b[2K")
    assert stream.getvalue() == "\\x1b[2Jred\\r\n\ttext\n\x1b[2K"
