import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from tests.console.harness import ConsoleHarness
from upvs_tasks.console.transport import tls_context
from upvs_tasks.errors import SettingsError, UntrustedCertificateError, UsageError
from upvs_tasks.simulator import SimulatedConsole


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SimulatedConsole]:
    """A console with a certificate of another authority."""
    with SimulatedConsole(state_dir=tmp_path) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused_with_both_ways_on(
    harness: ConsoleHarness,
) -> None:
    """Before any password is sent, and without another attempt."""
    console = harness.client(replace(harness.endpoint(), ca_file=None))
    for _ in range(2):
        with pytest.raises(UntrustedCertificateError, match=r"set ca_file .* tls_insecure = true"):
            console.bootstrap()
    assert harness.simulated.requests == ()
    assert harness.waits_secs == []
    assert issubclass(UntrustedCertificateError, UsageError)


def test_another_authority_s_certificate_is_refused(
    harness: ConsoleHarness, other: SimulatedConsole
) -> None:
    """The file says whom to trust, not that anybody is."""
    console = harness.client(replace(harness.endpoint(), ca_file=Path(other.ca_file)))
    with pytest.raises(UntrustedCertificateError):
        console.bootstrap()


def test_a_certificate_for_another_name_is_refused(harness: ConsoleHarness) -> None:
    """Even one of the right authority; here, of the console's address in another spelling."""
    port = harness.simulated.host.rpartition(":")[2]
    console = harness.client(replace(harness.endpoint(), host=f"[::ffff:127.0.0.1]:{port}"))
    with pytest.raises(UntrustedCertificateError, match="not valid for '::ffff:"):
        console.bootstrap()


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
