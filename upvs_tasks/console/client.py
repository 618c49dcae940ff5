import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self, TypeVar

import requests

from upvs_tasks.console.access import Access
from upvs_tasks.console.download import receive
from upvs_tasks.console.entrance import Entrance, Pass
from upvs_tasks.console.records import Account, Bootstrap, Download, Nvr, Question
from upvs_tasks.console.refusals import Refusal, refused
from upvs_tasks.console.retrying import Patience, persist
from upvs_tasks.console.transport import READ_TIMEOUT_SECS, Transport
from upvs_tasks.console.wire import parse_bootstrap, parse_events
from upvs_tasks.errors import Unauthorized
from upvs_tasks.model.event import Event
from upvs_tasks.model.paging import collect

__all__ = ["PAGE_LIMIT", "Access", "Account", "Bootstrap", "Console", "Download", "Nvr"]

T = TypeVar("T")

# unifi-protect-backup's pages, made that small "to stop crashing large instances".
PAGE_LIMIT = 500


class Console:
    """A UniFi Protect console. Threads may share it; it logs in at the first question."""

    def __init__(  # noqa: PLR0913  the last three are for tests
        self,
        access: Access,
        *,
        patience: Patience,
        connections: int = 4,
        sleep: Callable[[float], object] = time.sleep,
        roll: Callable[[], float] = random.random,
        read_timeout_secs: float = READ_TIMEOUT_SECS,
    ) -> None:
        self._patience = patience
        self._sleep = sleep
        self._roll = roll
        self._api = "/api" if access.direct_api else "/proxy/protect/api"
        self._transport = Transport(
            access,
            patience=patience,
            connections=connections,
            read_timeout_secs=read_timeout_secs,
        )
        self._entrance = Entrance(
            access, self._transport, patience=patience, sleep=sleep, roll=roll
        )
        self._exports_asked: set[Question] = set()

    @property
    def account(self) -> Account:
        """What was asked of the console so far."""
        return self._transport.account

    def bootstrap(self) -> Bootstrap:
        """The recorder and its cameras."""
        question = Question("the list of cameras", "/bootstrap", "View (camera: read)")
        return self._persistent(question, parse_bootstrap)

    def events(
        self, camera_id: str, *, start_ms: int, end_ms: int, event_types: Sequence[str]
    ) -> tuple[Event, ...]:
        """Everything that the window holds, each event once, by start, end and id.

        Which of it belongs to the day is the caller's to decide: a console may add events that
        only reach into the window, or are another camera's. Those of no camera are left out.
        """

        def page(from_ms: int, to_ms: int, limit: int) -> Sequence[Event]:
            question = _events_question(camera_id, event_types, (from_ms, to_ms), limit)
            return self._persistent(question, parse_events)

        listed = collect(page, start_ms=start_ms, end_ms=end_ms, limit=PAGE_LIMIT)
        return tuple(event for event in listed if event.camera_id is not None)

    def export(
        self,
        camera_id: str,
        *,
        start_ms: int,
        end_ms: int,
        into: IO[bytes],
        on_bytes: Callable[[int], None] | None = None,
    ) -> Download:
        """Write one clip into an open file, from its start; one attempt, in constant memory.

        Raises Transient where another attempt may help, NoFootage, or AccessError.
        """
        into.seek(0)
        into.truncate()
        question = _export_question(camera_id, start_ms, end_ms)
        if question in self._exports_asked:
            self._transport.count(lambda account: replace(account, retries=account.retries + 1))
        self._exports_asked.add(question)
        download = self._asked(
            question,
            lambda response: receive(
                response,
                into,
                what=question.what,
                translating=self._transport.translating,
                on_bytes=on_bytes,
            ),
        )
        self._transport.count(
            lambda account: replace(
                account, received_bytes=account.received_bytes + download.size_bytes
            )
        )
        return download

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _persistent(self, question: Question, parse: Callable[[bytes], T]) -> T:
        def parsed(response: requests.Response) -> T:
            return parse(self._transport.read(response, what=question.what))

        return persist(
            lambda: self._asked(question, parsed),
            patience=self._patience,
            what=question.what,
            sleep=self._sleep,
            roll=self._roll,
            on_retry=self._transport.note_retry,
        )

    def _asked(self, question: Question, use: Callable[[requests.Response], T]) -> T:
        """What ``use`` makes of a 200; where the session has ended, after one fresh login."""
        shown = self._entrance.current()
        outcome = self._asked_once(shown, question, use)
        if isinstance(outcome, Refusal):
            outcome = self._asked_once(self._entrance.renewed(shown), question, use)
        if isinstance(outcome, Refusal):
            raise self._entrance.shut(
                Unauthorized(
                    f"{question.what}: the console answered {outcome} even after a fresh login; "
                    "check that the account may use Protect"
                )
            )
        return outcome

    def _asked_once(
        self, shown: Pass, question: Question, use: Callable[[requests.Response], T]
    ) -> T | Refusal:
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


def _events_question(
    camera_id: str, event_types: Sequence[str], window_ms: tuple[int, int], limit: int
) -> Question:
    """A page of events; list parameters are repeated, a console takes joined ones for one name."""
    return Question(
        what="the list of events",
        path="/events",
        permission="Playback",
        params=(
            ("cameras", camera_id),
            ("start", str(window_ms[0])),
            ("end", str(window_ms[1])),
            *(("types", event_type) for event_type in event_types),
            ("limit", str(limit)),
            ("orderDirection", "ASC"),
        ),
    )


def _export_question(camera_id: str, start_ms: int, end_ms: int) -> Question:
    start = datetime.fromtimestamp(start_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    return Question(
        what=f"the export of {(end_ms - start_ms) / 1000:g} s from {start}",
        path="/video/export",
        permission="Playback Download (camera: readmedia)",
        params=(("camera", camera_id), ("start", str(start_ms)), ("end", str(end_ms))),
        is_export=True,
    )
