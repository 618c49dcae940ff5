"""Connections on which an answer may take its time, but not trickle for ever.

A read timeout is for a single read: a body that brings a byte a minute keeps within it, for days.
"""

import ssl
from collections.abc import Callable
from typing import Any

from urllib3.util.ssl_ import create_urllib3_context

LEAST_BYTES_PER_SEC = 1_000
_PATIENCE_SECS = 60.0


class SlowTransferError(TimeoutError):
    """Less than 1,000 bytes a second came, for a minute or longer."""


def steady_context(now_secs: Callable[[], float], *, verifies: bool) -> ssl.SSLContext:
    """urllib3's own TLS settings, on sockets whose reads raise SlowTransferError.

    An answer is watched from its first byte on: how long that may take is the read timeout's.
    Threads may share it.
    """

    class SteadySocket(ssl.SSLSocket):
        _since_secs: float | None = None
        _bytes = 0

        def send(self, data: Any, flags: int = 0) -> int:  # noqa: ANN401  any bytes
            self._since_secs = None
            return super().send(data, flags)

        def recv_into(
            self,
            buffer: Any,  # noqa: ANN401  any bytes
            nbytes: int | None = None,
            flags: int = 0,  # noqa: ARG002  TLS knows none
        ) -> int:
            # Straight to read: recv_into of the base would only come to the same, and once for each
            # 16 KiB that counts. With a buffer it returns a number, which typeshed does not know.
            received: int = self.read(nbytes or len(buffer), buffer)  # type: ignore[assignment]
            now = now_secs()
            if self._since_secs is None:
                self._since_secs, self._bytes = now, 0
            self._bytes += received
            spent_secs = now - self._since_secs
            if spent_secs >= _PATIENCE_SECS:
                if received and self._bytes < LEAST_BYTES_PER_SEC * spent_secs:
                    raise SlowTransferError(f"{self._bytes} bytes in {spent_secs:.0f} s")
                self._since_secs, self._bytes = now, 0
            return received

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE)
    context.sslsocket_class = SteadySocket
    _settle_protocol(context)
    return context


def _settle_protocol(context: ssl.SSLContext) -> None:
    """Offer HTTP/1.1, and never again change that.

    urllib3 sets it anew for each connection, which frees what another thread may just be copying
    for its own (python/cpython issue 141012): a greeting that no server understands, or a crash.
    """
    context.set_alpn_protocols(["http/1.1"])
    context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]  # noqa: ARG005
