"""logs/run.log: what the runs did, one JSON object a line, without secrets."""

import logging
import time
import traceback
from pathlib import Path

import orjson

from upvs_tasks import escaping
from upvs_tasks.durable import storing
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


def start(path: Path, redactor: Redactor, *, verbose: bool) -> logging.Handler:
    """Append what our modules log to ``path`` from now on; give the handler to `stop`.

    ``verbose`` logs every request and clip, too. What `hold` has kept comes first.

    Raises StorageError when the file may not be written.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
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
