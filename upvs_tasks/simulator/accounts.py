"""The console's local users: names, passwords, permissions and second factors."""

import hmac
import time
from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha1
from secrets import token_bytes

FULL_PERMISSIONS = (
    "legacyUFV:read:$",
    "bridge:read,write:*",
    "camera:create,read,write,delete,readmedia,deletemedia:*",
    "liveview:create,read,write,delete:*",
    "nvr:read,write:*",
    "user:read:$",
)
VIEW_ONLY_PERMISSIONS = ("camera:read:*", "liveview:read:*", "nvr:read:*", "user:read:$")

TOTP_STEP_SECS = 30


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A local user of the console; one with ``totp_secret`` needs a second factor to log in."""

    user_id: str
    username: str
    password: str
    permissions: tuple[str, ...] = FULL_PERMISSIONS
    totp_secret: bytes | None = None

    @property
    def may_read_media(self) -> bool:
        """Whether the user may export footage."""
        return any(
            grant.startswith("camera:") and "readmedia" in grant for grant in self.permissions
        )

    def totp(self, at_secs: float | None = None) -> str:
        """Return the six digits of the second factor, now or at a Unix time (RFC 6238)."""
        if self.totp_secret is None:
            return ""
        step = int(time.time() if at_secs is None else at_secs) // TOTP_STEP_SECS
        digest = hmac.digest(self.totp_secret, step.to_bytes(8), sha1)
        offset = digest[-1] & 0xF
        number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
        return f"{number % 1_000_000:06d}"

    @property
    def totp_secret_text(self) -> str:
        """The secret in base32, the form that authenticator apps take."""
        return b32encode(self.totp_secret or b"").decode()


def shipped_accounts(password: str) -> tuple[UserAccount, ...]:
    """Return a user with all permissions, one without media, and one with a second factor."""
    return (
        UserAccount("65a0f1c2d3e4b50387aa0001", "timelapse", password),
        UserAccount("65a0f1c2d3e4b50387aa0002", "viewer", password, VIEW_ONLY_PERMISSIONS),
        UserAccount("65a0f1c2d3e4b50387aa0003", "careful", password, totp_secret=token_bytes(20)),
    )
