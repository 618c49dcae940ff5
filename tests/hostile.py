"""Characters that do more than show, and texts made of them, as a hostile console would send."""

# Cursor and colours (ESC, and CSI as one character), bell, line ends, and directions of writing.
HARMFUL = "\x00\x07\x08\x1b\r\x7f\x85\x9b\x9d\u2028\u2029\u202e\u2066"
HOSTILE = 'Door\x1b[2J\x9b31m\rreport     whole\u202e\x07 --> <b>{0} %s "'


def harm_in(text: str) -> str:
    """The characters of a text that do more than show; its own lines do no harm."""
    return "".join(character for character in text if character in HARMFUL)
