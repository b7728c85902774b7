"""Stores of a run: each made new, and gone when it has been measured."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from benchmarks.plan import StoreName


@contextmanager
def sqlite_file(folder: Path) -> Generator[Path]:
    """Give a path in ``folder`` at which nothing is yet, for the block."""
    with TemporaryDirectory(dir=folder) as place:
        yield Path(place) / "jobs.db"


@contextmanager
def new_store(folder: Path, store: StoreName) -> Generator[str]:
    """Give the URL of an empty store, for the block."""
    if store == "memory":
        yield "memory://"
    else:
        with sqlite_file(folder) as path:
            yield f"sqlite:////{path.as_posix().lstrip('/')}"
