"""The only place that speaks HTTP: one pool of connections to one console."""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from upvs_tasks.clock import Clock
from upvs_tasks.console.body import start_of_body
from upvs_tasks.console.endpoint import Endpoint
from upvs_tasks.console.failures import (
    UnexpectedStatusError,
    error_for_exception,
    parse_error_response,
)
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import NOTICED_SECS, OnWait
from upvs_tasks.console.session import CSRF_HEADER, Session, is_header_value
from upvs_tasks.console.trust import Trust, trusting_pool
from upvs_tasks.console.usage import UsageCounter
from upvs_tasks.redaction import Redactor

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_SECS = 10.0
# The first byte of an hour's export took 16 s on an older recorder, and users of other clients
# needed more than 60 s.
READ_TIMEOUT_SECS = 120.0
# A console that changes its CSRF token announces the next one under the first name.
_CSRF_HEADERS = ("X-Updated-CSRF-Token", CSRF_HEADER)


class Transport:
    """Sends single requests: verifies, times out, and translates the exceptions of others.

    It retries nothing, follows no redirect, and uses no proxy. Threads may share it.
    """

    def __init__(  # noqa: PLR0913  what a request needs, and who is told of it
        self,
        endpoint: Endpoint,
        *,
        connections: int,
        read_timeout_secs: float,
        clock: Clock,
        redactor: Redactor,
        usage: UsageCounter,
        on_wait: OnWait,
        noticed_secs: float = NOTICED_SECS,
    ) -> None:
        self.base_url = endpoint.base_url
        self._timeout_secs = (CONNECT_TIMEOUT_SECS, read_timeout_secs)
        self._now_secs = clock.monotonic_secs
        self._redactor = redactor
        self._usage = usage
        self._on_wait = on_wait
        self._noticed_secs = noticed_secs
        trust = Trust.of(endpoint)
        self._verify = _verification(endpoint)
        self._adapter = _Adapter(
            trusting_pool(trust, clock.monotonic_secs), connections=connections
        )

    def new_session(self) -> Session:
        """A session without cookies, on the one pool; it sends over https alone."""
        http = requests.Session()
        http.trust_env = False
        http.verify = self._verify
        http.adapters.clear()
        http.mount("https://", self._adapter)
        http.headers["Accept-Encoding"] = "identity"
        return Session(http, self._redactor)

    def send(
        self, request: ApiRequest, use: Callable[[requests.Response], T], session: Session
    ) -> T:
        """See `Sender`; ``session`` is what the console knows us by.

        Raises UnexpectedStatusError for any status but 200, FailedRequestError where no answer
        came or not the whole of it, UntrustedCertificateError or SettingsError.
        """
        with self._usage.lock:
            self._usage.requests += 1
        # No client is known that sends the token of one login with the next.
        sends_token = session.csrf_token and request.body is None
        was_answered, sent_secs = False, self._now_secs()
        exchange = _Exchange(request)
        try:
            with (
                self._silence_noticed(request),
                session.http.request(
                    request.method,
                    self.base_url + request.path,
                    params=request.params,
                    json=request.body,
                    headers={CSRF_HEADER: session.csrf_token} if sends_token else None,
                    timeout=self._timeout_secs,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                was_answered = True
                exchange.response = response
                self._note_answer(response, session, self._now_secs() - sent_secs)
                if response.status_code != requests.codes.ok:
                    body = start_of_body(response, request.what)
                    raise UnexpectedStatusError(
                        parse_error_response(
                            response.status_code, response.headers, body, self._redactor
                        )
                    )
                return use(response)
        except (requests.RequestException, HTTPError) as error:
            raise error_for_exception(error, request.what, was_answered=was_answered) from error
        finally:
            log.debug("request", extra=exchange.facts(self._now_secs() - sent_secs))

    @contextmanager
    def _silence_noticed(self, request: ApiRequest) -> Iterator[None]:
        """Tell of a question that nobody answers for some seconds; exports have a bar for that."""
        if request.is_export:
            yield
            return
        reason = f"{request.what}: no whole answer yet"
        timer = Timer(self._noticed_secs, self._on_wait, (reason, sum(self._timeout_secs)))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def _note_answer(self, response: requests.Response, session: Session, secs: float) -> None:
        """Count the wait, and take over the CSRF token of the answer: it changes at any time."""
        with self._usage.lock:
            self._usage.longest_wait_secs = max(self._usage.longest_wait_secs, secs)
        for name in _CSRF_HEADERS:
            token = response.headers.get(name, "")
            if token and token == session.csrf_token:
                return
            if token and is_header_value(token):
                session.adopt_csrf_token(token)
                return


@dataclass(slots=True)
class _Exchange:
    """A request and its answer, for the log; there is no answer at first, and perhaps never."""

    request: ApiRequest
    response: requests.Response | None = None

    def facts(self, secs: float) -> dict[str, object]:
        """What was asked for and what came; neither bodies nor headers."""
        facts: dict[str, object] = {
            "method": self.request.method,
            "path": self.request.path,
            "query": " ".join(f"{name}={value}" for name, value in self.request.params),
            "ms": round(secs * 1000),
        }
        if self.response is not None:
            length = self.response.headers.get("Content-Length")
            received = self.response.raw.tell()
            facts["status"] = self.response.status_code
            facts["bytes"] = received or (int(length) if length and length.isdigit() else None)
        return facts


class _Adapter(HTTPAdapter):
    """requests' way to one host, over our own connections and without attempts of its own."""

    def __init__(self, pool: type[HTTPSConnectionPool], *, connections: int) -> None:
        self._pool = pool
        super().__init__(
            pool_connections=1, pool_maxsize=connections, max_retries=0, pool_block=True
        )

    def init_poolmanager(self, *arguments: Any, **details: Any) -> None:  # noqa: ANN401  see base
        super().init_poolmanager(*arguments, **details)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}


def _verification(endpoint: Endpoint) -> bool | str:
    """What requests verifies certificates with, where a certificate itself is not known."""
    if endpoint.tls_insecure:
        log.warning("certificates are not verified", extra={"setting": "tls_insecure"})
        _silence_warnings_about(urlsplit(endpoint.base_url).hostname or "")
        return False
    return str(endpoint.ca_file) if endpoint.ca_file else True


def _silence_warnings_about(hostname: str) -> None:
    """Silence urllib3 about this host alone: our own warning was logged once."""
    warnings.filterwarnings(
        "ignore",
        message=rf"Unverified HTTPS request is being made to host '\[?{re.escape(hostname)}\]?'",
        category=InsecureRequestWarning,
    )
