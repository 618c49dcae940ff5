"""What a line of the table of settings says of one setting."""

from dataclasses import Field, dataclass, field
from enum import Enum
from typing import Any, TypeVar

from upvs_tasks.settings.values import Parser

T = TypeVar("T")


class Group(Enum):
    """What settings are about; their order and titles in config.toml."""

    CONSOLE = "the console"
    FOOTAGE = "which footage"
    FILM = "the film"
    FOLDER = "where it goes"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One setting: its name, its default, what it may be, and what it means.

    ``meaning`` is one plain sentence without its full stop. ``demo`` is the value that config.toml
    ships in place of the default, and ``example`` one that it shows in a comment.
    """

    name: str
    default: object
    parser: Parser[object]
    group: Group
    meaning: str
    demo: str
    example: str
    is_secret: bool

    @property
    def variable(self) -> str:
        """The setting's name in the environment."""
        return f"UPVS_{self.name.upper()}"

    def description(self, *details: str) -> str:
        """What it means and, in brackets, what is allowed and the details that are not empty."""
        said = [each for each in (self.parser.brief, *details) if each]
        return f"{self.meaning} ({'; '.join(said)})" if said else self.meaning


def setting(  # noqa: PLR0913  a line of the table, and all but its first four are rare
    default: T,
    parser: Parser[T],
    group: Group,
    meaning: str,
    *,
    demo: str = "",
    example: str = "",
    is_secret: bool = False,
) -> T:
    """Declare a field of `Settings`. To type checkers it is its default, as with any dataclass."""
    said = {
        "parser": parser,
        "group": group,
        "meaning": meaning,
        "demo": demo,
        "example": example,
        "is_secret": is_secret,
    }
    return field(default=default, repr=not is_secret, metadata=said)


def secret(group: Group, meaning: str) -> str:
    """Declare a field that comes from the environment or a file alone, and is never shown."""
    as_it_is = Parser(str, allowed="", brief="")  # white space may be part of it
    return setting("", as_it_is, group, meaning, is_secret=True)


def declared(of: Field[Any]) -> Declaration:
    """What was declared of a field."""
    return Declaration(of.name, of.default, **of.metadata)
