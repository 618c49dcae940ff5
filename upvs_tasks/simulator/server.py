"""HTTPS on loopback: the socket that listens, and a thread for each connection."""

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any

from upvs_tasks.simulator.connection import HttpConnection, disconnect
from upvs_tasks.simulator.handler import RequestHandler

log = logging.getLogger(__name__)

_HANDSHAKE_SECS = 20.0
_POLL_SECS = 0.05


class ConsoleServer(ThreadingHTTPServer):
    """A threading HTTPS server that leaves no thread and no socket when it has stopped."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], tls: ssl.SSLContext, handler: RequestHandler
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._tls = tls
        self._closing = handler.world.closing
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._serve_connection = partial(
            HttpConnection, handler=handler, begin_outage=self._begin_outage
        )
        super().__init__(address, self._serve_connection)
        self._thread = self._listener()
        self._outage: Thread | None = None

    def server_bind(self) -> None:
        """Bind without a request to a name server."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "console", int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End all connections and wait until all threads have ended."""
        self._closing.set()
        if self._outage is not None:
            self._outage.join()
        self._stop_listening()
        self.server_close()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """Serve one connection, TLS handshake included, in its own thread."""
        request.settimeout(_HANDSHAKE_SECS)
        try:
            connection = self._tls.wrap_socket(request, server_side=True)
        except OSError as error:
            log.debug("handshake failed: %s", error)
            return
        connection.settimeout(None)
        with connection, self._tracked(connection):
            try:
                self._serve_connection(connection, client_address, self)
            except OSError as error:
                log.debug("connection lost: %s", error)

    def _listener(self) -> Thread:
        return Thread(target=self.serve_forever, args=(_POLL_SECS,), name="console")

    def _stop_listening(self) -> None:
        with suppress(OSError):  # not every system does this to a socket that listens
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the listener, which polls otherwise
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                disconnect(connection)

    def _begin_outage(self, secs: float) -> None:
        """End all connections and refuse new ones for a while; the address stays reserved."""
        self._outage = Thread(target=self._refuse_connections, args=(secs,), name="outage")
        self._outage.start()

    def _refuse_connections(self, secs: float) -> None:
        self._stop_listening()
        self.socket.close()
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()  # a socket that is bound but does not listen refuses connections
        self._closing.wait(secs)
        self.server_activate()
        self._thread = self._listener()
        self._thread.start()

    @contextmanager
    def _tracked(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.add(connection)
        if self._closing.is_set():
            disconnect(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)
