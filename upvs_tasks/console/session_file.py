"""The private file that keeps a session for later processes; it never holds a password."""

import logging
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from upvs_tasks import durable, lock, machine
from upvs_tasks.errors import FolderBusyError, SettingsError, StorageError, quoted

log = logging.getLogger(__name__)

# A session that ends during the first request would only cost that request.
_MARGIN_SECS = 60
_FIELDS = {"owner", "name", "token", "csrf_token", "expires_secs"}
# A session token has a few hundred bytes; what is longer than this was never written by us.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class SavedSession:
    """What a later process needs of a session; ``name`` is its cookie's name, or Authorization."""

    name: str
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_secs: int


class SessionFile:
    """The file of one console and user; the session of another one is left alone until a login.

    A file that cannot be read or written costs one login and no more. One that holds anything but a
    session is somebody else's: it is never changed, and each method raises SettingsError.
    """

    def __init__(self, path: Path, *, base_url: str, username: str) -> None:
        self._path = path
        self._owner = sha256(f"{base_url}\n{username}".encode()).hexdigest()

    def read(self, unix_secs: float) -> SavedSession | None:
        """The session, if it is ours and lasts for more than a minute."""
        content = self._private_content()
        session = _parsed(durable.decode_json(content), self._owner) if content else None
        if session is None or session.expires_secs - unix_secs <= _MARGIN_SECS:
            return None
        return session

    def write(self, session: SavedSession) -> None:
        """Keep a session, unless another process is writing its own at this moment."""
        document = {
            "owner": self._owner,
            "name": session.name,
            "token": session.token,
            "csrf_token": session.csrf_token,
            "expires_secs": session.expires_secs,
        }
        self._check_ours()
        partial = durable.partial_of(self._path)
        if not _is_leftover(partial):
            self._warn("session cannot be kept", f"{quoted(partial)} is in the way and stays")
            return
        lock_path = self._path.with_name(self._path.name + ".lock")
        try:
            with lock.holding(lock_path), durable.replacing(self._path, private=True) as stream:
                stream.write(durable.encode_json(document))
        except FolderBusyError:
            log.debug("another process keeps its session")
        except (StorageError, OSError) as error:
            self._warn("session cannot be kept", str(error))

    def drop(self, token: str) -> None:
        """Delete a session that the console has ended; a newer one stays."""
        content = self._private_content()
        session = _parsed(durable.decode_json(content), self._owner) if content else None
        if session is not None and session.token == token:
            self._delete()

    def _private_content(self) -> bytes | None:
        """What the file holds; one that others may read is deleted instead."""
        content, is_private = self._read()
        if content is not None and not _is_session(content):
            raise self._not_ours()
        if content is None or is_private:
            return content
        self._warn("session file was not private and is deleted", "others may have read it")
        self._delete()
        return None

    def _check_ours(self) -> None:
        """Raise SettingsError where the file must not be replaced."""
        content, _ = self._read()
        if content is not None and not _is_session(content):
            raise self._not_ours()

    def _read(self) -> tuple[bytes | None, bool]:
        """What the file holds, None where nothing can be read, and whether it is private."""
        try:
            if not self._path.is_file() and self._path.exists():
                raise self._not_ours()  # a device or a pipe, which is not even to be opened
            with self._path.open("rb") as stream:
                return stream.read(_MOST_BYTES), machine.is_private(stream)
        except FileNotFoundError:
            return None, True
        except OSError as error:
            self._warn("session file cannot be read", error.strerror or "no reason given")
            return None, True

    def _not_ours(self) -> SettingsError:
        return SettingsError(
            f"session_file is {quoted(self._path)}, which is no session of upvs and stays as it "
            "is: "
            "name a file that does not exist yet"
        )

    def _delete(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._warn("session file cannot be deleted", error.strerror or "no reason given")

    def _warn(self, event: str, reason: str) -> None:
        log.warning(event, extra={"path": str(self._path), "reason": reason})


def _is_session(content: bytes) -> bool:
    """Whether a file of this content may be replaced: it is empty, or a session of any owner."""
    document = durable.decode_json(content)
    return not content or (isinstance(document, dict) and document.keys() == _FIELDS)


def _is_leftover(partial: Path) -> bool:
    """Whether nothing is there, or what a killed process of ours may have left: a private file."""
    try:
        if not partial.is_symlink() and partial.is_file():
            with partial.open("rb") as stream:
                return machine.is_private(stream)
        return not (partial.is_symlink() or partial.exists())
    except OSError:
        return False


def _parsed(document: Any, owner: str) -> SavedSession | None:  # noqa: ANN401  parsed JSON
    match document:
        case {
            "owner": str(whose),
            "name": str(name),
            "token": str(token),
            "csrf_token": str(csrf_token),
            "expires_secs": int(expires_secs),
        } if whose == owner:
            return SavedSession(name, token, csrf_token, expires_secs)
    return None
