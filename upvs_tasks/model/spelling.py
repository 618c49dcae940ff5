"""How the values of settings may be written, in TOML or as plain text.

Each parser takes what was written and returns the value, or raises ValueError with what is
allowed, to be put behind the setting's name: "must be a whole number from 0 to 51".
"""

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from string import Formatter

Parser = Callable[[object], object]

_YEARS = range(1971, 9999)
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def text(value: object) -> str:
    """Any text, without the white space around it."""
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004  one kind of refusal
    if "\0" in value or value.encode(errors="ignore").decode() != value:
        raise ValueError("must be text that a file system takes, too")
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
        if not lowest <= number <= highest:
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
        if not lowest <= parsed <= highest:
            raise ValueError(f"must be a number from {lowest:g} to {highest:g}")
        return parsed

    return parse


def number_or(word: str, lowest: float, highest: float) -> Callable[[object], float | None]:
    """Parser of the numbers from ``lowest`` to ``highest``; None stands for the word."""
    parse_number = number(lowest, highest)

    def parse(value: object) -> float | None:
        if str(value).strip() == word:
            return None
        try:
            return parse_number(value)
        except ValueError as error:
            raise ValueError(f"{error}, or {word!r}") from error

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
    parts = value if isinstance(value, list) else text(value).split(",")
    found = tuple(dict.fromkeys(word for part in parts if (word := text(part))))
    if not found:
        raise ValueError("must name at least one")
    if not all(word.isidentifier() for word in found):
        raise ValueError("must be words with commas between them")
    return found


def path(value: object) -> Path | None:
    """A file's path; nothing where it is left empty."""
    written = text(value)
    return Path(written) if written else None


def folder(value: object) -> str:
    """A folder's path, in which ``{camera}`` and ``{date}`` may stand for those."""
    written = text(value)
    try:
        names = {name for _, name, _, _ in Formatter().parse(written) if name is not None}
        written.format(camera="Door", date=date.min)
    except (ValueError, LookupError, AttributeError, TypeError):
        names = {written}
    if not written or names - {"camera", "date"}:
        raise ValueError("must name a folder, with only the placeholders {camera} and {date}")
    return written


def clock_time(value: object) -> time | None:
    """HH:MM, or a TOML time; nothing where it is left empty."""
    if isinstance(value, time):
        return value
    written = text(value)
    try:
        return time.fromisoformat(written) if written else None
    except ValueError:
        raise ValueError("must be a time of day such as 06:30") from None


def words_or_none(value: object) -> tuple[str, ...]:
    """Like `words`, or nothing where it is left empty."""
    return () if value in ("", []) else words(value)


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
