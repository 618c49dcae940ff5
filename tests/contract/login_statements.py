"""Statements on sessions, and on what the console tells of itself."""

import re
from time import time
from zoneinfo import ZoneInfo

from tests.contract.statements import statement
from tests.contract.visit import SESSION_COOKIES, Visit

_CSRF_HEADERS = ("X-Updated-CSRF-Token", "X-CSRF-Token")
_VERSION = re.compile(r"\d+\.\d+")


@statement()
def login_gives_a_session_cookie(visit: Visit) -> None:
    """A login is 200 and sets the cookie `TOKEN`, or `UOS_TOKEN` on newer UniFi OS."""
    assert visit.login.status_code == 200, visit.login.status_code
    assert [name for name in SESSION_COOKIES if name in visit.login.cookies]


@statement()
def session_cookie_is_a_dated_token(visit: Visit) -> None:
    """The session cookie is a JSON web token, good for two hours without `rememberMe`."""
    claims = visit.claims
    assert claims["exp"] > time()
    if "iat" in claims:
        assert claims["exp"] - claims["iat"] == 7_200


@statement()
def csrf_token_is_in_a_header_or_in_the_cookie(visit: Visit) -> None:
    """Whether or not the login brings a CSRF header, the session cookie names a `csrfToken`."""
    sent = [visit.login.headers[name] for name in _CSRF_HEADERS if name in visit.login.headers]
    assert all(sent)
    assert visit.claims["csrfToken"]


@statement()
def reading_needs_no_csrf_token(visit: Visit) -> None:
    """A GET with the session cookie alone is answered."""
    assert visit.get("nvr").status_code == 200


@statement()
def nothing_private_is_told_to_strangers(visit: Visit) -> None:
    """Without a session, bootstrap, events and export are 401 and say so in JSON."""
    stranger = visit.stranger()
    for path in ("bootstrap", "events", "video/export"):
        reply = visit.get(path, session=stranger)
        assert reply.status_code == 401, path
        assert isinstance(reply.json(), dict)


@statement()
def api_key_opens_nothing_private(visit: Visit) -> None:
    """An `X-API-KEY` in place of a session gets neither the bootstrap nor the events."""
    key = {"X-API-KEY": "no key of this console"}
    stranger = visit.stranger()
    assert visit.get("bootstrap", session=stranger, headers=key).status_code in {401, 403, 500}
    assert visit.get("events", session=stranger, headers=key).status_code in {401, 403}


@statement(only_embedded="it ends the sessions of everybody")
def killed_session_is_401_until_the_next_login(visit: Visit) -> None:
    """A session that the console has ended before its time is 401, and a fresh login works."""
    session = visit.stranger()
    assert visit.log_in(session).status_code == 200
    visit.simulated.kill_sessions()
    assert visit.get("bootstrap", session=session).status_code == 401
    assert visit.log_in(session).status_code == 200
    assert visit.get("bootstrap", session=session).status_code == 200


@statement(only_embedded="it takes one of the five logins a minute")
def username_and_password_are_enough(visit: Visit) -> None:
    """A login without `rememberMe` and `token` is taken, too."""
    assert visit.log_in(visit.stranger()).status_code == 200


@statement(only_embedded="it takes one of the five logins a minute")
def remembered_session_lasts_thirty_days(visit: Visit) -> None:
    """With `rememberMe` true the session cookie is good for thirty days."""
    reply = visit.log_in(visit.stranger(), rememberMe=True)
    expires_ms = int(reply.headers["X-Token-Expire-Time"])
    assert 0 <= 30 * 86_400 - (expires_ms / 1000 - time()) < 60


@statement(only_embedded="failed logins lock the account for minutes")
def wrong_password_is_401_or_403(visit: Visit) -> None:
    """A wrong password is 401, or 403 on newer UniFi OS, with a `code` in JSON."""
    reply = visit.log_in(visit.stranger(), password="not this one")
    assert reply.status_code in {401, 403}
    assert reply.json()["code"]


@statement(only_embedded="failed logins lock the account for minutes")
def too_many_logins_are_429(visit: Visit) -> None:
    """Too many logins are 429 `AUTHENTICATION_FAILED_LIMIT_REACHED`, and no time is named."""
    stranger = visit.stranger()
    replies = [visit.log_in(stranger, username="viewer", password="no") for _ in range(6)]
    assert replies[-1].status_code == 429
    assert replies[-1].json()["code"] == "AUTHENTICATION_FAILED_LIMIT_REACHED"
    assert "Retry-After" not in replies[-1].headers


@statement(only_embedded="it takes an account with a second factor")
def second_factor_is_asked_for_with_499(visit: Visit) -> None:
    """A second factor is asked for with 499 `MFA_AUTH_REQUIRED`; `token` takes the six digits."""
    careful = visit.simulated.account("careful")
    stranger = visit.stranger()
    asked = visit.log_in(stranger, username="careful")
    assert (asked.status_code, asked.json()["code"]) == (499, "MFA_AUTH_REQUIRED")
    assert asked.json()["data"]["required"] == "2fa"
    known = visit.log_in(stranger, username="careful", token=careful.totp())
    assert known.status_code == 200


