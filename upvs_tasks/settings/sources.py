"""Where settings come from, and which place wins.

From the weakest to the strongest: the variables of uiprotect (UFP_*), config.toml, which belongs to
the program, upvs.toml, which belongs to whoever uses it, the environment (UPVS_NAME, or the file
that UPVS_NAME_FILE names), and ``name=value`` on the command line. The only module that touches the
environment.
"""

import datetime as dt
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from upvs_tasks import machine
from upvs_tasks.errors import SettingsError
from upvs_tasks.settings import values
from upvs_tasks.settings.config_file import as_toml
from upvs_tasks.settings.table import NAMES, SECRETS, TABLE, Settings
from upvs_tasks.settings.values import Parser

_PREFIX = "UPVS_"
_FILE_SUFFIX = "_FILE"
_UIPROTECT_PREFIX = "UFP_"
_UIPROTECT_PASSWORD = "UFP_PASSWORD"  # noqa: S105  a variable's name
# Read by the test suite, not by upvs: a real console to hold the contract against.
_NOT_SETTINGS = "UPVS_LIVE_"
_FOR_CONTAINERS = "/run/secrets"
_ALL = "all are printed by python -m upvs_tasks.settings"
_LEAST_LETTERS, _MOST_NEAREST = 3, 3
# What tomllib says of text without quotes.
_UNQUOTED = ("Invalid value", "Expected newline or end of document after a statement")


