"""What is said of the private API, each statement a function that a console passes or fails.

A statement accepts every answer that some console is known to give; what our client makes of the
difference is told in docs/protocol.md. They are grouped in `login_statements`, `list_statements`
and `export_statements`; all of them are in `STATEMENTS` once these are imported.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.visit import Visit

Check = Callable[[Visit], None]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence on the protocol and what it takes to be true.

    ``only_embedded`` says why a real console is not bothered with it; empty where one is.
    """

    name: str
    sentence: str
    check: Check
    only_embedded: str = ""


STATEMENTS: dict[str, Statement] = {}


def statement(*, only_embedded: str = "") -> Callable[[Check], Check]:
    """Enter a function among the statements; its docstring is the sentence."""

    def enter(check: Check) -> Check:
        sentence = " ".join((check.__doc__ or "").split())
        assert sentence.endswith("."), check
        STATEMENTS[check.__name__] = Statement(check.__name__, sentence, check, only_embedded)
        return check

    return enter
