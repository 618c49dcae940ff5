def counted(count: int, noun: str) -> str:
    """A number of things in words: "1 clip", "2 clips"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_or_are(count: int, *, of: int | None = None) -> str:
    """The verb that goes with a number of things, or with so many ``of`` a number of them.

    "1 clip is", "2 clips are"; "1 of 2 clips is", "0 of 2 clips are", "0 of 1 clip is".
    """
    return "is" if 1 in (count, of) else "are"
