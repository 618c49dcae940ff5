import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upvs_tasks.model.account import DayAccount, EventState, ShownFilm
from upvs_tasks.model.camera import Camera
from upvs_tasks.model.clip import Overlaps, clips_of, slices_of
from upvs_tasks.model.clip_index import (
    COMPLETE,
    PENDING,
    ClipIndex,
    ClipStatus,
    FailureKind,
    IndexEntry,
    Standing,
)
from upvs_tasks.model.damage import Damage
from upvs_tasks.model.day import Day
from upvs_tasks.model.event import Event
from upvs_tasks.model.span import Span

DAY = Day.of(dt.date(2024, 1, 15), "Europe/Zurich")
NOON_MS = DAY.start_ms + 43_200_000
HOUR_MS = 3_600_000
CAMERA = Camera("66a0c1", "Door")
SHORT = Event("e1", "motion", NOON_MS, NOON_MS + 2_000, "66a0c1")
LONG = Event("e2", "motion", NOON_MS + 600_000, NOON_MS + 600_000 + 3 * HOUR_MS, "66a0c1")
NOT_RECORDED = Standing(ClipStatus.FAILED, "none", is_settled=True, kind=FailureKind.NOT_RECORDED)
REFUSED = Standing(ClipStatus.FAILED, "no", is_settled=True, kind=FailureKind.REFUSED)
FAILED = Standing(ClipStatus.FAILED, "busy", kind=FailureKind.CAN_HEAL)
NEWLY_NOT_RECORDED = replace(NOT_RECORDED, is_settled=False)
STANDINGS = (PENDING, COMPLETE, NOT_RECORDED, REFUSED, FAILED, NEWLY_NOT_RECORDED)


def index_of(*events: Event, ongoing: tuple[Event, ...] = ()) -> ClipIndex:
    """Index of a day with these events; nothing is fetched."""
    clips = clips_of(events, overlaps=Overlaps.MERGE, merge_gap_ms=0)
    return ClipIndex.of(CAMERA, DAY, clips, ongoing)


def standing(index: ClipIndex, *standings: Standing) -> ClipIndex:
    """The index with these standings of its clips, in their order."""
    named = dict(zip((entry.name for entry in index.entries), standings, strict=True))
    return index.with_standings(lambda entry: named.get(entry.name, COMPLETE))


def account_of(
    index: ClipIndex,
    *,
    step_ms: float = 500,
    unseen: tuple[Span, ...] = (),
    damages: tuple[Damage, ...] = (),
) -> DayAccount:
    """Account of the day, whose film shows all that is complete but for some spans."""
    clips = index.filmed(lambda entry: entry.standing.status is ClipStatus.COMPLETE)

    def shows(_: IndexEntry, span: Span) -> bool:
        return span not in unseen

    return DayAccount.of(index, ShownFilm(clips, step_ms, shows, damages=damages))


def states(account: DayAccount) -> Mapping[str, EventState]:
    """The state of each event, by its id."""
    return {each.event.event_id: each.state for each in account.events}


@pytest.mark.parametrize(
    ("standing_now", "state", "can_heal"),
    [
        (COMPLETE, EventState.IN_FILM, False),
        (PENDING, EventState.NOT_FETCHED, True),
        (FAILED, EventState.FAILED, True),
        (NEWLY_NOT_RECORDED, EventState.FAILED, True),
        (NOT_RECORDED, EventState.NOT_RECORDED, False),
        (REFUSED, EventState.REFUSED, False),
    ],
)
def test_an_event_stands_where_its_clip_stands(
    standing_now: Standing, state: EventState, *, can_heal: bool
) -> None:
    account = account_of(standing(index_of(SHORT), standing_now))
    assert states(account) == {"e1": state}
    assert account.can_heal == can_heal
    assert account.is_whole == (state is EventState.IN_FILM)


@pytest.mark.parametrize(
    ("standings", "state"),
    [
        ((COMPLETE, NOT_RECORDED, NOT_RECORDED, COMPLETE), EventState.NOT_RECORDED),
        ((COMPLETE, NOT_RECORDED, FAILED, REFUSED), EventState.FAILED),
        ((PENDING, NOT_RECORDED, FAILED, REFUSED), EventState.NOT_FETCHED),
        ((COMPLETE, COMPLETE, COMPLETE, REFUSED), EventState.REFUSED),
    ],
)
def test_an_event_in_several_clips_is_missing_where_one_of_them_is(
    standings: tuple[Standing, ...], state: EventState
) -> None:
    account = account_of(standing(index_of(LONG), *standings))
    assert states(account) == {"e2": state}
    assert account.can_heal == bool({PENDING, FAILED} & set(standings))


