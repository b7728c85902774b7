"""Rows of the SQLite store that cannot be read: they are set aside, and stand in nobody's way (I17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec
import pytest
from msgspec.structs import replace

from actorq.backends.sqlite import SqliteStore
from actorq.core.commands import Ack, ListJobs
from actorq.core.policy import Policy
from actorq.core.results import Enqueued
from actorq.core.transitions import Status
from actorq.errors import InternalError, NotFound
from actorq.testing.clock import ManualClock
from actorq.testing.conformance.audit import audit
from tests.backends.sqlite_bench import batch, claim, raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend

BROKEN: Final = {
    "no map": b"\xa5",
    "empty": b"",
    "cut": b"\xde\x00\x09\xa6sta",
    "no text": b"\x81\xa6status\xa4\xff\xff\xff\xff",
    "a status of nobody's": msgspec.msgpack.encode({"status": "frozen"}),
}
"""States that no job has."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def backend(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteBackend]:
    store = SqliteStore(str(tmp_path / "jobs.db"), Policy(), clock)
    store.open()
    backend = store.connect()
    yield backend
    # The books balance, without what was set aside.
    audit(backend)
    backend.close()


def put(backend: SqliteBackend, count: int = 3, **wish: object) -> list[str]:
    """Enqueue jobs; return their ids."""
    items = [replace(new, **wish) for new in batch(0, count)]
    assert all(isinstance(answer, Enqueued) for answer in backend.enqueue(items))
    return [new.id for new in items]


def damage(backend: SqliteBackend, job_id: str, state: bytes = b"\xa5") -> bytes:
    """Overwrite what a job's life changed; return what was there."""
    found = raw(backend).execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    raw(backend).execute("UPDATE jobs SET state = ? WHERE id = ?", (state, job_id))
    return cast("tuple[bytes]", found)[0]


def taken(backend: SqliteBackend, count: int) -> list[str]:
    (claimed,) = backend.dequeue([claim(count)])
    return [job.id for job in claimed.jobs]


def warned(backend: SqliteBackend) -> list[str]:
    return [each for each in backend.check().warnings if "set aside" in each]


