"""Bulk statements: many rows by few calls.

Each call into SQLite gives up the interpreter's lock and has to get it back, against an event loop that
is busy. So a statement of one row is repeated within one statement of many, in a few fixed sizes, which
stay prepared.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from actorq.backends.sqlite.statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SIZES: Final = (128, 64, 32, 16, 8, 4, 2, 1)
"""How many rows a statement may have; a batch is made up of these."""

_ROW: Final = re.compile(r"\(\?(?:, \?)*\)")


class Bulk:
    """A statement with one row of values, ``(?, ?)``, that can be run for any number of rows."""

    def __init__(self, file: str, name: str) -> None:
        """Take the statement ``name`` of ``file``."""
        one = statement(file, name)
        (row,) = _ROW.findall(one)
        self._by_size = [(size, one.replace(row, ", ".join([row] * size))) for size in SIZES]

    def run(self, sqlite: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Run the statement for all ``rows``, in order."""
        start, left = 0, len(rows)
        for size, sql in self._by_size:
            while left >= size:
                part = rows[start : start + size]
                sqlite.execute(sql, list(chain.from_iterable(part)))
                start, left = start + size, left - size
            if not left:
                return
