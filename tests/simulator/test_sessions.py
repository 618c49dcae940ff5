import base64
import json
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.simulator.browser import TIMEOUT_SECS, Browser
from upvs_tasks.simulator import Behaviour, Csrf, Flavour, SimulatedConsole


def claims_of(token: str) -> dict[str, object]:
    """Return the claims of a JSON web token."""
    middle = token.split(".")[1]
    content: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=="))
    return content


def test_username_and_password_are_enough_to_log_in(console: SimulatedConsole) -> None:
    with Browser(console) as browser:
        response = browser.log_in()
        assert response.status_code == 200
        assert response.headers["X-CSRF-Token"] == response.headers["X-Updated-CSRF-Token"]
        assert browser.get("bootstrap").status_code == 200


@pytest.mark.parametrize(("remember", "lifetime_secs"), [(False, 7_200), (True, 2_592_000)])
def test_a_session_lasts_two_hours_or_thirty_days(
    console: SimulatedConsole, *, remember: bool, lifetime_secs: int
) -> None:
    with Browser(console) as browser:
        response = browser.log_in(rememberMe=remember, token="")
        claims = claims_of(response.cookies["TOKEN"])
        assert int(str(claims["exp"])) - int(str(claims["iat"])) == lifetime_secs
        assert response.headers["X-Token-Expire-Time"] == f"{claims['exp']}000"
        assert claims["csrfToken"] == response.headers["X-CSRF-Token"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password_is_refused_with_the_status_of_the_firmware(status: int) -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(bad_credentials_status=status)) as console,
        Browser(console) as browser,
    ):
        assert browser.log_in(password="wrong").status_code == status
        assert browser.get("bootstrap").status_code == 401


def test_the_sixth_login_within_a_minute_is_refused(console: SimulatedConsole) -> None:
    with Browser(console) as browser:
        statuses = [browser.log_in().status_code for _ in range(6)]
        last = browser.log_in()
    assert statuses == [200] * 5 + [429]
    assert last.json()["code"] == "AUTHENTICATION_FAILED_LIMIT_REACHED"
    assert "Retry-After" not in last.headers


def test_a_second_factor_is_required_and_accepted(console: SimulatedConsole) -> None:
    with Browser(console) as browser:
        first = browser.log_in("careful")
        assert (first.status_code, first.json()["code"]) == (499, "MFA_AUTH_REQUIRED")
        assert first.json()["data"]["required"] == "2fa"
        assert browser.log_in("careful", token="000").status_code == 499
        right = console.account("careful").totp()
        assert browser.log_in("careful", token=right).status_code == 200


def test_a_user_without_read_media_sees_events_but_gets_no_footage(
    console: SimulatedConsole,
) -> None:
    with Browser(console) as browser:
        browser.log_in("viewer")
        assert browser.get("bootstrap").status_code == 200
        assert browser.export(1_705_322_400_000, 1_705_322_405_000).status_code == 403


@pytest.mark.parametrize("name", ["TOKEN", "UOS_TOKEN"])
def test_the_cookie_is_found_however_a_client_sends_it_back(name: str) -> None:
    behaviour = Behaviour(cookie_name=name, cookie_partitioned=True)
    with SimulatedConsole(behaviour=behaviour) as console, Browser(console) as browser:
        response = browser.log_in()
        text = response.headers["Set-Cookie"]
        assert text.startswith(f"{name}=")
        assert text.endswith("; partitioned")
        token = text.split(";")[0].split("=", 1)[1]
        for cookie in (
            f"TOKEN={token}; httponly=; path=/; samesite=strict; secure=",
            f"HttpOnly=; Path=/; SameSite=strict; Secure=; TOKEN={token}",
            f"UOS_TOKEN={token}",
        ):
            browser.session.cookies.clear()
            assert browser.get("nvr", headers={"Cookie": cookie}).status_code == 200


def test_a_session_ends_at_its_expiry() -> None:
    with SimulatedConsole(behaviour=Behaviour(session_secs=0)) as console:
        with Browser(console) as browser:
            assert browser.log_in().status_code == 200
            refused = browser.get("bootstrap")
        assert refused.status_code == 401
        assert refused.json() == {"code": 401, "message": "Unauthorized"}


