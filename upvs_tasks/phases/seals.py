"""A seal on a record: its digest, which tells whether the disk has changed it or moved it.

What is said of footage hangs on these records. A flipped bit in one of them must not be believed.
"""

from hashlib import sha256
from typing import Any

from upvs_tasks import durable

_SEAL = "seal"


def sealed(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document with a seal for the file of that name."""
    return document | {_SEAL: _seal(document, name)}


def unsealed(document: object, name: str, *, may_lack_seal: bool = False) -> dict[str, Any] | None:
    """The document without its seal; None where it is not as it was sealed for that name."""
    if not isinstance(document, dict):
        return None
    content = {key: value for key, value in document.items() if key != _SEAL}
    seal = document.get(_SEAL)
    is_intact = may_lack_seal if seal is None else seal == _seal(content, name)
    return content if is_intact else None


def _seal(document: dict[str, Any], name: str) -> str:
    return sha256(name.encode() + durable.encode_json(document)).hexdigest()
