import hashlib
import io
import itertools
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.console.conftest import Running
from tests.console.harness import CAMERA_ID, DAY, ConsoleHarness
from tests.console.scripted import ENTERED, Answer, ScriptedServer, Seen
from upvs_tasks.clock import Clock
from upvs_tasks.console.export import Download, as_received
from upvs_tasks.errors import (
    ConsoleError,
    ExportImpossibleError,
    MaxAttemptsExceeded,
    NoFootageError,
    PermanentError,
    TransientError,
)
from upvs_tasks.simulator import Behaviour, Fault, FaultKind, Length, NoFootageAnswer

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 64
CHUNKED = b"18\r\n" + VIDEO[:24] + b"\r\n0\r\n\r\n"
CONTRADICTION = (("Transfer-Encoding", "chunked"), ("Content-Length", "100"))
LARGE_BYTES = 200_000_000


def sent_by(answer: Answer, state_dir: Path) -> bytes:
    """What an export makes of one answer."""
    into = io.BytesIO()

    def answered(seen: Seen) -> Answer:
        return ENTERED if seen.path == "/api/auth/login" else answer

    with ScriptedServer(state_dir, answered) as server:
        console = server.client(attempts=1)
        console.export("c1", start_ms=0, end_ms=1_000, into=into, accept=as_received)
    return into.getvalue()


@pytest.mark.parametrize("length", list(Length))
def test_a_clip_arrives_as_it_was_sent(running: Running, length: Length) -> None:
    """However its end is told; with its size and digest."""
    harness = running(Behaviour(content_length=length))
    into = io.BytesIO()
    download = harness.export(into)
    content = into.getvalue()
    assert content[4:8] == b"ftyp"
    assert download.size_bytes == len(content) == harness.simulated.exports[0].bytes_sent
    assert download.sha256 == hashlib.sha256(content).hexdigest()


def test_an_export_asks_for_camera_start_and_end(harness: ConsoleHarness) -> None:
    """The specification's parameters and no other."""
    harness.export(start_ms=DAY.start_ms)
    assert harness.simulated.exports[0].query == (
        ("camera", CAMERA_ID),
        ("start", str(DAY.start_ms)),
        ("end", str(DAY.start_ms + 10_000)),
    )


def test_bytes_are_told_as_they_come(harness: ConsoleHarness) -> None:
    """Their sum is the file."""
    told: list[int] = []
    download = harness.console.export(
        CAMERA_ID,
        start_ms=DAY.start_ms,
        end_ms=DAY.start_ms + 5_000,
        into=io.BytesIO(),
        on_bytes=told.append,
        accept=as_received,
    )
    assert sum(told) == download.size_bytes


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(FaultKind.CUT_BODY), r"after \d+ bytes: the console's answer was cut off"),
        (Fault(FaultKind.HTML), "sent text/html instead of a video"),
        (Fault(FaultKind.EMPTY), "sent an empty file"),
        (Fault(FaultKind.WRONG_BYTES), "does not begin like an MP4"),
        (Fault(FaultKind.RESET), "the connection|closed the connection"),
        (Fault(FaultKind.RESET, after_bytes=5_000), r"after \d+ bytes: "),
        (Fault(FaultKind.STATUS, status=500), "answered 500"),
        (Fault(FaultKind.STATUS, status=503), "answered 503"),
        (Fault(FaultKind.STATUS, status=408), "answered 408"),
        (Fault(FaultKind.STATUS, status=204), "answered 204 instead of 200"),
    ],
)
def test_what_may_heal_is_transient_and_says_what_was_seen(
    harness: ConsoleHarness, fault: Fault, reason: str
) -> None:
    """One attempt here: the policy decides whether there is another."""
    harness.console = harness.client(attempts=1)
    harness.simulated.order(fault)
    failure = harness.failed_export()
    assert re.search(reason, str(failure))
    assert "the export of 10 s" in str(failure)
    assert harness.asked("export") == 1
    assert harness.waits_secs == []


