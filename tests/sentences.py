"""What "one sentence" means where a test claims it: one line, whole, and nothing after it."""

import re

# What our errors quote (paths, names, numbers) has no space behind its full stops.
_END_OF_ANOTHER = re.compile(r"""[.!?]["')\]]*\s""")


def one_line(text: str) -> str:
    """The text, which is one line, not broken off, and no traceback."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    [line] = lines
    assert line == line.strip() != ""
    assert "Traceback" not in line
    assert line[-1] not in ",;:(", f"broken off: {line}"
    return line


def one_sentence(text: str) -> str:
    """The text, which is one line and holds no second sentence."""
    line = one_line(text)
    assert not _END_OF_ANOTHER.search(line), f"more than one sentence: {line}"
    return line


def only_error(output: str) -> str:
    """The sentence of the error that is all that a program has said."""
    sentence = one_sentence(output)
    assert sentence.startswith("ERROR: "), output
    return sentence
