"""Takes secrets out of every text that leaves the program: log, error sentence, terminal."""

import json
import re
from collections.abc import Iterable
from threading import Lock
from urllib.parse import quote, quote_plus

import orjson

HIDDEN = "[hidden]"
# What looks like a credential is hidden wherever it comes from: JSON web tokens, bearer tokens,
# and the values of session cookies.
_TOKEN_SHAPES = re.compile(
    r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?i:(?<=bearer )|(?<=token=))[^\s;\"']+"
)


class Redactor:
    """Knows every secret of a run, also those that come up on the way; threads may share it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._forms: tuple[str, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide this secret from now on, in each form that a text may show it in."""
        if not secret:
            return
        with self._lock:
            forms = {*self._forms, *_forms_of(secret)}
            # Longest first: a secret may be a part of another one.
            self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def redact(self, text: str) -> str:
        """``text`` without any known secret, and without anything that has a token's shape."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return _TOKEN_SHAPES.sub(HIDDEN, text)


def _forms_of(secret: str) -> set[str]:
    """A secret as it is, and as it looks in a Python literal, in JSON, in bytes, and in a URL."""
    encodable = secret.encode(errors="backslashreplace").decode()
    plain = {encodable, orjson.dumps(encodable).decode()[1:-1], json.dumps(encodable)[1:-1]}
    literal = {repr(secret)[1:-1]}
    for form in plain:
        literal |= {repr(form)[1:-1], repr(form.encode())[2:-1]}
    # Python puts a backslash before an apostrophe where the text around it has quotes, too.
    literal |= {form.replace("'", "\\'") for form in literal}
    return {secret, *plain, *literal, quote(encodable), quote_plus(encodable)}
