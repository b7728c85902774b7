"""A store whose calls go wrong as a test wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.backend import Backend, Listener, Store
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Check, Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError
    from actorq.testing.faults import Faults


class FaultyBackend:
    """One connection, with faults in between."""

    def __init__(self, inner: Backend, faults: Faults) -> None:
        """Pass on to ``inner`` what ``faults`` let through."""
        self._inner = inner
        self._through = faults.through
        self._notice = faults.notice_change

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Pass on."""
        return self._through("enqueue", lambda: self._inner.enqueue(items))

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Pass on."""
        return self._through("dequeue", lambda: self._inner.dequeue(claims))

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Pass on."""
        return self._through("find_claims", lambda: self._inner.find_claims(tokens))

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Pass on."""
        return self._through("ack", lambda: self._inner.ack(items))

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Pass on."""
        return self._through("fail", lambda: self._inner.fail(items))

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Pass on."""
        return self._through("release", lambda: self._inner.release(items))

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("extend", lambda: self._inner.extend(items))

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("report", lambda: self._inner.report(items))

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("cancel", lambda: self._inner.cancel(ids))

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("redrive", lambda: self._inner.redrive(ids))

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Pass on."""
        return self._through("get_job", lambda: self._inner.get_job(ids))

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("update_job", lambda: self._inner.update_job(edits))

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Pass on."""
        return self._through("delete", lambda: self._inner.delete(ids))

    def stirred(self) -> Sequence[Job]:
        """Pass on."""
        return self._inner.stirred()

    def requeue_expired(self, limit: int) -> Sweep:
        """Pass on; a sweep that moved a job is more than upkeep."""
        return self._told(
            self._through("requeue_expired", lambda: self._inner.requeue_expired(limit))
        )

    def promote_delayed(self, limit: int) -> Sweep:
        """Pass on; likewise."""
        return self._told(
            self._through("promote_delayed", lambda: self._inner.promote_delayed(limit))
        )

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Pass on."""
        return self._through("prune", lambda: self._inner.prune(limit))

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Pass on."""
        return self._through("purge", lambda: self._inner.purge(queue_name, statuses, limit))

    def list_jobs(self, query: ListJobs) -> Page:
        """Pass on."""
        return self._through("list_jobs", lambda: self._inner.list_jobs(query))

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Pass on."""
        return self._through("list_queues", lambda: self._inner.list_queues(names))

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Pass on."""
        return self._through("get_queue_length", lambda: self._inner.get_queue_length(names))

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Pass on."""
        return self._through("update_queue", lambda: self._inner.update_queue(edits))

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Pass on."""
        return self._through("change_schedules", lambda: self._inner.change_schedules(changes))

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Pass on."""
        return self._through("get_schedules", lambda: self._inner.get_schedules(names))

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """Pass on."""
        return self._through("list_schedules", lambda: self._inner.list_schedules(after, limit))

    def fire_schedules(self, limit: int) -> Sweep:
        """Pass on; a tick is more than upkeep."""
        return self._told(
            self._through("fire_schedules", lambda: self._inner.fire_schedules(limit))
        )

    def check(self) -> Check:
        """Pass on."""
        return self._through("check", self._inner.check)

    def close(self) -> None:
        """Close the connection; that never fails."""
        self._inner.close()

    def _told(self, sweep: Sweep) -> Sweep:
        if sweep.jobs:
            self._notice()
        return sweep


class FaultyStore:
    """A store with faults. It is called by ``Faults.run``, where it may take its time."""

    def __init__(self, inner: Store, faults: Faults) -> None:
        """Stand before ``inner``."""
        self._inner = inner
        self._faults = faults
        self.inline = False
        self.max_writers = inner.max_writers

    @property
    def id_tail(self) -> Callable[[str], int | None] | None:
        """How the store wants its ids to end."""
        return self._inner.id_tail

    def open(self) -> Check:
        """Open the store, unless it is away."""
        self._faults.refuse_if_away()
        return self._inner.open()

    def connect(self) -> Backend:
        """Open one more connection, unless the store is away."""
        self._faults.refuse_if_away()
        return FaultyBackend(self._inner.connect(), self._faults)

    def listen(self) -> Listener | None:
        """Listen where the store does."""
        return self._inner.listen()

    def close(self) -> None:
        """Close the store."""
        self._inner.close()
