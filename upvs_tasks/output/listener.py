"""Whoever listens to a stream. What the program does never depends on them.

A listener may have gone away (`| head -1`), may take no more (a full disk), may never have been
there (a closed stream), or may not know a letter of the camera's name. None of this is an error.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import StringIO, UnsupportedOperation
from typing import Any, TextIO, cast

from upvs_tasks import escaping


class Listener:
    """A text stream that never fails: what cannot be written is escaped, or nobody hears it.

    What would do more than show is escaped as well, unless the stream is ``raw``. Secrets are
    hidden once `hide_secrets` has said which.
    """

    def __init__(self, stream: TextIO, *, raw: bool = False) -> None:
        self._stream = stream
        self._escaped = _as_it_is if raw else escaping.lines
        self.redact: Callable[[str], str] = _as_it_is
        with suppress(AttributeError, UnsupportedOperation):
            cast("Any", stream).reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write the text, in letters that the listener's encoding has."""
        try:
            return self._stream.write(self._escaped(self.redact(text)))
        except UnicodeError:
            return self.write(text.encode("ascii", "backslashreplace").decode())
        except (OSError, ValueError) as error:
            self._give_up(error)
            return len(text)

    def writelines(self, lines: Any) -> None:  # noqa: ANN401  as any stream
        """Write each of the lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def raw(self) -> TextIO:
        """The same stream for a bar, which moves the cursor and shows only our own words."""
        return cast("TextIO", Listener(self._stream, raw=True))

    def plain(self) -> TextIO:
        """The same stream for our own sentences, which hide what they have to hide themselves.

        Where a password is a common word, no other sentence should show that.
        """
        return cast("TextIO", Listener(self._stream))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  as the stream itself
        return getattr(self._stream, name)

    def _give_up(self, error: Exception) -> None:
        """Let what is left, and all that follows, go nowhere: or Python would fail as it ends."""
        if isinstance(error, BlockingIOError):
            return  # a listener that is slow may hear the next line
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def hide_secrets(redact: Callable[[str], str]) -> None:
    """Take secrets out of what doit, Python and debuggers write to both streams from now on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(cast("object", stream), Listener):
            cast("Listener", stream).redact = redact


def plain(stream: TextIO | None) -> TextIO:
    """The stream as one that never fails, for our own sentences."""
    return cast("Listener", listening(stream)).plain()


def _as_it_is(text: str) -> str:
    return text


def listening(stream: TextIO | None) -> TextIO:
    """The stream as one that never fails; None, as Python has it for a closed one, goes nowhere."""
    is_secure = isinstance(cast("object", stream), Listener)
    return cast("TextIO", stream if is_secure else Listener(stream or StringIO()))


def secure_streams() -> None:
    """Make this program's stdout and stderr never fail.

    A stream that was closed is opened to nowhere first: the number of its descriptor would be given
    to the next file that is opened, and whatever a library writes to stderr would be in that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = listening(sys.stdout), listening(sys.stderr)
