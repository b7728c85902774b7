"""The data that all connections share, under one lock, and the one place that changes a record."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actorq.backends.memory.drift import Drift
from actorq.backends.memory.endings import Endings
from actorq.backends.memory.holders import Holders
from actorq.backends.memory.queue import Queue
from actorq.backends.memory.replays import Replay, Replays
from actorq.backends.memory.sorted_keys import SortedKeys
from actorq.backends.memory.timetable import Timetable
from actorq.core import dependence
from actorq.core.queue import QueueSettings
from actorq.core.transitions import LIVE, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from actorq.core.job import Job
    from actorq.core.policy import Policy
    from actorq.core.schedule import Schedule

STIRRED: Final = 10_000
"""How many jobs are remembered that others stirred: hints, of which the first are lost when nobody asks."""

_PENDING, _DELAYED, _RUNNING = Status.PENDING, Status.DELAYED, Status.RUNNING


class Data:
    """Every record with its indexes and figures. Enter it for one atomic step, at one instant.

    ``with data as now:`` takes the lock and reads the store's clock. If the block raises, everything
    that it wrote is undone. Nothing in here is touched outside of such a block.

    ``dues`` holds the waiting jobs by the instant at which they become due or lapse, ``leases`` the
    running ones by the end of their lease. ``stirred`` are the jobs that changed as another one ended.
    """

    def __init__(self, policy: Policy, clock: Callable[[], int]) -> None:
        """Start empty."""
        self.policy = policy
        self.jobs: dict[str, Job] = {}
        self.queues: dict[str, Queue] = {}
        self.dues: SortedKeys[tuple[int, str]] = SortedKeys()
        self.leases: SortedKeys[tuple[int, str]] = SortedKeys()
        self.endings = Endings(self.jobs)
        self.holders = Holders()
        self.replays = Replays()
        self.drift = Drift()
        self.timetable = Timetable()
        self.stirred: deque[Job] = deque(maxlen=STIRRED)
        self._clock = clock
        self._lock = Lock()
        self._now = 0
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> int:
        self._lock.acquire()
        try:
            self._now = self._clock()
        except BaseException:
            self._lock.release()
            raise
        return self._now

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

    def write(self, job: Job) -> Job:
        """Take over a record, new or changed; return it as it may be given out.

        The children of a job that has ended are told in the same step, and theirs of them.
        """
        before = self.jobs.get(job.id)
        job = self.put(job)
        if job.workflow is not None:
            was = None if before is None else before.status
            self._tell_children(job.id, job.status, dependence.to_tell(was, job), job.updated_at)
        return job

    def put(self, job: Job) -> Job:
        """Take over one record, and tell nobody."""
        before = self.jobs.get(job.id)
        if before is not None and job.updated_at < before.updated_at:
            job = _not_before(job, before.updated_at)
        kept = apart(job)
        queue = self.queue(job.queue_name)
        self._undo.append(lambda: self._restore(queue, before, kept))
        if before is None:
            queue.accepted += 1
            self.drift.saw(kept)
        self._move(queue, before, kept)
        return job

    def remove(self, job: Job) -> Job:
        """Take a record out, and count it as pruned."""
        queue = self.queues[job.queue_name]
        self._undo.append(lambda: self._restore(queue, job, None))
        queue.pruned += 1
        self._move(queue, job, None)
        if job.status in LIVE:
            self._tell_children(job.id, None, dependence.dependents(job), self._now)
        return job

    def _tell_children(
        self, parent_id: str, status: Status | None, children: tuple[str, ...], now: int
    ) -> None:
        """Tell children how their parent ended, and those of each that ends of it."""
        families = [(parent_id, status, children)]
        for parent, end, ids in families:
            for child in filter(None, map(self.jobs.get, ids)):
                told = dependence.parent_ended(child, parent, end, now)
                if told is not None:
                    written = self.put(told)
                    self.stirred.append(written)
                    families.append(
                        (written.id, written.status, dependence.to_tell(child.status, written))
                    )

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

    def put_schedule(self, name: str, after: Schedule | None) -> None:
        """Keep a schedule in place of any other of its name; None takes it away."""
        before = self.timetable.get(name)
        self._undo.append(lambda: self.timetable.put(name, before))
        self.timetable.put(name, after)

    # ── indexes ─────────────────────────────────────────────────────────────────────────────────

    def _move(self, queue: Queue, before: Job | None, after: Job | None) -> None:
        """Put ``after`` in the place of ``before``, in the records and in every index."""
        if after is not None:
            self.jobs[after.id] = after
        elif before is not None:
            del self.jobs[before.id]
        if before is not None and after is not None and before.status is after.status is _RUNNING:
            # A renewal or a report: only the end of the lease may be another.
            self.leases.discard((_lease_end(before), before.id))
            self.leases.add((_lease_end(after), after.id))
            return
        if before is not None:
            self._leave(queue, before)
        if after is not None:
            self._enter(queue, after)

    def _enter(self, queue: Queue, job: Job) -> None:
        job_id, status = job.id, job.status
        queue.ids[status].add(job_id)
        if status is _PENDING:
            queue.ready.add(job_id, job.priority)
            queue.ages.add((job.created_at, job_id))
            if job.expires_at is not None:
                self.dues.add((job.expires_at, job_id))
        elif status is _RUNNING:
            self.leases.add((_lease_end(job), job_id))
        elif status is _DELAYED:
            self.dues.add((_due(job), job_id))
        else:
            self.endings.enter(queue.ended[status], job)
        if job.dedupe_key is not None:
            self.holders.enter(job)

    def _leave(self, queue: Queue, job: Job) -> None:
        job_id, status = job.id, job.status
        queue.ids[status].discard(job_id)
        if status is _PENDING:
            queue.ready.discard(job_id, job.priority)
            queue.ages.discard((job.created_at, job_id))
            if job.expires_at is not None:
                self.dues.discard((job.expires_at, job_id))
        elif status is _RUNNING:
            self.leases.discard((_lease_end(job), job_id))
        elif status is _DELAYED:
            self.dues.discard((_due(job), job_id))
        else:
            self.endings.leave(queue.ended[status], job)
        if job.dedupe_key is not None:
            self.holders.leave(job)


def _lease_end(job: Job) -> int:
    assert job.lease is not None
    return job.lease.expires_at


def _due(job: Job) -> int:
    """Return when something is to be done with a delayed job: it is due, or it lapses."""
    return job.available_at if job.expires_at is None else min(job.available_at, job.expires_at)


def apart(job: Job) -> Job:
    """Return the record with a map of metadata of its own.

    A map can be changed by whoever holds it. So none is ever both in here and in a caller's hands.
    """
    return replace(job, metadata=dict(job.metadata)) if job.metadata else job


def _not_before(job: Job, instant: int) -> Job:
    """Return a record whose last write is no earlier than ``instant``.

    The clock was turned back since the write before. What is due still goes by the clock, but the
    story that a record tells must not run backwards.
    """
    ended_at = None if job.completed_at is None else instant
    return replace(job, updated_at=instant, completed_at=ended_at)
