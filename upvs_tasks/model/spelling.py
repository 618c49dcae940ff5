"""How the values of settings may be written, in TOML or as plain text.

Each parser takes what was written and returns the value, or raises ValueError with what is
allowed, to be put behind the setting's name: "must be a whole number from 0 to 51".
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

Parser = Callable[[object], object]

_YEARS = range(1971, 9999)
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def text(value: object) -> str:
    """Any text, without the white space around it."""
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004  one kind of refusal
    return value.strip()


def switch(value: object) -> bool:
    """True or false."""
    known = value if isinstance(value, bool) else _SWITCHES.get(str(value).strip().lower())
    if known is None:
        raise ValueError("must be true or false")
    return known


def whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    """Parser of the whole numbers from ``lowest`` to ``highest``."""

    def parse(value: object) -> int:
        try:
            number = int(str(value).strip())
        except ValueError:
            number = lowest - 1
        if isinstance(value, bool) or not lowest <= number <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return number

    return parse


def number(lowest: float, highest: float) -> Callable[[object], float]:
    """Parser of the numbers from ``lowest`` to ``highest``."""

    def parse(value: object) -> float:
        try:
            parsed = float(str(value).strip())
        except ValueError:
            parsed = float("nan")
        if isinstance(value, bool) or not lowest <= parsed <= highest:
            raise ValueError(f"must be a number from {lowest:g} to {highest:g}")
        return parsed

    return parse


def choice(*allowed: str) -> Callable[[object], str]:
    """Parser of one word out of ``allowed``."""

    def parse(value: object) -> str:
        word = str(value).strip()
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return word

    return parse


def words(value: object) -> tuple[str, ...]:
    """A TOML list of words, or words with commas between them; at least one."""
    parts = value if isinstance(value, list) else str(value).split(",")
    found = tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))
    if not found:
        raise ValueError("must name at least one")
    return found


def path(value: object) -> Path | None:
    """A file's path, with ~ for the home folder; nothing where it is left empty."""
    written = text(value)
    return Path(written).expanduser() if written else None


def day(today: date) -> Callable[[object], date]:
    """Parser of YYYY-MM-DD, ``today`` and ``yesterday``; a TOML date will do."""

    def parse(value: object) -> date:
        match str(value).strip():
            case "today":
                return today
            case "yesterday":
                return today - timedelta(days=1)
            case written:
                try:
                    parsed = date.fromisoformat(written)
                except ValueError:
                    parsed = None
                if parsed is None or parsed.isoformat() != written or parsed.year not in _YEARS:
                    raise ValueError("must be YYYY-MM-DD, today or yesterday")
                return parsed

    return parse
