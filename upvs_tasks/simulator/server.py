"""HTTPS on loopback: sockets, threads, and everything that can happen to a reply on its way."""

import logging
import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from socketserver import TCPServer
from threading import Lock, Thread
from time import monotonic
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from upvs_tasks.simulator.behaviour import Length
from upvs_tasks.simulator.exchange import Reply, Request
from upvs_tasks.simulator.faults import Fault, FaultKind
from upvs_tasks.simulator.mp4 import ClipFile
from upvs_tasks.simulator.service import Service
from upvs_tasks.simulator.world import ConsoleClosingError

log = logging.getLogger(__name__)

_HANDSHAKE_SECS = 20.0
_GLANCE_SECS = 0.05
_CHUNK_BYTES = 1 << 16
_STALL_KINDS = (FaultKind.STALL_FIRST, FaultKind.STALL_BODY)
_CUT_KINDS = (FaultKind.CUT_BODY, FaultKind.CUT_BODY_NO_LENGTH)


class ConsoleServer(ThreadingHTTPServer):
    """A threading HTTPS server that leaves neither thread nor socket behind."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext, service: Service) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, _Conversation)
        self._thread = self._listener()
        self._darkness: Thread | None = None

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "console", int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and wait until all threads have gone."""
        self.service.world.closing.set()
        if self._darkness is not None:
            self._darkness.join()
        self._stop_listening()
        self.server_close()

    def go_dark(self, secs: float) -> None:
        """Hang up on everybody and have nobody listen for a while; the address stays ours."""
        self._darkness = Thread(target=self._be_dark, args=(secs,), name="darkness")
        self._darkness.start()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """Shake hands and serve one connection, in its own thread."""
        request.settimeout(_HANDSHAKE_SECS)
        try:
            connection = self._tls.wrap_socket(request, server_side=True)
        except OSError as error:
            log.debug("no handshake: %s", error)
            return
        connection.settimeout(None)
        with connection, self._tracked(connection):
            try:
                _Conversation(connection, client_address, self)
            except OSError as error:
                log.debug("connection lost: %s", error)

    def _listener(self) -> Thread:
        return Thread(target=self.serve_forever, args=(_GLANCE_SECS,), name="console")

    def _stop_listening(self) -> None:
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)

    def _be_dark(self, secs: float) -> None:
        self._stop_listening()
        self.socket.close()
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()  # a socket that is bound but does not listen refuses connections
        self.service.world.closing.wait(secs)
        self.server_activate()
        self._thread = self._listener()
        self._thread.start()

    @contextmanager
    def _tracked(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        if self.service.world.closing.is_set():
            _hang_up(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)


class _Conversation(BaseHTTPRequestHandler):
    """All requests of one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "SimulatedConsole"
    disable_nagle_algorithm = True
    server: ConsoleServer
    connection: ssl.SSLSocket

    def version_string(self) -> str:
        """Return what the Server header says."""
        return self.server_version

    def do_GET(self) -> None:
        """Serve a GET."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Serve a POST."""
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Log where the program's log goes."""
        log.info(format, *args)

    def _serve(self, body: bytes) -> None:
        address = urlsplit(self.path)
        query = tuple(parse_qsl(address.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, address.path, query, headers, body)
        service = self.server.service
        with service.recorded(request) as number, service.export_counted(request) as running:
            fault = service.fault_for(request)
            if fault is not None:
                service.journal.update(number, fault=str(fault.kind))
            try:
                self._answer(request, fault, number, running)
            except ConsoleClosingError:
                self.close_connection = True

    def _answer(self, request: Request, fault: Fault | None, number: int, running: int) -> None:
        service = self.server.service
        kind = fault.kind if fault else None
        if fault and kind is FaultKind.SLOW:
            service.world.closing.wait(fault.secs)
        if fault and kind is FaultKind.STALL_FIRST and not self._stall(fault):
            return
        if fault and kind is FaultKind.DARK:
            service.reboot(2 * fault.secs, fault.status)
            self.server.go_dark(fault.secs)
            self._reset()
        if fault and kind is FaultKind.RESET and fault.after_bytes is None:
            self._reset()
        reply = service.answer(request, fault, running)
        service.journal.update(number, status=reply.status)
        try:
            self._send(reply, fault, number)
        finally:
            if isinstance(reply.body, ClipFile):
                reply.body.close()

    def _send(self, reply: Reply, fault: Fault | None, number: int) -> None:
        total = len(reply.body)
        length = self._announce(reply, fault, total)
        stop_at = total
        if fault and fault.kind in (*_CUT_KINDS, FaultKind.STALL_BODY, FaultKind.RESET):
            stop_at = total // 2 if fault.after_bytes is None else min(fault.after_bytes, total)
        pieces = _from(reply.body)
        if fault and fault.kind is FaultKind.WRONG_BYTES:
            pieces = (bytes(len(piece)) for piece in pieces)
        remaining = self._send_pieces(pieces, stop_at, length, number)
        if fault and fault.kind in _CUT_KINDS:
            self._cut()
        elif fault and fault.kind is FaultKind.RESET:
            self._reset()
        elif fault is None or fault.kind is not FaultKind.STALL_BODY or self._stall(fault):
            self._send_pieces(remaining, total - stop_at, length, number)
            self._finish(length)

    def _announce(self, reply: Reply, fault: Fault | None, total: int) -> Length:
        length = Length.PRESENT
        if isinstance(reply.body, ClipFile):
            length = self.server.service.behaviour.content_length
        if fault and fault.kind is FaultKind.CUT_BODY_NO_LENGTH:
            length = Length.CLOSE
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers:
            self.send_header(name, value)
        if length is Length.PRESENT:
            self.send_header("Content-Length", str(total))
        elif length is Length.CHUNKED:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")  # the base class then closes, too
        self.end_headers()
        return length

    def _send_pieces(
        self, pieces: Iterable[bytes], limit: int, length: Length, number: int
    ) -> Iterator[bytes]:
        """Send so many bytes and return the pieces that are left."""
        service, source = self.server.service, iter(pieces)
        rate = service.behaviour.bytes_per_sec
        sent = 0
        while sent < limit and not service.world.closing.is_set():
            piece = next(source)
            if len(piece) > limit - sent:
                source = _with_first(piece[limit - sent :], source)
                piece = piece[: limit - sent]
            sent += len(piece)
            service.journal.add_bytes(number, len(piece))
            self.wfile.write(
                b"%x\r\n%b\r\n" % (len(piece), piece) if length is Length.CHUNKED else piece
            )
            if rate:
                service.world.closing.wait(len(piece) / rate)
        return source

    def _finish(self, length: Length) -> None:
        if length is Length.CHUNKED:
            self.wfile.write(b"0\r\n\r\n")
        elif length is Length.CLOSE:
            # Say goodbye in TLS without waiting for the other side to do so.
            self.connection.settimeout(0)
            with suppress(OSError, ValueError):
                self.connection.unwrap()

    def _stall(self, fault: Fault) -> bool:
        """Hold still; say afterwards whether the reply should go on."""
        service = self.server.service
        secs = fault.release_after_secs
        until = None if secs is None else monotonic() + secs
        with service.stall_counted() as released:
            while not service.world.closing.is_set():
                if released.is_set() or (until is not None and monotonic() >= until):
                    return True
                if _has_hung_up(self.connection):
                    break
        self.close_connection = True
        return False

    def _cut(self) -> None:
        self.close_connection = True
        _hang_up(self.connection)

    def _reset(self) -> NoReturn:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # The descriptor stays open as long as the handler's file on it does.
        self.rfile.close()
        self.connection.close()
        raise ConnectionAbortedError("reset as ordered")


def _from(body: bytes | ClipFile) -> Iterator[bytes]:
    if isinstance(body, ClipFile):
        return body.chunks()
    return (body[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES))


def _with_first(piece: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield piece
    yield from pieces


def _has_hung_up(connection: ssl.SSLSocket) -> bool:
    """Look for a moment whether the client says anything; it can only be goodbye."""
    readable, _, _ = select([connection], [], [], _GLANCE_SECS)
    return bool(readable)


def _hang_up(connection: socket.socket) -> None:
    # SSLSocket.shutdown would pull the TLS state from under the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
