"""What is sent to a console, and the one way to send it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import requests

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request: ``what`` it asks for, in words, and how it is put.

    ``path`` begins at the console's root. ``permission`` is what the account needs for it, as the
    console's own screens call it. ``body`` is sent as JSON.
    """

    what: str
    path: str
    permission: str = ""
    params: tuple[tuple[str, str], ...] = ()
    is_export: bool = False
    method: str = "GET"
    body: Mapping[str, object] | None = field(default=None, repr=False)


class Sender(Protocol):
    """A layer on the way to the console; each wraps the next one and looks just like it."""

    def send(self, request: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """Send the request; return what ``use`` makes of an answer with status 200.

        ``use`` gets the answer before its body is read, and runs again for each further attempt.
        Raises an UpvsError for anything else.
        """
        ...
