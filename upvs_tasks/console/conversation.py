from collections.abc import Callable
from typing import TypeVar

import requests

from upvs_tasks.console.auth import Authenticator
from upvs_tasks.console.failures import ErrorResponse, refused
from upvs_tasks.console.session import Session
from upvs_tasks.console.transport import Transport
from upvs_tasks.console.usage import ApiRequest
from upvs_tasks.errors import ConsoleError, TransientError, Unauthorized

T = TypeVar("T")

_ANY_PERMISSION = "View"
# The smaller one first; a console whose recorder cannot be asked for by itself has the other.
_MUST_EXIST = ("/nvr", "/bootstrap")
_ABSENT = (400, 404)
_BUSY = 429


class Conversation:
    """Questions to the API, each in the session that all threads share."""

    def __init__(self, transport: Transport, entrance: Authenticator, *, api: str) -> None:
        self._transport = transport
        self._entrance = entrance
        self._api = api

    def once(self, question: ApiRequest, use: Callable[[requests.Response], T]) -> T:
        """What ``use`` makes of a 200; where the session has ended, after one fresh login."""
        shown = self._entrance.current()
        outcome = self._put(shown, question, use)
        if isinstance(outcome, ErrorResponse):
            outcome = self._put(self._entrance.renewed(shown), question, use)
        if isinstance(outcome, ErrorResponse):
            raise self._entrance.shut(
                Unauthorized(
                    f"{question.what}: the console answered {outcome} even after a fresh login; "
                    "check that the account may use Protect"
                )
            )
        return outcome

    def look(self) -> TransientError | None:
        """Whether the console is there: what goes wrong with something that must exist, or None.

        An answer that refuses us for good is one that only a console gives.
        """
        trouble: TransientError | None = None
        for path in _MUST_EXIST:
            question = ApiRequest("whether the console is there", path, _ANY_PERMISSION)
            trouble = self._trouble_with(question)
            if getattr(trouble, "status", None) not in _ABSENT:
                break
        return trouble

    def _trouble_with(self, question: ApiRequest) -> TransientError | None:
        try:
            self.once(question, lambda response: self._transport.read(response, what=question.what))
        except TransientError as error:
            return None if getattr(error, "status", None) == _BUSY else error
        except ConsoleError:
            return None
        return None

    def _put(
        self, shown: Session, question: ApiRequest, use: Callable[[requests.Response], T]
    ) -> T | ErrorResponse:
        with self._transport.asking(
            shown.session,
            "GET",
            self._api + question.path,
            what=question.what,
            params=question.params,
            headers=shown.headers(),
        ) as response:
            shown.learn(response)
            refusal = self._transport.refusal(response, what=question.what)
            if refusal is None:
                return use(response)
        if refusal.is_of_session:
            return refusal
        raise refused(refusal, question)
