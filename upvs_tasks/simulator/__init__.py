"""A UniFi Protect console on this machine, for tests and for trying things out.

It is a separate program and an independent reading of the protocol. So it imports nothing else of
this project.
"""

from upvs_tasks.simulator.accounts import UserAccount
from upvs_tasks.simulator.behaviour import (
    Behaviour,
    Csrf,
    EventIds,
    ExportCut,
    Flavour,
    JoinedTypes,
    Length,
    LimitKeeps,
    NoFootageAnswer,
    RepeatedExport,
    TooYoung,
    WindowMatch,
)
from upvs_tasks.simulator.cameras import (
    DRIVEWAY,
    FRONT_DOOR,
    GARAGE,
    GARAGE_AGAIN,
    SPARROW,
    UNADOPTED,
    YARD,
    Audio,
    FootageFormat,
    FormatSpan,
    SimulatedCamera,
    VideoCodec,
)
from upvs_tasks.simulator.console import SimulatedConsole
from upvs_tasks.simulator.events import SimulatedEvent
from upvs_tasks.simulator.faults import Fault, FaultKind
from upvs_tasks.simulator.request_log import RequestRecord
from upvs_tasks.simulator.timestamp import read_blocks

__all__ = [
    "DRIVEWAY",
    "FRONT_DOOR",
    "GARAGE",
    "GARAGE_AGAIN",
    "SPARROW",
    "UNADOPTED",
    "YARD",
    "Audio",
    "Behaviour",
    "Csrf",
    "EventIds",
    "ExportCut",
    "Fault",
    "FaultKind",
    "Flavour",
    "FootageFormat",
    "FormatSpan",
    "JoinedTypes",
    "Length",
    "LimitKeeps",
    "NoFootageAnswer",
    "RepeatedExport",
    "RequestRecord",
    "SimulatedCamera",
    "SimulatedConsole",
    "SimulatedEvent",
    "TooYoung",
    "UserAccount",
    "VideoCodec",
    "WindowMatch",
    "read_blocks",
]
