"""The model test: a store and the ledger live through the same random days, and must agree.

The store's clock may run by itself. So the ledger works out each answer at the instant to which the
store's own record testifies (it must lie within the call), or else at the call's start or end.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

from actorq.testing.conformance.likeness import like
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from msgspec.structs import replace

from actorq.core import keys
from actorq.core.commands import Ack, Claim, Extend, Fail, Release, Report
from actorq.core.ids import IdMint
from actorq.core.instants import to_us
from actorq.core.job import Job, NewJob
from actorq.core.results import Enqueued, Settled
from actorq.testing.clock import START_US
from actorq.testing.conformance import moves as m
from actorq.testing.conformance.bench import Bench
from actorq.testing.conformance.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.testing.conformance.harness import Harness

A = TypeVar("A")


def witness(answer: object) -> int | None:
    """Return the instant of the write of which this answer gives the record, if it gives one."""
    if isinstance(answer, Enqueued | Settled):
        answer = answer.job
    return answer.updated_at if isinstance(answer, Job) else None


class World(RuleBasedStateMachine):
    """A store, its ledger, and what both were told."""

    def __init__(self, harness: Harness) -> None:
        """Make a fresh store."""
        super().__init__()
        self.bench = Bench(harness, m.POLICY)
        self.ledger = Ledger(m.POLICY)
        self.ids: list[str] = []
        self.tokens: dict[str, list[str]] = {}
        self.requests: dict[str, NewJob] = {}
        self.start = self.low = self.bench.now()
        # The same draws must give the same ids, for the jitter comes from them.
        self.random = Random(0)  # noqa: S311 - a replayable test, not a secret
        self.mint = IdMint(
            lambda: START_US + self.bench.now() - self.start, self.random.getrandbits
        )

    def teardown(self) -> None:
        """Let the store go."""
        self.bench.close()

    # ── agreeing ────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Note the instant before a call."""
        self.low = self.bench.now()

    def agree(self, actual: A, predict: Callable[[Ledger, int], A]) -> A:
        """Let the ledger do the same at an instant within the call: both must answer alike."""
        high = self.bench.now()
        seen = witness(actual)
        instants = [seen] if seen is not None and self.low <= seen <= high else []
        expected: list[object] = []
        for instant in dict.fromkeys([*instants, self.low, high]):
            trial = self.ledger.copy()
            expected.append(predict(trial, instant))
            if like(expected[-1], actual):
                self.ledger = trial
                return actual
        raise AssertionError(f"the store answers\n  {actual!r}\nnot one of\n  {expected!r}")

    def job_id(self, pick: int) -> str:
        """Return the id of one of the latest jobs, or one that names nothing."""
        if not self.ids:
            return self.mint.mint()
        return self.ids[-1 - pick % len(self.ids)]

    def token(self, call: m.Call) -> tuple[str, str | None]:
        """Return the id and the token of a holder's call."""
        job_id = self.job_id(call.job)
        known = self.tokens.get(job_id, [])
        match call.token:
            case "right" if known:
                return job_id, known[-1]
            case "old" if known:
                return job_id, known[max(0, len(known) - 2)]
            case "none":
                return job_id, None
            case _:
                return job_id, "no such token"

    def hold(self, verb: Callable[[list[A]], Sequence[object]], items: list[A]) -> None:
        """Make the calls of holders, and compare."""
        self.begin()
        answers = verb(items)
        assert len(answers) == len(items)
        for item, answer in zip(items, answers, strict=True):
            assert isinstance(item, Ack | Fail | Release | Extend | Report)
            self.agree(answer, lambda ledger, now, item=item: ledger.hold(item, now))

    # ── enqueue and claim ───────────────────────────────────────────────────────────────────────

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
            on_duplicate=move.on_duplicate, metadata={"n": str(len(self.ids))} if move.due_in else {},
        )  # fmt: skip
        if move.idempotency_key is None:
            return new
        return replace(new, idempotency=keys.idempotency(new, "", move.idempotency_key))

    def _enqueue(self, wishes: list[NewJob]) -> None:
        self.begin()
        answers = self.bench.backend.enqueue(wishes)
        assert len(answers) == len(wishes)
        for new, answer in zip(wishes, answers, strict=True):
            self.agree(answer, lambda ledger, now, new=new: ledger.enqueue(new, now))
            if new.id in self.ledger.jobs and new.id not in self.requests:
                self.requests[new.id] = new
                self.ids.append(new.id)

    @rule(moves=m.moves)
    def enqueue(self, moves: list[m.Move]) -> None:
        """Enqueue a batch of requests."""
        self._enqueue([self.request(move) for move in moves])

    @precondition(lambda self: self.ids)
    @rule(pick=m.picks)
    def enqueue_again(self, pick: int) -> None:
        """Send a request again, with the id that it had."""
        new = self.requests[self.job_id(pick)]
        if new.id in self.ledger.jobs and new.idempotency is None:
            self._enqueue([new])

    @rule(queues=m.two_queues, count=m.counts, seconds=m.seconds)
    def dequeue(self, queues: list[str], count: int, seconds: float | None) -> None:
        """Claim from a queue or two; what lapsed may be buried, and is never given out."""
        claims = [
            Claim(queue_name=queue, worker_id="w", visibility_timeout=seconds,
                  tokens=tuple(f"{self.random.getrandbits(64):x}" for _ in range(count)))
            for queue in queues
        ]  # fmt: skip
        self.begin()
        answers = self.bench.backend.dequeue(claims)
        self.note_burials(set(queues))
        for claim, claimed in zip(claims, answers, strict=True):
            settings = self.ledger.stats(claim.queue_name).settings
            assert claimed.paused is settings.paused
            if settings.paused:
                assert claimed.jobs == ()
                continue
            self.agree(claimed.jobs, self.claiming(claim, claimed.jobs))
            for job in claimed.jobs:
                assert job.lease is not None
                self.tokens.setdefault(job.id, []).append(job.lease.token)

    def claiming(
        self, claim: Claim, taken: tuple[Job, ...]
    ) -> Callable[[Ledger, int], tuple[Job, ...]]:
        """Return what a claim must get: the best jobs in order, each under a token of its own."""
        tokens = [job.lease.token for job in taken if job.lease is not None]
        assert len(set(tokens)) == len(taken)
        assert set(tokens) <= set(claim.tokens)

        def predict(ledger: Ledger, now: int) -> tuple[Job, ...]:
            instant = taken[0].updated_at if taken else now
            assert self.low <= instant <= self.bench.now()
            best = ledger.best(claim, instant)
            spare = [token for token in claim.tokens if token not in tokens]
            pairs = zip(best, [*tokens, *spare], strict=False)
            return tuple(ledger.claim(job, claim, token, instant) for job, token in pairs)

        return predict
