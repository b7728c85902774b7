"""The history of a job (contract §1): its errors, its versions, its instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.core import bounds
from actorq.core.commands import Edit, Extend, Report
from actorq.core.job import MAX_ERRORS
from actorq.core.retry import Failure
from actorq.testing.conformance.answers import answered, ids, settled, token_of

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench


class TestHistory:
    """The errors of a job (§1)."""

    def test_any_text_is_recorded(self, bench: Bench) -> None:
        """A failure is recorded whatever its message holds; only its text is made storable (I8)."""
        for message in ("\ud800 lone", "nul \0 inside", "é" * 4_096, ""):
            job = bench.put(max_retries=0)
            bench.take(job)
            dead = settled(bench.fail(job.id, None, Failure(message))).job
            assert dead.errors[0].message == bounds.cut_error(message)
            assert bench.get(job).errors == dead.errors

    def test_the_last_errors_are_kept(self, bench: Bench) -> None:
        """A job keeps its last twenty errors, with attempt, worker and time (§1)."""
        job = bench.put(max_retries=100)
        for attempt in range(1, MAX_ERRORS + 4):
            (taken,) = bench.claim(worker=f"worker {attempt}").jobs
            bench.fail(job.id, token_of(taken), Failure(str(attempt), retry_in=0.0))
            assert ids(bench.promote().jobs) == [job.id]
        kept = bench.get(job).errors
        numbers = list(range(4, MAX_ERRORS + 4))
        assert [error.attempt for error in kept] == numbers
        assert [error.message for error in kept] == [str(number) for number in numbers]
        assert [error.worker for error in kept] == [f"worker {number}" for number in numbers]
        assert [error.time for error in kept] == sorted(error.time for error in kept)

    def test_versions_rise_with_every_write(self, bench: Bench) -> None:
        """Each write raises the version, so that it can serve as the ETag (§1)."""
        job = bench.put()
        edited = answered(bench.backend.update_job([Edit(id=job.id, priority=1)])[0])
        taken = bench.take(job)
        told = answered(bench.backend.report([Report(job.id, token_of(taken), "1")])[0])
        longer = answered(bench.backend.extend([Extend(job.id, token_of(taken))])[0])
        ended = settled(bench.ack(job.id)).job
        versions = [step.version for step in (job, edited, taken, told, longer, ended)]
        assert versions == sorted(set(versions))
        assert bench.get(job).version == versions[-1]
        assert replace(ended, version=0) == replace(bench.get(job), version=0)

    def test_every_write_shows_its_instant(self, bench: Bench) -> None:
        """``updated_at`` is the store's clock at the last write, ``created_at`` at the first (§1)."""
        job = bench.put(max_retries=9)
        last = job
        token = ""
        for act in ("claim", "extend", "fail", "promote", "edit", "claim", "release", "cancel"):
            bench.advance(0.5)
            before = bench.now()
            match act:
                case "claim":
                    token = token_of(bench.take(job))
                case "extend":
                    bench.backend.extend([Extend(job.id, token)])
                case "fail":
                    bench.fail(job.id, token, Failure(retry_in=0.1))
                case "promote":
                    bench.promote()
                case "edit":
                    bench.backend.update_job([Edit(id=job.id, priority=1)])
                case "release":
                    bench.release(job.id, token)
                case _:
                    bench.cancel(job)
            now = bench.get(job)
            assert last.updated_at < before <= now.updated_at <= bench.now()
            assert now.created_at == job.created_at
            last = now
