"""Which stores a run of the tests is about: all, or those that ``BACKENDS`` names.

A test is about a store when its file is named after it (``test_redis_faults.py``) or when it carries the
mark ``store("redis")``, as one case of a parameter may. All other tests are part of every run, some of
them with a program that they name in the mark ``needs("nginx")``. What is not selected is deselected, not
skipped: a test that was to run and cannot, fails.
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

_PROGRAMS: Final = {
    "postgres": ("TEST_POSTGRES_DSN", "initdb", "/usr/lib/postgresql"),
    "redis": ("TEST_REDIS_URL", "redis-server"),
    "nginx": ("", "nginx", "/usr/sbin/nginx"),
    "systemd": ("", "systemd-analyze"),
}
"""What needs a program: the variable that names a server instead, and what is there if the program is."""


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


def not_here(environment: Mapping[str, str]) -> frozenset[str]:
    """Return what this machine has no program for, nor can install one."""
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        return frozenset()
    return frozenset(
        name
        for name, (given, *signs) in _PROGRAMS.items()
        if not environment.get(given)
        and not any(shutil.which(sign) or Path(sign).exists() for sign in signs)
    )


class Selection:
    """What this run is about, and what it leaves out though nobody asked for that."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        """Read ``BACKENDS``; without it, leave out only what a developer's machine has no program for.

        Where ``CI`` is set nothing is left out: a program that is missing there must be noticed.
        """
        named = parse(text)
        missing = frozenset[str]() if environment.get("CI") else not_here(environment)
        # Who names a store wants it tested.
        self.missing = missing - (named or frozenset())
        self.stores = (named or frozenset(STORES)) - self.missing

    def takes(self, stores: frozenset[str], needs: frozenset[str] = frozenset()) -> bool:
        """Tell whether a test about these stores, with these programs, is part of the run."""
        return stores <= self.stores and not needs & self.missing

    def __str__(self) -> str:
        """Say it in one line, for the head of the run."""
        text = "stores: " + ", ".join(store for store in STORES if store in self.stores)
        if self.missing:
            left_out = " and ".join(sorted(self.missing))
            text += f"; WITHOUT {left_out}: not installed here (CI=true fails instead)"
        return text
