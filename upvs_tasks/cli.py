"""`upvs`: the specification's command line (§9), a thin face over the same task graph."""

import argparse
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from upvs_tasks import settings as configuration
from upvs_tasks.errors import SettingsError, UpvsError, UsageError
from upvs_tasks.graph import Graph, StartFrom, execute

_TASKS = {
    "scan": ("scan", StartFrom.CONSOLE),
    "fetch": ("fetch", StartFrom.INDEX),
    "render": ("timelapse", StartFrom.DISK),
    "run": ("timelapse", StartFrom.CONSOLE),
}
# Flags that are no settings of their own.
_NOT_SETTINGS = {"command", "config", "password", "verbose"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 whole, 1 partial, 2 no access, 3 usage)."""
    given = vars(_parser().parse_args(arguments))
    task, start_from = _TASKS[given["command"]]
    variables = {name: value for name, value in given.items() if name not in _NOT_SETTINGS}
    try:
        settings = configuration.load(
            config_path=_config_path(given.get("config")),
            variables=variables,
            password=given.get("password"),
        )
    except UpvsError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return error.exit_code
    return execute(
        Graph(settings, start_from=start_from, verbose=given.get("verbose", False)), task
    )


class _Parser(argparse.ArgumentParser):
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
    """Where the settings are; a file that was named has to be there."""
    if named is None:
        return Path(configuration.CONFIG_NAME)
    if not Path(named).is_file():
        raise SettingsError(f"--config is {named!r}, but there is no such file")
    return Path(named)


def _parser() -> argparse.ArgumentParser:
    shared = _global_flags()
    parser = _Parser(prog="upvs", description=__doc__, parents=[shared], allow_abbrev=False)
    parser.add_argument("--version", action="version", version=version("upvs"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="<command>")
    for name, words in (
        ("scan", "list the events of a day"),
        ("fetch", "download the clips of the clip index"),
        ("render", "make the timelapse of the downloaded clips"),
        ("run", "all of it: scan, fetch, render"),
    ):
        command = commands.add_parser(
            name,
            help=words,
            description=words,
            parents=[shared],
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
        )
        command.add_argument("--date", required=True, help="YYYY-MM-DD, today or yesterday")
        if name in {"fetch", "run"}:
            _fetch_flags(command)
        if name in {"render", "run"}:
            _render_flags(command)
    return parser


def _global_flags() -> "_Parser":
    """Flags that may stand before or behind the command; absent ones leave no trace."""
    flags = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument("--host", help="the console's address (env: UPVS_HOST)")
    flags.add_argument("--username", help="its local account (env: UPVS_USERNAME)")
    flags.add_argument(
        "--password",
        help="its password (env: UPVS_PASSWORD); others can read it in the list of processes, "
        "so rather use the environment or --password-file",
    )
    flags.add_argument("--password-file", metavar="FILE", help="file that holds the password")
    flags.add_argument("--camera", help="camera id or name")
    flags.add_argument("--out", dest="out_dir", metavar="DIR", help="output folder")
    flags.add_argument("--tls-insecure", action="store_true", help="skip TLS verification")
    flags.add_argument("--direct-api", action="store_true", help="recorder without UniFi OS")
    flags.add_argument("--config", metavar="FILE", help="settings file (default: ./config.toml)")
    flags.add_argument("--verbose", action="store_true", help="log every request and clip")
    return flags


def _fetch_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", dest="max_workers", help="downloads at once (default 4)")
    command.add_argument("--retries", dest="retry_limit", help="attempts a clip (default 3)")


def _render_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", dest="target_duration", help="film's seconds (default 600)")
    command.add_argument("--fps", dest="output_fps", help="frame rate (default 30)")
    command.add_argument("--crf", help="x264 quality, 0 to 51 (default 23)")
    command.add_argument("--preset", help='x264 preset (default "medium")')


if __name__ == "__main__":
    sys.exit(main())
