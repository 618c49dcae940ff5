"""What a console's refusals and the network's failures mean, in our own errors."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import RemoteDisconnected
from typing import Any

import orjson
from urllib3.exceptions import (
    ConnectTimeoutError,
    IncompleteRead,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from upvs_tasks.console.records import Question
from upvs_tasks.errors import (
    CertificateUntrusted,
    ConsoleError,
    NoFootage,
    PermissionMissing,
    SettingsError,
    Transient,
    UpvsError,
)

_WORDS = ("error", "message", "msg", "code")
_LONGEST_REMARK = 120
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectTimeoutError, "the console cannot be reached in time"),
    (RemoteDisconnected, "the console closed the connection without an answer"),
    (IncompleteRead, "the console's answer was cut off"),
    (socket.gaierror, "the console's name is not known"),
    (ReadTimeoutError, "the console fell silent"),
    (TimeoutError, "the console fell silent"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 200; ``remark`` is what it says of itself, without secrets."""

    status: int
    remark: str = ""
    code: str = ""
    retry_after_secs: float | None = None

    @property
    def is_of_session(self) -> bool:
        """Whether a fresh login may help: the session, or its CSRF token, is no longer known."""
        return self.status == 401 or (self.status == 403 and self._speaks_of("csrf"))  # noqa: PLR2004

    @property
    def wants_second_factor(self) -> bool:
        """Whether the account is one that logs in with a one-time code besides the password."""
        return self.status == 499 or self._speaks_of("mfa_auth", "2fatoken")  # noqa: PLR2004

    def _speaks_of(self, *words: str) -> bool:
        said = f"{self.code} {self.remark}".lower()
        return any(word in said for word in words)

    def __str__(self) -> str:
        return f"{self.status} ({self.remark})" if self.remark else str(self.status)


def described(body: bytes, discreet: Callable[[str], str]) -> tuple[str, str]:
    """What the body of a refusal says, and its code; HTML says nothing."""
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode(errors="replace").strip()
        return ("", "") if text.startswith("<") else (_remark(text, discreet), "")
    if not isinstance(document, dict):
        return "", ""
    nested = document.get("error")
    fields = {**document, **nested} if isinstance(nested, dict) else document
    said = [str(fields[word]) for word in _WORDS if isinstance(fields.get(word), str | int)]
    return _remark(", ".join(said), discreet), str(fields.get("code") or "")


def _remark(text: str, discreet: Callable[[str], str]) -> str:
    """Hidden first and shortened then: half a secret would not be recognised as one."""
    printable = "".join(letter for letter in discreet(text) if letter.isprintable())
    return printable[:_LONGEST_REMARK]


def refused(refusal: Refusal, question: Question) -> UpvsError:
    """Error for a question that was answered with anything but 200."""
    seen = f"{question.what}: the console answered {refusal}"
    if question.is_export and _says_nothing_recorded(refusal):
        return NoFootage(f"{question.what}: the console holds no recording of it ({refusal})")
    match refusal.status:
        case 403:
            error: UpvsError = PermissionMissing(
                f"{seen}; the account lacks the permission {question.permission}: "
                "grant it under Admins & Users"
            )
        case 404 if question.is_export:
            error = NoFootage(f"{seen} and does not say why; taken for no recording")
        case 400 | 404:
            # For minutes, a console that restarts says so to everything (hjdhjd/unifi-protect).
            error = Transient(
                f"{seen}; it may be restarting", retry_after_secs=refusal.retry_after_secs
            )
        case 408 | 425 | 429:
            error = Transient(seen, retry_after_secs=refusal.retry_after_secs)
        case status if status >= 500:  # noqa: PLR2004
            error = Transient(seen, retry_after_secs=refusal.retry_after_secs)
        case status if status < 300:  # noqa: PLR2004
            error = Transient(f"{seen} instead of 200")
        case status if status < 400:  # noqa: PLR2004
            error = ConsoleError(
                f"{seen}, which points to another address; set host to the console itself"
            )
        case _:
            error = ConsoleError(seen)
    return error


def failed(error: Exception, what: str) -> UpvsError:
    """Error for a question that got no answer, or not the whole of it."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateUntrusted(
                f"{what}: the console's certificate cannot be verified "
                f"({cause.verify_message or 'unknown issuer'}): set ca_file to a file with the "
                "certificate that the console shows, or, knowing that anybody in between can then "
                "read the password, tls_insecure = true"
            )
        if isinstance(cause, LocationValueError):
            return SettingsError(f"{what}: host is no address that can be reached")
    return Transient(f"{what}: {_reason(causes)}")


def _says_nothing_recorded(refusal: Refusal) -> bool:
    """Newer builds say 404 with {"error":502,"operationId":…}, older ones 500 and a sentence."""
    return (refusal.status == 404 and refusal.remark.startswith("502")) or (  # noqa: PLR2004
        refusal.status == 500 and "o files found" in refusal.remark  # noqa: PLR2004
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies below it, wherever requests and urllib3 have put that."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        below = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        pending.extend(item for item in below if isinstance(item, BaseException))


def _reason(causes: tuple[BaseException, ...]) -> str:
    """One sentence of our own: foreign ones hold addresses of objects, and headers at times."""
    for cause in causes:
        if isinstance(cause, NewConnectionError):
            continue  # urllib3 counts a refused connection among the timeouts; the cause is below
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
        if isinstance(cause, ssl.SSLError):
            return f"the encrypted connection failed ({cause.reason or 'no reason given'})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"the connection failed ({cause.strerror.lower()})"
    return f"the connection failed ({type(causes[-1]).__name__})"
