import logging
import re
import socket
import ssl
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from tests.certificates import SHAPES, put, put_signed
from tests.console.harness import ConsoleHarness
from tests.pinned import fingerprint
from upvs_tasks.console.tls import tls_context
from upvs_tasks.errors import SettingsError, UntrustedCertificateError, UsageError
from upvs_tasks.settings import values
from upvs_tasks.simulator import SimulatedConsole
from upvs_tasks.simulator.certificate import server_context


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SimulatedConsole]:
    """A console with another certificate."""
    with SimulatedConsole(state_dir=tmp_path) as running:
        yield running


@contextmanager
def showing(folder: Path, shape: str) -> Iterator[ConsoleHarness]:
    """A console with a certificate of this shape."""
    put(folder, shape)
    with (
        SimulatedConsole(state_dir=folder) as simulated,
        ConsoleHarness(simulated) as harness,
    ):
        yield harness


@pytest.mark.parametrize("way", ["tls_fingerprint", "ca_file"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_certificate_that_was_pinned_is_accepted(tmp_path: Path, shape: str, way: str) -> None:
    """Whatever name, dates, version and key it has."""
    with showing(tmp_path, shape) as harness:
        pinned = harness.endpoint()
        if way == "tls_fingerprint":
            assert pinned.ca_file
            pinned = replace(pinned, ca_file=None, tls_fingerprint=fingerprint(pinned.ca_file))
        assert harness.client(pinned).bootstrap().cameras


@pytest.mark.parametrize("way", ["tls_fingerprint", "ca_file"])
@pytest.mark.parametrize("shape", SHAPES)
def test_another_certificate_than_the_pinned_one_is_refused(
    harness: ConsoleHarness, tmp_path: Path, shape: str, way: str
) -> None:
    """Before anything is sent, and without another attempt; one of the same name, too."""
    file = put(tmp_path, shape)
    pinned = replace(harness.endpoint(), ca_file=file)
    if way == "tls_fingerprint":
        pinned = replace(pinned, tls_fingerprint=fingerprint(file), ca_file=None)
    console = harness.client(pinned)
    for _ in range(2):
        with pytest.raises(UntrustedCertificateError, match="so nothing was sent") as caught:
            console.bootstrap()
        assert way in str(caught.value)
        assert_offered(str(caught.value), harness.simulated)
    assert harness.simulated.requests == ()
    assert harness.waits_secs == []


def assert_offered(sentence: str, console: SimulatedConsole) -> None:
    """The sentence ends with a line that accepts the certificate which this console shows."""
    (offered,) = tomllib.loads(re.findall(r"tls_fingerprint = .*$", sentence)[0]).values()
    assert values.fingerprint(offered) == fingerprint(Path(console.ca_file))
    assert offered.count(":") == 31


@pytest.mark.parametrize("shape", SHAPES)
def test_first_contact_says_what_was_shown_and_what_to_do(tmp_path: Path, shape: str) -> None:
    """The name and the date of the certificate, and the line of upvs.toml that accepts it."""
    with showing(tmp_path, shape) as harness:
        console = harness.client(replace(harness.endpoint(), ca_file=None))
        with pytest.raises(UntrustedCertificateError, match="is not known") as caught:
            console.bootstrap()
        sentence = str(caught.value)
        assert sentence.startswith(f"{harness.simulated.host} shows ")
        assert "bears the name 'unifi.local'" in sentence
        assert f"{'was' if shape == 'expired' else 'is'} valid until 20" in sentence
        assert "with the one that a browser shows" in sentence
        assert_offered(sentence, harness.simulated)
        assert harness.simulated.requests == ()
        assert harness.waits_secs == []
    assert issubclass(UntrustedCertificateError, UsageError)


@pytest.mark.parametrize(
    ("shape", "name", "told"),
    [
        ("no_san", "Door\x1b[2J\u202e", r"the name 'Door\x1b[2J\u202e' and"),
        ("many_names", "Door", f"the name '{'a' * 60}.bbb' and '{'a' * 60}.bbb' and '"),
        ("many_names", "Door", ".bbb' and others and is valid until"),
    ],
)
def test_what_a_stranger_s_certificate_bears_is_told_harmlessly_and_in_short(
    tmp_path: Path, shape: str, name: str, told: str
) -> None:
    put(tmp_path, shape, name=name)
    with SimulatedConsole(state_dir=tmp_path) as console, ConsoleHarness(console) as harness:
        with pytest.raises(UntrustedCertificateError) as caught:
            harness.client(replace(harness.endpoint(), ca_file=None)).bootstrap()
        assert told in str(caught.value)
        assert len(str(caught.value)) < 1_000


def test_an_authority_in_ca_file_signs_in_the_usual_way(tmp_path: Path) -> None:
    """For the names that it has signed, and for no others."""
    put_signed(tmp_path, "127.0.0.1")
    with SimulatedConsole(state_dir=tmp_path) as console, ConsoleHarness(console) as harness:
        assert harness.client().bootstrap().cameras
        port = console.host.rpartition(":")[2]
        other_name = replace(harness.endpoint(), host=f"[::ffff:127.0.0.1]:{port}")
        with pytest.raises(UntrustedCertificateError, match="not valid for '::ffff:"):
            harness.client(other_name).bootstrap()


def test_a_fingerprint_counts_alone(tmp_path: Path) -> None:
    """What an authority has signed is not the one certificate that was named."""
    authority = put_signed(tmp_path, "127.0.0.1")
    with SimulatedConsole(state_dir=tmp_path) as console, ConsoleHarness(console) as harness:
        both = replace(harness.endpoint(), tls_fingerprint=fingerprint(authority))
        with pytest.raises(UntrustedCertificateError, match="than tls_fingerprint names"):
            harness.client(both).bootstrap()
        assert console.requests == ()


def test_ca_file_may_hold_several(harness: ConsoleHarness, tmp_path: Path) -> None:
    """As where two consoles are filmed, or a text stands around each, as openssl writes it."""
    file = put(tmp_path, "v1")
    mine = Path(harness.simulated.ca_file).read_text(encoding="ascii")
    file.write_text(f"{file.read_text(encoding='ascii')}\nCertificate chain é\n{mine}\n")
    assert harness.client(replace(harness.endpoint(), ca_file=file)).bootstrap().cameras


def test_each_connection_is_looked_at(harness: ConsoleHarness, tmp_path: Path) -> None:
    """A certificate that changes in mid-run ends the run before anything more is sent."""
    console = harness.client()
    console.bootstrap()
    port = int(harness.simulated.host.rpartition(":")[2])
    harness.simulated.close()
    with SimulatedConsole(port=port, state_dir=tmp_path) as impostor:
        with pytest.raises(UntrustedCertificateError):
            console.bootstrap()
        assert impostor.requests == ()


def test_a_ca_file_that_is_absent_or_holds_no_certificate_is_named(
    harness: ConsoleHarness, tmp_path: Path
) -> None:
    """At once: there is nothing to ask the console yet."""
    absent, empty = tmp_path / "absent.pem", tmp_path / "empty.pem"
    empty.write_bytes(b"nothing")
    with pytest.raises(SettingsError, match=r"absent\.pem cannot be used: No such file"):
        harness.client(replace(harness.endpoint(), ca_file=absent))
    with pytest.raises(SettingsError, match=r"empty\.pem cannot be used: no certificate"):
        harness.client(replace(harness.endpoint(), ca_file=empty))


def test_switching_verification_off_is_warned_of_once(
    harness: ConsoleHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """By us and not by urllib3 at each request, which would end this test."""
    console = harness.client(replace(harness.endpoint(), ca_file=None, tls_insecure=True))
    console.bootstrap()
    console.bootstrap()
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in warned] == ["certificates are not verified"]


def test_urllib3_s_warning_about_other_hosts_stays(
    harness: ConsoleHarness, other: SimulatedConsole
) -> None:
    """It is silenced for the one console only."""
    harness.client(replace(harness.endpoint(), host="10.0.0.1", tls_insecure=True))
    with pytest.raises(InsecureRequestWarning):
        requests.get(other.host, verify=False, timeout=10)  # noqa: S501  what is tested


def test_what_is_offered_in_a_greeting_stays_as_it_was_set() -> None:
    """urllib3 sets it for each connection, under the hands of threads that open others."""
    context = tls_context(lambda: 0.0, verifies=True)
    context.set_alpn_protocols(["other"])
    written = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), written, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    greeting = written.read()
    assert b"http/1.1" in greeting
    assert b"other" not in greeting


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_console_that_speaks_only_an_old_tls_is_told_at_once(
    harness: ConsoleHarness, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """It is not spoken with: those versions keep no secret."""
    context = server_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=greet, args=(server, context), daemon=True)
        thread.start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        console = harness.client(replace(harness.endpoint(), host=host))
        with pytest.raises(SettingsError, match=r"TLS before 1\.2"):
            console.bootstrap()
        thread.join(10)
    assert harness.waits_secs == []


def greet(server: socket.socket, context: ssl.SSLContext) -> None:
    """Answer one greeting."""
    connection, _ = server.accept()
    with connection, suppress(OSError):
        context.wrap_socket(connection, server_side=True).close()


def test_a_port_without_tls_is_told_at_once(harness: ConsoleHarness) -> None:
    """In words, and not in those of OpenSSL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                with suppress(ConnectionError):
                    connection.recv(4096)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        console = harness.client(replace(harness.endpoint(), host=host))
        with pytest.raises(SettingsError, match="speaks no TLS; give host with the port of https"):
            console.bootstrap()
        thread.join(10)
    assert harness.waits_secs == []
