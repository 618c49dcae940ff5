import datetime as dt
import re
from string import Formatter


def folder_pattern(out_dir: str, *, camera: str | None = None, date: dt.date | None = None) -> str:
    """The setting ``out_dir`` as a pattern for `glob.glob`.

    It is of any camera and any date, unless they are given.
    """
    parts = []
    for literal, name, spec, _ in Formatter().parse(out_dir):
        parts.append(_literally(literal))
        if name == "camera":
            parts.append("*" if camera is None else _literally(format(camera, spec or "")))
        elif name == "date":
            parts.append(_any_date(spec or "") if date is None else _literally(f"{date:{spec}}"))
    return "".join(parts)


def _literally(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _any_date(spec: str) -> str:
    """What dates look like that are written as ``spec`` says."""
    return re.sub(r"%.", "*", spec) or "*"
