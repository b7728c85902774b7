"""The model test's lives of jobs: enqueued, claimed, held and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import initialize, precondition, rule
from msgspec.structs import replace

from actorq.core import keys, lifecycle
from actorq.core.commands import Ack, Claim, Extend, Fail, Release, Report
from actorq.core.instants import to_us
from actorq.core.job import NewJob
from actorq.core.transitions import LIVE, Status
from actorq.testing.conformance import moves as m
from actorq.testing.conformance.dues import lapsed
from actorq.testing.conformance.families import depending
from actorq.testing.conformance.ledger import Ledger
from actorq.testing.conformance.likeness import like
from actorq.testing.conformance.model_world import World

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.results import Claimed
    from actorq.core.retry import Failure


class Lives(World):
    """What the makers of jobs and the workers do."""

    # ── enqueue ─────────────────────────────────────────────────────────────────────────────────

    def request(self, move: m.Move) -> NewJob:
        """Make the request that was drawn."""
        now = self.bench.now()
        new = NewJob(
            id=self.mint.mint(), queue_name=move.queue, payload=move.payload,
            priority=move.priority, max_retries=move.max_retries, delivery=move.delivery,
            delay=move.delay, backoff=move.backoff, dedupe_key=move.dedupe_key,
            dedupe_window=move.dedupe_window if move.dedupe_key else 0.0,
            available_at=None if move.due_in is None else now + to_us(move.due_in),
            expires_at=None if move.expires_in is None else now + to_us(move.expires_in),
            on_duplicate=move.on_duplicate, metadata={"k": "v"} if move.due_in else {},
        )  # fmt: skip
        if move.parents:
            parents = dict.fromkeys(self.job_id(pick, LIVE) for pick in move.parents)
            new = depending(new, tuple(parents), move.on_parent_failure)
        if move.idempotency_key is None:
            return new
        return replace(new, idempotency=keys.idempotency(new, "", move.idempotency_key))

    def send(self, wishes: list[NewJob]) -> None:
        """Enqueue a batch, and compare."""
        self.agree_all(self.bench.backend.enqueue, Ledger.enqueue, wishes)
        for new in wishes:
            if new.id in self.ledger.jobs and new.id not in self.requests:
                self.requests[new.id] = new
                self.ids.append(new.id)

    @initialize(moves=m.many_moves)
    def begin_the_day(self, moves: list[m.Move]) -> None:
        """Start with some jobs."""
        self.send([self.request(move) for move in moves])

    @rule(moves=m.moves)
    def enqueue(self, moves: list[m.Move]) -> None:
        """Enqueue a batch of requests."""
        self.send([self.request(move) for move in moves])

    @precondition(lambda self: self.ids)
    @rule(pick=m.picks)
    def enqueue_again(self, pick: m.Pick) -> None:
        """Send a request again, with the id that it had."""
        new = self.requests[self.job_id(pick, LIVE)]
        if new.id in self.ledger.jobs and new.idempotency is None:
            self.send([new])

    # ── claim ───────────────────────────────────────────────────────────────────────────────────

    @rule(queues=m.two_queues, count=m.counts, seconds=m.seconds)
    def dequeue(self, queues: list[str], count: int, seconds: float | None) -> None:
        """Claim from a queue or two; what lapsed may be buried, and is never given out."""
        self.claim(queues, count, seconds)

    @precondition(lambda self: self.any_in({Status.PENDING}))
    @rule(queue=m.queues, ending=m.endings, failure=m.failures)
    def work(self, queue: str, ending: str, failure: Failure) -> None:
        """Claim one job and settle it at once: what a day is full of."""
        backend = self.bench.backend
        for job_id in self.claim([queue], 1, None):
            token = self.tokens[job_id][-1]
            match ending:
                case "ack":
                    self.agree_all(backend.ack, Ledger.hold, [Ack(job_id, token)])
                case "fail":
                    self.agree_all(backend.fail, Ledger.hold, [Fail(job_id, token, failure)])
                case _:
                    self.agree_all(backend.release, Ledger.hold, [Release(job_id, token)])

    def claim(self, queues: list[str], count: int, seconds: float | None) -> list[str]:
        """Claim, and compare; return the ids of the jobs that came."""
        claims = [
            Claim(queue_name=queue, worker_id="w", visibility_timeout=seconds,
                  tokens=tuple(f"{self.random.getrandbits(64):x}" for _ in range(count)))
            for queue in queues
        ]  # fmt: skip
        self.begin()
        answers = self.bench.backend.dequeue(claims)
        buried = self.note_burials(set(queues))
        for claim, claimed in zip(claims, answers, strict=True):
            self.note_claim(claim, claimed, buried)
        return [job.id for claimed in answers for job in claimed.jobs]

    def note_burials(self, queues: set[str]) -> int:
        """Take over the burials of lapsed jobs that a claim made on its way; return how many."""
        high = self.bench.now()
        late = [
            job
            for job in self.ledger.jobs.values()
            if job.queue_name in queues and job.status is Status.PENDING and lapsed(job, high)
        ]
        count = 0
        for job, found in zip(
            late, self.bench.backend.get_job([job.id for job in late]), strict=True
        ):
            assert found is not None
            if found.status is Status.DEAD:
                assert self.low <= found.updated_at <= high
                assert lapsed(job, found.updated_at)
                dead = self.ledger.write(lifecycle.lapse(job, found.updated_at))
                assert like(dead, found)
                count += 1
        return count

    def note_claim(self, claim: Claim, claimed: Claimed, buried: int) -> None:
        """Compare a claim: the best jobs in order, each under a token of its own.

        One that met lapsed jobs on its way may come back with so many jobs less.
        """
        settings = self.ledger.stats(claim.queue_name).settings
        assert claimed.paused is settings.paused
        if settings.paused:
            assert claimed.jobs == ()
            return
        room = self.ledger.room(claim.queue_name)
        full = room == len(claimed.jobs) and len(claimed.jobs) < len(claim.tokens)
        assert full or not claimed.limited
        leases = [job.lease for job in claimed.jobs]
        tokens = [lease.token for lease in leases if lease is not None]
        assert len(set(tokens)) == len(claimed.jobs)
        assert set(tokens) <= set(claim.tokens)
        spare = [token for token in claim.tokens if token not in tokens]

        def give(ledger: Ledger, taken: tuple[Job, ...], now: int) -> tuple[Job, ...]:
            instant = taken[0].updated_at if taken else now
            assert self.low <= instant <= self.bench.now()
            best = ledger.best(claim, instant)
            most = len(taken) if len(best) - len(taken) <= buried else len(best)
            if full and not claimed.limited:
                # Then nothing else was ready.
                assert len(ledger.ready(claim.queue_name, instant)) == room
            pairs = zip(best[:most], [*tokens, *spare], strict=False)
            return tuple(ledger.claim(job, claim, token, instant) for job, token in pairs)

        self.agree(claimed.jobs, give, claimed.jobs)
        for job, token in zip(claimed.jobs, tokens, strict=True):
            self.tokens.setdefault(job.id, []).append(token)

    # ── hold and settle ─────────────────────────────────────────────────────────────────────────

    def held(self, call: m.Call) -> tuple[str, str | None]:
        """Return the id and the token of a holder's call."""
        if call.how in {"again", "old"}:
            back = 1 if call.how == "again" else 2
            claimed = [
                (job_id, tokens[-back])
                for job_id, tokens in self.tokens.items()
                if job_id in self.ledger.jobs and len(tokens) >= back
            ]
            if claimed:
                return claimed[-1 - call.job.place % len(claimed)]
        job_id = self.job_id(call.job, {Status.RUNNING})
        if call.how == "none":
            return job_id, None
        known = self.tokens.get(job_id, [])
        return job_id, known[-1] if known and call.how == "right" else "no such token"

    @precondition(lambda self: self.tokens)
    @rule(batch=m.batches, result=m.texts)
    def ack(self, batch: list[m.Call], result: str | None) -> None:
        """Acknowledge."""
        items = [Ack(*self.held(call), result) for call in batch]
        self.agree_all(self.bench.backend.ack, Ledger.hold, items)

    @precondition(lambda self: self.tokens)
    @rule(batch=m.batches, failure=m.failures)
    def fail(self, batch: list[m.Call], failure: Failure) -> None:
        """Fail."""
        items = [Fail(*self.held(call), failure) for call in batch]
        self.agree_all(self.bench.backend.fail, Ledger.hold, items)

    @precondition(lambda self: self.tokens)
    @rule(batch=m.batches, delay=m.delays)
    def release(self, batch: list[m.Call], delay: float) -> None:
        """Hand back."""
        items = [Release(*self.held(call), delay) for call in batch]
        self.agree_all(self.bench.backend.release, Ledger.hold, items)

    @precondition(lambda self: self.tokens)
    @rule(batch=m.batches, seconds=m.seconds, progress=m.progresses)
    def renew(self, batch: list[m.Call], seconds: float | None, progress: str | None) -> None:
        """Renew, or tell of progress."""
        calls = [self.held(call) for call in batch]
        backend = self.bench.backend
        if progress is None:
            self.agree_all(backend.extend, Ledger.hold, [Extend(*call, seconds) for call in calls])
        else:
            self.agree_all(backend.report, Ledger.hold, [Report(*call, progress) for call in calls])
