r"""Run a simulated UniFi Protect console: ``python -m upvs_tasks.simulator``.

When it is ready, it writes one line of JSON to standard output: where it listens, which certificate
to trust and how to log in. Any client can use it, for instance uiprotect:

    python -m upvs_tasks.simulator --port 8443
    UFP_ADDRESS=127.0.0.1 UFP_PORT=8443 UFP_USERNAME=timelapse UFP_PASSWORD=<from the line> \
        UFP_SSL_VERIFY=false uiprotect cameras list-ids

Stop it with Ctrl-C. Its footage is drawn and its events are invented. Days to try are 2024-01-15
(moderate), 2024-01-16 (busy) and 2024-01-18 (a third of the exports fail before they succeed).
"""

import argparse
import logging
import os
import signal
import sys
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from threading import Event, Thread

import orjson

from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.cameras import FRONT_DOOR
from upvs_tasks.simulator.console import LOOPBACK, SimulatedConsole
from upvs_tasks.simulator.faults import Fault
from upvs_tasks.simulator.options import OptionError, behaviour_of, faults_of, port_of

_PIPE_BYTES = 4096
_USAGE_ERROR = 2


def main() -> int:
    """Run until a signal or the end of standard input stops it; returns the exit code."""
    arguments = _arguments()
    if arguments.verbose:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(message)s")
    stop = _set_by_signals()
    try:
        return _serve(arguments, stop)
    except OptionError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return _USAGE_ERROR


def _serve(arguments: argparse.Namespace, stop: Event) -> int:
    """Be a console until ``stop`` is set. Raises OptionError."""
    behaviour = behaviour_of(arguments.behaviour)
    faults = faults_of(arguments.faults)
    console = SimulatedConsole(
        behaviour=behaviour,
        state_dir=arguments.state_dir,
        now_ms=arguments.now_ms,
        bind=arguments.bind,
        port=arguments.port,
    )
    with closing(console):
        try:
            console.start()
        except OSError as error:
            place = error.filename or f"{arguments.bind}:{arguments.port}"
            raise OptionError(f"{place} cannot be used: {error.strerror}") from error
        try:
            console.order(*faults)
        except KeyError as error:
            message = f"--faults {arguments.faults}: there is no event {error}"
            raise OptionError(message) from error
        _announce(console)
        if arguments.until_stdin_closes:
            Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
        stop.wait()
    return 0


def _set_by_signals() -> Event:
    event = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m upvs_tasks.simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=_port, default=0, help="port to listen on (default: any free one)")
    add("--bind", choices=LOOPBACK, default=LOOPBACK[0], help="loopback address to listen on")
    add("--state-dir", type=Path, help="keep certificate and session secret here between runs")
    add("--behaviour", type=Path, metavar="FILE.json", help=_behaviour_help())
    add("--faults", type=Path, metavar="FILE.json", help=_faults_help())
    add("--now-ms", type=int, help="stop the console's clock at this Unix time in ms")
    add("--until-stdin-closes", action="store_true", help="exit when standard input ends")
    add("--verbose", action="store_true", help="log requests to standard error")
    return parser.parse_args()


def _port(text: str) -> int:
    try:
        return port_of(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _behaviour_help() -> str:
    names = ", ".join(field.name for field in fields(Behaviour))
    return f"how this console behaves: an object with any of {names}"


def _faults_help() -> str:
    names = ", ".join(field.name for field in fields(Fault))
    return f"failures to come: a list of objects with kind and any of {names}"


def _announce(console: SimulatedConsole) -> None:
    line = {
        "host": console.host,
        "ca_file": console.ca_file,
        "username": console.username,
        "password": console.password,
        "camera": FRONT_DOOR.name,
    }
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()


def _watch_stdin(stop: Event) -> None:
    # Not through sys.stdin: its lock, held during the read, would block the exit of Python.
    while os.read(sys.stdin.fileno(), _PIPE_BYTES):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
