def counted(count: int, noun: str) -> str:
    """A number of things in words: "1 clip", "2 clips"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_or_are(count: int) -> str:
    """The verb that goes with a number of things."""
    return "is" if count == 1 else "are"
