"""The program `upvs`, also as `python -m upvs_tasks`."""

import sys

from upvs_tasks import program


def main() -> int:
    """Carry out one command; returns the exit code (`ExitCode`)."""
    program.begin()
    # Half a second, in which somebody may press Ctrl-C.
    from upvs_tasks import cli  # noqa: PLC0415

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
