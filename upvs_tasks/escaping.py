"""Makes text from outside harmless where it leaves for a person.

A console may put anything into a name. The terminal, the log, the JSON files, the captions and the
tags of the film all escape the same characters: those that move the cursor, end the line, change
colours or turn the direction of writing.
"""

import re

HARMFUL = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_NOT_ON_ONE_LINE = re.compile(f"[{HARMFUL}]")
_NOT_IN_LINES = re.compile(f"(?![\n\t])[{HARMFUL}]")


def one_line(text: str) -> str:
    """The text as one line that only shows."""
    return _NOT_ON_ONE_LINE.sub(_visible, text)


def lines(text: str) -> str:
    """The text as lines that only show."""
    return _NOT_IN_LINES.sub(_visible, text)


def in_json(written: str) -> str:
    """JSON that means the same, and that only shows: these characters stand in strings alone."""
    return _NOT_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def in_captions(text: str) -> str:
    """The text as the words of a WebVTT caption: no mark-up, and no end."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _visible(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