def test_sessions_can_be_ended_before_their_expiry(browser: Browser) -> None:
    browser.console.kill_sessions()
    assert browser.get("nvr").status_code == 401
    assert browser.log_in().status_code == 200
    assert browser.get("nvr").status_code == 200


def test_a_forged_token_is_refused(browser: Browser) -> None:
    token = browser.session.cookies["TOKEN"]
    assert token is not None
    head, body, signature = token.split(".")
    flipped = "A" if body[4] != "A" else "B"
    forged = ".".join((head, body[:4] + flipped + body[5:], signature))
    browser.session.cookies.clear()
    assert browser.get("nvr", headers={"Cookie": f"TOKEN={forged}"}).status_code == 401


def test_logging_out_needs_the_csrf_token_and_ends_the_session(browser: Browser) -> None:
    csrf = str(claims_of(str(browser.session.cookies["TOKEN"]))["csrfToken"])
    assert browser.post("/api/auth/logout").status_code == 403
    assert browser.post("/api/auth/logout", headers={"X-CSRF-Token": csrf}).status_code == 200
    assert browser.get("nvr").status_code == 401


def test_a_new_csrf_token_replaces_the_one_before() -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(csrf=Csrf.ROTATING)) as console,
        Browser(console) as browser,
    ):
        first = browser.log_in().headers["X-CSRF-Token"]
        second = browser.get("nvr").headers["X-Updated-CSRF-Token"]
        assert first != second
        stale = browser.post("/api/auth/logout", headers={"X-CSRF-Token": first})
        assert stale.status_code == 403
        assert browser.post("/api/auth/logout", headers={"X-CSRF-Token": second}).ok


def test_a_console_may_have_no_csrf_token_at_all() -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(csrf=Csrf.ABSENT)) as console,
        Browser(console) as browser,
    ):
        assert not [name for name in browser.log_in().headers if "csrf" in name.lower()]
        assert browser.get("nvr").ok
        assert browser.post("/api/auth/logout").ok


def test_an_api_key_gives_no_access(console: SimulatedConsole) -> None:
    with Browser(console) as browser:
        key = {"X-API-KEY": "something"}
        assert browser.get("bootstrap", headers=key).status_code == 500
        assert browser.get("events", headers=key).status_code == 401


def test_the_direct_recorder_issues_bearer_tokens() -> None:
    with (
        SimulatedConsole(behaviour=Behaviour(flavour=Flavour.LEGACY)) as console,
        Browser(console) as browser,
    ):
        assert browser.log_in().status_code == HTTPStatus.NOT_FOUND
        claim = {"username": console.username, "password": console.password}
        token = browser.post("/api/auth", claim).headers["Authorization"]
        address = console.host + "/api/cameras"
        bearer = {"Authorization": f"Bearer {token}"}
        assert browser.session.get(address, headers=bearer, timeout=TIMEOUT_SECS).ok
        assert browser.session.get(address, timeout=TIMEOUT_SECS).status_code == 401


def test_the_direct_recorders_login_does_not_exist_on_unifi_os() -> None:
    behaviour = Behaviour(flavour=Flavour.UNIFI_OS)
    with SimulatedConsole(behaviour=behaviour) as console, Browser(console) as browser:
        assert browser.post("/api/auth", {}).status_code == 404


def test_sessions_survive_a_restart_with_the_same_state_directory(tmp_path: Path) -> None:
    with SimulatedConsole(state_dir=tmp_path) as console, Browser(console) as browser:
        token = browser.log_in().cookies["TOKEN"]
        certificate = Path(console.ca_file).read_bytes()
    with SimulatedConsole(state_dir=tmp_path) as console, Browser(console) as browser:
        assert Path(console.ca_file).read_bytes() == certificate
        assert browser.get("nvr", headers={"Cookie": f"TOKEN={token}"}).ok
    for secret in ("console.pem", "signing.key"):
        assert (tmp_path / secret).stat().st_mode & 0o777 == 0o600


def test_a_token_is_dated_by_the_real_clock_even_when_the_consoles_clock_is_stopped() -> None:
    with SimulatedConsole(now_ms=1_705_500_000_000) as console, Browser(console) as browser:
        claims = claims_of(browser.log_in().cookies["TOKEN"])
        assert int(str(claims["exp"])) > time.time()
