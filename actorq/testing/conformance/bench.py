"""The bench on which each test works: one fresh store, a connection, and short words for both."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from actorq.clock import mint_token
from actorq.core.commands import Ack, Claim, Fail, Release
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.results import Claimed, Enqueued, Outcome, Sweep
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import answered, created, public, settled

if TYPE_CHECKING:
    from actorq.backends.backend import Backend, Listener, Store
    from actorq.core.job import Backoff, Delivery, Idempotency, Job, OnDuplicate
    from actorq.core.policy import Policy
    from actorq.core.queue import QueueEdit, QueueStats
    from actorq.core.results import PrunedReplay
    from actorq.errors import ActorqError
    from actorq.testing.conformance.answers import Answer
    from actorq.testing.conformance.harness import Harness

S = TypeVar("S", Claimed, Sweep)

QUEUE: Final = "work"
"""The queue that a test means when it names none."""

LONG_S: Final = 600.0
"""A lease that does not run out during a test, in seconds."""

PLAIN: Final = Failure("broken")
"""A failure that says no more than that."""


class Wish(TypedDict, total=False):
    """What a test may say of a new job: the fields of ``NewJob``."""

    id: str
    queue_name: str
    payload: str
    priority: int
    max_retries: int
    delivery: Delivery
    delay: float | None
    available_at: int | None
    metadata: dict[str, str]
    task: str | None
    backoff: Backoff
    timeout: float | None
    expires_at: int | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate
    idempotency: Idempotency | None


class Bench:
    """One fresh store with one connection; every job that it makes has a greater id than the last."""

    def __init__(self, harness: Harness, policy: Policy) -> None:
        """Make and open a store under ``policy``, and connect to it."""
        self.harness = harness
        self.policy = policy
        self.mint = IdMint(harness.now, secrets.randbits)
        self._connections: list[Backend | Listener] = []
        self.store: Store = harness.make(policy)
        self.store.open()
        self.backend: Backend = self.connect()

    def connect(self) -> Backend:
        """Open one more connection, closed when the test ends."""
        backend = self.store.connect()
        self._connections.append(backend)
        return backend

    def listen(self) -> Listener:
        """Listen for news of other processes, until the test ends."""
        listener = self.store.listen()
        assert listener is not None
        self._connections.append(listener)
        return listener

    def close(self) -> None:
        """Let go of every connection and of the store."""
        while self._connections:
            self._connections.pop().close()
        self.store.close()

    def reopen(self) -> None:
        """Close everything and open the same data again, as a program that starts afterwards."""
        self.close()
        self.store = self.harness.reopen(self.store)
        self.store.open()
        self.backend = self.connect()

    def now(self) -> int:
        """Return the store's clock, in microseconds."""
        return self.harness.now()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on the store's clock."""
        self.harness.advance(seconds)

    # ── making jobs ─────────────────────────────────────────────────────────────────────────────

    def new(self, **wish: Unpack[Wish]) -> NewJob:
        """Describe a job: of the usual queue, with a fresh id and a small payload, unless said."""
        plain = NewJob(id=self.mint.mint(), queue_name=QUEUE, payload="{}")
        return replace(plain, **wish)

    def enqueue(self, new: NewJob) -> Enqueued:
        """Enqueue one job, which must be accepted or be known."""
        (answer,) = self.backend.enqueue([new])
        assert isinstance(answer, Enqueued), answer
        return replace(answer, job=public(answer.job))

    def refused(self, new: NewJob) -> ActorqError | PrunedReplay:
        """Enqueue one job, which must not be answered by a job."""
        (answer,) = self.backend.enqueue([new])
        assert not isinstance(answer, Enqueued), answer
        return answer

    def put(self, **wish: Unpack[Wish]) -> Job:
        """Enqueue one job, which must be created."""
        answer = self.enqueue(self.new(**wish))
        assert answer.outcome is Outcome.CREATED
        assert not answer.replayed
        return answer.job

    def put_many(self, count: int, **wish: Unpack[Wish]) -> list[Job]:
        """Enqueue ``count`` equal jobs in one batch, in the order of their ids."""
        answers = self.backend.enqueue([self.new(**wish) for _ in range(count)])
        assert len(answers) == count
        return [created(answer) for answer in answers]

    # ── claiming and settling ───────────────────────────────────────────────────────────────────

    def claim(
        self,
        count: int = 1,
        *,
        queue: str = QUEUE,
        visibility_timeout: float | None = LONG_S,
        worker: str = "worker",
    ) -> Claimed:
        """Ask for up to ``count`` jobs."""
        tokens = tuple(mint_token() for _ in range(count))
        (claimed,) = self.backend.dequeue(
            [
                Claim(
                    queue_name=queue,
                    worker_id=worker,
                    tokens=tokens,
                    visibility_timeout=visibility_timeout,
                )
            ]
        )
        return _as_seen(claimed)

    def take(
        self,
        job: Job | None = None,
        *,
        visibility_timeout: float | None = LONG_S,
        queue: str = QUEUE,
    ) -> Job:
        """Claim exactly one job, ``job`` if it is said, and return it with its lease."""
        name = queue if job is None else job.queue_name
        (taken,) = self.claim(queue=name, visibility_timeout=visibility_timeout).jobs
        assert job is None or taken.id == job.id
        assert taken.status is Status.RUNNING
        return taken

    def ack(self, job_id: str, token: str | None = None, result: str | None = None) -> Answer:
        """Acknowledge one job; answers a settlement or a refusal."""
        (answer,) = self.backend.ack([Ack(job_id, token, result)])
        return answer

    def fail(self, job_id: str, token: str | None = None, failure: Failure = PLAIN) -> Answer:
        """Fail one job; answers a settlement or a refusal."""
        (answer,) = self.backend.fail([Fail(job_id, token, failure)])
        return answer

    def release(self, job_id: str, token: str | None = None, delay: float = 0.0) -> Answer:
        """Hand one job back; answers a settlement or a refusal."""
        (answer,) = self.backend.release([Release(job_id, token, delay)])
        return answer

    def finish(self, **wish: Unpack[Wish]) -> Job:
        """Enqueue, claim and acknowledge one job, alone in its queue."""
        job = self.put(**wish)
        return settled(self.ack(self.take(job).id)).job

    def bury(self, **wish: Unpack[Wish]) -> Job:
        """Enqueue, claim and reject one job, alone in its queue."""
        job = self.put(**wish)
        buried = settled(self.fail(self.take(job).id, None, Failure("broken", retryable=False))).job
        assert buried.status is Status.DEAD
        return buried

    def cancel(self, job: Job) -> Job:
        """Cancel one job, which must be possible."""
        return answered(self.backend.cancel([job.id])[0])

    def redrive(self, job: Job) -> Job:
        """Redrive one job, which must be possible."""
        return answered(self.backend.redrive([job.id])[0])

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def find(self, job_id: str) -> Job | None:
        """Read one record, if it is there."""
        (job,) = self.backend.get_job([job_id])
        return None if job is None else public(job)

    def get(self, job: Job | str) -> Job:
        """Read one record, which must be there."""
        found = self.find(job if isinstance(job, str) else job.id)
        assert found is not None
        return found

    def stats(self, queue: str = QUEUE) -> QueueStats:
        """Return the figures of one queue."""
        (stats,) = self.backend.list_queues([queue])
        assert stats.name == queue
        return stats

    def length(self, queue: str = QUEUE) -> int:
        """Return the length of one queue."""
        (length,) = self.backend.get_queue_length([queue])
        assert length.queue_name == queue
        return length.pending

    def set(self, edit: QueueEdit) -> QueueStats:
        """Change one queue's settings."""
        (stats,) = self.backend.update_queue([edit])
        return stats

    def promote(self, limit: int = 100) -> Sweep:
        """Run one round of promotion."""
        return _as_seen(self.backend.promote_delayed(limit))

    def reap(self, limit: int = 100) -> Sweep:
        """Run one round of the reaper."""
        return _as_seen(self.backend.requeue_expired(limit))


def _as_seen(answer: S) -> S:
    """Return the answer with its records as everybody may see them."""
    return replace(answer, jobs=tuple(map(public, answer.jobs)))
