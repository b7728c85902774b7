"""Which stores a run of the tests is about: all, or those that ``BACKENDS`` names.

A test is about a store when its file is named after it (``test_redis_faults.py``) or when it carries the
mark ``store("redis")``, as one case of a parameter may. All other tests are part of every run. What is
not selected is deselected, not skipped: a test that was to run and cannot, fails.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STORES: Final = ("memory", "sqlite", "postgres", "redis")

_SERVERS: Final = {
    "postgres": ("TEST_POSTGRES_DSN", "initdb", "/usr/lib/postgresql"),
    "redis": ("TEST_REDIS_URL", "redis-server"),
}
"""Of each store that needs a server: the variable that names one, then a program or folder that tells."""


def parse(text: str) -> frozenset[str] | None:
    """Read a list of stores, with commas or blanks between them; None: it names none.

    Raises ``ValueError`` for a name that is no store's.
    """
    names = frozenset(re.split(r"[\s,]+", text.strip().lower())) - {""}
    unknown = sorted(names - set(STORES))
    if unknown:
        raise ValueError(f"BACKENDS names no store with {unknown[0]!r}: use {', '.join(STORES)}")
    return names or None


def stores_of(path: Path, marked: frozenset[str]) -> frozenset[str]:
    """Return the stores that a test is about, by its file and its marks."""
    words = {*path.stem.split("_"), path.parent.name}
    return marked | (words & set(STORES))


def without_server(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the stores for which this machine has no server, nor can install one."""
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        return frozenset()
    return frozenset(
        store
        for store, (given, *signs) in _SERVERS.items()
        if not environment.get(given)
        and not any(shutil.which(sign) or Path(sign).is_dir() for sign in signs)
    )


class Selection:
    """What this run is about, and what it leaves out though nobody asked for that."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        """Read ``BACKENDS``; without it, leave out only what has no server on a developer's machine.

        Where ``CI`` is set nothing is left out: a server that is missing there must be noticed.
        """
        named = parse(text)
        asked = named is not None or bool(environment.get("CI"))
        self.missing = frozenset[str]() if asked else without_server(environment)
        self.stores = (named or frozenset(STORES)) - self.missing

    def takes(self, stores: frozenset[str]) -> bool:
        """Tell whether a test about these stores is part of the run."""
        return stores <= self.stores

    def __str__(self) -> str:
        """Say it in one line, for the head of the run."""
        text = "stores: " + ", ".join(store for store in STORES if store in self.stores)
        if self.missing:
            left_out = " and ".join(sorted(self.missing))
            text += f"; WITHOUT {left_out}: no server is installed (CI=true fails instead)"
        return text
