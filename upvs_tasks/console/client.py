"""A UniFi Protect console, and how each request goes to it."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from upvs_tasks.clock import Clock
from upvs_tasks.console.auth import Authenticator
from upvs_tasks.console.body import whole_body
from upvs_tasks.console.circuit_breaker import LONGEST_OUTAGE_SECS, Circuit, CircuitBreaker
from upvs_tasks.console.concurrency import ConcurrencyLimiter
from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.console.export import Bounds, Download, receive
from upvs_tasks.console.login import Login
from upvs_tasks.console.paging import MOST_EVENTS, collect, too_many_events
from upvs_tasks.console.request import ApiRequest
from upvs_tasks.console.retry import OnWait, RetryingSender, RetryPolicy
from upvs_tasks.console.session_file import SessionFile
from upvs_tasks.console.transport import READ_TIMEOUT_SECS, Transport
from upvs_tasks.console.usage import ConsoleUsage, UsageCounter
from upvs_tasks.console.wire import (
    Bootstrap,
    EventPage,
    OddRow,
    parse_bootstrap,
    parse_events,
)
from upvs_tasks.model.event import Event, ListedEvents, UnreadableEvent
from upvs_tasks.redaction import Redactor

Accepted = TypeVar("Accepted")
Parsed = TypeVar("Parsed")

# unifi-protect-backup made its pages that small "to stop crashing large instances".
PAGE_LIMIT = 500


class Console:
    """A UniFi Protect console. Threads may share it; it logs in with the first request."""

    def __init__(  # noqa: PLR0913  most of it has a default that only tests change
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  a frozen value
        connections: int = 4,
        session_file: Path | None = None,
        redactor: Redactor | None = None,
        longest_outage_secs: float = LONGEST_OUTAGE_SECS,
        read_timeout_secs: float = READ_TIMEOUT_SECS,
        page_limit: int = PAGE_LIMIT,
        clock: Clock = Clock(),  # noqa: B008  a frozen value
        on_wait: OnWait = lambda _reason, _longest_secs: None,
    ) -> None:
        redactor = redactor or Redactor()
        for secret in credentials.secrets:
            redactor.add(secret)
        self._api_path = endpoint.api_path
        self._page_limit = page_limit
        self._now_secs = clock.monotonic_secs
        self._usage = usage = UsageCounter()
        # Every request goes this way, from the last layer to the first: it is retried after a
        # failure that may heal; the circuit breaker waits while the whole console is away; exports
        # wait for a slot; the authenticator puts it into the session; the transport sends it.
        self._transport = Transport(
            endpoint,
            connections=connections,
            read_timeout_secs=read_timeout_secs,
            clock=clock,
            redactor=redactor,
            usage=usage,
            on_wait=on_wait,
        )
        authenticator = Authenticator(
            Login(
                credentials,
                self._transport,
                direct_api=endpoint.direct_api,
                clock=clock,
                usage=usage,
                on_wait=on_wait,
            ),
            self._transport,
            _session_file(session_file, endpoint, credentials),
            policy=policy,
            clock=clock,
            usage=usage,
            on_wait=on_wait,
        )
        self._limiter = ConcurrencyLimiter(
            authenticator, connections, clock=clock, usage=usage, on_wait=on_wait
        )
        self._circuit = Circuit(
            authenticator,
            api_path=self._api_path,
            is_known=lambda: authenticator.was_logged_in,
            longest_secs=longest_outage_secs,
            clock=clock,
            on_wait=on_wait,
        )
        self._requests = RetryingSender(
            CircuitBreaker(authenticator, self._circuit, usage),
            policy,
            clock=clock,
            usage=usage,
            on_wait=on_wait,
        )
        self._exports = RetryingSender(
            CircuitBreaker(self._limiter, self._circuit, usage),
            policy,
            clock=clock,
            usage=usage,
            on_wait=on_wait,
        )

    @property
    def usage(self) -> ConsoleUsage:
        """What was asked of the console so far."""
        return replace(
            self._usage.usage(),
            concurrency=self._limiter.figures,
            outage_secs=self._circuit.outage_secs,
        )

    def bootstrap(self) -> Bootstrap:
        """The recorder and its cameras."""
        request = ApiRequest(
            "the list of cameras", self._api_path + "/bootstrap", "View (camera: read)"
        )
        return self._ask(request, parse_bootstrap)

    def events(
        self, camera_id: str, *, start_ms: int, end_ms: int, event_types: Sequence[str]
    ) -> ListedEvents:
        """All that was reported of the window's events, by start, end and id.

        An event that changed while the list was read is there once in each of its states. Which
        events belong to the day is for the caller to decide: a console may add events that
        only reach into the window, or are another camera's. Those of no camera are left out.
        Rows that are no events are unreadable, but for those that certainly concern others.
        """
        odd_rows: set[OddRow] = set()

        def page(from_ms: int, to_ms: int, limit: int) -> EventPage:
            request = self._events_request(camera_id, event_types, (from_ms, to_ms), limit)
            parsed = self._ask(request, parse_events)
            odd_rows.update(parsed.odd_rows)
            if len(odd_rows) > MOST_EVENTS:
                raise too_many_events()
            return parsed

        listed = collect(page, start_ms=start_ms, end_ms=end_ms, limit=self._page_limit)
        events = tuple(event for event in listed if event.camera_id is not None)
        ours = [row for row in odd_rows if row.may_be(camera_id, event_types, (start_ms, end_ms))]
        return ListedEvents(events, _unreadable(ours, {event.event_id for event in events}))

    def events_in_other_spelling(
        self, camera_id: str, *, start_ms: int, end_ms: int, event_types: Sequence[str]
    ) -> tuple[Event, ...]:
        """One page of the same window, with ``type`` in place of ``types``.

        protect-archiver found whole months without events when its spelling went out of use.
        """
        window_ms = (start_ms, end_ms)
        usual = self._events_request(camera_id, event_types, window_ms, self._page_limit)
        other = {"types": "type"}
        params = tuple((other.get(name, name), value) for name, value in usual.params)
        return self._ask(replace(usual, params=params), parse_events).events

    def export(  # noqa: PLR0913  what the console's own export takes, and what to do with it
        self,
        camera_id: str,
        *,
        start_ms: int,
        end_ms: int,
        into: IO[bytes],
        channel: int = 0,
        span_text: str = "",
        on_bytes: Callable[[int], None] | None = None,
        accept: Callable[[Download], Accepted],
    ) -> Accepted:
        """Write one clip into an open file, from its start, in constant memory.

        ``accept`` judges the file of each attempt that came whole, and its result is returned;
        where it raises TransientError, there is another attempt. As many exports run at once as
        the console bears. What concerns the console as a whole costs the clip no attempt: an
        outage, or an export that is refused because of others of ours. Raises MaxAttemptsExceeded,
        PermanentError, any other ConsoleError, or AccessError. ``span_text`` says by the camera's
        clock what is asked for, for their sentences.
        """
        request = self._export_request(camera_id, (start_ms, end_ms), channel, span_text)
        return self._exports.send_accepted(
            request,
            lambda response: receive(
                response,
                into,
                what=request.what,
                bounds=Bounds.of_span(end_ms - start_ms),
                now_secs=self._now_secs,
                usage=self._usage,
                on_bytes=on_bytes,
            ),
            accept,
        )

    def _ask(self, request: ApiRequest, parse: Callable[[bytes], Parsed]) -> Parsed:
        return self._requests.send(
            request, lambda answer: parse(whole_body(answer, request.what, self._now_secs))
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

    def _events_request(
        self, camera_id: str, event_types: Sequence[str], window_ms: tuple[int, int], limit: int
    ) -> ApiRequest:
        """A page of events; lists are repeated parameters: consoles take a joined one for a name.

        Source: protect-archiver, in which joined types matched nothing after December 2023.
        """
        return ApiRequest(
            "the list of events",
            self._api_path + "/events",
            "Playback",
            params=(
                ("cameras", camera_id),
                ("start", str(window_ms[0])),
                ("end", str(window_ms[1])),
                *(("types", event_type) for event_type in event_types),
                ("limit", str(limit)),
                ("orderDirection", "ASC"),
            ),
        )

    def _export_request(
        self, camera_id: str, span_ms: tuple[int, int], channel: int, span_text: str
    ) -> ApiRequest:
        start_ms, end_ms = span_ms
        chosen = (("channel", str(channel)),) if channel else ()
        return ApiRequest(
            f"the export of {span_text or f'{(end_ms - start_ms) / 1000:g} s'}",
            self._api_path + "/video/export",
            "Playback Download (camera: readmedia)",
            params=(("camera", camera_id), ("start", str(start_ms)), ("end", str(end_ms)), *chosen),
            is_export=True,
        )


def _unreadable(rows: Iterable[OddRow], known_ids: AbstractSet[str]) -> tuple[UnreadableEvent, ...]:
    """Each event once, as long as no other row tells what it is."""
    by_identity = {
        row.event_id or row.content: UnreadableEvent(row.event_id, row.reason)
        for row in sorted(rows, key=lambda row: row.content)
        if row.event_id not in known_ids
    }
    return tuple(sorted(by_identity.values(), key=lambda event: (event.event_id, event.reason)))


def _session_file(
    path: Path | None, endpoint: Endpoint, credentials: Credentials
) -> SessionFile | None:
    if path is None:
        return None
    return SessionFile(path, base_url=endpoint.base_url, username=credentials.username)
