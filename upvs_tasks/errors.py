"""The error tree: everything that upvs tells a user.

    UpvsError                       the run goes wrong in a way that one sentence explains  exit 1
    ├── UsageError                  the request cannot be carried out as given              exit 3
    │   ├── SettingsError           a setting is missing, unknown, or out of range
    │   ├── UntrustedCertificateError  the console's certificate is neither known nor vouched for
    │   ├── CameraNotFound          no camera has that id or name          (ErrCameraNotFound)
    │   └── MultipleCameras         several cameras have that name         (ErrMultipleCameras)
    ├── AccessError                 the console does not let us in                          exit 2
    │   ├── Unauthorized            wrong user or password, or a dead session (ErrUnauthorized)
    │   ├── SecondFactorError       the account wants a one-time code
    │   ├── LoginLimitError         too many logins a minute
    │   └── MissingPermissionError  the account may not see or download this
    ├── ConsoleError                the console answers, but not with what was asked
    │   ├── TransientError          may heal by itself: worth another attempt
    │   ├── PermanentError          a fact: another attempt within the run does not change it
    │   │   ├── NoFootageError      the console holds no recording for the span
    │   │   └── ExportImpossibleError  the console is well, but will not export the span
    │   ├── MaxAttemptsExceeded     it did not heal in time       (ErrMaxAttemptsExceeded)
    │   │   └── UnreachableError    no console was met in that time                     exit 4
    │   └── ImplausibleListError    it lists nothing, but says elsewhere that there was something
    ├── BrokenFootageError          a file is not the whole video that it should be
    ├── DocumentError               a record of ours is not of the shape in which we write it
    ├── RenderError                 the film could not be made
    ├── VerificationError           what is on the disk is not what was promised
    ├── StorageError                the disk does not take or give what it should
    └── FolderBusyError             another run is at work in the same folder

The names in brackets are the specification's sentinel errors. A message says what was tried, what
was seen and what to do about it; it never holds a credential, a cookie or a token.

The layers of ``console`` pass more exact errors between them. These are not in the tree:
`UnexpectedStatusError` and `FailedRequestError` in `console.failures`, `TooManyLoginsError` in
`console.login`. Each is a kind of ConsoleError.
"""

import errno
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Self

# EFBIG: the file system takes no larger file. To a user that is the same: make room elsewhere.
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset(
    {
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENOTEMPTY,
        errno.ENXIO,
    }
)
_OF_DISKS_ALONE = _DISK_FULL | {errno.EIO, errno.EROFS, errno.ESTALE}
_TOO_MUCH = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


class ExitCode(IntEnum):
    """How a run can end. Of several errors in one run, the one with the highest code decides.

    The README has these sentences.
    """

    WHOLE = 0
    """All that there is to film is in the film, but for what is named and cannot be had from the
    console any more. A day that is not over counts until now. A day may also have no events."""

    INCOMPLETE = 1
    """The film lacks something that a later run may get, a task failed, or the log cannot be
    written. The reason is named."""

    NO_ACCESS = 2
    """The console does not let us in, or not far enough."""

    UNUSABLE_REQUEST = 3
    """The request cannot be carried out as it was given."""

    UNREACHABLE = 4
    """The console could not be reached."""

    HUNG_UP = 129
    """The terminal was closed while the run was at work (SIGHUP)."""

    INTERRUPTED = 130
    """Ctrl-C ended the run (SIGINT)."""

    TERMINATED = 143
    """Another program ended the run (SIGTERM)."""


class UpvsError(Exception):
    """Anything that upvs can explain in a sentence."""

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE


class UsageError(UpvsError):
    """The request cannot be carried out as it was given."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNUSABLE_REQUEST


class SettingsError(UsageError):
    """A setting is missing, unknown or out of range."""


class UntrustedCertificateError(UsageError):
    """The console's certificate is not one that was pinned, nor signed by one that we trust."""


class CameraNotFound(UsageError):  # noqa: N818  the specification names it
    """No camera of the console has the id or the name that was asked for."""


class MultipleCameras(UsageError):  # noqa: N818  the specification names it
    """More than one camera of the console has the name that was asked for."""


class AccessError(UpvsError):
    """The console does not let us in, or not far enough."""

    exit_code: ClassVar[ExitCode] = ExitCode.NO_ACCESS


class Unauthorized(AccessError):  # noqa: N818  the specification names it
    """The console refuses the user and password, or a session that was renewed once already."""


class SecondFactorError(AccessError):
    """The account wants a one-time code besides the password."""


