"""An HTTPS server that answers what a test tells it, byte for byte, and records what it was sent.

For what a real console does not do, or does not show: hostile bodies, headers that are echoed,
redirects.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from upvs_tasks.clock import Clock
from upvs_tasks.console.client import Console
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.retry import RetryPolicy
from upvs_tasks.simulator.certificate import CERTIFICATE_FILE, server_context


@dataclass(frozen=True, slots=True)
class Seen:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; its length is told unless a header says otherwise.

    ``pieces`` are sent in place of a body until they end, or until the client has had enough.
    ``raw`` likewise in place of the whole answer.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Callable[[], Iterator[bytes]] | None = None
    raw: Callable[[], Iterator[bytes]] | None = None


PASSWORD = "secret-of-the-test"
ENTERED = Answer(headers=(("Set-Cookie", "TOKEN=cookie-of-the-test; Path=/; Secure; HttpOnly"),))


class ScriptedServer:
    """A server that runs while its ``with`` block does."""

    def __init__(self, folder: Path, answer: Callable[[Seen], Answer]) -> None:
        self.seen: list[Seen] = []
        self._folder = folder
        context = server_context(folder)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.seen, answer))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def host(self) -> str:
        """Address of the server, without scheme."""
        return f"127.0.0.1:{self._server.server_port}"

    def client(
        self,
        *,
        attempts: int = 1,
        password: str = PASSWORD,
        direct_api: bool = False,
        totp_secret: str = "",
        clock: Clock = Clock(),  # noqa: B008  a frozen value
    ) -> Console:
        """A client of this server."""
        return Console(
            Endpoint(self.host, ca_file=self._folder / CERTIFICATE_FILE, direct_api=direct_api),
            Credentials("somebody", password, totp_secret),
            policy=RetryPolicy(attempts=attempts),
            clock=clock,
        )

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(seen: list[Seen], answer: Callable[[Seen], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.handle_one_request()

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            request = Seen(self.command, self.path, headers, body)
            seen.append(request)
            reply = answer(request)
            if reply.raw is not None:
                self._send(reply.raw())
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.pieces is not None:
                self.end_headers()
                self._send(reply.pieces())
                return
            if "Content-Length" not in dict(reply.headers):
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def _send(self, pieces: Iterator[bytes]) -> None:
            with suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)

        do_POST = do_GET  # noqa: N815  http.server's own name

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler
