"""Every setting: its name, what it may be, and where it comes from.

One name for one thing: ``crf`` in config.toml, ``UPVS_CRF`` in the environment, ``crf=23`` after
doit; the later of these wins. The only module that touches the environment.
"""

import datetime as dt
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upvs_tasks.errors import SettingsError
from upvs_tasks.model import spelling
from upvs_tasks.model.camera import safe_name
from upvs_tasks.model.clip import FilmedSource, Overlaps
from upvs_tasks.model.day import zone_named
from upvs_tasks.model.encoding import Codec, Engine, HardwareAcceleration
from upvs_tasks.model.event import DEFAULT_EVENT_TYPES
from upvs_tasks.model.layout import Layout

CONFIG_NAME = "config.toml"
DEMO_HOST = "demo"
# x264's own names, fastest first.
PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)

_PREFIX = "UPVS_"
_FILE_SUFFIX = "_FILE"
# What only the environment or a file may hold, since others can read the rest.
_SECRETS = ("password", "totp_secret", "one_time_code")
# Read by the test suite, not by upvs: a real console to hold the contract against.
_NOT_SETTINGS = "UPVS_LIVE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run was asked to do; the meaning of each is a comment in config.toml."""

    host: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    password_file: Path | None = None
    totp_secret: str = field(default="", repr=False)
    one_time_code: str = field(default="", repr=False)
    session_file: Path | None = None
    camera: str = ""
    date: dt.date | None = None
    out_dir: str = "out/{camera}/{date}"
    target_duration: float = 600.0
    speed_step: float = 0.0
    output_fps: int = 30
    crf: int = 23
    preset: str = "medium"
    height: int = 0
    codec: Codec = Codec.H264
    engine: Engine = Engine.SEGMENTS
    hwaccel: HardwareAcceleration = HardwareAcceleration.OFF
    threads: int = 0
    nice: int = 10
    event_types: tuple[str, ...] = DEFAULT_EVENT_TYPES
    smart_types: tuple[str, ...] = ()
    padding_secs: float | None = 0.0  # None: the camera's own
    overlaps: Overlaps = Overlaps.MERGE
    merge_gap_secs: float = 5.0
    channel: int = 0
    source: FilmedSource = FilmedSource.EVENTS
    start: dt.time | None = None
    end: dt.time | None = None
    timezone: str = ""
    max_workers: int = 4
    retry_limit: int = 3
    ca_file: Path | None = None
    tls_insecure: bool = False
    direct_api: bool = False

    @property
    def renders_at_once(self) -> int:
        """How many segments are rendered side by side."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def is_demo(self) -> bool:
        """Whether the embedded console takes the place of a real one."""
        return self.host == DEMO_HOST

    def layout(self) -> Layout:
        """Where this camera and day live. Raises SettingsError when either is not said."""
        day = self.required_date()
        if not self.camera:
            raise SettingsError("camera is not set: give its name or id, for example camera=Door")
        folder = self.out_dir.format(camera=safe_name(self.camera, fallback="camera"), date=day)
        return Layout(_at_home(Path(folder)).absolute())

    def required_date(self) -> dt.date:
        """The day that was asked for. Raises SettingsError when none was."""
        if self.date is None:
            raise SettingsError("date is missing: say which day, for example date=2024-01-15")
        return self.date

    def check_access(self) -> None:
        """Raise SettingsError when what it takes to ask the console is not complete."""
        if not self.host:
            raise SettingsError(
                "host is not set: give your console's address, for example host=192.168.1.1, "
                "or host=demo for the embedded console"
            )
        if self.is_demo:
            return
        if not self.username:
            raise SettingsError("username is not set: give the console's local account")
        if not self.password:
            raise SettingsError(
                "the password is not set: put it into the environment as UPVS_PASSWORD, "
                "or into a file that password_file names"
            )


_PARSERS: dict[str, spelling.Parser] = {
    "host": spelling.text,
    "username": spelling.text,
    "password_file": spelling.path,
    "session_file": spelling.path,
    "camera": spelling.text,
    "out_dir": spelling.folder,
    "target_duration": spelling.number(1, 86_400),
    "speed_step": spelling.number(0, 3),
    "output_fps": spelling.whole_number(1, 120),
    "crf": spelling.whole_number(0, 51),
    "preset": spelling.choice(*PRESETS),
    "height": spelling.whole_number(0, 4320),
    "codec": spelling.choice(*Codec),
    "engine": spelling.choice(*Engine),
    "hwaccel": spelling.choice(*HardwareAcceleration),
    "threads": spelling.whole_number(0, 256),
    "nice": spelling.whole_number(0, 19),
    "event_types": spelling.words,
    "smart_types": spelling.words_or_none,
    "padding_secs": spelling.number_or("camera", 0, 600),
    "overlaps": spelling.choice(*Overlaps),
    "merge_gap_secs": spelling.number(0, 3_600),
    "channel": spelling.whole_number(0, 2),
    "source": spelling.choice(*FilmedSource),
    "start": spelling.clock_time,
    "end": spelling.clock_time,
    "timezone": spelling.text,
    "max_workers": spelling.whole_number(1, 16),
    "retry_limit": spelling.whole_number(1, 20),
    "ca_file": spelling.path,
    "tls_insecure": spelling.switch,
    "direct_api": spelling.switch,
}
NAMES = ("date", *_PARSERS)
_KINDS = {
    "overlaps": Overlaps,
    "codec": Codec,
    "engine": Engine,
    "hwaccel": HardwareAcceleration,
    "source": FilmedSource,
}


def load(
    *,
    config_path: Path,
    variables: Mapping[str, object],
    password: str | None = None,
    environment: Mapping[str, str] | None = None,
    now: dt.datetime | None = None,
) -> Settings:
    """Settings from config.toml, then the environment, then ``name=value`` variables.

    A config file that does not exist holds nothing. ``now`` tells which day ``today`` is, in the
    zone of the setting ``timezone`` or else the host's. UPVS_PASSWORD goes before a password_file,
    unless that is named on the command line; UFP_ADDRESS and its kin count where nothing else says
    the same. Raises SettingsError for an unknown name, a value that is not allowed, or a secret
    where it does not belong.
    """
    environment = os.environ if environment is None else environment
    given = dict(_given(config_path, environment, variables))
    timezone = given["timezone"].parsed(spelling.text) if "timezone" in given else ""
    zone = zone_named(timezone) if timezone else None
    today = (now or dt.datetime.now().astimezone()).astimezone(zone).date()
    parsers = _PARSERS | {"date": spelling.day(today)}
    values = {name: one.parsed(parsers[name]) for name, one in given.items()}
    for name, kind in _KINDS.items():
        if name in values:
            values[name] = kind(values[name])
    for name in ("password_file", "ca_file", "session_file"):
        if values.get(name):
            values[name] = _at_home(values[name])
    secrets = {name: _secret(name, environment) for name in _SECRETS}
    in_file = values.get("password_file")
    if in_file and (secrets["password"] is None or variables.get("password_file")):
        secrets["password"] = _content("password_file", in_file)
    if secrets["password"] is None:
        secrets["password"] = environment.get("UFP_PASSWORD")
    if password is not None:
        secrets["password"] = password
    values |= {name: secret or "" for name, secret in secrets.items()}
    return Settings(**values)


def withhold_secrets() -> None:
    """Take the secrets out of what every process that is started from now on inherits."""
    for name in (*(_PREFIX + secret.upper() for secret in _SECRETS), "UFP_PASSWORD"):
        os.environ.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as it was written, and where, for the sentence that refuses it."""

    value: object
    place: str

    def parsed(self, parser: spelling.Parser) -> Any:  # noqa: ANN401  each setting has its type
        try:
            return parser(self.value)
        except ValueError as error:
            raise SettingsError(f"{self.place} is {self.value!r}, but it {error}") from error


