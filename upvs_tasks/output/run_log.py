"""logs/run.log: what the runs did, one JSON object a line, without secrets."""

import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import orjson

from upvs_tasks import escaping
from upvs_tasks.durable import appended, storing
from upvs_tasks.errors import StorageError
from upvs_tasks.redaction import Redactor

_LOGGER = logging.getLogger("upvs_tasks")
# Python itself would show on stderr, secrets and all, what is logged while there is no log.
_LOGGER.addHandler(logging.NullHandler())
_LISTENING: set[logging.Handler] = set()
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def hold(*, verbose: bool) -> logging.Handler:
    """Keep what our modules log for the file that `start` opens; give the handler to `stop`."""
    handler = _Held()
    _listen(handler, verbose=verbose)
    return handler


def start(
    path: Path, redactor: Redactor, on_failure: Callable[[str], None], *, verbose: bool
) -> logging.Handler:
    """Append what our modules log to ``path`` from now on; give the handler to `stop`.

    ``verbose`` logs every request and clip, too. What `hold` has kept comes first. A log that
    cannot be written is given up: ``on_failure`` is called once, with the reason in a sentence.
    """
    handler = _Appended(path, on_failure)
    handler.setFormatter(_JsonLines(redactor))
    for held in [each for each in _LOGGER.handlers if isinstance(each, _Held)]:
        for record in held.records:
            handler.handle(record)
        stop(held)
    _listen(handler, verbose=verbose)
    return handler


def stop(handler: logging.Handler) -> None:
    """Close the log. With the last one, our modules log as if there had been none."""
    _LOGGER.removeHandler(handler)
    handler.close()
    _LISTENING.discard(handler)
    if not _LISTENING:
        _LOGGER.setLevel(logging.NOTSET)
        _LOGGER.propagate = True


def _listen(handler: logging.Handler, *, verbose: bool) -> None:
    _LOGGER.addHandler(handler)
    _LISTENING.add(handler)
    _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    _LOGGER.propagate = False


class _Held(logging.Handler):
    """Keeps records while there is no file for them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class _Appended(logging.Handler):
    """Appends each record to a file at once, as a line."""

    def __init__(self, path: Path, on_failure: Callable[[str], None]) -> None:
        super().__init__()
        self._path = path
        self._on_failure = on_failure
        self._stream: IO[bytes] | None = None
        with self._giving_up():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = appended(path)
            if not _ends_with_line(path):
                self._stream.write(b"\n")

    def emit(self, record: logging.LogRecord) -> None:
        if self._stream is not None:
            with self._giving_up():
                line = f"{self.format(record)}\n".encode()
                while line:  # a disk that is nearly full takes a part
                    line = line[self._stream.write(line) :]

    def close(self) -> None:
        with suppress(OSError):
            if self._stream is not None:
                self._stream.close()
        super().close()

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Give the file up where the disk refuses something in the block."""
        try:
            with storing(self._path):
                yield
        except StorageError as error:
            self._stream = None
            self._on_failure(str(error))


def _ends_with_line(path: Path) -> bool:
    """Whether the file does not end in the middle of a line; one without content does not."""
    with path.open("rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"


class _JsonLines(logging.Formatter):
    """A record as one line of JSON: when, how grave, what happened, and its facts."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            name: self._redacted(value)
            for name, value in vars(record).items()
            if name not in _STANDARD_FIELDS
        }
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "ts": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": self._redacted(record.getMessage()),
            "source": record.name,
            **facts,
        }
        if record.exc_info:
            line["traceback"] = self._redacted(
                "".join(traceback.format_exception(*record.exc_info))
            )
        return escaping.in_json(orjson.dumps(line).decode())

    def _redacted(self, value: object) -> object:
        if isinstance(value, int | float | bool | None):
            return value
        encodable = str(value).encode(errors="backslashreplace").decode()
        return self._redactor.redact(encodable)
