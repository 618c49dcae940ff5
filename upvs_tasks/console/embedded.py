"""Starts and stops the embedded console, a program of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from upvs_tasks.console.endpoint import Credentials, Endpoint
from upvs_tasks.errors import ConsoleError

_GRACE_SECS = 5.0


class EmbeddedConsole:
    """A running embedded console; it ends with ours, even when we are killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "upvs_tasks.simulator", "--until-stdin-closes"]
        self._process = subprocess.Popen(  # noqa: S603  our own module, no input of others
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    def address(self) -> tuple[Endpoint, Credentials]:
        """Where it is, and how to log in. Raises ConsoleError when it did not start."""
        ready = self._ready_line()
        return (
            Endpoint(ready["host"], ca_file=Path(ready["ca_file"])),
            Credentials(ready["username"], ready["password"]),
        )

    def _ready_line(self) -> Any:  # noqa: ANN401  parsed JSON
        assert self._process.stdout is not None  # noqa: S101  asked for as a pipe
        line = self._process.stdout.readline()
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError as error:
            self.close()
            code = self._process.returncode
            message = f"the embedded console did not start (exit code {code}); its words are above"
            raise ConsoleError(message) from error

    def close(self) -> None:
        """End it and wait until it has ended."""
        assert self._process.stdin is not None  # noqa: S101  asked for as a pipe
        assert self._process.stdout is not None  # noqa: S101  likewise
        self._process.stdin.close()
        try:
            self._process.wait(_GRACE_SECS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
