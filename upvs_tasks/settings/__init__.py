"""Every setting: what it may be, where it comes from, and what it means.

One name for one thing: ``crf`` in config.toml or in one's own upvs.toml, ``UPVS_CRF`` in the
environment, ``crf=23`` after doit; the later of these wins.

    table         one declaration a setting, and the frozen `Settings` that are made of them
    declaration   what such a declaration holds
    values        what the value of a setting may be
    sources       where values come from, and which of them wins; secrets
    config_file   config.toml as it is shipped: `python -m upvs_tasks.settings` prints it
"""

from upvs_tasks.settings.sources import exposed_files, load, withhold_secrets
from upvs_tasks.settings.table import NAMES, TABLE, Settings

CONFIG_NAME = "config.toml"
OWN_NAME = "upvs.toml"

__all__ = [
    "CONFIG_NAME",
    "NAMES",
    "OWN_NAME",
    "TABLE",
    "Settings",
    "exposed_files",
    "load",
    "withhold_secrets",
]
