"""The console's side of TLS: a certificate like that which a genuine console makes for itself.

Nobody else has signed it, and it names unifi.local, not the address that the console is reached at.
"""

import datetime as dt
import os
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CERTIFICATE_FILE = "certificate.pem"

_PRIVATE_FILE = "console.pem"
_NAME = "unifi.local"
_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_UNTIL = dt.datetime(3000, 1, 1, tzinfo=dt.UTC)


def server_context(state_dir: Path) -> SSLContext:
    """Return a TLS context for a server; a certificate that is missing is created first.

    ``CERTIFICATE_FILE`` is for clients. The certificate is valid until the year 3000, so that it
    does not expire while a console runs.
    """
    if not all((state_dir / name).is_file() for name in (CERTIFICATE_FILE, _PRIVATE_FILE)):
        _create_certificate(state_dir)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state_dir / _PRIVATE_FILE)
    return context


def _create_certificate(state_dir: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_private(state_dir / _PRIVATE_FILE, private + certificate)
    (state_dir / CERTIFICATE_FILE).write_bytes(certificate)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # a file that is there already would keep its mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