def load(
    *,
    config_path: Path,
    own_path: Path | None = None,
    variables: Mapping[str, object],
    password: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings of all places; ``password`` wins over every password that they hold.

    What ``own_path`` holds wins over what ``config_path`` does. A file that does not exist holds
    nothing. Raises SettingsError for an unknown name, a
    value that is not allowed, or a secret where it does not belong.
    """
    environment = os.environ if environment is None else environment
    paths = [config_path] if own_path is None else [config_path, own_path]
    written = dict(_all_written(paths, environment, variables))
    found = {name: each.parsed(TABLE[name].parser) for name, each in written.items()}
    if found.get("ca_file") or found.get("tls_fingerprint"):
        # To uiprotect, a certificate of the console's own is none: most have switched it off there.
        found |= {"tls_insecure": False} if _is_of_uiprotect(written, "tls_insecure") else {}
    found |= {name: _secret(name, environment) for name in SECRETS if name != "password"}
    if password is None:
        is_file_first = bool(variables.get("password_file"))
        password = _password(found.get("password_file"), environment, is_file_first=is_file_first)
    settings = Settings(**found, password=password)
    settings.check_times()
    settings.check_engine()
    return settings


def _is_of_uiprotect(written: "Mapping[str, _Written]", name: str) -> bool:
    return name in written and written[name].place.startswith(_UIPROTECT_PREFIX)


def withhold_secrets() -> None:
    """Take the secrets out of what every process that is started from now on inherits."""
    for name in (*(TABLE[secret].variable for secret in SECRETS), _UIPROTECT_PASSWORD):
        os.environ.pop(name, None)


def exposed_files(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Path]:
    """The files of secrets that any user of this computer can read.

    Those that Docker and its like put into a container are for all who are in there.
    """
    environment = os.environ if environment is None else environment
    named = (environment.get(TABLE[name].variable + _FILE_SUFFIX) for name in SECRETS)
    files = {values.path(name) for name in named if name} | {settings.password_file}
    seen = (path for path in files if path and not path.is_relative_to(_FOR_CONTAINERS))
    return sorted(path for path in seen if machine.others_can_read(path))


@dataclass(frozen=True, slots=True)
class _Written:
    """A value as it was written, and where, for the sentence that refuses it."""

    value: object
    place: str

    def parsed(self, parser: Parser[object]) -> Any:  # noqa: ANN401  each setting has its type
        try:
            return parser(self.value)
        except ValueError as error:
            shown = _in_words(self.value)
            raise SettingsError(f"{self.place} is {shown}, but it {error}") from error


def _all_written(
    config_paths: Sequence[Path], environment: Mapping[str, str], variables: Mapping[str, object]
) -> Iterator[tuple[str, _Written]]:
    """Every value with its setting's name; the later one wins, and UPVS_NAME over its file."""
    of_uiprotect = dict(_from_uiprotect(environment))
    yield from of_uiprotect.items()
    for path in config_paths:
        for name, value in _config_values(path).items():
            if value != "" or name not in of_uiprotect:
                place = f"{_shown(name)} in {path.name}"
                yield _known(name, place), _Written(value, place)
    for variable in sorted(environment, key=lambda name: not name.endswith(_FILE_SUFFIX)):
        if variable.startswith(_PREFIX) and not variable.startswith(_NOT_SETTINGS):
            yield from _from_variable(variable, environment[variable])
    for name, value in variables.items():
        yield _known(name, name), _Written(value, name)


def _from_uiprotect(environment: Mapping[str, str]) -> Iterator[tuple[str, _Written]]:
    """What the variables of uiprotect say, which many have set already."""
    if address := environment.get("UFP_ADDRESS"):
        port = environment.get("UFP_PORT")
        yield "host", _Written(f"{address}:{port}" if port else address, "UFP_ADDRESS")
    if username := environment.get("UFP_USERNAME"):
        yield "username", _Written(username, "UFP_USERNAME")
    if verify := environment.get("UFP_SSL_VERIFY"):
        is_insecure = not _Written(verify, "UFP_SSL_VERIFY").parsed(values.switch)
        yield "tls_insecure", _Written(is_insecure, "UFP_SSL_VERIFY")


def _config_values(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        hint = '; text has to be in quotes, as in camera = "Front Door"'
        why = f"{error}{hint if str(error).startswith(_UNQUOTED) else ''}"
        raise SettingsError(f"{path.name or path} cannot be read as TOML: {why}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name or path} cannot be read: {_why(error)}") from error


def _from_variable(variable: str, value: str) -> Iterator[tuple[str, _Written]]:
    """A setting as UPVS_NAME, or in the file that UPVS_NAME_FILE names; but no secret."""
    name = variable.removeprefix(_PREFIX).lower()
    stem = name.removesuffix(_FILE_SUFFIX.lower())
    is_secret = variable == variable.upper() and stem in SECRETS
    if is_secret and name not in NAMES:
        return
    if name not in NAMES and stem in NAMES:
        yield stem, _Written(_content_named(variable, value), variable)
    else:
        yield _known(name, variable), _Written(value, variable)


def _known(name: str, written: str) -> str:
    """The name of a setting that may be written anywhere. Raises SettingsError for any other.

    ``written`` is the name as it was written, and where.
    """
    if name in SECRETS:
        variable = TABLE[name].variable
        raise SettingsError(
            f"{name} does not belong into config.toml or the command line, where others can read "
            f"it: put it into the environment as {variable}, or its file's name as "
            f"{variable}{_FILE_SUFFIX}"
        )
    if name not in NAMES:
        raise SettingsError(f"{_shown(written)} is no setting; {_nearest(name, written)}{_ALL}")
    return name


def _nearest(name: str, written: str) -> str:
    """The names that look most like it, as they would be written in the same place."""
    prefix = _PREFIX if written.startswith(_PREFIX) else ""
    plain = name.lower()
    longer = [each for each in NAMES if plain in each] if len(plain) >= _LEAST_LETTERS else []
    found = dict.fromkeys([*longer, *get_close_matches(plain, NAMES)])
    shown = [prefix + (each.upper() if prefix else each) for each in found][:_MOST_NEAREST]
    return f"the nearest: {', '.join(shown)}; " if shown else ""


def _password(
    named_file: Path | None, environment: Mapping[str, str], *, is_file_first: bool
) -> str:
    """The password of the environment, else of ``named_file``, else of uiprotect's variable."""
    said = environment.get(TABLE["password"].variable)
    if named_file and (is_file_first or said is None):
        return _content("password_file", named_file)
    return environment.get(_UIPROTECT_PASSWORD, "") if said is None else said


def _secret(name: str, environment: Mapping[str, str]) -> str:
    """A secret from UPVS_NAME, or from the file that UPVS_NAME_FILE names."""
    variable = TABLE[name].variable
    if variable in environment:
        return environment[variable]
    file_variable = variable + _FILE_SUFFIX
    file = environment.get(file_variable)
    return _content_named(file_variable, file) if file else ""


def _content_named(variable: str, value: str) -> str:
    """What the file holds that a variable names."""
    path = _Written(value, variable).parsed(values.path)
    if path is None:
        raise SettingsError(f"{variable} is empty, but it must name a file")
    return _content(variable, path)


def _content(place: str, path: Path) -> str:
    """The text of a file, without what editors put around it: a byte order mark, newlines."""
    try:
        return path.read_text(encoding="utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        named = f"{place} {_shown(str(path))}"
        raise SettingsError(f"{named} cannot be read: {_why(error)}") from error


def _why(error: OSError | ValueError) -> str:
    """Why a file cannot be read as text."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not in UTF-8; save it as UTF-8, or as ASCII"


def _in_words(value: object) -> str:
    """A value as somebody would have written it."""
    match value:
        case str():
            return repr(value)
        case dt.date() | dt.time():
            return str(value)
        case dict():
            return "a table"
        case list():
            return as_toml(tuple(value))
        case _:
            return as_toml(value)


def _shown(written: str) -> str:
    """As it was written, or in quotes where one would not see it or it would break the line."""
    return written if written and written.isprintable() else repr(written)