def _given(
    config_path: Path, environment: Mapping[str, str], variables: Mapping[str, object]
) -> Iterator[tuple[str, _Given]]:
    fallbacks = dict(_neighbours_names(environment))
    yield from fallbacks.items()
    for name, value in _config_values(config_path).items():
        if value != "" or name not in fallbacks:
            yield _known(name, name), _Given(value, f"{name} in {config_path.name}")
    for variable, value in environment.items():
        if variable.startswith(_PREFIX) and not variable.startswith(_NOT_SETTINGS):
            yield from _from_variable(variable, value)
    for name, value in variables.items():
        yield _known(name, name), _Given(value, name)


def _from_variable(variable: str, value: str) -> Iterator[tuple[str, _Given]]:
    """A setting as UPVS_NAME, or in the file that UPVS_NAME_FILE names; secrets come apart."""
    name = variable.removeprefix(_PREFIX).lower()
    stem = name.removesuffix(_FILE_SUFFIX.lower())
    names_secret = variable == variable.upper() and stem in _SECRETS
    if names_secret and name not in NAMES:
        return
    if name not in NAMES and stem in NAMES:
        yield stem, _Given(_content(variable, Path(value)), variable)
    else:
        yield _known(name, variable), _Given(value, variable)


def _neighbours_names(environment: Mapping[str, str]) -> Iterator[tuple[str, _Given]]:
    """What uiprotect and its kin call the same things, where nothing else says them."""
    if address := environment.get("UFP_ADDRESS"):
        port = environment.get("UFP_PORT")
        yield "host", _Given(f"{address}:{port}" if port else address, "UFP_ADDRESS")
    if username := environment.get("UFP_USERNAME"):
        yield "username", _Given(username, "UFP_USERNAME")
    if verify := environment.get("UFP_SSL_VERIFY"):
        is_insecure = not _Given(verify, "UFP_SSL_VERIFY").parsed(spelling.switch)
        yield "tls_insecure", _Given(is_insecure, "UFP_SSL_VERIFY")


def _secret(name: str, environment: Mapping[str, str]) -> str | None:
    """A secret from UPVS_NAME, or from the file that UPVS_NAME_FILE names."""
    variable = _PREFIX + name.upper()
    if variable in environment:
        return environment[variable]
    path = environment.get(variable + _FILE_SUFFIX)
    return _content(variable + _FILE_SUFFIX, _at_home(Path(path))) if path else None


def _known(name: str, written: str) -> str:
    if name in _SECRETS:
        raise SettingsError(
            f"{name} does not belong into config.toml or the command line, where others can read "
            f"it: put it into the environment as UPVS_{name.upper()}, or its file's name as "
            f"UPVS_{name.upper()}_FILE"
        )
    if name not in NAMES:
        raise SettingsError(f"{written} is no setting; there are: {', '.join(sorted(NAMES))}")
    return name


def _config_values(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path.name or path} cannot be read as TOML: {error}") from error


def _at_home(path: Path) -> Path:
    """The path with ~ resolved."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{path} cannot be resolved: {error}") from error


def _content(place: str, path: Path) -> str:
    """What a file holds; its last newline does not count."""
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{place} {path} cannot be read: {error}") from error
