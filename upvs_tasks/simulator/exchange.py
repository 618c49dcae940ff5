"""One request and the reply to it, free of sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from upvs_tasks.simulator.mp4 import ClipFile

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
VIDEO = "video/mp4"

_TOO_LARGE = 10**14  # in ms a date after the year 5000


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are in lower case."""

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
            BadParameterError: It is there and no such number, or beyond any date.
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
class Reply:
    """What the console answers."""

    status: int = 200
    body: bytes | ClipFile = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = field(default=())

    def with_headers(self, *headers: tuple[str, str]) -> "Reply":
        """Return the same reply with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def json_reply(content: object, status: int = 200) -> Reply:
    """Return a reply that carries JSON."""
    return Reply(status, orjson.dumps(content))


def error_reply(status: int, message: str) -> Reply:
    """Return an error as the console words it."""
    return json_reply({"code": status, "message": message}, status)


UNAUTHORIZED = error_reply(401, "Unauthorized")
NOT_FOUND = error_reply(404, "Not Found")
