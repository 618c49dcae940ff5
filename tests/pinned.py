"""A client that knows a console by the certificate in a file, whatever name that bears."""

import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter


class PinnedAdapter(HTTPAdapter):
    """requests' connections to a server that has this certificate."""

    def __init__(self, certificate_file: str) -> None:
        self.fingerprint = fingerprint(Path(certificate_file))
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **details: Any) -> None:  # noqa: ANN401  see base
        """Make the pool of connections."""
        super().init_poolmanager(*arguments, **details, assert_fingerprint=self.fingerprint)


def fingerprint(certificate_file: Path) -> str:
    """The SHA-256 of the certificate in a PEM file."""
    der = ssl.PEM_cert_to_DER_cert(certificate_file.read_text(encoding="ascii"))
    return sha256(der).hexdigest()
