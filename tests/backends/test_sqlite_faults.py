"""Faults of the SQLite store: full disks, locks, damage, killed writers, files that go away."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Final

import pytest

from actorq.backends.sqlite import SqliteStore, connection
from actorq.backends.sqlite.gate import Gate
from actorq.core.commands import Ack
from actorq.core.results import Enqueued, Settled
from actorq.errors import BackendUnavailable
from actorq.testing.clock import ManualClock
from actorq.testing.conformance.audit import audit
from tests.backends import sqlite_bench
from tests.backends.sqlite_bench import batch, claim, raw

if TYPE_CHECKING:
    from actorq.backends.sqlite.backend import SqliteBackend

ROOT: Final = Path(__file__).parent.parent.parent
PATIENCE_S: Final = 30.0
MANY: Final = 200


# Fixtures, which pytest finds by these names.
path, store, backend = sqlite_bench.path, sqlite_bench.store, sqlite_bench.backend


def length(backend: SqliteBackend) -> int:
    return backend.get_queue_length(["q"])[0].pending


class TestFullDisk:
    def test_a_batch_that_does_not_fit_is_not_there(
        self, store: SqliteStore, backend: SqliteBackend
    ) -> None:
        """A full disk refuses a batch as a whole, in plain words; room again, and it goes on (I1, I2)."""
        backend.enqueue(batch(0))
        (pages,) = raw(backend).execute("PRAGMA page_count").fetchone()
        raw(backend).execute(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(BackendUnavailable, match="the disk is full"):
            backend.enqueue(batch(100))
        assert length(backend) == 20
        assert backend.get_job([batch(100)[0].id]) == [None]
        with closing(store.connect()) as other:
            audit(other)
        raw(backend).execute("PRAGMA max_page_count = 1000000")
        assert all(isinstance(answer, Enqueued) for answer in backend.enqueue(batch(100)))
        assert length(backend) == 40
        audit(backend)

    def test_what_is_there_can_still_be_finished(self, backend: SqliteBackend) -> None:
        """When nothing more fits, what was claimed can be settled, and pruning makes room (faults B10)."""
        backend.enqueue(batch(0))
        (claimed,) = backend.dequeue([claim(20)])
        (pages,) = raw(backend).execute("PRAGMA page_count").fetchone()
        raw(backend).execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(BackendUnavailable):
            backend.enqueue(batch(100, 60))
        answers = backend.ack([Ack(job.id) for job in claimed.jobs])
        assert {type(answer) for answer in answers} == {Settled}
        assert backend.prune(100)[0] == 20
        assert isinstance(backend.enqueue(batch(100))[0], Enqueued)
        audit(backend)

    def test_a_write_that_the_system_refuses(self, store: SqliteStore, path: Path) -> None:
        """A write that fails in the middle of a commit leaves whole batches only (I1, I2)."""
        program = (
            "import resource, sys\n"
            "from actorq.backends.sqlite import SqliteStore\n"
            "from actorq.clock import wall_clock\n"
            "from actorq.core.job import NewJob\n"
            "from actorq.core.policy import Policy\n"
            "from actorq.errors import BackendUnavailable\n"
            "backend = SqliteStore(sys.argv[1], Policy(), wall_clock).connect()\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
            "try:\n"
            "    for start in range(0, 10_000, 20):\n"
            "        ids = [f'019b76da-a800-7000-8000-{start + n:012d}' for n in range(20)]\n"
            "        backend.enqueue([NewJob(id=i, queue_name='q', payload='p' * 2_000) for i in ids])\n"
            "        print(start + 20, flush=True)\n"
            "except BackendUnavailable as error:\n"
            "    print(error, flush=True)\n"
        )
        done = subprocess.run(  # noqa: S603 - the program is above
            [sys.executable, "-c", program, path],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        *accepted, sentence = done.stdout.splitlines()
        assert "the disk" in sentence
        with closing(store.connect()) as backend:
            assert length(backend) == int(accepted[-1]) > 0
            audit(backend)

    def test_a_check_writes_and_keeps_nothing(self, backend: SqliteBackend, path: Path) -> None:
        """A check proves by a write that a write would work, and undoes it (I20)."""
        before = raw(backend).total_changes
        with closing(sqlite3.connect(path)) as other:
            (version,) = other.execute("PRAGMA data_version").fetchone()
            assert backend.check().now == ManualClock()()
            assert other.execute("PRAGMA data_version").fetchone() == (version,)
        assert raw(backend).total_changes == before + 1


class TestLocks:
    def test_a_locked_database(
        self, backend: SqliteBackend, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody who keeps the lock makes the store unavailable, and nothing worse (I20)."""
        monkeypatch.setattr(connection, "BUSY_S", 0.01)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for call in (
                lambda: backend.enqueue(batch(0)),
                backend.check,
                lambda: backend.prune(9),
            ):
                with pytest.raises(BackendUnavailable, match="another program"):
                    call()
            assert length(backend) == 0
            other.execute("ROLLBACK")
        assert isinstance(backend.enqueue(batch(0))[0], Enqueued)
        audit(backend)

    def test_readers_do_not_wait_for_a_writer(self, backend: SqliteBackend, path: Path) -> None:
        """Who reads sees what was committed last, while somebody writes (``get_job``)."""
        backend.enqueue(batch(0))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM jobs")
            assert length(backend) == 20
            assert None not in backend.get_job([new.id for new in batch(0)])
            other.execute("ROLLBACK")

    def test_the_gate_is_passed_in_order(self) -> None:
        """Whoever has waited longest writes next: nobody is starved (architecture, rule 2)."""
        gate = Gate()
        assert gate.acquire(0.0)
        assert not gate.acquire(0.001)
        passed: list[int] = []
        ready = [Barrier(2) for _ in range(4)]

        def pass_through(number: int) -> None:
            ready[number].wait(PATIENCE_S)
            assert gate.acquire(PATIENCE_S)
            passed.append(number)
            gate.release()

        with ThreadPoolExecutor(len(ready)) as pool:
            runs = [pool.submit(pass_through, number) for number in range(len(ready))]
            for number, barrier in enumerate(ready):
                barrier.wait(PATIENCE_S)
                while len(gate) <= number:
                    pass
            gate.release()
            for run in runs:
                run.result(PATIENCE_S)
        assert passed == [0, 1, 2, 3]
        assert gate.acquire(0.0)


