"""What goes on beside the verbs: the log, the room in the file, and news."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

import pytest

from actorq.backends.sqlite import SqliteStore, connection
from actorq.backends.sqlite.listener import POLL_S, SqliteListener
from actorq.core.commands import Ack, Claim
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from tests.backends import sqlite_bench
from tests.backends.sqlite_bench import batch, claim, raw

if TYPE_CHECKING:
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend

PATIENCE_S: Final = 30.0


# Fixtures, which pytest finds by these names.
path, store, backend = sqlite_bench.path, sqlite_bench.store, sqlite_bench.backend


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
