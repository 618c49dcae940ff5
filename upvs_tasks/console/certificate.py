"""What a certificate says of itself, for a person who has to decide whether to trust it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_MOST_NAMES = 3
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that somebody has shown; nothing in it is proven."""

    der: bytes

    @property
    def digest(self) -> str:
        """Its SHA-256, as 64 digits."""
        return sha256(self.der).hexdigest()

    @property
    def fingerprint(self) -> str:
        """The same as openssl and browsers write it."""
        return sha256(self.der).digest().hex(":").upper()

    def claims(self, now: datetime) -> str:
        """Whose name it bears and until when it is valid, as words that follow "it"."""
        # Only where a certificate is refused: the import takes longer than a handshake.
        from cryptography import x509  # noqa: PLC0415

        try:
            certificate = x509.load_der_x509_certificate(self.der)
            names, until = _names(certificate), certificate.not_valid_after_utc
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
            return "cannot be read"
        named = " and ".join(repr(name[:_LONGEST_NAME]) for name in names[:_MOST_NAMES])
        more = " and others" if len(names) > _MOST_NAMES else ""
        borne = f"the name {named}{more}" if named else "no name"
        ended = "was" if until < now else "is"
        return f"bears {borne} and {ended} valid until {until:%Y-%m-%d}"


def _names(certificate: "x509.Certificate") -> list[str]:
    """The names that it is for; without any, that of its subject."""
    from cryptography import x509  # noqa: PLC0415

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(one.value) for one in common]
    return [str(name.value) for name in found if isinstance(name, x509.DNSName | x509.IPAddress)]