class TestOthersGoOn:
    @pytest.mark.parametrize("state", BROKEN.values(), ids=BROKEN)
    def test_a_claim(
        self, backend: SqliteBackend, state: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A claim that meets it takes the next job instead, and it is said once in the log (F16)."""
        first, second, third = put(backend)
        damage(backend, first, state)
        assert taken(backend, 1) == [second]
        assert taken(backend, 2) == [third]
        assert backend.get_queue_length(["q"])[0].pending == 0
        assert len(caplog.records) == 1
        assert "row 1 of the table jobs cannot be read" in caplog.text
        (warning,) = warned(backend)
        assert warning.startswith("1 jobs cannot be read")

    def test_a_body_that_is_missing(self, backend: SqliteBackend) -> None:
        """Half a record is none: its row is set aside too."""
        first, second = put(backend, 2)
        raw(backend).execute("DELETE FROM bodies WHERE seq = 1")
        assert taken(backend, 2) == [second]
        with pytest.raises(InternalError, match="row 1"):
            backend.get_job([first])

    def test_a_promotion(self, backend: SqliteBackend, clock: ManualClock) -> None:
        """What has become due beside it is promoted, in full rounds, and nobody looks again (I9)."""
        first, *others = put(backend, delay=1.0)
        damage(backend, first)
        clock.advance(1.0)
        sweep = backend.promote_delayed(2)
        assert ([job.id for job in sweep.jobs], sweep.next_in) == (others, None)

    def test_a_lapse(self, backend: SqliteBackend, clock: ManualClock) -> None:
        """Neither does it keep others from being buried whose time to start is over (§2)."""
        first, *others = put(backend, delay=9.0, expires_at=clock() + 1_000_000)
        damage(backend, first)
        clock.advance(1.0)
        sweep = backend.promote_delayed(2)
        assert ([job.id for job in sweep.jobs], sweep.next_in) == (others, None)

    def test_an_expiry(self, backend: SqliteBackend, clock: ManualClock) -> None:
        """The leases of others end, and its own place in the queue is free again (§8)."""
        first, *others = put(backend)
        taken(backend, 3)
        damage(backend, first)
        clock.advance(31.0)
        sweep = backend.requeue_expired(2)
        assert ([job.id for job in sweep.jobs], sweep.next_in) == (others, None)
        assert backend.get_queue_length(["q"])[0].running == 0

    def test_a_settlement(self, backend: SqliteBackend) -> None:
        """Its holder is told that there is no such job, and the others of the batch are settled."""
        ids = put(backend)
        taken(backend, 3)
        damage(backend, ids[0])
        answers = backend.ack([Ack(job_id) for job_id in ids])
        assert isinstance(answers[0], NotFound)
        assert not any(isinstance(answer, NotFound) for answer in answers[1:])

    def test_a_listing(self, backend: SqliteBackend, caplog: pytest.LogCaptureFixture) -> None:
        """A listing leaves it out, before it was set aside and after; reading changes nothing."""
        first, *others = put(backend)
        damage(backend, first)
        for _ in range(2):
            for query in (ListJobs(), ListJobs(queue_name="q")):
                page = backend.list_jobs(query)
                assert [job.id for job in page.jobs] == others[::-1]
            taken(backend, 1)
        assert len(caplog.records) == 1

    def test_a_dedupe_key(self, backend: SqliteBackend) -> None:
        """The key that it held is free: whoever asks for the job again gets a new one (§6)."""
        new, again = (replace(each, dedupe_key="k") for each in batch(0, 2))
        backend.enqueue([new])
        damage(backend, new.id)
        (answer,) = backend.enqueue([again])
        assert isinstance(answer, Enqueued)
        assert answer.job.id == again.id

    def test_a_purge(self, backend: SqliteBackend) -> None:
        """A purge goes by rows, and what cannot be read goes like the others."""
        first, *_ = put(backend)
        damage(backend, first)
        assert backend.purge("q", frozenset({Status.PENDING}), 10) == 3
        assert warned(backend) == []


class TestWhatIsLeft:
    def test_its_row_stays(self, backend: SqliteBackend) -> None:
        """Nothing is deleted, and whoever asks for it is told its row and the reason (I1)."""
        first, second = put(backend, 2)
        damage(backend, first, BROKEN["a status of nobody's"])
        for _ in range(2):
            with pytest.raises(InternalError, match=r"row 1 .* Invalid enum value 'frozen'"):
                backend.get_job([second, first])
            taken(backend, 1)
        (row,) = raw(backend).execute("SELECT status, state FROM jobs WHERE seq = 1")
        assert row == (6, BROKEN["a status of nobody's"])

    def test_it_comes_back_when_it_can_be_read(self, backend: SqliteBackend) -> None:
        """A mended row is taken back by a round of pruning, as the job that it was (I1)."""
        first, second = put(backend, 2, priority=3)
        before = damage(backend, first)
        assert taken(backend, 1) == [second]
        backend.prune(10)
        assert len(warned(backend)) == 1
        damage(backend, first, before)
        (job,) = backend.get_job([first])
        assert job is not None
        backend.prune(10)
        assert backend.get_job([first]) == [job]
        assert warned(backend) == []
        assert taken(backend, 1) == [first]

    def test_its_key_may_be_taken_by_then(self, backend: SqliteBackend) -> None:
        """A job whose dedupe key a live one holds by now stays aside until that one has ended (§6)."""
        new, again = (replace(each, dedupe_key="k") for each in batch(0, 2))
        backend.enqueue([new])
        before = damage(backend, new.id)
        backend.enqueue([again])
        damage(backend, new.id, before)
        backend.prune(10)
        assert len(warned(backend)) == 1
        backend.cancel([again.id])
        backend.prune(10)
        assert warned(backend) == []
        assert taken(backend, 1) == [new.id]
