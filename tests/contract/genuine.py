"""Genuine clients of UniFi Protect, each in a virtual environment of its own.

They pin versions of the same libraries that exclude each other, so none of them can live beside
another, or beside us.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from shutil import rmtree
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

from upvs_tasks.simulator import SimulatedConsole

_INSTALL_SECS = 200
_RUN_SECS = 60
_MARK = "installed.txt"
_STAND_IN = """\
#!/bin/sh
# In place of rclone: "rcat" keeps what it is given, "listremotes" names one remote.
for last; do :; done
case "$*" in
    *rcat*)
        cat > '{store}.partial' || exit 1
        mkdir -p '{store}'
        mv '{store}.partial' '{store}'/"${{last##*/}}";;
    *listremotes*)
        echo 'shelf:';;
esac
"""


class InstallError(Exception):
    """A genuine client cannot be had; says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program on the package index, by name and version, and what it needs besides."""

    name: str
    program: str
    requirements: tuple[str, ...]

    def installed(self, folder: Path, environment: Mapping[str, str] = os.environ) -> Path:
        """Path of the program, which is installed if it is not there yet. Raises InstallError."""
        venv = folder / self.name
        mark = venv / _MARK
        wanted = "\n".join((sys.version, *self.requirements))
        with (folder / f"{self.name}.lock").open("w") as lock:
            flock(lock, LOCK_EX)  # another run of the suite may be at it
            if not mark.is_file() or mark.read_text(encoding="utf-8") != wanted:
                rmtree(venv, ignore_errors=True)
                self._install(venv, environment)
                mark.write_text(wanted, encoding="utf-8")
        return venv / "bin" / self.program

    def _install(self, venv: Path, environment: Mapping[str, str]) -> None:
        pip = (str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input")
        for command in (
            (sys.executable, "-m", "venv", str(venv)),
            (*pip, "--disable-pip-version-check", "--retries", "2", *self.requirements),
        ):
            try:
                subprocess.run(
                    command,
                    env=dict(environment),
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=_INSTALL_SECS,
                )
            except subprocess.CalledProcessError as error:
                reason = (error.stderr or error.stdout).strip().splitlines()[-1:]
                raise InstallError(f"{self.name} cannot be installed: {reason}") from error
            except (OSError, subprocess.TimeoutExpired) as error:
                raise InstallError(f"{self.name} cannot be installed: {error}") from error


UIPROTECT_15 = Client("uiprotect-15.14.2", "uiprotect", ("uiprotect[cli]==15.14.2",))
UIPROTECT_10 = Client("uiprotect-10.2.2", "uiprotect", ("uiprotect[cli]==10.2.2",))
BACKUP = Client(
    "unifi-protect-backup-0.14.3",
    "unifi-protect-backup",
    # What it asks of apprise came to mean a version that it does not start with.
    ("unifi-protect-backup==0.14.3", "apprise<1.9"),
)


def unavailable(reason: object, *, is_ci: bool) -> NoReturn:
    """End a test whose client cannot be had: skipped at home, failed where it has to run."""
    if is_ci:
        pytest.fail(f"CI=true, and {reason}")
    pytest.skip(str(reason))


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended, and what it said."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Household:
    """A home of its own for one genuine client, with access to one console."""

    program: Path
    home: Path
    console: SimulatedConsole

    @property
    def environment(self) -> dict[str, str]:
        """All that the client knows: it verifies the console's certificate, as we do."""
        address = urlsplit(self.console.host)
        return {
            "PATH": f"{self.home}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "TZ": self.console.behaviour.timezone,
            "SSL_CERT_FILE": self.console.ca_file,
            "UFP_ADDRESS": address.hostname or "",
            "UFP_PORT": str(address.port),
            "UFP_USERNAME": self.console.username,
            "UFP_PASSWORD": self.console.password,
            "UFP_SSL_VERIFY": "true",
        }

    def run(self, *arguments: str, **changed: str) -> Finished:
        """Run the client to its end."""
        done = subprocess.run(
            (str(self.program), *arguments),
            cwd=self.home,
            env=self.environment | changed,
            check=False,
            capture_output=True,
            text=True,
            timeout=_RUN_SECS,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **changed: str) -> "subprocess.Popen[str]":
        """Start the client; its output and errors come mixed."""
        return subprocess.Popen(
            (str(self.program), *arguments),
            cwd=self.home,
            env=self.environment | changed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def put_stand_in(self, store: Path) -> None:
        """Let ``rclone`` be a program that keeps all files in one folder, whole or not at all."""
        stand_in = self.home / "rclone"
        stand_in.write_text(_STAND_IN.format(store=store), encoding="utf-8")
        stand_in.chmod(0o755)
