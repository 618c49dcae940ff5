"""What error responses and the network's failures mean, in our own errors.

What each layer does with an answer, from the lowest layer to the highest. "-": it lets it through.

    answer             error                   limiter (exports)    circuit breaker   retry
    ------             -----                   -----------------    ---------------   -----
    401; 403 for the   none yet: new login,    -                    -                 -
      CSRF token         sent again; then
                         Unauthorized
    other 403          MissingPermissionError  -                    -                 -
    404 or 500 to an   NoFootageError,         -                    -                 -
      export, with a     ExportImpossibleError
      reason (a)
    other 400, 404     FailedRequestError      -                    probes (b)        again
    408, 425           FailedRequestError      lowers the limit     -                 again
    429                FailedRequestError      the same; again (c)  -                 again
    503                FailedRequestError      the same; again (c)  probes            again
    other 5xx          FailedRequestError      lowers the limit     probes            again
    no answer          FailedRequestError      lowers the limit     probes            again
    half an answer     FailedRequestError      lowers the limit     -                 again
    other 2xx          TransientError          -                    -                 again
    3xx, other 4xx     ConsoleError            -                    -                 -

"probes": asks for what must exist. If that fails too, the console is away: all wait for it, and the
request is sent again without costing an attempt. "again": another attempt after a wait, as long as
there are attempts left; the console's Retry-After goes before our own wait.

(a) As in `_stated_error`. (b) If the console is there, and was not away in the last two minutes, an
export fails with one of the errors of (a) instead, and nobody tries it again. (c) If other exports
ran at the same time: after a pause, in a new slot, and without costing an attempt.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any

import orjson
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import retry_after_secs
from upvs_tasks.console.slow_transfer import SlowTransferError
from upvs_tasks.errors import (
    ConsoleError,
    ExportImpossibleError,
    MissingPermissionError,
    NoFootageError,
    PermanentError,
    SettingsError,
    TransientError,
    UpvsError,
)
from upvs_tasks.redaction import Redactor

_WORDS = ("error", "message", "msg", "code")
_LONGEST_REMARK = 120
# What OpenSSL calls an answer in plain HTTP, in its different versions.
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
# What it calls a server that speaks none of our versions of TLS.
_OLD_TLS = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"}
_COOKIE = re.compile(r"[\w-]{1,64}=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,4096}", re.ASCII)
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectTimeoutError, "the console cannot be reached in time"),
    (RemoteDisconnected, "the console closed the connection without an answer"),
    (IncompleteRead, "the console's answer was cut off"),
    (socket.gaierror, "the console's name is not known"),
    (ReadTimeoutError, "the console fell silent"),
    (TimeoutError, "the console fell silent"),
)


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An answer other than 200; ``remark`` is what it says of itself, without secrets.

    ``second_factor_cookie`` has to be sent with the login that brings a one-time code.
    """

    status: int
    remark: str = ""
    code: str = ""
    retry_after_secs: float | None = None
    second_factor_cookie: str = field(default="", repr=False)

    @property
    def ends_session(self) -> bool:
        """Whether a fresh login may help: the session, or its CSRF token, is no longer known."""
        return self.status == 401 or (self.status == 403 and self._mentions("csrf"))  # noqa: PLR2004

    @property
    def wants_second_factor(self) -> bool:
        """Whether the account logs in with a one-time code besides the password."""
        return self.status == 499 or self._mentions("mfa_auth", "2fatoken")  # noqa: PLR2004

    def _mentions(self, *words: str) -> bool:
        said = f"{self.code} {self.remark}".lower()
        return any(word in said for word in words)

    def __str__(self) -> str:
        return f"{self.status} ({self.remark})" if self.remark else str(self.status)


class UnexpectedStatusError(ConsoleError):
    """The console answered with another status than 200; who sent the request judges it."""

    def __init__(self, response: ErrorResponse) -> None:
        super().__init__(str(response))
        self.response = response