class TestDamage:
    def test_a_damaged_page(self, path: Path, store: SqliteStore) -> None:
        """Damage is said in plain words, to reads and to writes."""
        with closing(store.connect()) as backend:
            backend.enqueue(batch(0, MANY))
        content = bytearray(path.read_bytes())
        content[8_192:] = b"\xa5" * (len(content) - 8_192)
        path.write_bytes(content)
        with closing(store.connect()) as backend:
            for call in (
                lambda: backend.get_job([batch(0)[0].id]),
                lambda: backend.dequeue([claim(9)]),
            ):
                with pytest.raises(BackendUnavailable, match="damaged"):
                    call()

    @pytest.mark.parametrize("how", ["deleted", "replaced"])
    def test_a_file_that_went_away(
        self, path: Path, store: SqliteStore, backend: SqliteBackend, how: str
    ) -> None:
        """Nothing is accepted into a file that nobody will find again (I1)."""
        backend.enqueue(batch(0))
        path.rename(path.with_name("moved.db"))
        if how == "replaced":
            path.write_bytes(b"")
        for call in (lambda: backend.enqueue(batch(100)), backend.check):
            with pytest.raises(BackendUnavailable, match="was moved or deleted"):
                call()
        path.with_name("moved.db").rename(path)
        assert length(backend) == 20
        assert isinstance(backend.enqueue(batch(100))[0], Enqueued)
        with closing(store.connect()) as other:
            assert length(other) == 40

    def test_closing_twice(self, store: SqliteStore) -> None:
        """A connection can be let go twice, and so can a listener (``close``)."""
        backend, listener = store.connect(), store.listen()
        for _ in range(2):
            backend.close()
            listener.close()
            store.close()


class TestKilledWriter:
    def test_no_half_batch(self, path: Path, store: SqliteStore) -> None:
        """A writer killed among its batches leaves whole ones, and all that it had answered (I1)."""
        program = (
            "import sys\n"
            "from actorq.backends.sqlite import SqliteStore\n"
            "from actorq.clock import wall_clock\n"
            "from actorq.core.job import NewJob\n"
            "from actorq.core.policy import Policy\n"
            "backend = SqliteStore(sys.argv[1], Policy(), wall_clock).connect()\n"
            "for start in range(int(sys.argv[2]), 10**9, 50):\n"
            "    ids = [f'019b76da-a800-7000-8000-{start + n:012d}' for n in range(50)]\n"
            "    backend.enqueue([NewJob(id=i, queue_name='q', payload='p' * 3_000) for i in ids])\n"
            "    print(start + 50, flush=True)\n"
        )
        total = 0
        for rounds in range(1, 6):
            with subprocess.Popen(  # noqa: S603 - the program is above
                [sys.executable, "-c", program, path, str(total)],
                env={"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            ) as writer:
                assert writer.stdout is not None
                answered = [int(writer.stdout.readline()) for _ in range(rounds)][-1]
                writer.kill()
            with closing(store.connect()) as backend:
                total = length(backend)
                audit(backend)
            assert total >= answered
            assert total % 50 == 0
