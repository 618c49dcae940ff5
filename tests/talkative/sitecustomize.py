"""Makes a program talkative, or lets it have a bug, at the start of each Python that finds it.

All libraries log whatever they log, on stderr. Where TALKATIVE_BUG names a part of a path, the
request to that path raises an error that tells all that it knows.
"""

# ruff: noqa: ANN401, INP001  as the library has it; a folder of PYTHONPATH, and no package

import logging
import os
import sys
from typing import Any

import requests

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
_BUG = os.environ.get("TALKATIVE_BUG", "")
_SEND = requests.Session.request


def _request(self: requests.Session, method: str, url: str, *more: Any, **known: Any) -> Any:
    if _BUG in url:
        told = (method, url, more, known, dict(self.headers), self.cookies, self.cookies.items())
        raise RuntimeError(f"a bug that tells {told}")
    return _SEND(self, method, url, *more, **known)


if _BUG:
    requests.Session.request = _request  # type: ignore[method-assign,assignment]
