"""Certificates of the shapes that consoles have, and some that they should not have.

Each is put where the embedded console looks for its own, so that the console shows it.
"""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from trustme import CA

from upvs_tasks.simulator.certificate import CERTIFICATE_FILE

SHAPES = ("plain", "no_san", "v1", "rsa", "expired", "not_yet", "authority")

_PRIVATE_FILE = "console.pem"
_NAME = "unifi.local"
_PEM = serialization.Encoding.PEM

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def put(state_dir: Path, shape: str, *, name: str = _NAME) -> Path:
    """Let a console with this folder show a certificate of a shape; returns its file."""
    key = _key(shape)
    certificate = _certificate(shape, key, name)
    pem = _as_v1(certificate, key) if shape == "v1" else certificate.public_bytes(_PEM)
    private = key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / _PRIVATE_FILE).write_bytes(private + pem)
    (state_dir / CERTIFICATE_FILE).write_bytes(pem)
    return state_dir / CERTIFICATE_FILE


def put_signed(state_dir: Path, *names: str) -> Path:
    """Let a console show one that an authority has signed for names; returns the authority's."""
    authority = CA()
    signed = authority.issue_cert(*names)
    state_dir.mkdir(parents=True, exist_ok=True)
    signed.private_key_and_cert_chain_pem.write_to_path(state_dir / _PRIVATE_FILE)
    authority.cert_pem.write_to_path(state_dir / CERTIFICATE_FILE)
    return state_dir / CERTIFICATE_FILE


def _key(shape: str) -> Key:
    if shape in {"rsa", "v1"}:
        return rsa.generate_private_key(65_537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def _certificate(shape: str, key: Key, common_name: str) -> x509.Certificate:
    """One that has signed itself; an ``authority`` besides may sign others."""
    now = dt.datetime.now(dt.UTC)
    year = dt.timedelta(days=365)
    begins = now + year if shape == "not_yet" else now - 3 * year
    ends = now - year if shape == "expired" else now + 3 * year
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begins, ends
    )
    if shape not in {"no_san", "v1"}:
        names = [_NAME, "localhost"]
        if shape == "many_names":
            names = [f"{'a' * 60}.{'b' * 60}.{number}" for number in range(500)]
        found = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(found, critical=False)
    if shape == "authority":
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(key, hashes.SHA256())


def _as_v1(certificate: x509.Certificate, key: Key) -> bytes:
    """The same without what version 3 has: its version, at the start. It has no extensions."""
    assert isinstance(key, rsa.RSAPrivateKey)
    _, content, _ = _split(certificate.tbs_certificate_bytes)
    version, _, rest = _split(content)
    assert version == 0xA0
    signed = _element(0x30, rest)
    _, whole, _ = _split(certificate.public_bytes(serialization.Encoding.DER))
    _, _, behind = _split(whole)
    tag, algorithm, _ = _split(behind)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    der = _element(0x30, signed + _element(tag, algorithm) + _element(0x03, b"\0" + signature))
    loaded = x509.load_der_x509_certificate(der)
    assert loaded.version is x509.Version.v1
    return loaded.public_bytes(_PEM)


def _split(der: bytes) -> tuple[int, bytes, bytes]:
    """The first element's tag and content, and what follows it (X.690 8.1)."""
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    return der[0], der[start : start + length], der[start + length :]


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
