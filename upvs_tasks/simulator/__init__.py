"""A UniFi Protect console on this machine, for tests and for trying things out.

It is a separate program and an independent reading of the protocol: nothing else of this project
is imported here.
"""

from upvs_tasks.simulator.accounts import Account
from upvs_tasks.simulator.behaviour import (
    Behaviour,
    Csrf,
    EventIds,
    ExportCut,
    Flavour,
    JoinedTypes,
    Kept,
    Length,
    NoFootage,
    TooYoung,
    Window,
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
    Codec,
    FootageFormat,
    FormatSpan,
    SimulatedCamera,
)
from upvs_tasks.simulator.clockface import read_blocks
from upvs_tasks.simulator.console import SimulatedConsole
from upvs_tasks.simulator.events import SimulatedEvent
from upvs_tasks.simulator.faults import Fault, FaultKind
from upvs_tasks.simulator.journal import RequestRecord

__all__ = [
    "DRIVEWAY",
    "FRONT_DOOR",
    "GARAGE",
    "GARAGE_AGAIN",
    "SPARROW",
    "UNADOPTED",
    "YARD",
    "Account",
    "Audio",
    "Behaviour",
    "Codec",
    "Csrf",
    "EventIds",
    "ExportCut",
    "Fault",
    "FaultKind",
    "Flavour",
    "FootageFormat",
    "FormatSpan",
    "JoinedTypes",
    "Kept",
    "Length",
    "NoFootage",
    "RequestRecord",
    "SimulatedCamera",
    "SimulatedConsole",
    "SimulatedEvent",
    "TooYoung",
    "Window",
    "read_blocks",
]
