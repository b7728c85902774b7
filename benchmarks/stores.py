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
    match store:
        case "memory":
            yield "memory://"
        case "sqlite":
            with sqlite_file(folder) as path:
                yield f"sqlite:////{path.as_posix().lstrip('/')}"
        case "postgres" | "redis":
            # Their drivers, and the servers themselves, are needed only by whom asks for them.
            from benchmarks import servers

            with servers.new_postgres() if store == "postgres" else servers.new_redis() as url:
                yield url


def commands(store: StoreName) -> int | None:
    """Return how many commands the server of a store has carried out so far; None if none counts."""
    match store:
        case "memory" | "sqlite":
            return None
        case "postgres" | "redis":
            from benchmarks import servers

            return servers.postgres_commands() if store == "postgres" else servers.redis_commands()
