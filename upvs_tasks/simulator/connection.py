"""One HTTP connection: reads requests and sends responses, or fails as ordered."""

import logging
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from select import select
from time import monotonic
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from upvs_tasks.simulator.behaviour import Length
from upvs_tasks.simulator.clip_file import ClipFile
from upvs_tasks.simulator.faults import Fault, FaultKind
from upvs_tasks.simulator.handler import RequestHandler
from upvs_tasks.simulator.messages import Request, Response
from upvs_tasks.simulator.world import ConsoleClosingError

log = logging.getLogger(__name__)

_POLL_SECS = 0.05
_CHUNK_BYTES = 1 << 16
_CUT_KINDS = (FaultKind.CUT_BODY, FaultKind.CUT_BODY_NO_LENGTH)
_PARTIAL_KINDS = (*_CUT_KINDS, FaultKind.STALL_BODY, FaultKind.RESET)


class HttpConnection(BaseHTTPRequestHandler):
    """All requests of one connection; the constructor serves them."""

    protocol_version = "HTTP/1.1"
    server_version = "SimulatedConsole"
    disable_nagle_algorithm = True
    connection: ssl.SSLSocket

    def __init__(
        self,
        *base_arguments: Any,  # noqa: ANN401 - the base class's own
        handler: RequestHandler,
        begin_outage: Callable[[float], None],
    ) -> None:
        self._handler = handler
        self._closing = handler.world.closing
        self._begin_outage = begin_outage
        super().__init__(*base_arguments)

    def version_string(self) -> str:
        """Return the value of the Server header."""
        return self.server_version

    def do_GET(self) -> None:
        """Serve a GET."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Serve a POST."""
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Write to the program's log, not to standard error."""
        log.info(format, *args)

    def _serve(self, body: bytes) -> None:
        address = urlsplit(self.path)
        query = tuple(parse_qsl(address.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, address.path, query, headers, body)
        handler = self._handler
        with handler.recorded(request) as number, handler.export_counted(request) as running:
            fault = handler.fault_for(request)
            if fault is not None:
                handler.request_log.update(number, fault=str(fault.kind))
            try:
                self._respond(request, fault, number, running)
            except ConsoleClosingError:
                self.close_connection = True

    def _respond(self, request: Request, fault: Fault | None, number: int, running: int) -> None:
        if fault is not None and not self._may_respond(fault):
            return
        response = self._handler.respond(request, fault, running)
        self._handler.request_log.update(number, status=response.status)
        try:
            self._send(response, fault, number)
        finally:
            if isinstance(response.body, ClipFile):
                response.body.close()

    def _may_respond(self, fault: Fault) -> bool:
        """Do what a fault does before the response; return whether there is a response."""
        match fault.kind:
            case FaultKind.SLOW:
                self._closing.wait(fault.secs)
            case FaultKind.STALL_FIRST:
                return self._stall(fault)
            case FaultKind.OUTAGE:
                self._handler.reboot(2 * fault.secs, fault.status)
                self._begin_outage(fault.secs)
                self._reset()
            case FaultKind.RESET if fault.after_bytes is None:
                self._reset()
        return True

    def _send(self, response: Response, fault: Fault | None, number: int) -> None:
        kind = fault.kind if fault else None
        total = len(response.body)
        length = self._length(response, kind)
        self._send_head(response, length, total)
        first_bytes = total
        if fault and kind in _PARTIAL_KINDS:
            half = total // 2
            first_bytes = half if fault.after_bytes is None else min(fault.after_bytes, total)
        chunks = _chunks(response.body)
        if kind is FaultKind.WRONG_BYTES:
            chunks = (bytes(len(chunk)) for chunk in chunks)
        remaining = self._send_chunks(chunks, first_bytes, length, number)
        if kind in _CUT_KINDS:
            self._cut()
        elif kind is FaultKind.RESET:
            self._reset()
        elif fault is None or kind is not FaultKind.STALL_BODY or self._stall(fault):
            self._send_chunks(remaining, total - first_bytes, length, number)
            self._end_body(length)

    def _length(self, response: Response, kind: FaultKind | str | None) -> Length:
        if kind is FaultKind.CUT_BODY_NO_LENGTH:
            return Length.CLOSE
        if isinstance(response.body, ClipFile):
            return self._handler.behaviour.content_length
        return Length.PRESENT

    def _send_head(self, response: Response, length: Length, total: int) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers:
            self.send_header(name, value)
        match length:
            case Length.PRESENT:
                self.send_header("Content-Length", str(total))
            case Length.CHUNKED:
                self.send_header("Transfer-Encoding", "chunked")
            case Length.CLOSE:
                self.send_header("Connection", "close")  # the base class then closes it
        self.end_headers()

    def _send_chunks(
        self, chunks: Iterable[bytes], limit: int, length: Length, number: int
    ) -> Iterator[bytes]:
        """Send this many bytes and return the chunks that are left."""
        rate = self._handler.behaviour.bytes_per_sec
        source = iter(chunks)
        sent = 0
        while sent < limit and not self._closing.is_set():
            chunk = next(source)
            if len(chunk) > limit - sent:
                source = _with_first(chunk[limit - sent :], source)
                chunk = chunk[: limit - sent]
            sent += len(chunk)
            self._handler.request_log.add_bytes(number, len(chunk))
            is_chunked = length is Length.CHUNKED
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
            if rate:
                self._closing.wait(len(chunk) / rate)
        return source

    def _end_body(self, length: Length) -> None:
        if length is Length.CHUNKED:
            self.wfile.write(b"0\r\n\r\n")
        elif length is Length.CLOSE:
            # End TLS properly, but do not wait until the client does so too.
            self.connection.settimeout(0)
            with suppress(OSError, ValueError):
                self.connection.unwrap()

    def _stall(self, fault: Fault) -> bool:
        """Wait until the stall ends; return whether the response should continue."""
        secs = fault.release_after_secs
        until = None if secs is None else monotonic() + secs
        with self._handler.stall_counted() as released:
            while not self._closing.is_set():
                if released.is_set() or (until is not None and monotonic() >= until):
                    return True
                if _is_closed_by_client(self.connection):
                    break
        self.close_connection = True
        return False

    def _cut(self) -> None:
        self.close_connection = True
        disconnect(self.connection)

    def _reset(self) -> NoReturn:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # The descriptor stays open as long as this object's file on it is open.
        self.rfile.close()
        self.connection.close()
        raise ConnectionAbortedError("reset as ordered")


def disconnect(connection: socket.socket) -> None:
    """End a connection in both directions, whatever another thread does with it."""
    # SSLSocket.shutdown would remove the TLS state while the other thread reads.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _chunks(body: bytes | ClipFile) -> Iterator[bytes]:
    if isinstance(body, ClipFile):
        return body.chunks()
    return (body[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES))


def _with_first(chunk: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield chunk
    yield from chunks


def _is_closed_by_client(connection: ssl.SSLSocket) -> bool:
    """Wait a moment for anything from the client; while it waits, it can only close."""
    readable, _, _ = select([connection], [], [], _POLL_SECS)
    return bool(readable)