@statement(only_embedded="it takes an account that may not read media")
def footage_needs_a_permission_of_its_own(visit: Visit) -> None:
    """An account without `readmedia` sees the events, and is 403 when it asks for footage."""
    viewer = visit.stranger()
    assert visit.log_in(viewer, username="viewer").status_code == 200
    start_ms, end_ms = visit.clip_window_ms
    window = (("start", start_ms), ("end", end_ms))
    events = visit.get("events", *window, ("types", "motion"), session=viewer)
    assert events.status_code == 200
    camera = ("camera", visit.camera["id"])
    assert visit.get("video/export", camera, *window, session=viewer).status_code == 403


@statement(only_embedded="consoles with UniFi OS have no such login")
def recorder_without_unifi_os_gives_a_bearer_token(visit: Visit) -> None:
    """A recorder without UniFi OS takes a login at `/api/auth` and answers with a bearer token."""
    known = {"username": visit.host.username, "password": visit.host.password}
    stranger = visit.stranger()
    reply = stranger.post(visit.host.url + "/api/auth", json=known, timeout=20)
    bearer = {"Authorization": f"Bearer {reply.headers['Authorization']}"}
    address = visit.host.url + "/api/cameras"
    assert stranger.get(address, headers=bearer, timeout=20).status_code == 200
    assert stranger.get(address, timeout=20).status_code == 401


@statement()
def bootstrap_names_recorder_and_cameras(visit: Visit) -> None:
    """The bootstrap is an object with `nvr`, an object, and `cameras`, a list."""
    assert isinstance(visit.bootstrap["nvr"], dict)
    assert visit.cameras
    assert isinstance(visit.cameras, list)


@statement()
def recorder_tells_its_time_zone_and_version(visit: Visit) -> None:
    """`nvr` has a `timezone` that the IANA data base knows, and a `version` of dotted numbers."""
    nvr = visit.bootstrap["nvr"]
    assert ZoneInfo(nvr["timezone"]).key == nvr["timezone"]
    assert _VERSION.match(nvr["version"])
    assert nvr["id"]
    assert nvr["name"]


@statement()
def cameras_have_an_id_and_perhaps_a_name(visit: Visit) -> None:
    """Each camera has an `id` of its own; its `name` is text or null, and two may share one."""
    ids = [camera["id"] for camera in visit.cameras]
    assert all(isinstance(one, str) and one for one in ids)
    assert len(set(ids)) == len(ids)
    assert all(isinstance(camera["name"], str | None) for camera in visit.cameras)


@statement()
def cameras_tell_their_state(visit: Visit) -> None:
    """`type`, `state` and `mac` are text, `isConnected` is true or false."""
    for camera in visit.cameras:
        assert all(isinstance(camera[name], str) for name in ("type", "state", "mac"))
        assert isinstance(camera["isConnected"], bool)
        assert camera["modelKey"] == "camera"


@statement()
def cameras_list_their_channels(visit: Visit) -> None:
    """`channels` lists the qualities, the best first, with `width`, `height` and `fps`."""
    channels = visit.camera["channels"]
    assert channels[0]["id"] == 0
    for channel in channels:
        assert isinstance(channel["enabled"], bool)
        assert all(isinstance(channel[name], int) for name in ("id", "width", "height", "fps"))
    best, *others = (channel["width"] * channel["height"] for channel in channels)
    assert all(best >= other for other in others)


@statement()
def cameras_tell_when_they_last_saw_motion(visit: Visit) -> None:
    """`lastMotion` is a time in Unix ms, or null."""
    last_motion_ms = visit.camera["lastMotion"]
    assert last_motion_ms is None or last_motion_ms > 946_684_800_000


@statement()
def cameras_tell_what_they_keep(visit: Visit) -> None:
    """`recordingSettings` has `mode` and padding in seconds, `stats.video` Unix ms or null."""
    recording, video = visit.camera["recordingSettings"], visit.camera["stats"]["video"]
    assert recording["mode"] in {"always", "detections", "adaptive", "never", "schedule"}
    assert 0 <= recording["prePaddingSecs"] <= 600
    assert 0 <= recording["postPaddingSecs"] <= 600
    for name in ("recordingStart", "recordingEnd", "recordingStartLQ", "recordingEndLQ"):
        assert video[name] is None or video[name] > 946_684_800_000


@statement()
def cameras_can_be_had_without_the_rest(visit: Visit) -> None:
    """The list at `/cameras` has the same cameras as the bootstrap."""
    listed = {row["id"] for row in visit.get("cameras").json()}
    assert listed == {row["id"] for row in visit.cameras}
