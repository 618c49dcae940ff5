"""What the value of a setting may be, in TOML or as plain text.

A parser takes what was written and returns the value. It raises ValueError with what is allowed, as
words that follow the setting's name: "must be a whole number from 0 to 51".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from string import Formatter
from typing import Generic, TypeVar

from upvs_tasks.errors import SettingsError
from upvs_tasks.model.day import RelativeDate, zone_named

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Word = TypeVar("Word", bound=str)

_BETWEEN_DIGITS = re.compile(r"[\s:]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_YEARS = range(1971, 9999)
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parser(Generic[T_co]):
    """Makes a value of what was written.

    ``allowed`` says for an error what is taken, and ``brief`` the same for a table. Both are empty
    where almost any text is taken.
    """

    parse: Callable[[object], T_co]
    allowed: str
    brief: str

    def __call__(self, written: object) -> T_co:
        """Return the value. Raises ValueError."""
        return self.parse(written)

    def error(self) -> ValueError:
        """The error for everything that is not allowed."""
        return ValueError(f"must be {self.allowed}")


def taking(allowed: str = "", *, brief: str = "") -> Callable[[Callable[[object], T]], Parser[T]]:
    """Make a function the parser of what is ``allowed``."""
    return lambda parse: Parser(parse, allowed, brief)


@taking()
def text(written: object) -> str:
    """Any text, without the white space around it."""
    if not isinstance(written, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004  callers catch one type
    if "\0" in written or written.encode(errors="ignore").decode() != written:
        raise ValueError("must be text of characters that a file name can hold")
    return written.strip()


@taking("true or false")
def switch(written: object) -> bool:
    """Yes or no, in TOML or in words."""
    known = written if isinstance(written, bool) else _SWITCHES.get(str(written).strip().lower())
    if known is None:
        raise switch.error()
    return known


def whole_number(lowest: int, highest: int) -> Parser[int]:
    """Whole numbers from ``lowest`` to ``highest``."""

    @taking(f"a whole number from {lowest} to {highest}", brief=f"{lowest} to {highest}")
    def parse(written: object) -> int:
        try:
            parsed = int(str(written).strip())
        except ValueError:
            parsed = lowest - 1
        if not lowest <= parsed <= highest:
            raise parse.error()
        return parsed

    return parse


def whole_number_or_zero(lowest: int, highest: int) -> Parser[int]:
    """Whole numbers from ``lowest`` to ``highest``, and 0."""
    numbers = whole_number(lowest, highest)

    @taking(f"{numbers.allowed}, or 0", brief=f"{numbers.brief}, or 0")
    def parse(written: object) -> int:
        if str(written).strip() == "0":
            return 0
        try:
            return numbers(written)
        except ValueError as error:
            raise parse.error() from error

    return parse


def number(lowest: float, highest: float) -> Parser[float]:
    """Numbers from ``lowest`` to ``highest``."""

    @taking(f"a number from {lowest:g} to {highest:g}", brief=f"{lowest:g} to {highest:g}")
    def parse(written: object) -> float:
        try:
            parsed = float(str(written).strip())
        except ValueError:
            parsed = float("nan")
        if not lowest <= parsed <= highest:
            raise parse.error()
        return parsed

    return parse


def number_or(word: str, lowest: float, highest: float) -> Parser[float | None]:
    """Numbers from ``lowest`` to ``highest``; None stands for the word."""
    numbers = number(lowest, highest)

    @taking(f"{numbers.allowed}, or {word!r}", brief=f"{numbers.brief}, or {word}")
    def parse(written: object) -> float | None:
        if str(written).strip() == word:
            return None
        try:
            return numbers(written)
        except ValueError as error:
            raise parse.error() from error

    return parse


def choice(*words: Word) -> Parser[Word]:
    """One of the words; the words of an enumeration give its members."""
    known = {str(word): word for word in words}
    listed = ", ".join(known)

    @taking(f"one of {listed}", brief=listed)
    def parse(written: object) -> Word:
        chosen = known.get(str(written).strip())
        if chosen is None:
            raise parse.error()
        return chosen

    return parse


@taking()
def words(written: object) -> tuple[str, ...]:
    """A TOML list of words, or words with commas between them; at least one."""
    parts = written if isinstance(written, list) else text(written).split(",")
    found = tuple(dict.fromkeys(word for part in parts if (word := text(part))))
    if not found:
        raise ValueError("must name at least one")
    if not all(word.isidentifier() for word in found):
        raise ValueError("must be words with commas between them")
    return found


@taking()
def words_or_none(written: object) -> tuple[str, ...]:
    """Like `words`, or nothing where it is left empty."""
    return () if written in ("", []) else words(written)


@taking()
def path(written: object) -> Path | None:
    """A file's path, with ~ resolved; nothing where it is left empty."""
    named = text(written)
    return _without_tilde(named) if named else None


