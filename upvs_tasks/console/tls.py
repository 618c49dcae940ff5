"""Our own TLS settings.

They lean on private parts of others: that http.client reads TLS by ``recv_into`` of the socket, and
that urllib3 sets the offered protocol (ALPN) on the context of each connection.
"""

import ssl
from collections.abc import Callable
from typing import Any

from urllib3.util.ssl_ import create_urllib3_context

from upvs_tasks.console.slow_transfer import MEASURED_SECS, check_speed


def tls_context(now_secs: Callable[[], float], *, verifies: bool) -> ssl.SSLContext:
    """urllib3's own TLS settings, on sockets whose reads raise SlowTransferError.

    The speed is measured from the first byte of an answer on: how long that takes is limited by the
    read timeout. Threads may share the context.
    """

    class MeasuredSocket(ssl.SSLSocket):
        _since_secs: float | None = None
        _bytes = 0

        def send(self, data: Any, flags: int = 0) -> int:  # noqa: ANN401  any bytes
            self._since_secs = None
            return super().send(data, flags)

        def recv_into(
            self,
            buffer: Any,  # noqa: ANN401  any bytes
            nbytes: int | None = None,
            flags: int = 0,  # noqa: ARG002  TLS has none
        ) -> int:
            # Calls read directly: the base class does the same by way of one more frame, which
            # counts at one call for each 16 KiB. With a buffer, read returns a number, which
            # typeshed does not know.
            received: int = self.read(nbytes or len(buffer), buffer)  # type: ignore[assignment]
            now = now_secs()
            if self._since_secs is None:
                self._since_secs, self._bytes = now, 0
            self._bytes += received
            spent_secs = now - self._since_secs
            if spent_secs >= MEASURED_SECS:
                if received:
                    check_speed(self._bytes, spent_secs)
                self._since_secs, self._bytes = now, 0
            return received

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE)
    context.sslsocket_class = MeasuredSocket
    # Offers HTTP/1.1, and ignores every later change of that. urllib3 sets it again for each
    # connection, which frees memory that another thread may be copying for its own connection
    # (python/cpython issue 141012): the console cannot read the greeting, or Python crashes.
    context.set_alpn_protocols(["http/1.1"])
    context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]  # noqa: ARG005
    return context
