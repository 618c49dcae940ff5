import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest

from tests.simulator.browser import TIMEOUT_SECS
from upvs_tasks.simulator import SimulatedConsole
from upvs_tasks.simulator.certificate import AUTHORITY_FILE, server_context

CENTURY_SECS = 100 * 365 * 86_400


def peer_certificate(console: SimulatedConsole, name: str) -> dict[str, Any]:
    """Return the certificate of the console, verified for this name as strictly as possible."""
    context = ssl.create_default_context(cafile=console.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    port = int(console.host.rpartition(":")[2])
    address = console.host.removeprefix("https://").rpartition(":")[0].strip("[]")
    with (
        create_connection((address, port), TIMEOUT_SECS) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return dict(secured.getpeercert() or {})


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
def test_a_strict_client_verifies_every_loopback_name(console: SimulatedConsole, name: str) -> None:
    assert peer_certificate(console, name)


def test_another_name_is_refused(console: SimulatedConsole) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unifi\.example"):
        peer_certificate(console, "unifi.example")


def test_the_certificate_of_another_console_is_refused(
    console: SimulatedConsole, tmp_path: Path
) -> None:
    server_context(tmp_path)
    context = ssl.create_default_context(cafile=tmp_path / AUTHORITY_FILE)
    port = int(console.host.rpartition(":")[2])
    with (
        create_connection(("127.0.0.1", port), TIMEOUT_SECS) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


def test_the_certificate_does_not_expire_while_a_console_runs(console: SimulatedConsole) -> None:
    certificate = peer_certificate(console, "localhost")
    authority = ssl.create_default_context(cafile=console.ca_file).get_ca_certs()[0]
    for one in (certificate, authority):
        not_after = ssl.cert_time_to_seconds(str(one["notAfter"]))
        assert not_after > time.time() + CENTURY_SECS


def test_only_the_owner_can_read_the_private_files(tmp_path: Path) -> None:
    with open_umask():
        (tmp_path / "console.pem").touch(mode=0o666)  # left by a start that was interrupted
        with SimulatedConsole(state_dir=tmp_path) as console:
            assert peer_certificate(console, "localhost")
    private = [path for path in tmp_path.iterdir() if "PRIVATE" in path.read_text("latin-1")]
    assert private == [tmp_path / "console.pem"]
    for path in (*private, tmp_path / "signing.key"):
        assert path.stat().st_mode & 0o777 == 0o600


@contextmanager
def open_umask() -> Iterator[None]:
    """Let new files be readable by everybody unless their creator says otherwise."""
    former = os.umask(0)
    try:
        yield
    finally:
        os.umask(former)
