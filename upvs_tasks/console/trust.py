"""By what a console is known: by its certificate itself, or by whoever has signed that.

A console signs its own certificate, for a name such as unifi.local and never for the address that
it is reached at. So a certificate that was pinned, by the setting ``tls_fingerprint`` or by a file
of it as ``ca_file``, is accepted whatever name and dates it bears: who has its key is the console.
Everything is checked on each new connection, before anything is sent over it.
"""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from upvs_tasks.console.certificate import Certificate
from upvs_tasks.console.endpoint import Endpoint
from upvs_tasks.console.tls import tls_context
from upvs_tasks.errors import SettingsError, UntrustedCertificateError, quoted

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
# What OpenSSL says where a certificate is trusted, but not for this host name or address.
_OTHER_NAME = {62, 64}
_COMPARE = (
    "ompare its SHA-256 fingerprint with the one that a browser shows for that address, best on a "
    "computer that is wired to the console; if they agree,"
)


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates of a console are accepted.

    ``pins`` are the digests of those that are accepted as they are. ``only_pins`` says that no
    other one is; else a certificate is accepted, too, that somebody has signed whom we trust.
    """

    address: str
    pins: frozenset[str] = frozenset()
    only_pins: bool = False
    ca_file: Path | None = None
    is_checked: bool = True

    @classmethod
    def of(cls, endpoint: Endpoint) -> "Trust":
        """What was set for a console. Raises SettingsError for an unfit ca_file."""
        address, ca_file = endpoint.base_url, endpoint.ca_file
        if endpoint.tls_insecure:
            return cls(address, is_checked=False)
        if endpoint.tls_fingerprint:
            return cls(address, frozenset({endpoint.tls_fingerprint}), only_pins=True)
        return cls(address, _pins_in(ca_file) if ca_file else frozenset(), ca_file=ca_file)

    def untrusted(
        self, shown: Certificate | None, error: ssl.SSLCertVerificationError | None = None
    ) -> UntrustedCertificateError:
        """Why a certificate is not accepted, what it says of itself, and what to do."""
        reason = f" ({error.verify_message})" if error else ""
        if self.only_pins:
            seen = "another certificate than tls_fingerprint names"
        elif self.ca_file:
            seen = f"a certificate that is not in ca_file, nor signed by one that is{reason}"
        else:
            seen = f"a certificate that is not known{reason}"
        said = f" It {shown.claims(datetime.now(UTC))}." if shown else ""
        line = f': tls_fingerprint = "{shown.fingerprint}"' if shown else " tls_fingerprint"
        return UntrustedCertificateError(
            f"{self.address} shows {seen}, so nothing was sent.{said} {self._advice(error)}{line}"
        )

    def _advice(self, error: ssl.SSLCertVerificationError | None) -> str:
        if self.only_pins:
            return (
                "A console makes a new one when it is reset, and at some updates; but somebody "
                "between you and the console would show another one, too. If you expected a new "
                f"one, c{_COMPARE} put this line into upvs.toml in place of the old one"
            )
        if self.ca_file:
            return f"C{_COMPARE} put this line into upvs.toml in place of ca_file"
        if error is not None and error.verify_code in _OTHER_NAME:
            return f"Set host to that name. Or c{_COMPARE} add this line to upvs.toml"
        return f"C{_COMPARE} add this line to upvs.toml"


class TrustingConnection(HTTPSConnection):
    """A connection that raises UntrustedCertificateError before anything is sent over it."""

    trust: ClassVar[Trust]
    verified: ClassVar[ssl.SSLContext]
    unverified: ClassVar[ssl.SSLContext]

    def __init__(self, *arguments: Any, **details: Any) -> None:  # noqa: ANN401  see base
        super().__init__(*arguments, **details)
        self._authorities = self.ca_certs

    def connect(self) -> None:
        """Connect to the console, and to nobody else."""
        trust, shown = self.trust, None
        if not trust.is_checked:
            self._connect_to_anybody()
            return
        if trust.pins:
            shown = self._connect_to_anybody()
            if shown.digest in trust.pins:
                self.is_verified = True
                return
            self.close()
        if trust.only_pins:
            raise trust.untrusted(shown)
        try:
            self._connect_to_the_verified()
        except ssl.SSLCertVerificationError as error:
            raise trust.untrusted(shown or self._look(), error) from error

    def _connect_to_the_verified(self) -> None:
        self.ssl_context, self.cert_reqs = self.verified, ssl.CERT_REQUIRED
        self.ca_certs = self._authorities
        super().connect()

    def _connect_to_anybody(self) -> Certificate:
        """Greet whoever is there; returns the certificate that they show."""
        self.ssl_context, self.cert_reqs = self.unverified, ssl.CERT_NONE
        self.ca_certs = None
        super().connect()
        assert isinstance(self.sock, ssl.SSLSocket)  # noqa: S101  as the context makes them
        return Certificate(self.sock.getpeercert(binary_form=True) or b"")

    def _look(self) -> Certificate | None:
        """The certificate that was just refused; None where it is not shown again."""
        try:
            return self._connect_to_anybody()
        except (OSError, HTTPError):
            return None
        finally:
            self.close()


def trusting_pool(trust: Trust, now_secs: Callable[[], float]) -> type[HTTPSConnectionPool]:
    """urllib3's connections to one console, accepted as ``trust`` says.

    ``now_secs`` measures the speed of answers, as in `tls_context`.
    """
    context = tls_context(now_secs, verifies=True)
    if trust.ca_file:
        # Who signs for a home is seldom as exact as Python demands from 3.13 on.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    attributes = {
        "trust": trust,
        "verified": context,
        "unverified": tls_context(now_secs, verifies=False),
    }
    connection = type("Connection", (TrustingConnection,), attributes)
    return type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": connection})


def _pins_in(ca_file: Path) -> frozenset[str]:
    """The digests of the certificates in a file. Raises SettingsError where there is none."""
    try:
        ssl.create_default_context(cafile=str(ca_file))
        text = ca_file.read_text(encoding="utf-8", errors="replace")
        return frozenset(
            sha256(ssl.PEM_cert_to_DER_cert(written)).hexdigest() for written in _PEM.findall(text)
        )
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"ca_file {quoted(ca_file)} cannot be used: no certificate in it (PEM)"
        ) from error
    except OSError as error:
        raise SettingsError(
            f"ca_file {quoted(ca_file)} cannot be used: {error.strerror}"
        ) from error
