"""One-time codes from a secret: RFC 6238 as authenticator apps do it (SHA-1, 30 s, 6 digits)."""

import hmac
from base64 import b32decode
from binascii import Error
from hashlib import sha1

from upvs_tasks.errors import SettingsError

STEP_SECS = 30
_LETTERS_A_GROUP = 8
_DIGITS = 6
_UNFIT = (
    "totp_secret is no secret in base 32: give the letters A to Z and digits 2 to 7 that the "
    "console shows beside the QR code"
)


def code_at(secret: str, unix_secs: float) -> str:
    """The code of an instant. Raises SettingsError for a secret that is none."""
    return hotp(key_of(secret), int(unix_secs) // STEP_SECS)


def secs_to_next(unix_secs: float) -> float:
    """How long the code of an instant stays the same."""
    return STEP_SECS - unix_secs % STEP_SECS


def key_of(secret: str) -> bytes:
    """The bytes behind a secret in base 32, in groups or not, with padding or without."""
    letters = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    padding = "=" * (-len(letters) % _LETTERS_A_GROUP)
    try:
        key = b32decode(letters + padding)
    except (Error, ValueError) as error:
        raise SettingsError(_UNFIT) from error
    if not key:
        raise SettingsError(_UNFIT)
    return key


def hotp(key: bytes, counter: int) -> str:
    """The code of a counter (RFC 4226 §5.3)."""
    digest = hmac.digest(key, counter.to_bytes(8), sha1)
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place : place + 4]) & 0x7FFF_FFFF
    return str(number)[-_DIGITS:].zfill(_DIGITS)
