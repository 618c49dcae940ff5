"""config.toml as it is shipped: every setting with its default and one comment."""

from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

import orjson

from upvs_tasks.settings.declaration import Declaration
from upvs_tasks.settings.table import TABLE

_HEADER = """\
# Every setting of upvs, with its default or, where it has none, with what the demo needs.
# Write your own into a file upvs.toml beside this one. Git does not know it, so a newer version of
# this file is never in your way. Each can also be given as UPVS_NAME in the environment, or as
# name=value behind doit; the later of these wins. The password belongs into neither file: use
# UPVS_PASSWORD or password_file.
"""
_WIDTH = 100
_COMMENT_COLUMN = 28


def config_text() -> str:
    """The whole file."""
    shown = [each for each in TABLE.values() if not each.is_secret]
    groups = groupby(shown, key=lambda each: each.group)
    parts = (f"# --- {group.value} ---\n{_lines(settings)}" for group, settings in groups)
    return "\n".join((_HEADER, *parts))


def as_toml(value: object) -> str:
    """A setting's value as one would write it in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}"
        case tuple():
            return f"[{', '.join(map(as_toml, value))}]"
        case _:
            return orjson.dumps(value or "").decode()


def _lines(settings: Iterator[Declaration]) -> str:
    return "".join(f"{line}\n" for setting in settings for line in _setting_lines(setting))


def _setting_lines(setting: Declaration) -> Iterator[str]:
    """The setting with its comment beside it, or below its comment where it is long itself."""
    value = as_toml(setting.demo or setting.example or setting.default)
    line = f"{'# ' if setting.example else ''}{setting.name} = {value}"
    if len(line) > _COMMENT_COLUMN - 2:
        yield from wrap(setting.description(), _WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield line
        return
    indent = " " * _COMMENT_COLUMN + "# "
    first, *others = wrap(
        setting.description(), _WIDTH, initial_indent=indent, subsequent_indent=indent
    )
    yield line.ljust(_COMMENT_COLUMN) + first.lstrip()
    yield from others
