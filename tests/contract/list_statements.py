"""Statements on the list of events."""

import re
from itertools import pairwise

from tests.contract.statements import statement
from tests.contract.visit import DETECTIONS, Row, Visit

_ASCENDING = ("orderDirection", "ASC")
_DESCENDING = ("orderDirection", "DESC")
_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MINUTE_MS = 60_000


@statement()
def events_are_a_bare_array(visit: Visit) -> None:
    """The list of events is a JSON array with nothing around it."""
    start_ms, end_ms = visit.window_ms
    reply = visit.get("events", ("start", start_ms), ("end", end_ms), ("types", "motion"))
    assert reply.status_code == 200
    assert isinstance(reply.json(), list)


@statement()
def events_have_the_fields_that_we_read(visit: Visit) -> None:
    """A row has `id`, `type`, `start`, `end`, `camera`, `score`, `smartDetectTypes`; Unix ms."""
    for row in visit.some_events(1):
        assert row["modelKey"] == "event"
        assert isinstance(row["type"], str)
        assert isinstance(row["start"], int)
        assert isinstance(row["end"], int | None)
        assert isinstance(row["camera"], str | None)
        assert isinstance(row["score"], int)
        assert isinstance(row["smartDetectTypes"], list)


@statement()
def event_ids_are_hexadecimal_or_uuids(visit: Visit) -> None:
    """An event's id is 24 hexadecimal digits or a UUID, and no two events share one."""
    ids = [row["id"] for row in visit.some_events(1)]
    assert all(_ID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


@statement()
def types_are_asked_for_by_repeating_the_parameter(visit: Visit) -> None:
    """`types=a&types=b` lists what `types=a` and `types=b` list, and nothing else."""
    visit.some_events(1)
    motions, zones = (_ids(visit.events(types=(kind,))) for kind in DETECTIONS[:2])
    both = visit.events(types=DETECTIONS[:2])
    assert {row["type"] for row in both} <= set(DETECTIONS[:2])
    assert _ids(both) == motions | zones


@statement()
def joined_types_are_nothing_or_split(visit: Visit) -> None:
    """`types=a,b` lists nothing, or what the repeated parameter lists: consoles differ."""
    visit.some_events(1)
    joined = _ids(visit.events(types=(",".join(DETECTIONS),)))
    assert joined in (set(), _ids(visit.listed))


@statement(only_embedded="some consoles then walk through everything that they hold")
def without_types_the_window_may_be_ignored(visit: Visit) -> None:
    """Without `types`, rows far outside the window may come, too; with them, never."""
    start_ms, end_ms = visit.window_ms
    rows = visit.get("events", ("start", start_ms), ("end", end_ms)).json()
    reaches_outside = any(not start_ms <= row["start"] <= end_ms for row in rows)
    assert reaches_outside is visit.simulated.behaviour.missing_types_ignore_window
    assert all(start_ms <= row["start"] <= end_ms for row in visit.listed)


@statement()
def window_matches_by_start_or_by_overlap(visit: Visit) -> None:
    """A window lists what starts in it, and perhaps what only reaches into it: consoles differ."""
    middle = visit.some_events(3)[len(visit.listed) // 2]["start"] + 1
    start_ms, end_ms = middle, visit.window_ms[1]
    rows = visit.events(_ASCENDING, ("limit", 5_000), window_ms=(start_ms, end_ms))
    by_start = {row["id"] for row in visit.listed if start_ms <= row["start"] <= end_ms}
    by_overlap = {
        row["id"]
        for row in visit.listed
        if row["start"] <= end_ms and (row["end"] is None or row["end"] >= start_ms)
    }
    assert by_start <= _ids(rows) <= by_overlap


@statement()
def bounds_of_a_window_may_belong_to_it(visit: Visit) -> None:
    """An event that starts one ms inside a window is listed, whether or not bounds belong to it."""
    start_ms = visit.some_events(1)[0]["start"]
    rows = visit.events(window_ms=(start_ms - 1, start_ms + 1))
    assert visit.listed[0]["id"] in _ids(rows)


@statement()
def start_alone_is_refused(visit: Visit) -> None:
    """`start` without `end` and `limit` is 400."""
    start = ("start", visit.window_ms[0])
    assert visit.get("events", start, ("types", "motion")).status_code == 400


@statement()
def end_alone_is_refused(visit: Visit) -> None:
    """`end` without `start` and `limit` is 400."""
    end = ("end", visit.window_ms[1])
    assert visit.get("events", end, ("types", "motion")).status_code == 400


@statement()
def limit_keeps_the_oldest_or_the_newest(visit: Visit) -> None:
    """`limit=n` lists n rows, of an ascending list the first or the last: consoles differ."""
    count = (len(visit.some_events(4)) - 1) // 2
    rows = visit.events(_ASCENDING, ("limit", count))
    starts = [row["start"] for row in visit.listed]
    assert len(rows) == count
    assert [row["start"] for row in rows] in (starts[:count], starts[-count:])


@statement()
def ascending_is_by_start(visit: Visit) -> None:
    """`orderDirection=ASC` lists by start; the order of equal starts is nobody's promise."""
    assert all(
        former["start"] <= later["start"] for former, later in pairwise(visit.some_events(2))
    )


@statement()
def descending_is_by_start_too(visit: Visit) -> None:
    """`orderDirection=DESC` lists the latest start first, and `limit` keeps the latest."""
    visit.some_events(2)
    count = len(visit.listed) // 2
    rows = visit.events(_DESCENDING, ("limit", count))
    starts = [row["start"] for row in visit.listed]
    assert [row["start"] for row in rows] == starts[::-1][:count]


@statement()
def no_direction_is_ascending(visit: Visit) -> None:
    """Without `orderDirection` the list is by start, the earliest first."""
    visit.some_events(2)
    rows = visit.events()
    assert all(former["start"] <= later["start"] for former, later in pairwise(rows))


@statement()
def cameras_are_heeded_or_ignored(visit: Visit) -> None:
    """`cameras=id` lists that camera's rows alone, or everybody's: consoles differ."""
    visit.some_events(1)
    rows = visit.events(("cameras", visit.camera["id"]), ("limit", 5_000))
    of_camera = {row["id"] for row in visit.listed if row["camera"] == visit.camera["id"]}
    assert _ids(rows) in (of_camera, _ids(visit.listed))


@statement()
def one_event_can_be_had_by_its_id(visit: Visit) -> None:
    """An event's own address, made of its id, gives the row that the list has."""
    row = next(row for row in visit.some_events(1) if row["end"] is not None)
    alone = visit.get(f"events/{row['id']}")
    assert alone.status_code == 200
    assert {name: alone.json()[name] for name in ("id", "start", "end")} == {
        name: row[name] for name in ("id", "start", "end")
    }


@statement(only_embedded="it takes an event that is under way")
def event_under_way_has_no_end(visit: Visit) -> None:
    """An event that is not over is listed with `end` null, and with its end once it is."""
    start_ms = visit.window_ms[0] + _MINUTE_MS
    event = visit.simulated.add_event(start_ms, None)
    assert _row(visit, event.event_id)["end"] is None
    visit.simulated.end_event(event.event_id, start_ms + 9_000)
    assert _row(visit, event.event_id)["end"] == start_ms + 9_000


@statement()
def other_rows_come_with_all_types(visit: Visit) -> None:
    """Rows of no camera have `camera` null, and types that we do not know are as well formed."""
    rows = visit.events(types=(*DETECTIONS, "access", "adminActivity", "petFeederJammed"))
    for row in rows:
        assert row["camera"] is None or row["camera"]
        assert isinstance(row["type"], str)
        assert isinstance(row["start"], int)


def _ids(rows: list[Row]) -> set[str]:
    return {row["id"] for row in rows}


def _row(visit: Visit, event_id: str) -> Row:
    return next(row for row in visit.events(types=("motion",)) if row["id"] == event_id)
