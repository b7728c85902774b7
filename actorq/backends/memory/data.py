"""The data that all connections share, under one lock, and the one place that changes a record."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.backends.memory.agenda import Agenda
from actorq.backends.memory.drift import Drift
from actorq.backends.memory.endings import Endings
from actorq.backends.memory.holders import Holders
from actorq.backends.memory.queue import Queue
from actorq.backends.memory.replays import Replay, Replays
from actorq.core.queue import QueueSettings
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from actorq.core.job import Job
    from actorq.core.policy import Policy

_PENDING, _DELAYED, _RUNNING = Status.PENDING, Status.DELAYED, Status.RUNNING


class Data:
    """Every record with its indexes and figures. Enter it for one atomic step, at one instant.

    ``with data as now:`` takes the lock and reads the store's clock. If the block raises, everything
    that it wrote is undone. Nothing in here is touched outside of such a block.

    ``dues`` holds the waiting jobs by the instant at which they become due or lapse, ``leases`` the
    running ones by the end of their lease.
    """

    def __init__(self, policy: Policy, clock: Callable[[], int]) -> None:
        """Start empty."""
        self.policy = policy
        self.jobs: dict[str, Job] = {}
        self.queues: dict[str, Queue] = {}
        self.dues = Agenda()
        self.leases = Agenda()
        self.endings = Endings(self.jobs)
        self.holders = Holders()
        self.replays = Replays()
        self.drift = Drift()
        self._clock = clock
        self._lock = Lock()
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> int:
        self._lock.acquire()
        try:
            return self._clock()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is not None:
                while self._undo:
                    self._undo.pop()()
        finally:
            self._undo.clear()
            self._lock.release()

    # ── records ─────────────────────────────────────────────────────────────────────────────────

    def read(self, job: Job) -> Job:
        """Return a record as it may be given out: what its reader does to it changes nothing here."""
        return replace(job, metadata=dict(job.metadata)) if job.metadata else job

    def write(self, job: Job) -> Job:
        """Take over a record, new or changed; return it as it may be given out."""
        before = self.jobs.get(job.id)
        if before is None:
            queue = self.queue(job.queue_name)
            queue.accepted += 1
            self.drift.saw(job)
        else:
            queue = self.queues[job.queue_name]
            if job.updated_at < before.updated_at:
                job = _not_before(job, before.updated_at)
        # The caller's map of metadata stays the caller's.
        kept = self.read(job)
        self._undo.append(lambda: self._restore(queue, before, kept))
        self._move(queue, before, kept)
        return job

    def remove(self, job: Job) -> Job:
        """Take a record out, and count it as pruned."""
        queue = self.queues[job.queue_name]
        queue.pruned += 1
        self._undo.append(lambda: self._restore(queue, job, None))
        self._move(queue, job, None)
        return job

    def _restore(self, queue: Queue, before: Job | None, after: Job | None) -> None:
        if before is None:
            queue.accepted -= 1
        elif after is None:
            queue.pruned -= 1
        self._move(queue, after, before)

    # ── queues and requests ─────────────────────────────────────────────────────────────────────

    def queue(self, name: str) -> Queue:
        """Return the queue of this name, made if it is not there yet."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(name, self.policy)
            self._undo.append(lambda: self._forget(name))
        return queue

    def set(self, queue: Queue, settings: QueueSettings) -> None:
        """Change the settings of a queue."""
        before = queue.settings
        self._undo.append(lambda: self._set(queue, before))
        self._set(queue, settings)

    def remember(self, key: str, replay: Replay | None) -> None:
        """Keep what is known of an accepted request; None forgets it."""
        before = self.replays.get(key)
        self._undo.append(lambda: self.replays.put(key, before))
        self.replays.put(key, replay)

    def _forget(self, name: str) -> None:
        del self.queues[name]

    def _set(self, queue: Queue, settings: QueueSettings) -> None:
        queue.set(settings, self.policy)
        for ended in queue.ended.values():
            self.endings.reckon(ended)

    # ── indexes ─────────────────────────────────────────────────────────────────────────────────

    def _move(self, queue: Queue, before: Job | None, after: Job | None) -> None:
        """Put ``after`` in the place of ``before``, in the records and in every index."""
        anew = before is None or after is None or after.status is not before.status
        if before is not None and anew:
            self._leave(queue, before)
        if after is not None:
            self._enter(queue, after, anew=anew)

    def _leave(self, queue: Queue, job: Job) -> None:
        job_id, status = job.id, job.status
        del self.jobs[job_id]
        queue.ids[status].discard(job_id)
        if status is _PENDING:
            queue.ready.discard(job_id)
            queue.ages.discard(job_id)
            if job.expires_at is not None:
                self.dues.discard(job_id)
        elif status is _RUNNING:
            self.leases.discard(job_id)
        elif status is _DELAYED:
            self.dues.discard(job_id)
        else:
            self.endings.leave(queue.ended[status], job)
        if job.dedupe_key is not None:
            self.holders.leave(job)

    def _enter(self, queue: Queue, job: Job, *, anew: bool) -> None:
        """Enter ``job``; if not ``anew`` it was there under the same status."""
        job_id, status = job.id, job.status
        self.jobs[job_id] = job
        if anew:
            queue.ids[status].add(job_id)
            if job.dedupe_key is not None:
                self.holders.enter(job)
        if status is _PENDING:
            queue.ready.put(job_id, -job.priority)
            queue.ages.put(job_id, job.created_at)
            if job.expires_at is not None:
                self.dues.put(job_id, job.expires_at)
        elif status is _RUNNING:
            assert job.lease is not None
            self.leases.put(job_id, job.lease.expires_at)
        elif status is _DELAYED:
            lapse = job.available_at if job.expires_at is None else job.expires_at
            self.dues.put(job_id, min(job.available_at, lapse))
        elif anew:
            self.endings.enter(queue.ended[status], job)


def _not_before(job: Job, instant: int) -> Job:
    """Return a record whose last write is no earlier than ``instant``.

    The clock was turned back since the write before. What is due still goes by the clock, but the
    story that a record tells must not run backwards.
    """
    ended_at = None if job.completed_at is None else instant
    return replace(job, updated_at=instant, completed_at=ended_at)
