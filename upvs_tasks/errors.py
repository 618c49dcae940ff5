"""The error tree: everything that upvs itself raises.

    UpvsError                   the run goes wrong in a way that one sentence explains     exit 1
    ├── UsageError              the request cannot be carried out as given                 exit 3
    │   ├── SettingsError       a setting is missing, unknown, or out of range
    │   ├── CertificateUntrusted  the console's certificate is vouched for by nobody we trust
    │   ├── CameraNotFound      no camera has that id or name          (ErrCameraNotFound)
    │   └── MultipleCameras     several cameras have that name         (ErrMultipleCameras)
    ├── AccessError             the console does not let us in                             exit 2
    │   ├── Unauthorized        wrong user or password, or a dead session (ErrUnauthorized)
    │   ├── SecondFactorNeeded  the account wants a one-time code
    │   ├── LoginLimited        too many logins a minute
    │   └── PermissionMissing   the account may not see or download this
    ├── ConsoleError            the console answers, but not with what was asked
    │   ├── Transient           may heal by itself: asked again by the retry policy
    │   ├── CannotHeal          a fact that asking again within the run does not change
    │   │   ├── NoFootage         the console holds no recording for the span
    │   │   └── ExportImpossible  the console will not export the span, and is well otherwise
    │   ├── AttemptsExhausted   it did not heal in time          (ErrMaxAttemptsExceeded)
    │   └── SilenceDoubted      it lists nothing, but says elsewhere that there was something
    ├── FootageBroken           a file is not the whole video that it should be
    ├── RenderFailed            the film could not be made
    ├── VerificationFailed      what is on the disk is not what was promised
    ├── StorageError            the disk does not take or give what it should
    └── FolderBusy              another run is at work in the same folder

The names in brackets are the specification's sentinel errors. A message says what was tried, what
was seen and what to do about it; it never holds a credential, a cookie or a token.
"""

from typing import ClassVar


class UpvsError(Exception):
    """Anything that upvs can explain in a sentence."""

    exit_code: ClassVar[int] = 1


class UsageError(UpvsError):
    """The request cannot be carried out as it was given."""

    exit_code: ClassVar[int] = 3


class SettingsError(UsageError):
    """A setting is missing, unknown or out of range."""


class CertificateUntrusted(UsageError):  # noqa: N818  named for the fact
    """Nobody whom we were told to trust vouches for the console's certificate."""


class CameraNotFound(UsageError):  # noqa: N818  the specification names it
    """No camera of the console has the id or the name that was asked for."""


class MultipleCameras(UsageError):  # noqa: N818  the specification names it
    """More than one camera of the console has the name that was asked for."""


class AccessError(UpvsError):
    """The console does not let us in, or not far enough."""

    exit_code: ClassVar[int] = 2


class Unauthorized(AccessError):  # noqa: N818  the specification names it
    """The console refuses the user and password, or a session that was renewed once already."""


class SecondFactorNeeded(AccessError):  # noqa: N818  named for what is needed
    """The account wants a one-time code besides the password."""


class LoginLimited(AccessError):  # noqa: N818  named for what happened
    """The console takes no more logins for now."""


class PermissionMissing(AccessError):  # noqa: N818  named for what is missing
    """The account is known but may not see or download what was asked for."""


class ConsoleError(UpvsError):
    """The console answered, but not with what was asked for."""


class Transient(ConsoleError):  # noqa: N818  reads as a claim in `isinstance(error, Transient)`
    """A failure that may heal by itself, and is therefore worth another attempt.

    ``retry_after_secs`` is how long the console asked us to wait, where it said so.
    """

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class CannotHeal(ConsoleError):  # noqa: N818  reads as a claim, like Transient
    """What the console says is a fact; asking again would only bring the same answer."""


class NoFootage(CannotHeal):
    """The console holds no recording for the span that was asked for."""


class ExportImpossible(CannotHeal):
    """The console cannot export the span that was asked for, whatever it holds of it."""


class AttemptsExhausted(ConsoleError):  # noqa: N818  the specification names it
    """All attempts failed; the message ends with the reason of the last."""


class SilenceDoubted(ConsoleError):  # noqa: N818  named for the fact
    """The console lists no events for a day on which, by its own word, there were some."""


class FootageBroken(UpvsError):  # noqa: N818  named for the fact
    """A file is not the whole, decodable video that it should be."""


class RenderFailed(UpvsError):  # noqa: N818  named for what happened
    """The film could not be made; no half film was left under its name."""


class VerificationFailed(UpvsError):  # noqa: N818  named for what happened
    """What is on the disk is not what was promised of it."""


class StorageError(UpvsError):
    """The disk does not take or give what it should."""


class FolderBusy(UpvsError):  # noqa: N818  named for the fact
    """Another run is at work in the same output folder."""