class FailedRequestError(TransientError):
    """A failure that may come from the state of the whole console, not from this request alone.

    ``status`` is None where there was no answer, or not the whole of one (``was_answered``).
    ``permanent_error`` is what the answer means from a console that is up.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_secs: float | None = None,
        was_answered: bool = True,
        permanent_error: PermanentError | None = None,
    ) -> None:
        super().__init__(message, retry_after_secs=retry_after_secs)
        self.status = status
        self.was_answered = was_answered
        self.permanent_error = permanent_error

    @property
    def may_be_outage(self) -> bool:
        """Whether a console that restarts fails like this."""
        return self.status in {400, 404} or self.is_server_error or not self.was_answered

    @property
    def is_server_error(self) -> bool:
        """Whether something answered that has no console behind it now, or a broken one."""
        return self.status is not None and self.status >= 500  # noqa: PLR2004

    @property
    def may_be_overload(self) -> bool:
        """Whether too many exports at once may be the cause."""
        return self.status in {None, 408, 425, 429} or self.is_server_error

    @property
    def says_overload(self) -> bool:
        """Whether the console says that it has too much to do."""
        return self.status in {429, 503}


def parse_error_response(
    status: int, headers: Mapping[str, str], body: bytes, redactor: Redactor
) -> ErrorResponse:
    """What an answer other than 200 says; HTML says nothing."""
    header = headers.get("Retry-After")
    wait_secs = retry_after_secs(header) if header else None
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode(errors="replace").strip()
        remark = "" if text.startswith("<") else _remark(text, redactor)
        return ErrorResponse(status, remark, retry_after_secs=wait_secs)
    if not isinstance(document, dict):
        return ErrorResponse(status, retry_after_secs=wait_secs)
    nested = document.get("error")
    fields = {**document, **nested} if isinstance(nested, dict) else document
    words = [str(fields[word]) for word in _WORDS if isinstance(fields.get(word), str | int)]
    said = [word for word in words if word != str(status)]  # many repeat the status
    return ErrorResponse(
        status,
        _remark(", ".join(said), redactor),
        code=str(fields.get("code") or ""),
        retry_after_secs=wait_secs,
        second_factor_cookie=_second_factor_cookie(fields.get("data")),
    )


def _second_factor_cookie(data: Any) -> str:  # noqa: ANN401  parsed JSON
    cookie = data.get("mfaCookie") if isinstance(data, dict) else None
    return cookie if isinstance(cookie, str) and _COOKIE.fullmatch(cookie) else ""


def _remark(text: str, redactor: Redactor) -> str:
    """Redacted first and shortened then: nobody would recognise half a secret."""
    printable = "".join(letter for letter in redactor.redact(text) if letter.isprintable())
    return printable[:_LONGEST_REMARK]


def error_for_response(response: ErrorResponse, request: ApiRequest) -> UpvsError:
    """Error for a request that was answered with anything but 200."""
    seen = f"{request.what}: the console answered {response}"
    stated = _stated_error(response, request) if request.is_export else None
    match response.status:
        case _ if stated is not None:
            error: UpvsError = stated
        case 403:
            error = MissingPermissionError(
                f"{seen}; the account lacks the permission {request.permission}: "
                "grant it under Admins & Users"
            )
        case 400 | 404:
            # For minutes, a console that restarts says so to everything (hjdhjd/unifi-protect).
            error = failed_request(
                response,
                f"{seen}; it may be restarting",
                permanent_error=_error_once_up(response, seen) if request.is_export else None,
            )
        case 408 | 425 | 429:
            error = failed_request(response, seen)
        case status if status >= 500:  # noqa: PLR2004
            error = failed_request(response, seen)
        case status if status < 300:  # noqa: PLR2004
            error = TransientError(f"{seen} instead of 200")
        case status if status < 400:  # noqa: PLR2004
            error = ConsoleError(
                f"{seen}, which points to another address; set host to the console itself"
            )
        case _:
            error = ConsoleError(seen)
    return error


def failed_request(
    response: ErrorResponse, message: str, *, permanent_error: PermanentError | None = None
) -> FailedRequestError:
    """Failure with the status and the wait that an answer names."""
    return FailedRequestError(
        message,
        status=response.status,
        retry_after_secs=response.retry_after_secs,
        permanent_error=permanent_error,
    )


def error_for_exception(error: Exception, what: str, *, was_answered: bool) -> UpvsError:
    """Error for a request that got no answer, or not the whole of it (``was_answered``)."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return SettingsError(
                f"{what}: what listens there speaks no TLS; give host with the port of https, "
                "which is 443 on most consoles"
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in _OLD_TLS:
            return SettingsError(
                f"{what}: what listens there speaks only versions of TLS before 1.2, which no "
                "longer keep a password secret; update the console"
            )
        if isinstance(cause, LocationValueError):
            return SettingsError(f"{what}: host is no address that can be reached")
        if isinstance(cause, SlowTransferError):
            return FailedRequestError(f"{what}: given up, the console sent only {cause}")
    return FailedRequestError(f"{what}: {_reason(causes)}", was_answered=was_answered)


def _error_once_up(response: ErrorResponse, seen: str) -> PermanentError:
    """What an answer without a reason means from a console that is up."""
    if response.status == 404:  # noqa: PLR2004
        return NoFootageError(f"{seen}, is up and does not say why; taken for no recording")
    return ExportImpossibleError(f"{seen}, and is up: it cannot export this")


def _stated_error(response: ErrorResponse, request: ApiRequest) -> PermanentError | None:
    """What the answer to an export states for good, if it does.

    No recording: newer builds say 404 with {"error":502,"operationId":…}, older ones 500 and a
    sentence. The other sentences were reported by users of protect-archiver.
    """
    remark = response.remark
    match response.status:
        case 404 if remark.startswith("502") or "ecording not found" in remark:
            is_empty = True
        case 500 if "o files found" in remark:
            is_empty = True
        case 500 if "on-monotonic timestamp" in remark or "rack information is not valid" in remark:
            is_empty = False
        case _:
            return None
    answer = f"says its answer {response}"
    if is_empty:
        return NoFootageError(f"{request.what}: the console holds no recording of it, {answer}")
    return ExportImpossibleError(f"{request.what}: the console cannot export it, {answer}")


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
    """Our own sentence: those of libraries hold addresses of objects, and sometimes headers."""
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
