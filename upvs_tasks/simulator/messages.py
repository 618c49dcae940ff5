"""HTTP requests and responses as values, without sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from upvs_tasks.simulator.clip_file import ClipFile

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
VIDEO = "video/mp4"

_TOO_LARGE = 10**14  # as Unix ms, a date after the year 5000


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Names of headers are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a query parameter."""
        return tuple(value for key, value in self.query if key == name)

    def value(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        values = self.values(name)
        return values[-1] if values else None

    def number(self, name: str) -> int | None:
        """Return a query parameter as a natural number, or None when it is absent.

        Raises:
            BadParameterError: It is no natural number, or too large for any date.
        """
        value = self.value(name)
        if value is None:
            return None
        if not (value.isdecimal() and value.isascii() and int(value) < _TOO_LARGE):
            raise BadParameterError(name)
        return int(value)


class BadParameterError(Exception):
    """A query parameter cannot be read; its name is the only argument."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the console answers. Whoever sends it closes a body that is a file."""

    status: int = 200
    body: bytes | ClipFile = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        """Return the same response with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def json_response(content: object, status: int = 200) -> Response:
    """Return a response that carries JSON."""
    return Response(status, orjson.dumps(content))


def error_response(status: int, message: str) -> Response:
    """Return an error in the console's own form."""
    return json_response({"code": status, "message": message}, status)


UNAUTHORIZED = error_response(401, "Unauthorized")
NOT_FOUND = error_response(404, "Not Found")
