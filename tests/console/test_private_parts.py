"""Parts of libraries that nobody promised to keep, and on which the client leans.

When one of these fails after an upgrade, the sentence names the library and the place to mend.
"""

import ssl
from http.client import HTTPResponse
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests
import urllib3
from urllib3.util.ssl_ import create_urllib3_context

from tests.console.harness import ConsoleHarness
from tests.pinned import PinnedAdapter, fingerprint
from upvs_tasks.console.tls import tls_context

URLLIB3_VERSION = version("urllib3")


def test_urllib3_still_wraps_a_response_of_http_client(harness: ConsoleHarness) -> None:
    """console/export.py reads the body of an export from it."""
    url = harness.endpoint().base_url
    with requests.Session() as session:
        session.mount(url, PinnedAdapter(harness.simulated.ca_file))
        response = session.get(url, stream=True, timeout=10, verify=False)
        wrapped = getattr(response.raw, "_original_response", None)
        assert isinstance(wrapped, HTTPResponse), (
            f"urllib3 {URLLIB3_VERSION} has no HTTPResponse._original_response any more: "
            "read exports in console/export.py in another way"
        )
        assert callable(wrapped.readinto)
        assert hasattr(wrapped, "length"), "http.client.HTTPResponse has no length any more"


def test_http_client_still_reads_tls_by_recv_into(harness: ConsoleHarness) -> None:
    """console/tls.py measures the speed of an answer there."""
    times: list[float] = []

    def now_secs() -> float:
        times.append(float(len(times)))
        return times[-1]

    fetch_page(harness, tls_context(now_secs, verifies=True))
    assert times, (
        "http.client no longer reads by SSLSocket.recv_into: "
        "a slow transfer is not noticed (tls_context in console/tls.py)"
    )


def test_urllib3_still_sets_the_protocol_for_each_connection(harness: ConsoleHarness) -> None:
    """Should it stop, then console/tls.py need not ignore it any more."""
    calls: list[list[str]] = []

    class NotingContext(ssl.SSLContext):
        def set_alpn_protocols(self, alpn_protocols: Any) -> None:  # noqa: ANN401  see base
            calls.append(list(alpn_protocols))

    fetch_page(harness, NotingContext(ssl.PROTOCOL_TLS_CLIENT))
    assert calls, (
        f"urllib3 {URLLIB3_VERSION} no longer sets ALPN on a context that it was given: "
        "take the workaround out of tls_context in console/tls.py"
    )


def fetch_page(harness: ConsoleHarness, context: ssl.SSLContext) -> None:
    """Ask the console for any page, by urllib3 alone."""
    pinned = fingerprint(Path(harness.simulated.ca_file))
    context.check_hostname = False
    with urllib3.PoolManager(
        ssl_context=context, cert_reqs="CERT_NONE", assert_fingerprint=pinned
    ) as pool:
        pool.request("GET", harness.endpoint().base_url, retries=False)


def test_urllib3_still_takes_the_class_of_its_sockets_from_the_context() -> None:
    """ssl.SSLContext.sslsocket_class is documented; that urllib3's context is one, too."""
    assert isinstance(create_urllib3_context(), ssl.SSLContext)
    assert issubclass(tls_context(lambda: 0.0, verifies=True).sslsocket_class, ssl.SSLSocket)
