import logging
import re
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from upvs_tasks.clock import Clock
from upvs_tasks.console.endpoint import Access
from upvs_tasks.console.failures import ErrorResponse, described, failed
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.console.slow_transfer import steady_context
from upvs_tasks.console.usage import ConsoleUsage
from upvs_tasks.errors import SettingsError, TransientError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECS = 10.0
# The first byte of an hour's export took 16 s on an older recorder, and users of other clients
# needed more than 60 s.
READ_TIMEOUT_SECS = 120.0
_LONGEST_REFUSAL_BYTES = 65_536
_TOKEN_SHAPE = re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
_HIDDEN = "[hidden]"


class Transport:
    """One pool of connections to one console, and the account of what went over it.

    It verifies, times out, translates foreign exceptions and hides secrets. It repeats nothing,
    follows nothing, and asks no proxy.
    """

    def __init__(
        self,
        access: Access,
        *,
        patience: RetryPolicy,
        connections: int,
        read_timeout_secs: float,
        surroundings: Clock,
    ) -> None:
        self.base_url = access.base_url
        self._patience = patience
        self._timeout_secs = (CONNECT_TIMEOUT_SECS, read_timeout_secs)
        self._verify = _verification(access, self.base_url)
        context = steady_context(surroundings.monotonic_secs, verifies=self._verify is not False)
        self._adapter = _Adapter(context, connections=connections)
        self._lock = Lock()
        self._account = ConsoleUsage()
        self._secrets = {
            access.username,
            access.password,
            access.totp_secret,
            access.one_time_code,
        }

    @property
    def account(self) -> ConsoleUsage:
        """What was asked of the console so far."""
        with self._lock:
            return self._account

    def session(self) -> requests.Session:
        """A session without cookies, on the one pool; it knows no scheme but https."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self._verify
        session.adapters.clear()
        session.mount("https://", self._adapter)
        session.headers["Accept-Encoding"] = "identity"
        return session

    @contextmanager
    def asking(
        self,
        session: requests.Session,
        method: str,
        path: str,
        *,
        what: str,
        **details: Any,  # noqa: ANN401  handed on to requests
    ) -> Iterator[requests.Response]:
        """Answer to one request, its body not read yet. Raises what the network's failures mean."""
        self.count(lambda account: replace(account, requests=account.requests + 1))
        started_secs = time.monotonic()
        with self._translating(what, was_answered=False):
            response = session.request(
                method,
                self.base_url + path,
                timeout=self._timeout_secs,
                allow_redirects=False,
                stream=True,
                **details,
            )
        with response:
            waited_secs = time.monotonic() - started_secs
            self.count(lambda account: _with_wait(account, waited_secs))
            yield response

    def read(self, response: requests.Response, *, what: str) -> bytes:
        """The whole body of an answer that is small."""
        with self._translating(what):
            return response.content

    def refusal(self, response: requests.Response, *, what: str) -> ErrorResponse | None:
        """What an answer says that is not 200; None for one that is."""
        if response.status_code == requests.codes.ok:
            return None
        with self._translating(what):
            body = response.raw.read(_LONGEST_REFUSAL_BYTES, decode_content=True)
        return described(
            response.status_code,
            body,
            self.discreet,
            retry_after_secs=self._patience.requested_secs(response.headers.get("Retry-After")),
        )

    @contextmanager
    def _translating(self, what: str, *, was_answered: bool = True) -> Iterator[None]:
        """Turn what requests and urllib3 raise inside the block into our own errors.

        ``was_answered`` says whether the console had begun to answer before.
        """
        try:
            yield
        except (requests.RequestException, HTTPError) as error:
            raise failed(error, what, was_answered=was_answered) from error

    def count(self, changed: Callable[[ConsoleUsage], ConsoleUsage]) -> None:
        """Change the account; threads take turns."""
        with self._lock:
            self._account = changed(self._account)

    def note_retry(self, error: TransientError, wait_secs: float) -> None:
        """Count and log that a question will be put again after a wait."""
        self.count(lambda account: replace(account, retries=account.retries + 1))
        log.warning(
            "console will be asked again",
            extra={"reason": str(error), "wait_secs": round(wait_secs, 3)},
        )

    def keep_secret(self, value: str) -> None:
        """Hide this wherever the console repeats it."""
        with self._lock:
            self._secrets.add(value)

    def discreet(self, text: str) -> str:
        """``text`` without any secret that we know of or that has the shape of a token."""
        with self._lock:
            secrets = sorted(self._secrets - {""}, key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return _TOKEN_SHAPE.sub(_HIDDEN, text)

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()


class _Adapter(HTTPAdapter):
    """requests' way to one host, with TLS settings of our own and no attempts but ours."""

    def __init__(self, context: ssl.SSLContext, *, connections: int) -> None:
        self._context = context
        super().__init__(
            pool_connections=1, pool_maxsize=connections, max_retries=0, pool_block=True
        )

    def init_poolmanager(self, *arguments: Any, **details: Any) -> None:  # noqa: ANN401  see base
        super().init_poolmanager(*arguments, **details, ssl_context=self._context)


def _with_wait(account: ConsoleUsage, waited_secs: float) -> ConsoleUsage:
    return replace(account, worst_wait_secs=max(account.worst_wait_secs, waited_secs))


def _verification(access: Access, base_url: str) -> bool | str:
    """What requests is to verify certificates with. Raises SettingsError for an unfit ca_file."""
    if access.tls_insecure:
        log.warning("certificates are not verified", extra={"setting": "tls_insecure"})
        _silence_warnings_about(urlsplit(base_url).hostname or "")
        return False
    if access.ca_file is None:
        return True
    try:
        ssl.create_default_context(cafile=str(access.ca_file))
    except OSError as error:
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in it"
        raise SettingsError(f"ca_file {access.ca_file} cannot be used: {reason}") from error
    return str(access.ca_file)


def _silence_warnings_about(hostname: str) -> None:
    """Leave urllib3's warnings about any other host alone; ours was logged once."""
    warnings.filterwarnings(
        "ignore",
        message=rf"Unverified HTTPS request is being made to host '\[?{re.escape(hostname)}\]?'",
        category=InsecureRequestWarning,
    )
