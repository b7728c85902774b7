"""What a store must offer: the ``Backend`` protocol, verb by verb.

The verbs are *blocking* and *batch-first*. Each takes a sequence and is one atomic step (one
transaction, one script) for all of it: either everything that it answers is durable when it
returns, or it raises and nothing is known. Each gives one result per item, in order; an item that is
refused is answered by a value of ``actorq.errors`` and does not touch its neighbours. Items of one
batch see the effects of the items before them, as if they had come one by one.

A verb raises ``BackendUnavailable`` when the store does not answer or refuses for a passing reason.
The caller then repeats what is safe to repeat, on a new connection. Everything is: ids
and tokens are made by the caller, so a repeated enqueue finds its own job (same id: answered as
created, not written twice), and a repeated settlement finds its own token.

What a failure, an expiry or a claim does to a record is decided in ``actorq.core.lifecycle``; a
backend compares tokens, writes and keeps the indexes. ``now`` is always the store's own clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.core.commands import (
        Ack,
        Claim,
        Edit,
        Extend,
        Fail,
        ListJobs,
        Release,
        Report,
    )
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Check, Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError


class Backend(Protocol):
    """One connection to a store. One caller at a time; no thread or event loop is assumed."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys, in one step.

        In this order, per item: a known idempotency key is a replay (or ``IdempotencyKeyReused``); an
        id that exists already is this very call repeated; a held dedupe key is decided by
        ``on_duplicate`` (``DuplicateJob`` for reject); a full queue is ``QueueFull``; a parent that is not
        there is ``InvalidInput``. A job that depends on others waits, and they know of it, or it starts its
        life as ``actorq.core.dependence`` decides by their ends.
        """
        ...

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs: highest priority first, then smallest id.

        Atomic per claim. Respects ``paused`` and ``max_running``, and says so in its answer; a pending
        job whose ``expires_at`` has passed is buried instead of given out. Claims earlier in the
        batch are served first.
        """
        ...

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``, in any order."""
        ...

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs, token compared in the same step: ``NotFound``, ``LeaseLost``, ``NotLeased``."""
        ...

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each; errors as ``ack``."""
        ...

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure; errors as ``ack``."""
        ...

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases; the token stays; errors as ``ack``. Touches no index that claims use."""
        ...

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress; errors as ``ack``."""
        ...

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones: ``NotFound``, ``IllegalTransition``.

        Cancelling what is cancelled already answers the job again.
        """
        ...

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life, taking their dedupe key back in the same step.

        ``NotFound``, ``IllegalTransition``, ``AlreadyStarted`` (at most once), ``DuplicateJob`` when a
        live job holds the key by now.
        """
        ...

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs as last committed."""
        ...

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs: ``NotFound``, ``StaleVersion``, ``IllegalTransition`` once running."""
        ...

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned: ``NotFound``, ``IllegalTransition``."""
        ...

    def stirred(self) -> Sequence[Job]:
        """Return, once, the jobs that the verbs since the last time changed beyond those they answered.

        Whichever verb ends a job, or removes one that waits, tells its dependents in the same step, as
        ``actorq.core.dependence`` decides, and theirs in turn. What this answers is a hint.
        """
        ...

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first, each re-checked in its own write."""
        ...

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` delayed jobs that have become due, and bury waiting jobs that lapsed."""
        ...

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs (and idempotency records) that retention lets go.

        Answers how many, and the seconds until the next will be due (None: none known).
        A job whose dedupe window still holds its key stays.
        """
        ...

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses (never running ones); answers how many."""
        ...

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first. A filter without an index may give a short page that goes on."""
        ...

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names`` (an unknown one: all zero)."""
        ...

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths; an unknown queue has length 0."""
        ...

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        ...

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules, as ``actorq.core.defining`` decides.

        ``ScheduleNotFound``, ``ScheduleExists``, ``StaleSchedule``, ``InvalidInput`` for a timing without
        a tick to come. What was removed is answered as it was.
        """
        ...

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules as last committed."""
        ...

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List up to ``limit`` schedules whose names follow ``after``, byte by byte, in that order."""
        ...

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come, as ``actorq.core.firing`` decides.

        A schedule advances in the very step that makes its job, or notes it down to be made: one job for
        each tick, whoever else fires at the same time. The answer's jobs are those made.
        """
        ...

    def check(self) -> Check:
        """Prove that a write would work now, and tell the store's clock."""
        ...

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        ...


class Listener(Protocol):
    """A connection that hears of other processes' work. What it says is a hint, never a fact."""

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for news.

        Returns the queues that may have ready jobs (empty: nothing happened), or None when
        something happened and it is not known where.
        """
        ...

    def interrupt(self) -> None:
        """Make a ``wait`` in another thread return soon."""
        ...

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        ...


class Store(Protocol):
    """Where the connections of one installation come from. Safe to use from several threads."""

    inline: bool
    """True when no verb ever blocks, so that a lane may call it on the event loop."""

    max_writers: int | None
    """How many writing connections can help; None leaves it to the setting."""

    @property
    def id_tail(self) -> Callable[[str], int | None] | None:
        """What the last ``core.ids.TAIL_BITS`` bits of the ids in a queue shall be, by its name.

        None, or None for a queue, leaves them to chance. A store that spreads queues over places can tell
        from such an id where its job is. No id has to be so made: another one is only slower to find.
        """
        ...

    def open(self) -> Check:
        """Prepare the store: check what it promises, apply migrations. Safe to race with others.

        Raises ``ConfigurationError`` for what waiting will not cure, else ``BackendUnavailable``.
        """
        ...

    def connect(self) -> Backend:
        """Open one more connection."""
        ...

    def listen(self) -> Listener | None:
        """Open a connection for news; None when no other process can share this store."""
        ...

    def close(self) -> None:
        """Let go of what the store itself holds; its connections were closed before."""
        ...