@pytest.mark.parametrize("kind", [FaultKind.STALL_FIRST, FaultKind.STALL_BODY])
def test_a_console_that_falls_silent_is_given_up_on(
    harness: ConsoleHarness, kind: FaultKind
) -> None:
    """Before the first byte, or in the middle."""
    harness.simulated.order(Fault(kind))
    harness.console = harness.client(attempts=1, read_timeout_secs=0.2)
    assert "the console fell silent" in str(harness.failed_export())
    harness.simulated.release()


def test_a_body_that_trickles_is_given_up_on(harness: ConsoleHarness) -> None:
    """Every read of it comes in time, and the whole would take days."""
    clock_secs = itertools.count(0.0, 25.0)
    clock = replace(harness.clock, monotonic_secs=lambda: next(clock_secs))
    console = harness.client(attempts=1, clock=clock)
    with pytest.raises(MaxAttemptsExceeded, match=r"sent only \d+ bytes in \d+ s"):
        console.export(
            CAMERA_ID,
            start_ms=DAY.start_ms,
            end_ms=DAY.start_ms + 60_000,
            into=io.BytesIO(),
            accept=as_received,
        )


def test_a_body_of_a_thousand_bytes_a_second_is_waited_for(running: Running) -> None:
    """However long it takes."""
    harness = running(Behaviour(grow_exports_to_bytes=2_000_000))
    clock_secs = itertools.count(0.0, 5.0)
    clock = replace(harness.clock, monotonic_secs=lambda: next(clock_secs))
    console, into = harness.client(attempts=1, clock=clock), io.BytesIO()
    console.export(
        CAMERA_ID, start_ms=DAY.start_ms, end_ms=DAY.start_ms + 1_000, into=into, accept=as_received
    )
    assert next(clock_secs) > 5 * 60
    assert len(into.getvalue()) >= 2_000_000


def test_each_attempt_starts_the_file_anew(harness: ConsoleHarness) -> None:
    """Nothing of a broken attempt is left, even if it was longer."""
    whole, into = io.BytesIO(), io.BytesIO(b"left over" * 1_000_000)
    harness.export(whole)
    harness.simulated.order(Fault(FaultKind.CUT_BODY))
    harness.export(into)
    assert len(harness.simulated.exports) == 3
    assert into.getvalue() == whole.getvalue()