def test_an_event_is_in_the_film_where_an_earlier_clip_holds_all_of_it() -> None:
    """The padding has grown since, and the console has no more footage."""
    [narrow] = index_of(SHORT).entries
    wide = clips_of(
        [replace(SHORT, end_ms=NOON_MS + 9_000)], overlaps=Overlaps.MERGE, merge_gap_ms=0
    )
    index = ClipIndex.of(CAMERA, DAY, (replace(wide[0], events=(SHORT,)),), ())
    grown = index.after([narrow], is_on_disk=lambda _: True)
    account = account_of(standing(grown, NOT_RECORDED))
    assert states(account) == {"e1": EventState.IN_FILM}


@pytest.mark.parametrize(
    ("step_ms", "state"), [(2_001, EventState.TOO_SHORT), (2_000, EventState.NOT_RECORDED)]
)
def test_an_event_of_which_the_film_shows_nothing_is_not_in_it(
    step_ms: float, state: EventState
) -> None:
    """Where frames are nearer to each other than it is long, it has left no footage."""
    span = (SHORT.start_ms, SHORT.start_ms + 2_000)
    account = account_of(standing(index_of(SHORT), COMPLETE), step_ms=step_ms, unseen=(span,))
    assert states(account) == {"e1": state}
    assert not account.can_heal
    assert account.shown_count == 0


@pytest.mark.parametrize("came_so", [False, True])
def test_a_damaged_event_can_be_made_again_unless_it_came_so(*, came_so: bool) -> None:
    index = standing(index_of(SHORT), COMPLETE)
    damage = Damage(index.entries[0].name, 10, 3, "smeared", came_so=came_so)
    account = account_of(index, damages=(damage,))
    assert states(account) == {"e1": EventState.DAMAGED}
    assert account.can_heal != came_so
    assert account.shown_count == 1


def test_events_without_end_are_told_apart() -> None:
    """One may still end, the other has never."""
    never = replace(SHORT, end_ms=None)
    ongoing = replace(LONG, end_ms=None)
    account = account_of(standing(index_of(never, ongoing=(ongoing,)), COMPLETE))
    assert states(account) == {"e1": EventState.NEVER_ENDED, "e2": EventState.ONGOING}
    assert not account.is_whole
    assert not account.can_heal
    assert account.shown_count == 1


def test_where_all_footage_is_filmed_each_hour_is_accounted_for() -> None:
    slices = slices_of(NOON_MS, NOON_MS + 3 * HOUR_MS, "66a0c1")
    index = ClipIndex.of(CAMERA, DAY, slices, ())
    account = account_of(standing(index, COMPLETE, FAILED, COMPLETE))
    assert [each.state for each in account.events] == [
        EventState.IN_FILM,
        EventState.FAILED,
        EventState.IN_FILM,
    ]


def test_the_account_of_some_clips_is_of_their_events_alone() -> None:
    index = standing(index_of(SHORT, LONG), COMPLETE, FAILED, COMPLETE, COMPLETE, COMPLETE)
    assert account_of(index).can_heal
    assert not account_of(index).of_clips(index.entries[:1]).can_heal
    assert states(account_of(index).of_clips(index.entries[2:])) == {"e2": EventState.FAILED}


EVENTS = st.builds(
    Event,
    event_id=st.sampled_from(["a", "b", "c", "d", "e"]),
    event_type=st.just("motion"),
    start_ms=st.integers(0, 10).map(lambda place: NOON_MS + place * 1_000_000),
    end_ms=st.integers(0, 10).map(lambda place: NOON_MS + 10_000_000 + place * 1_000_000),
    camera_id=st.just("66a0c1"),
)


@given(
    st.lists(EVENTS, max_size=5, unique_by=lambda event: event.event_id),
    st.sampled_from(Overlaps),
    st.data(),
)
def test_each_event_is_accounted_for_once_and_whole_means_all(
    events: list[Event], overlaps: Overlaps, data: st.DataObject
) -> None:
    clips = clips_of(events, overlaps=overlaps, merge_gap_ms=5_000)
    index = ClipIndex.of(CAMERA, DAY, clips, ()).with_standings(
        lambda _: data.draw(st.sampled_from(STANDINGS))
    )
    account = account_of(index)
    assert sorted(states(account)) == sorted(event.event_id for event in events)
    assert len(account.events) == len(events)
    if all(entry.standing == COMPLETE for entry in index.entries):
        assert account.is_whole
    if account.is_whole:
        assert not account.can_heal
