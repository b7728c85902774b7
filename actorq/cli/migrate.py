"""``actorq migrate``: the schema of a store, brought up to date or printed, without a server."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from actorq import logs
from actorq.cli.stopping import CRASHED
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.settings import add_flags, flags_of, load, wants_color
from actorq.stores import make_store, schema_of

if TYPE_CHECKING:
    import argparse

    from actorq.settings import Settings

DESCRIPTION: Final = """\
Bring the schema of the store up to date, as every server does when it starts, and end. Safe while
servers run, and to run twice or in several places at once. With --print nothing is reached: the SQL
goes to stdout, in one transaction, for whoever may change the database when the servers may not. The
settings are those of actorq serve.
"""

EXIT_CODES: Final = """\
exit codes: 0 the schema is up to date, or was printed, or the store needs none; 1 the store could not
be reached; 2 wrong settings (also: not a database, not allowed, a schema from a later actorq).
"""

_log = logging.getLogger("actorq")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` its own flags, and every setting as one."""
    parser.add_argument(
        "--print", action="store_true", dest="printed", help="print the SQL instead of running it"
    )
    parser.add_argument(
        "--after",
        metavar="VERSION",
        help="with --print: only what leads on from this version",
    )
    add_flags(parser)
    parser.set_defaults(run=command)


def command(arguments: argparse.Namespace) -> int:
    """Migrate or print with the settings that hold; raises ``ConfigurationError`` for wrong ones."""
    settings = load(flags_of(arguments))
    logs.configure(settings.log_level, settings.log_format, color=wants_color())
    printed: bool = arguments.printed
    after: str | None = arguments.after
    if printed:
        return _print(settings, "0" if after is None else after)
    if after is not None:
        raise ConfigurationError("--after: goes with --print only")
    return _run(settings)


def _run(settings: Settings) -> int:
    place = settings.place()
    schema = schema_of(place)
    store = make_store(place, settings.policy())
    if schema is None:
        print(f"{settings.store_name()} needs no migrations")
        return 0
    try:
        check = store.open()
    except BackendUnavailable as error:
        _log.error("cannot migrate: %s", error)
        return CRASHED
    finally:
        store.close()
    for warning in check.warnings:
        _log.warning("store: %s", warning)
    print(f"{settings.store_name()} is at version {schema.version} of the schema")
    return 0


def _print(settings: Settings, after: str) -> int:
    schema = schema_of(settings.place())
    if schema is None:
        # Not on stdout, which may lead into a database.
        _log.info("%s needs no migrations", settings.store_name())
        return 0
    if not (after.isascii() and after.isdigit() and int(after) <= schema.version):
        raise ConfigurationError(f"--after: must be a version from 0 to {schema.version}")
    sys.stdout.write(schema.script(int(after)))
    return 0
