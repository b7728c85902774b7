"""The machine: what a reader needs to know of it, and nothing that names it."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import msgspec

from actorq import __version__

_LIBRARIES: Final = (
    "anyio",
    "trio",
    "msgspec",
    "starlette",
    "hypercorn",
    "uvicorn",
    "httptools",
    "uvloop",
)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a run took place. No path, no name of a host or of a person."""

    date: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]


def this_machine() -> Machine:
    """Describe the machine that runs this."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        cores=_cores(),
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions={"actorq": __version__, "sqlite": sqlite3.sqlite_version, **_installed()},
    )


def _cores() -> int:
    # Those that this process may use; a container often has fewer than its host.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            # The extra "fast" is one: the figures of uvicorn are missing then, too.
            continue
    return found