class LoginLimitError(AccessError):
    """The console takes no more logins for now."""


class MissingPermissionError(AccessError):
    """The account is known but may not see or download what was asked for."""


class ConsoleError(UpvsError):
    """The console answered, but not with what was asked for."""


class TransientError(ConsoleError):
    """A failure that may heal by itself, and is therefore worth another attempt.

    ``retry_after_secs`` is how long the console asked us to wait, where it said so.
    """

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class PermanentError(ConsoleError):
    """What the console says is a fact; asking again would only bring the same answer."""


class NoFootageError(PermanentError):
    """The console holds no recording for the span that was asked for."""


class ExportImpossibleError(PermanentError):
    """The console cannot export the span that was asked for, whatever it holds of it."""


class MaxAttemptsExceeded(ConsoleError):  # noqa: N818  the specification names it
    """All attempts failed; the message ends with the reason of the last."""


class UnreachableError(MaxAttemptsExceeded):
    """The console could not be reached, or something else answered in its place all the time.

    It is not meant for an export that fails in a run that has met the console.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNREACHABLE


class ImplausibleListError(ConsoleError):
    """The console lists no events for a day, but says elsewhere that there were some."""


class BrokenFootageError(UpvsError):
    """A file is not the whole, decodable video that it should be."""


class DocumentError(UpvsError):
    """A record of ours does not have the fields that it should have; the message names one."""


class RenderError(UpvsError):
    """The film could not be made; no half film was left under its name."""

    @classmethod
    def out_of_memory(cls, path: Path, what: str) -> Self:
        """Error for a worker that lacked memory; ``what`` happened to it."""
        return cls(
            f"memory ran out while rendering {path.name} ({what}): render fewer segments at once "
            "(threads=1), or choose a smaller height or a faster preset, then run again"
        )


class VerificationError(UpvsError):
    """What is on the disk is not what was promised of it."""


class StorageError(UpvsError):
    """The disk does not take or give what it should."""

    @classmethod
    def of(cls, error: OSError, path: Path | None = None, *, done: str = "") -> Self | None:
        """What the system has refused, in words; None where it was not the file system's to refuse.

        ``path`` is what was to be ``done``, such as "written". Without it, the error has to tell.
        """
        if type(error).__module__ != "builtins" or isinstance(error, ConnectionError):
            return None  # of a library, which has errors of its own, or of the network
        path = path or (Path(error.filename) if isinstance(error.filename, str) else None)
        number = error.errno
        if number is None or (path is None and number not in _OF_DISKS_ALONE | _TOO_MUCH):
            return None
        return cls.of_number(number, path, done=done or "read or written", reason=error.strerror)

    @classmethod
    def of_number(
        cls, number: int, path: Path | None, *, done: str = "written", reason: str | None = None
    ) -> Self:
        """What the system's error of that number means for a file."""
        named, reason = quoted(path) if path else "the disk", reason or os.strerror(number)
        if number in _TOO_MUCH:
            return cls(
                f"this computer gives no more files, processes or memory ({reason})"
                f"{f' for {named}' if path else ''}: end other programs, raise the limits "
                "(ulimit -n, ulimit -u) or lower max_workers, then run again"
            )
        if path and number in _DISK_FULL:
            return cls(f"the disk is full while writing {named}: free some space, then run again")
        if number in _FORBIDDEN:
            return cls(f"{named} may not be {done} ({reason}): check the folder's owner")
        if number in _IN_THE_WAY:
            return cls(f"{named} cannot be {done} ({reason}): look what is in its place")
        return cls(
            f"{named} cannot be {done} ({reason}): check the disk and the way to it, then run again"
        )


class FolderBusyError(UpvsError):
    """Another run is at work in the same output folder."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the disk's refusals inside the block into a `StorageError` that names ``path``."""
    try:
        yield
    except OSError as error:
        explained = StorageError.of(error, path, done="read")
        if explained is None:
            raise
        raise explained from error


def explained_error(error: BaseException) -> UpvsError | None:
    """The error as one that a sentence explains; None for a bug."""
    if isinstance(error, OSError):
        return StorageError.of(error)
    return error if isinstance(error, UpvsError) else None


def as_typed(path: Path) -> str:
    """A path as one would type it: relative where it lies below the current folder."""
    return str(path).removeprefix(f"{Path.cwd()}{os.sep}")


def quoted(path: Path) -> str:
    """A path for a sentence, as a shell takes it: with quotes where it has a space."""
    return shlex.quote(str(path))
