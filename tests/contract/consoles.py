"""The embedded console in the guises that the contract is tried with."""

from upvs_tasks.simulator import (
    Behaviour,
    Csrf,
    EventIds,
    JoinedTypes,
    Length,
    LimitKeeps,
    NoFootageAnswer,
    TooYoung,
    WindowMatch,
)

# What is documented of Protect 5 and of Protect 7.1.87, where these differ.
OLDER = Behaviour()
NEWER = Behaviour(
    version="7.1.87",
    cookie_name="UOS_TOKEN",
    cookie_partitioned=True,
    csrf=Csrf.ROTATING,
    bad_credentials_status=403,
    event_ids=EventIds.UUID,
    content_length=Length.CHUNKED,
    too_young=TooYoung.STATUS_500,
)
# The other answer to each question that nobody has settled.
OTHERWISE = Behaviour(
    csrf=Csrf.ABSENT,
    limit_keeps_ascending=LimitKeeps.NEWEST,
    window=WindowMatch.START,
    honours_cameras=False,
    joined_types=JoinedTypes.SPLIT,
    missing_types_ignore_window=False,
    shuffles_ties=True,
    content_length=Length.CLOSE,
    no_footage=NoFootageAnswer.STATUS_500,
)
