from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self, TypeVar

import requests

from upvs_tasks.console.access import Access
from upvs_tasks.console.conversation import Conversation
from upvs_tasks.console.entrance import Entrance
from upvs_tasks.console.exports import Exports
from upvs_tasks.console.pace import Gate
from upvs_tasks.console.records import Account, Bootstrap, Download, Nvr, Question
from upvs_tasks.console.retrying import Patience, persist
from upvs_tasks.console.surroundings import Surroundings
from upvs_tasks.console.transport import READ_TIMEOUT_SECS, Transport
from upvs_tasks.console.weather import LONGEST_ABSENCE_SECS, Weather
from upvs_tasks.console.wire import parse_bootstrap, parse_events
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
        weather_secs: float = LONGEST_ABSENCE_SECS,
        surroundings: Surroundings = Surroundings(),  # noqa: B008  a frozen value
        read_timeout_secs: float = READ_TIMEOUT_SECS,
        page_limit: int = PAGE_LIMIT,
    ) -> None:
        self._patience = patience
        self._surroundings = surroundings
        self._page_limit = page_limit
        self._transport = Transport(
            access,
            patience=patience,
            connections=connections,
            read_timeout_secs=read_timeout_secs,
            surroundings=surroundings,
        )
        entrance = Entrance(access, self._transport, patience=patience, surroundings=surroundings)
        api = "/api" if access.direct_api else "/proxy/protect/api"
        self._conversation = Conversation(self._transport, entrance, api=api)
        self._weather = Weather(
            self._conversation.look,
            is_known=lambda: entrance.has_been_in,
            longest_secs=weather_secs,
            surroundings=surroundings,
        )
        self._gate = Gate(connections, surroundings)
        self._exports = Exports(self._transport, self._conversation, self._gate)

    @property
    def account(self) -> Account:
        """What was asked of the console so far."""
        return replace(
            self._transport.account, pace=self._gate.figures, away_secs=self._weather.away_secs
        )

    def bootstrap(self) -> Bootstrap:
        """The recorder and its cameras."""
        question = Question("the list of cameras", "/bootstrap", "View (camera: read)")
        return self._persistent(question, parse_bootstrap)

    def events(
        self, camera_id: str, *, start_ms: int, end_ms: int, event_types: Sequence[str]
    ) -> tuple[Event, ...]:
        """All that was reported of the window's events, by start, end and id.

        An event that changed while the list was read is there once as each that it was.
        Which of it belongs to the day is the caller's to decide: a console may add events that
        only reach into the window, or are another camera's. Those of no camera are left out.
        """

        def page(from_ms: int, to_ms: int, limit: int) -> Sequence[Event]:
            question = _events_question(camera_id, event_types, (from_ms, to_ms), limit)
            return self._persistent(question, parse_events)

        listed = collect(page, start_ms=start_ms, end_ms=end_ms, limit=self._page_limit)
        return tuple(event for event in listed if event.camera_id is not None)

    def events_otherwise(
        self, camera_id: str, *, start_ms: int, end_ms: int, event_types: Sequence[str]
    ) -> tuple[Event, ...]:
        """One page of the same window, asked for in the other spelling that consoles have known.

        protect-archiver found whole months without events when the one it used went out of use.
        """
        usual = _events_question(camera_id, event_types, (start_ms, end_ms), self._page_limit)
        spelled = {"types": "type"}
        params = tuple((spelled.get(name, name), value) for name, value in usual.params)
        return tuple(self._persistent(replace(usual, params=params), parse_events))

    def export(  # noqa: PLR0913  what the console's own export takes
        self,
        camera_id: str,
        *,
        start_ms: int,
        end_ms: int,
        into: IO[bytes],
        channel: int = 0,
        on_bytes: Callable[[int], None] | None = None,
    ) -> Download:
        """Write one clip into an open file, from its start; one attempt, in constant memory.

        Waits for its turn: as many run at once as the console bears. What concerns the console as
        a whole costs the clip no attempt: while it is away, or refuses an export because of others
        of ours, the clip is asked for again. Raises Transient where another attempt may help,
        CannotHeal where none does, AttemptsExhausted when the console stays away, or AccessError.
        """
        question = _export_question(camera_id, (start_ms, end_ms), channel)
        return self._weather.ask(
            question.what, lambda: self._exports.bring(question, into, on_bytes)
        )

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

        def asked() -> T:
            return self._conversation.once(question, parsed)

        return persist(
            lambda: self._weather.ask(question.what, asked),
            patience=self._patience,
            what=question.what,
            sleep=self._surroundings.sleep,
            roll=self._surroundings.roll,
            on_retry=self._transport.note_retry,
        )


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


def _export_question(camera_id: str, span_ms: tuple[int, int], channel: int) -> Question:
    start_ms, end_ms = span_ms
    wanted = (("channel", str(channel)),) if channel else ()
    start = datetime.fromtimestamp(start_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    return Question(
        what=f"the export of {(end_ms - start_ms) / 1000:g} s from {start}",
        path="/video/export",
        permission="Playback Download (camera: readmedia)",
        params=(("camera", camera_id), ("start", str(start_ms)), ("end", str(end_ms)), *wanted),
        is_export=True,
    )
