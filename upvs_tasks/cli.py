"""The command line of `upvs`, as the specification has it: it runs the same tasks as doit."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from upvs_tasks import settings as configuration
from upvs_tasks.errors import SettingsError, UpvsError, UsageError
from upvs_tasks.graph import Graph, StartFrom, execute
from upvs_tasks.settings.config_file import as_toml
from upvs_tasks.settings.values import root_folder

_DESCRIPTION = "Make a timelapse of one day of one UniFi Protect camera."
# Each flag, and the setting that it is.
_SHARED = {
    "--host": "host",
    "--username": "username",
    "--password": "password",
    "--password-file": "password_file",
    "--camera": "camera",
    "--out": "out_dir",
    "--tls-fingerprint": "tls_fingerprint",
    "--ca-file": "ca_file",
    "--tls-insecure": "tls_insecure",
    "--direct-api": "direct_api",
}
_FETCH = {"--workers": "max_workers", "--retries": "retry_limit"}
_RENDER = {
    "--target": "target_duration",
    "--fps": "output_fps",
    "--crf": "crf",
    "--preset": "preset",
}
_WARNING_OF_SECRETS = (
    "; other users can see it in the list of processes: better use the environment or a file"
)


@dataclass(frozen=True, slots=True)
class _Command:
    """What one command does: a task of the graph."""

    words: str
    task: str
    start_from: StartFrom
    flags: dict[str, str]


_COMMANDS = {
    "scan": _Command("list the events of a day", "scan", StartFrom.CONSOLE, {}),
    "fetch": _Command("download the clips of the clip index", "fetch", StartFrom.INDEX, _FETCH),
    "render": _Command(
        "make the timelapse of the downloaded clips", "timelapse", StartFrom.DISK, _RENDER
    ),
    "run": _Command(
        "all of it: scan, fetch, render", "timelapse", StartFrom.CONSOLE, _FETCH | _RENDER
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (`ExitCode`)."""
    given = vars(_parser().parse_args(arguments))
    command = _COMMANDS[given["command"]]
    variables = {name: given[name] for name in given if name in configuration.NAMES}
    if "out_dir" in variables:
        variables["out_dir"] = root_folder(variables["out_dir"])
    try:
        settings = configuration.load(
            config_path=_config_path(given.get("config")),
            variables=variables,
            password=given.get("password"),
        )
    except UpvsError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return error.exit_code
    is_verbose = given.get("verbose", False)
    graph = Graph.of(settings, start_from=command.start_from, verbose=is_verbose)
    return execute(graph, command.task)


class _FlagParser(argparse.ArgumentParser):
    """Ends with the exit code of a usage error, and in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(UsageError.exit_code, f"ERROR: {_discreet(message)}; {self.prog} --help\n")


def _discreet(message: str) -> str:
    """The parser's complaint, without the words that might be a misplaced password."""
    if message.startswith("unrecognized arguments: "):
        words = message.removeprefix("unrecognized arguments: ").split()
        flags = [word.partition("=")[0] for word in words if word.startswith("-")]
        return f"unrecognized arguments: {' '.join(flags) or 'there are words too many'}"
    return re.sub(r"(invalid choice): '.*?' \(", r"\1 (", message, flags=re.DOTALL)


def _config_path(named: str | None) -> Path:
    """Where the settings are; a file that was named has to be there.

    A file that is called config.toml may be of any program, so it is not taken for ours.
    """
    if named is not None:
        if not Path(named).is_file():
            raise SettingsError(f"--config is {named!r}, but there is no such file")
        return Path(named)
    own = Path(configuration.OWN_NAME)
    if not own.exists() and Path(configuration.CONFIG_NAME).exists():
        sys.stderr.write(
            f"NOTE: {configuration.CONFIG_NAME} is not read here: upvs reads {own}, or the file "
            "that --config names\n"
        )
    return own


def _parser() -> argparse.ArgumentParser:
    shared = _shared_flags()
    parser = _FlagParser(
        prog="upvs", description=_DESCRIPTION, parents=[shared], allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=version("upvs"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="<command>")
    for name, command in _COMMANDS.items():
        flags = commands.add_parser(
            name,
            help=command.words,
            description=command.words,
            parents=[shared],
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
        )
        flags.add_argument("--date", required=True, help=_help("date"))
        _add_settings(flags, command.flags.items())
    return parser


def _shared_flags() -> "_FlagParser":
    """Flags that may stand before or behind the command; absent ones leave no trace."""
    flags = _FlagParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_settings(flags, _SHARED.items())
    flags.add_argument("--config", metavar="FILE", help="settings file (default: ./upvs.toml)")
    flags.add_argument(
        "--verbose", action="store_true", help="log every request and clip, in logs/run.log"
    )
    return flags


def _add_settings(parser: argparse.ArgumentParser, flags: Iterable[tuple[str, str]]) -> None:
    for flag, name in flags:
        is_switch = isinstance(configuration.TABLE[name].default, bool)
        action = "store_true" if is_switch else "store"
        parser.add_argument(flag, dest=name, action=action, help=_help(name))


def _help(name: str) -> str:
    """What a setting means, its default, and its name in the environment."""
    setting = configuration.TABLE[name]
    has_default = setting.default not in ("", None, False)
    default = f"default: {as_toml(setting.default)}" if has_default else ""
    words = setting.description(default, f"env: {setting.variable}")
    warning = _WARNING_OF_SECRETS if setting.is_secret else ""
    return f"{words}{warning}".replace("%", "%%")
