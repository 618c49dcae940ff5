"""One day of one UniFi Protect camera as one timelapse.

    doit run timelapse date=2024-01-15         the film, and whatever it still needs
    doit run fetch date=2024-01-15             the clips alone
    doit run scan date=2024-01-15              the list of clips alone
    doit run verify date=2024-01-15            check what is on the disk, offline
    doit list --all --status date=2024-01-15   what is done (U) and what is not (R)

Settings: config.toml, your own upvs.toml, UPVS_NAME in the environment, name=value behind doit; the
later wins.
"""

from pathlib import Path

from upvs_tasks import program

program.begin_as_doit()

# Half a second, in which somebody may press Ctrl-C.
from upvs_tasks import doit_access, graph  # noqa: E402

_GRAPH = graph.from_command_line(Path(__file__).parent)

# What doit looks for: DOIT_CONFIG, and task_scan, task_fetch and so on, one for each row.
globals().update(_GRAPH.namespace)

# `doit run` and `doit clean` work within a run: its lock, its log, its signals, its exit code.
doit_access.hand_over(globals(), _GRAPH.run)
