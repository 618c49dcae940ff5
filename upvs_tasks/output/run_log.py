"""logs/run.log: what the runs did, one JSON object a line, without secrets."""

import logging
import time
import traceback
from pathlib import Path

import orjson

from upvs_tasks.durable import storing
from upvs_tasks.redaction import Redactor

_LOGGER = logging.getLogger("upvs_tasks")
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def start(path: Path, redactor: Redactor, *, verbose: bool) -> logging.Handler:
    """Append what our modules log to ``path`` from now on; give the handler to `stop`.

    ``verbose`` logs every request and clip, too.

    Raises StorageError when the file may not be written.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_JsonLines(redactor))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    _LOGGER.propagate = False
    return handler


def stop(handler: logging.Handler) -> None:
    """Close the log."""
    _LOGGER.removeHandler(handler)
    handler.close()


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
        return orjson.dumps(line).decode()

    def _redacted(self, value: object) -> object:
        if isinstance(value, int | float | bool | None):
            return value
        encodable = str(value).encode(errors="backslashreplace").decode()
        return self._redactor.redact(encodable)
