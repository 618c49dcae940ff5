import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

import pytest
from cryptography import x509

from tests.simulator.browser import TIMEOUT_SECS
from upvs_tasks.simulator import SimulatedConsole
from upvs_tasks.simulator.certificate import CERTIFICATE_FILE, server_context

CENTURY_SECS = 100 * 365 * 86_400


def shown(console: SimulatedConsole, *, name: str | None = None) -> x509.Certificate:
    """The certificate of the console; verified for this name as strictly as possible, if given."""
    context = ssl.create_default_context(cafile=console.ca_file)
    if name is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = int(console.host.rpartition(":")[2])
    address = console.host.removeprefix("https://").rpartition(":")[0].strip("[]")
    with (
        create_connection((address, port), TIMEOUT_SECS) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")


def test_it_is_the_one_in_the_file(console: SimulatedConsole) -> None:
    written = Path(console.ca_file).read_bytes()
    assert shown(console) == x509.load_pem_x509_certificate(written)


def test_it_has_signed_itself_for_a_name_that_is_not_its_address(console: SimulatedConsole) -> None:
    """As genuine consoles do."""
    certificate = shown(console)
    assert certificate.issuer == certificate.subject
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["unifi.local"]
    assert names.get_values_for_type(x509.IPAddress) == []


def test_a_client_that_goes_by_the_address_refuses_it(console: SimulatedConsole) -> None:
    shown(console, name="unifi.local")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
        shown(console, name="127.0.0.1")


def test_each_console_has_its_own(console: SimulatedConsole, tmp_path: Path) -> None:
    server_context(tmp_path)
    other = x509.load_pem_x509_certificate((tmp_path / CERTIFICATE_FILE).read_bytes())
    assert shown(console) != other


def test_it_does_not_expire_while_a_console_runs(console: SimulatedConsole) -> None:
    ends_secs = shown(console).not_valid_after_utc.timestamp()
    assert ends_secs > time.time() + CENTURY_SECS


def test_only_the_owner_can_read_the_private_files(tmp_path: Path) -> None:
    with open_umask():
        (tmp_path / "console.pem").touch(mode=0o666)  # left by a start that was interrupted
        with SimulatedConsole(state_dir=tmp_path) as console:
            shown(console)
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