def test_an_attempt_after_a_failure_is_counted_as_a_retry(harness: ConsoleHarness) -> None:
    """The console's own wait goes before ours."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=503, retry_after=4))
    download = harness.export()
    usage = harness.console.usage
    assert sum(harness.waits_secs) == pytest.approx(4, abs=0.1)
    assert (usage.logins, usage.retries) == (1, 1)
    assert harness.asked("export") == 2
    assert usage.received_bytes == download.size_bytes
    assert usage.longest_wait_secs > 0


def test_a_file_that_is_not_accepted_is_asked_for_again(harness: ConsoleHarness) -> None:
    """Whoever asked knows what a good file is; each attempt is judged anew."""
    judged: list[Download] = []

    def accept(download: Download) -> str:
        judged.append(download)
        if len(judged) < 3:
            raise TransientError("it has no end")
        return "accepted"

    result = harness.console.export(
        CAMERA_ID,
        start_ms=DAY.start_ms,
        end_ms=DAY.start_ms + 5_000,
        into=io.BytesIO(),
        accept=accept,
    )
    assert result == "accepted"
    assert len(judged) == 3
    assert len(set(judged)) == 1
    assert harness.waits_secs == [1, 2]


def test_a_file_that_is_never_accepted_is_given_up_on_with_the_reason(
    harness: ConsoleHarness,
) -> None:
    """After as many attempts as the policy allows."""

    def refuse(_download: Download) -> None:
        raise TransientError("it has no end")

    with pytest.raises(MaxAttemptsExceeded, match=r"after 3 attempts.*it has no end"):
        harness.console.export(
            CAMERA_ID,
            start_ms=DAY.start_ms,
            end_ms=DAY.start_ms + 5_000,
            into=io.BytesIO(),
            accept=refuse,
        )


@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize(
    ("header", "least_secs", "most_secs"),
    [(7, 7, 7), ("7", 7, 7), (formatdate(4e9, usegmt=True), 300, 300), ("soon", None, None)],
)
def test_the_console_s_wish_to_wait_is_passed_on(
    harness: ConsoleHarness,
    status: int,
    header: int | str,
    least_secs: float | None,
    most_secs: float | None,
) -> None:
    """In seconds, whichever way it was written."""
    harness.console = harness.client(attempts=1)
    harness.simulated.order(Fault(FaultKind.STATUS, status=status, retry_after=header))
    wish_secs = harness.failed_export().retry_after_secs
    if least_secs is None or most_secs is None:
        assert wish_secs is None
    else:
        assert wish_secs is not None
        assert least_secs <= wish_secs <= most_secs


@pytest.mark.parametrize("answer", [NoFootageAnswer.STATUS_404, NoFootageAnswer.STATUS_500])
def test_a_span_without_recording_is_no_failure_of_the_console(
    running: Running, answer: NoFootageAnswer
) -> None:
    """Newer builds say 404, older ones 500 and a sentence."""
    harness = running(Behaviour(no_footage=answer))
    with pytest.raises(NoFootageError, match="holds no recording") as caught:
        harness.export(start_ms=1_000_000_000_000)
    assert isinstance(caught.value, PermanentError)
    assert len(harness.simulated.requests) == 2


def test_a_404_without_a_reason_is_taken_for_no_recording_and_says_so(
    harness: ConsoleHarness,
) -> None:
    """A console that is up otherwise does not mean a restart by it."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=404))
    with pytest.raises(NoFootageError, match="is up and does not say why"):
        harness.export()
    assert harness.asked("nvr") == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, None),
        (500, '{"error":"Non-monotonic timestamp provided"}'),
        (500, '{"error":"Track information is not valid"}'),
    ],
)
def test_an_export_that_the_console_cannot_make_is_not_tried_again(
    harness: ConsoleHarness, status: int, body: str | None
) -> None:
    """The same for ever, for that clip; the console is well."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=status, body=body))
    with pytest.raises(ExportImpossibleError, match=str(status)):
        harness.export()
    assert harness.asked("export") == 1
    assert harness.waits_secs == []


def test_a_status_that_nobody_expects_is_not_tried_again(harness: ConsoleHarness) -> None:
    """The console's answer is in the sentence."""
    harness.simulated.order(Fault(FaultKind.STATUS, status=418, body='{"error":"I am a teapot"}'))
    with pytest.raises(ConsoleError, match=r"418 \(I am a teapot\)") as caught:
        harness.export()
    assert not isinstance(caught.value, TransientError)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(body=VIDEO, headers=(("Content-Type", "application/json"),)), "application/json"),
        (Answer(body=b"\0\0\0\x18fty"), "no MP4"),
        (Answer(body=b"\0\0\0\x18moov"), "does not begin"),
        (Answer(body=VIDEO, headers=(("Content-Length", "100000"),)), "cut off"),
        (Answer(206, VIDEO), "206"),
        (Answer(body=CHUNKED, headers=CONTRADICTION), "24 of 100 bytes came"),
    ],
)
def test_what_only_looks_like_success_is_transient(
    state_dir: Path, answer: Answer, reason: str
) -> None:
    """Status, type, length and first box all have to fit."""
    with pytest.raises(MaxAttemptsExceeded, match=reason):
        sent_by(answer, state_dir)


@pytest.mark.parametrize("content_type", ["video/mp4", "application/octet-stream", ""])
def test_a_video_is_known_by_its_content(state_dir: Path, content_type: str) -> None:
    """Types differ between versions."""
    headers = (("Content-Type", content_type),) if content_type else ()
    assert sent_by(Answer(body=VIDEO, headers=headers), state_dir) == VIDEO


