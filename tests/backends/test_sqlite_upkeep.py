"""What goes on beside the verbs: the log, the room in the file, and news."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

import pytest

from actorq.backends.sqlite import SqliteStore, connection
from actorq.backends.sqlite.listener import POLL_S, SqliteListener
from actorq.clock import mint_token
from actorq.core.commands import Ack, Claim
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from actorq.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend

PATIENCE_S: Final = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    store = SqliteStore(str(path), Policy(retention=Retention(completed=0.0)), ManualClock())
    store.open()
    return store


@pytest.fixture
def backend(store: SqliteStore) -> Iterator[SqliteBackend]:
    backend = store.connect()
    yield backend
    backend.close()


def raw(backend: SqliteBackend) -> sqlite3.Connection:
    """Return the connection behind a backend, to bring about what no verb can."""
    return backend._connection._sqlite  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb breaks a disk


def batch(start: int, count: int = 20, payload: str = "p" * 2_000) -> list[NewJob]:
    ids = (f"019b76da-a800-7000-8000-{number:012d}" for number in range(start, start + count))
    return [NewJob(id=job_id, queue_name="q", payload=payload) for job_id in ids]


def claim(count: int) -> Claim:
    tokens = tuple(mint_token() for _ in range(count))
    return Claim(queue_name="q", worker_id="w", tokens=tokens)


class TestLogSize:
    def test_a_long_reader_does_not_make_the_log_grow_for_ever(
        self, path: Path, backend: SqliteBackend
    ) -> None:
        """What a reader kept in the log is moved by pruning, once the reader has gone (I18)."""
        log = path.with_name("jobs.db-wal")
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM jobs").fetchone()
            for start in range(0, 80, 20):
                backend.enqueue(batch(start, payload="x" * 1_000_000))
            assert log.stat().st_size > connection.WAL_LIMIT_BYTES
            backend.prune(1)
            assert any("has been reading for long" in each for each in backend.check().warnings)
            reader.execute("COMMIT")
        backend.prune(1)
        assert log.stat().st_size <= connection.WAL_LIMIT_BYTES
        assert not any("has been reading for long" in each for each in backend.check().warnings)

    def test_pruned_room_is_used_again(self, backend: SqliteBackend) -> None:
        """The file grows with what it holds at most, not with what went through it (I18)."""
        sizes: list[int] = []
        for start in range(0, 3_000, 300):
            backend.enqueue(batch(start, 300))
            (claimed,) = backend.dequeue([claim(300)])
            backend.ack([Ack(job.id) for job in claimed.jobs])
            assert backend.prune(1_000)[0] == 300
            (pages,) = cast("tuple[int]", raw(backend).execute("PRAGMA page_count").fetchone())
            sizes.append(pages)
        assert sizes[-1] <= sizes[0] * 1.1
        assert backend.list_queues()[0].counts[Status.COMPLETED] == 0


class TestListener:
    def test_own_writes_are_told_at_most_once_a_window(
        self, path: Path, backend: SqliteBackend
    ) -> None:
        """Many commits in a row are one piece of news, and then there is none (rule 8)."""
        with closing(SqliteListener(path)) as listener:
            for start in range(0, 100, 20):
                backend.enqueue(batch(start))
            assert listener.wait(2 * POLL_S) is None
            assert listener.wait(0.0) == frozenset()
            backend.check()
            backend.get_job([batch(0)[0].id])
            backend.dequeue([Claim(queue_name="none", worker_id="w", tokens=("t",))])
            assert listener.wait(0.0) == frozenset()

    def test_an_interruption_counts_once(self, path: Path, store: SqliteStore) -> None:
        """A wait that was interrupted before it began returns at once; the next one hears again."""
        with closing(SqliteListener(path)) as listener, closing(store.connect()) as backend:
            listener.interrupt()
            assert listener.wait(PATIENCE_S) == frozenset()
            backend.enqueue(batch(0))
            assert listener.wait(PATIENCE_S) is None

    def test_a_listener_of_no_file(self, tmp_path: Path) -> None:
        """Without the file there is no listening, and it is said so."""
        with pytest.raises(BackendUnavailable, match="cannot be opened"):
            SqliteListener(tmp_path / "none.db")
