"""logs/run.log: what the runs did, one JSON object a line, without secrets."""

import logging
import re
import time
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import orjson

from upvs_tasks.durable import storing

_LOGGER = logging.getLogger("upvs_tasks")
# What looks like a credential is hidden wherever it comes from: JSON web tokens, bearer tokens,
# and the session cookies' values.
_SECRET_SHAPES = re.compile(
    r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?i:(?<=bearer )|(?<=token=))[^\s;\"']+"
)
_HIDDEN = "[hidden]"
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def start(path: Path, *, secrets: tuple[str, ...], verbose: bool) -> logging.Handler:
    """Append what our modules log to ``path`` from now on; give the handler to `stop`.

    ``verbose`` logs every request and clip, too.

    Raises StorageError when the file may not be written.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_JsonLines(secrets))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    _LOGGER.propagate = False
    return handler


def stop(handler: logging.Handler) -> None:
    """Close the log."""
    _LOGGER.removeHandler(handler)
    handler.close()


def hidden(text: str, secrets: tuple[str, ...] = ()) -> str:
    """``text`` without the given secrets and without anything that has the shape of one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _SECRET_SHAPES.sub(_HIDDEN, text)


class _JsonLines(logging.Formatter):
    """A record as one line of JSON: when, how grave, what happened, and its facts."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = tuple(form for secret in secrets for form in _spellings(secret))

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            name: self._discreet(value)
            for name, value in vars(record).items()
            if name not in _STANDARD_FIELDS
        }
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "ts": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": self._discreet(record.getMessage()),
            "source": record.name,
            **facts,
        }
        if record.exc_info:
            line["traceback"] = self._discreet(
                "".join(traceback.format_exception(*record.exc_info))
            )
        return orjson.dumps(line).decode()

    def _discreet(self, value: object) -> object:
        if isinstance(value, int | float | bool | None):
            return value
        encodable = str(value).encode(errors="backslashreplace").decode()
        return hidden(encodable, self._secrets)


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as it looks in a Python literal, in JSON and in a URL."""
    encodable = secret.encode(errors="backslashreplace").decode()
    in_json = orjson.dumps(encodable).decode()[1:-1]
    return {secret, encodable, repr(secret)[1:-1], in_json, quote(encodable), quote_plus(encodable)}
