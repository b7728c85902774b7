"""A SQLite store on a file of its own, and what tests of its faults and of its upkeep put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.backends.sqlite import SqliteStore
from actorq.clock import mint_token
from actorq.core.commands import Claim
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.testing.clock import ManualClock

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    """Open a store which lets completed jobs go at once."""
    store = SqliteStore(str(path), Policy(retention=Retention(completed=0.0)), ManualClock())
    store.open()
    return store


@pytest.fixture
def backend(store: SqliteStore) -> Iterator[SqliteBackend]:
    """Return a connection, closed at the end."""
    backend = store.connect()
    yield backend
    backend.close()


def raw(backend: SqliteBackend) -> sqlite3.Connection:
    """Return the connection behind a backend, to bring about what no verb can."""
    return backend._connection._sqlite  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb breaks a disk


def batch(start: int, count: int = 20, payload: str = "p" * 2_000) -> list[NewJob]:
    """Make jobs whose ids go on from ``start``."""
    ids = (f"019b76da-a800-7000-8000-{number:012d}" for number in range(start, start + count))
    return [NewJob(id=job_id, queue_name="q", payload=payload) for job_id in ids]


def claim(count: int) -> Claim:
    """Make a wish for jobs."""
    tokens = tuple(mint_token() for _ in range(count))
    return Claim(queue_name="q", worker_id="w", tokens=tokens)
