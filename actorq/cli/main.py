"""The command ``actorq``: finds the command that is meant, and turns its end into an exit code."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from actorq import __version__
from actorq.cli import migrate, serve, worker
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WRONG_SETTINGS: Final = 2
INTERRUPTED: Final = 130


class _Parser(argparse.ArgumentParser):
    """A parser that takes no abbreviations and shows no value of a flag that it does not know."""

    def __init__(self, **options: str) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            prog=options.get("prog"),
            usage=options.get("usage"),
            description=options.get("description"),
            epilog=options.get("epilog"),
        )

    def refuse_unknown(self, unknown: Sequence[str]) -> NoReturn:
        # What follows an unknown flag may be a password meant for a known one.
        first = unknown[0]
        name = first.split("=", 1)[0] if first.startswith("-") else first
        self.error(f"unknown argument {name!a}; --help lists what there is")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``actorq`` with ``arguments`` (those of the process); return the exit code."""
    top, commands = _commands()
    parsed, unknown = top.parse_known_args(arguments)
    command: object = parsed.command
    if unknown:
        commands.get(str(command), top).refuse_unknown(unknown)
    run: Callable[[argparse.Namespace], int] | None = getattr(parsed, "run", None)
    if run is None:
        top.print_help()
        return 0
    try:
        return run(parsed)
    except ConfigurationError as error:
        sys.stderr.write(f"actorq: {error}\n")
        return WRONG_SETTINGS
    except KeyboardInterrupt:
        # Control-C before the command was listening for signals, or after.
        return INTERRUPTED


def _commands() -> tuple[_Parser, dict[str, _Parser]]:
    top = _Parser(prog="actorq", description="A distributed job queue, fenced on every store.")
    top.add_argument("--version", action="version", version=f"actorq {__version__}")
    groups = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    serving = groups.add_parser(
        "serve",
        help="run a server",
        usage="actorq serve [--config FILE] [--SETTING VALUE] ...",
        description=serve.DESCRIPTION,
        epilog=serve.EXIT_CODES,
    )
    serve.add_arguments(serving)
    migrating = groups.add_parser(
        "migrate",
        help="bring the store's schema up to date, or print how",
        usage="actorq migrate [--print [--after VERSION]] [--config FILE] [--SETTING VALUE] ...",
        description=migrate.DESCRIPTION,
        epilog=migrate.EXIT_CODES,
    )
    migrate.add_arguments(migrating)
    working = groups.add_parser(
        "worker",
        help="run the tasks of a program",
        usage="actorq worker MODULE:APP [--url URL | --store URL] [--queue NAME[=WEIGHT]] ...",
        description=worker.DESCRIPTION,
        epilog=worker.EXIT_CODES,
    )
    worker.add_arguments(working)
    return top, {"serve": serving, "migrate": migrating, "worker": working}


if __name__ == "__main__":
    sys.exit(main())