@taking()
def folder(written: object) -> str:
    """A folder's path, with ~ resolved; ``{camera}`` and ``{date}`` may stand in it."""
    named = text(written)
    try:
        names = {name for _, name, _, _ in Formatter().parse(named) if name is not None}
        named.format(camera="Door", date=date.min)
    except (ValueError, LookupError, AttributeError, TypeError):
        names = {named}
    if not named or names - {"camera", "date"}:
        raise ValueError("must name a folder, with only the placeholders {camera} and {date}")
    if not named.startswith("~"):
        return named
    # Here, and not where the placeholders are filled in: a camera may be called "~root".
    home, slash, below = named.partition("/")
    escaped = str(_without_tilde(home)).replace("{", "{{").replace("}", "}}")
    return f"{escaped}{slash}{below}"


def root_folder(written: str) -> str:
    """A folder for all cameras and days, as a folder's path; one with placeholders as it is."""
    named = written.strip()
    try:
        has_placeholder = any(name is not None for _, name, _, _ in Formatter().parse(named))
    except ValueError:  # `folder` refuses it, in the words that were given
        has_placeholder = True
    return named if has_placeholder or not named else str(Path(named) / "{camera}" / "{date}")


def _without_tilde(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        raise ValueError("must be a path; there is no such home folder") from error


@taking("a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons", brief="SHA-256")
def fingerprint(written: object) -> str:
    """64 hexadecimal digits, however a browser or openssl writes them; or nothing."""
    digits = _BETWEEN_DIGITS.sub("", text(written).rpartition("=")[2]).lower()
    if digits and not _SHA256.fullmatch(digits):
        raise fingerprint.error()
    return digits


@taking("a time of day such as 06:30, without an offset", brief="HH:MM")
def clock_time(written: object) -> time | None:
    """HH:MM, or a TOML time; nothing where it is left empty."""
    if isinstance(written, time):
        return written
    named = text(written)
    if not named:
        return None
    try:
        parsed = time.fromisoformat(named)
    except ValueError:
        raise clock_time.error() from None
    if parsed.tzinfo:
        raise clock_time.error()
    return parsed


@taking("an IANA name such as Europe/Zurich", brief="an IANA name such as Europe/Zurich")
def zone_name(written: object) -> str:
    """Name of a time zone; empty where it is left empty."""
    named = text(written)
    try:
        return zone_named(named).key if named else ""
    except SettingsError as error:
        raise zone_name.error() from error


@taking("YYYY-MM-DD, today or yesterday", brief="YYYY-MM-DD, today or yesterday")
def day(written: object) -> date | RelativeDate:
    """YYYY-MM-DD, a TOML date, or a word: which date that is depends on the console's clock."""
    named = str(written).strip()
    if named in set(RelativeDate):
        return RelativeDate(named)
    try:
        parsed = date.fromisoformat(named)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != named or parsed.year not in _YEARS:
        raise day.error()
    return parsed
