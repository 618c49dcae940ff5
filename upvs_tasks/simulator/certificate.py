"""The console's side of TLS: an authority of its own and a certificate for loopback addresses."""

import os
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from trustme import CA

AUTHORITY_FILE = "ca.pem"

_CERTIFICATE_FILE = "console.pem"
_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")


def server_context(state_dir: Path) -> SSLContext:
    """Return a TLS context for a server; certificates that are missing are created first.

    Clients verify the server against ``AUTHORITY_FILE``. The certificates are valid until the
    year 3000, so that they do not expire while a console runs.
    """
    names = (AUTHORITY_FILE, _CERTIFICATE_FILE)
    if not all((state_dir / name).is_file() for name in names):
        _create_certificates(state_dir)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state_dir / _CERTIFICATE_FILE)
    return context


def _create_certificates(state_dir: Path) -> None:
    name = "Simulated UniFi console"
    authority = CA(organization_name=name, organization_unit_name="authority", path_length=0)
    certificate = authority.issue_cert(
        *_LOOPBACK_NAMES, organization_name=name, common_name="unifi.local"
    )
    private = certificate.private_key_and_cert_chain_pem.bytes()
    _write_private(state_dir / _CERTIFICATE_FILE, private)
    authority.cert_pem.write_to_path(state_dir / AUTHORITY_FILE)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # a file that is there already would keep its mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