def test_bytes_are_kept_as_sent_even_if_called_compressed(state_dir: Path) -> None:
    """Nobody asked for compression; decoding would only change the promised length."""
    headers = (("Content-Encoding", "gzip"),)
    assert sent_by(Answer(body=VIDEO, headers=headers), state_dir) == VIDEO


def test_workers_export_at_the_same_time(running: Running) -> None:
    """Each over a connection of its own, with one login."""
    harness = running(Behaviour(export_latency_secs=0.05))
    with ThreadPoolExecutor(4) as workers:
        starts_ms = [DAY.start_ms + number * 60_000 for number in range(8)]
        list(workers.map(lambda start_ms: harness.export(start_ms=start_ms), starts_ms))
    assert harness.simulated.busiest_parallel_exports > 1
    assert harness.asked("login") == 1


def test_no_more_connections_are_open_than_were_allowed(running: Running) -> None:
    """Others wait for their turn: consoles have crashed under parallel exports."""
    harness = running(Behaviour(export_latency_secs=0.02))
    console = harness.client(connections=2, clock=Clock())
    start = threading.Barrier(6)

    def ask(number: int) -> None:
        start.wait()
        first_ms = DAY.start_ms + number * 60_000
        console.export(
            CAMERA_ID,
            start_ms=first_ms,
            end_ms=first_ms + 1_000,
            into=io.BytesIO(),
            accept=as_received,
        )

    with console, ThreadPoolExecutor(6) as workers:
        list(workers.map(ask, range(6)))
    assert harness.simulated.busiest_parallel_exports <= 2


def test_a_refused_session_in_the_middle_of_exports_costs_one_login(
    harness: ConsoleHarness,
) -> None:
    """Workers that meet it go on with the clip that they were at."""
    harness.export()
    harness.simulated.order(Fault(FaultKind.KILLED_SESSION))
    with ThreadPoolExecutor(4) as workers:
        starts_ms = [DAY.start_ms + number * 60_000 for number in range(8)]
        list(workers.map(lambda start_ms: harness.export(start_ms=start_ms), starts_ms))
    assert harness.asked("login") == 2


def test_a_large_clip_does_not_fill_the_memory(running: Running, tmp_path: Path) -> None:
    """200 MB go through a process whose memory grows by far less."""
    harness = running(Behaviour(grow_exports_to_bytes=LARGE_BYTES))
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from upvs_tasks.console.endpoint import Credentials, Endpoint\n"
        "from upvs_tasks.console.client import Console\n"
        "from upvs_tasks.console.export import as_received\n"
        "host, name, ca_file, camera, start, path = sys.argv[1:]\n"
        "credentials = Credentials(name, sys.stdin.read())\n"
        "console = Console(Endpoint(host, ca_file=Path(ca_file)), credentials)\n"
        "console.bootstrap()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with open(path, 'w+b') as into:\n"
        "    end = int(start) + 5000\n"
        "    console.export(\n"
        "        camera, start_ms=int(start), end_ms=end, into=into, accept=as_received\n"
        "    )\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    endpoint, credentials = harness.endpoint(), harness.credentials()
    arguments = [endpoint.host, credentials.username, str(endpoint.ca_file)]
    arguments += [CAMERA_ID, str(DAY.start_ms)]
    path = tmp_path / "clip.mp4"
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments, str(path)],
        input=credentials.password,
        capture_output=True,
        text=True,
        check=True,
    )
    assert path.stat().st_size >= LARGE_BYTES
    assert int(result.stdout) < 16_000  # KiB


def test_a_full_disk_is_the_disk_s_failure_and_not_the_network_s(harness: ConsoleHarness) -> None:
    """What writing raises reaches the caller as it is."""

    class Full(io.BytesIO):
        def write(self, _content: object, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        harness.export(Full())


def test_the_same_question_is_the_same_request(harness: ConsoleHarness) -> None:
    """Asked twice, nothing differs: consoles may cache it."""
    harness.export()
    harness.export()
    first, second = harness.simulated.exports
    assert replace(first, number=0, started_ms=0, ended_ms=0) == replace(
        second, number=0, started_ms=0, ended_ms=0
    )
