import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import takewhile
from operator import not_
from socket import create_connection
from urllib.parse import urlsplit

import pytest
import requests

from tests.simulator.browser import Browser, at, boxes, instants
from tests.simulator.test_events import detections
from tests.waiting import deadline, wait_until
from upvs_tasks.simulator import SPARROW, Behaviour, Fault, SimulatedConsole

NOON = at(date(2024, 1, 15), 12, 0)
WINDOW = (NOON, NOON + 5_000)
UNRELIABLE = date(2024, 1, 18)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_status_fails_one_request_and_the_next_one_succeeds(
    browser: Browser, status: int
) -> None:
    browser.console.order(Fault("status", status=status))
    assert browser.export(*WINDOW).status_code == status
    assert browser.export(*WINDOW).status_code == 200
    assert browser.console.outstanding_faults == ()
    assert [record.fault for record in browser.console.exports] == ["status", None]


@pytest.mark.parametrize("retry_after", [None, 3, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_429_comes_with_or_without_retry_after(
    browser: Browser, retry_after: int | str | None
) -> None:
    browser.console.order(Fault("status", status=429, retry_after=retry_after))
    expected = None if retry_after is None else str(retry_after)
    assert browser.export(*WINDOW).headers.get("Retry-After") == expected


def test_a_fault_can_skip_requests_and_fail_several_or_all(browser: Browser) -> None:
    console = browser.console
    console.order(Fault("status", skip=1, times=2, status=503))
    assert [browser.export(*WINDOW).status_code for _ in range(4)] == [200, 503, 503, 200]
    console.order(Fault("status", times=None))
    assert [browser.export(*WINDOW).status_code for _ in range(3)] == [500] * 3
    console.cancel_orders()
    assert browser.export(*WINDOW).ok


def test_faults_match_their_requests(browser: Browser) -> None:
    console = browser.console
    event = console.events_of(SPARROW.camera_id, NOON, NOON + 86_400_000)[0]
    console.order(
        Fault("status", path="nvr", status=418),
        Fault("status", camera_id="somebody else", status=418),
        Fault("status", start_ms=NOON + 1, status=410),
        Fault("status", at_ms=NOON + 60_000, status=411),
        Fault("status", event_id=event.event_id, status=412),
    )
    assert browser.export(*WINDOW).status_code == 200
    assert browser.export(NOON + 1, NOON + 5_000).status_code == 410
    assert browser.export(NOON + 59_000, NOON + 61_000).status_code == 411
    assert browser.export(event.start_ms - 500, event.start_ms + 500).status_code == 412
    assert browser.get("nvr").status_code == 418


def test_a_killed_session_fails_the_request_that_kills_it(browser: Browser) -> None:
    browser.console.order(Fault("killed_session"))
    assert browser.export(*WINDOW).status_code == 401
    assert browser.get("nvr").status_code == 401
    browser.log_in()
    assert browser.export(*WINDOW).status_code == 200


@pytest.mark.parametrize("kind", ["cut_body", "reset"])
def test_a_body_with_a_length_can_end_early(browser: Browser, kind: str) -> None:
    whole = browser.export(*WINDOW).content
    browser.console.order(Fault(kind, after_bytes=1_000))
    response = browser.export(*WINDOW, stream=True)
    assert int(response.headers["Content-Length"]) == len(whole)
    with pytest.raises(requests.RequestException):
        _ = response.content
    assert browser.export(*WINDOW).content == whole


def test_a_body_without_a_length_can_end_early_without_an_error(browser: Browser) -> None:
    whole = browser.export(*WINDOW).content
    browser.console.order(Fault("cut_body_no_length"))
    response = browser.export(*WINDOW)
    assert "Content-Length" not in response.headers
    assert response.content == whole[: len(whole) // 2]
    assert "moov" not in str(response.content[-1_000:])


def test_a_reset_can_come_before_any_answer(browser: Browser) -> None:
    browser.console.order(Fault("reset", path="any"))
    with pytest.raises(requests.ConnectionError):
        browser.get("nvr")
    assert browser.get("nvr").ok


def test_a_web_page_or_nothing_may_come_with_status_200(browser: Browser) -> None:
    browser.console.order(Fault("html"), Fault("empty"))
    page = browser.export(*WINDOW)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    nothing = browser.export(*WINDOW)
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_valid_files_may_have_almost_no_footage(browser: Browser) -> None:
    browser.console.order(Fault("empty_mp4"), Fault("tiny_mp4"))
    empty = browser.export(*WINDOW).content
    assert len(empty) < 300
    assert boxes(empty) == ["ftyp", "mdat", "moov"]
    tiny = browser.export(*WINDOW).content
    assert len(tiny) < 3_000
    assert len(instants(tiny)) == 1


def test_bytes_may_be_wrong_while_their_number_is_right(browser: Browser) -> None:
    right = browser.export(*WINDOW).content
    browser.console.order(Fault("wrong_bytes"))
    wrong = browser.export(*WINDOW).content
    assert len(wrong) == len(right)
    assert wrong != right


@pytest.mark.parametrize("kind", ["stall_first", "stall_body"])
def test_a_stall_lasts_until_it_is_released(browser: Browser, kind: str) -> None:
    console = browser.console
    whole = browser.export(*WINDOW).content
    console.order(Fault(kind))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(browser.export, *WINDOW)
        console.wait_for_stalls()
        assert not waiting.done()
        console.release()
        assert waiting.result().content == whole


@pytest.mark.parametrize("kind", ["stall_first", "stall_body"])
def test_a_stall_ends_when_the_client_closes_the_connection(browser: Browser, kind: str) -> None:
    browser.console.order(Fault(kind))
    with pytest.raises(requests.RequestException):
        browser.export(*WINDOW, timeout=0.3)
    assert browser.export(*WINDOW).ok


def test_closing_leaves_no_thread_even_when_everything_stalls() -> None:
    before = threading.active_count()
    with ThreadPoolExecutor() as pool:
        with SimulatedConsole() as console, Browser(console) as idle:
            idle.log_in()
            clients = [Browser(console) for _ in range(3)]
            for client in clients:
                client.session.cookies = idle.session.cookies
            console.order(Fault("stall_first"), Fault("stall_body"), Fault("slow", secs=99))
            waiting = [pool.submit(client.export, *WINDOW) for client in clients]
            wait_until(lambda: len(console.exports) == 3)
        results = [future.exception() for future in waiting]
        for client in clients:
            client.session.close()
    assert all(isinstance(error, requests.RequestException) for error in results[:2])
    assert threading.active_count() == before


def test_a_reboot_gives_some_requests_the_same_status(browser: Browser) -> None:
    browser.console.order(Fault("reboot", path="any", status=400, requests=3))
    assert [browser.get("nvr").status_code for _ in range(4)] == [400, 400, 400, 200]


def test_a_reboot_gives_all_requests_the_same_status_for_a_while(browser: Browser) -> None:
    browser.console.reboot(3_600, kills_sessions=True)
    assert browser.get("nvr").status_code == 404
    assert browser.log_in().status_code == 404
    browser.console.reboot(0)
    assert browser.get("nvr").status_code == 401


def test_an_outage_refuses_connections_and_then_answers_with_a_status(browser: Browser) -> None:
    """Connections are refused at once; the address stays the same."""
    browser.console.order(Fault("outage", path="nvr", secs=1.0, status=404))
    with pytest.raises(requests.ConnectionError):
        browser.get("nvr")
    wait_until(lambda: not is_listening(browser.console))
    wait_until(lambda: is_listening(browser.console))
    answers = [browser.get("nvr").status_code]
    for _ in deadline():
        answers.append(browser.get("nvr").status_code)
        if answers[-1] != 404:
            break
    assert (answers[0], answers[-1]) == (404, 200)


def is_listening(console: SimulatedConsole) -> bool:
    """Whether anybody answers a connection to the console's address."""
    address = urlsplit(console.host)
    try:
        create_connection((address.hostname, address.port)).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("content_type", [None, "text/plain"])
def test_a_response_can_repeat_what_was_sent(browser: Browser, content_type: str | None) -> None:
    """Proxies and debug pages do that. It shows whether a client repeats its secrets elsewhere."""
    browser.console.order(Fault("echo", path="nvr", status=418, content_type=content_type))
    response = browser.get("nvr")
    assert response.status_code == 418
    assert response.headers["Content-Type"].startswith(content_type or "application/json")
    assert "cookie" in response.text.lower()
    assert any(secret in response.text for secret in browser.console.issued_secrets)


@pytest.mark.slow
def test_the_unreliable_day_fails_in_many_ways_but_never_three_times(browser: Browser) -> None:
    events = detections(browser.console, UNRELIABLE, SPARROW.camera_id)
    failed = 0
    for event in events:
        attempts = (gives_a_file(browser, event.start_ms, event.end_ms or 0) for _ in range(3))
        results = list(takewhile(not_, attempts))
        failed += bool(results)
        assert len(results) < 3
    assert len(events) / 5 < failed < len(events) / 2
    kinds = {record.fault for record in browser.console.exports if record.fault}
    assert len(kinds) >= 5


def gives_a_file(browser: Browser, start_ms: int, end_ms: int) -> bool:
    """Return whether one attempt gives a complete file."""
    try:
        response = browser.export(start_ms, end_ms)
    except requests.RequestException:
        return False
    return response.status_code == 200 and response.content[4:8] == b"ftyp"


def test_the_unreliable_day_can_be_made_reliable() -> None:
    with SimulatedConsole(behaviour=Behaviour(unreliable_day=False)) as console:
        with Browser(console) as browser:
            browser.log_in()
            for event in detections(console, UNRELIABLE, SPARROW.camera_id)[:20]:
                assert gives_a_file(browser, event.start_ms, event.end_ms or 0)
        assert not any(record.fault for record in console.requests)


def test_an_unknown_kind_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="unheard-of"):
        Fault("unheard-of")
