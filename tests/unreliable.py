"""A store that counts its calls and fails when it is told to: loses answers, refuses, is away."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from actorq.errors import BackendUnavailable

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

T = TypeVar("T")


class Trouble:
    """What goes wrong, shared by all connections of one store.

    ``lose`` and ``refuse`` count, by verb, how many of the next calls raise: those lost take
    effect before, those refused do not. A store that is ``away`` cannot even be connected to. A
    call with ``poison`` in its items is a bug of the store's.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.lose: Counter[str] = Counter()
        self.refuse: Counter[str] = Counter()
        self.away = False
        self.poison: str | None = None
        self.before: Callable[[str], None] | None = None
        self.after: Callable[[str], None] | None = None
        self.connections = 0
        self.all_closed = threading.Event()
        self.attempts = 0
        """How often somebody tried to connect."""

    def count(self, verb: str) -> int:
        """Return how often ``verb`` was called."""
        return sum(name == verb for name, _ in self.calls)

    def sizes(self, verb: str) -> list[int]:
        """Return how many items each call of ``verb`` had."""
        return [size for name, size in self.calls if name == verb]

    def through(self, verb: str, items: Sequence[object], call: Callable[[], T]) -> T:
        """Make the call, or fail as told."""
        self.calls.append((verb, len(items)))
        if self.before is not None:
            self.before(verb)
        if self.away:
            raise BackendUnavailable("the store is away")
        if self.refuse[verb]:
            self.refuse[verb] -= 1
            raise BackendUnavailable("refused")
        if self.poison is not None and any(self.poison in str(item) for item in items):
            raise ValueError("the store will not take this")
        result = call()
        if self.after is not None:
            self.after(verb)
        if self.lose[verb]:
            self.lose[verb] -= 1
            raise BackendUnavailable("the answer was lost")
        return result


class UnreliableBackend:
    """One connection, with trouble in between."""

    def __init__(self, inner: Backend, trouble: Trouble) -> None:
        self._inner = inner
        self._trouble = trouble

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        return self._trouble.through("enqueue", items, lambda: self._inner.enqueue(items))

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        return self._trouble.through("dequeue", claims, lambda: self._inner.dequeue(claims))

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        return self._trouble.through("find_claims", tokens, lambda: self._inner.find_claims(tokens))

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        return self._trouble.through("ack", items, lambda: self._inner.ack(items))

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        return self._trouble.through("fail", items, lambda: self._inner.fail(items))

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        return self._trouble.through("release", items, lambda: self._inner.release(items))

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        return self._trouble.through("extend", items, lambda: self._inner.extend(items))

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        return self._trouble.through("report", items, lambda: self._inner.report(items))

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        return self._trouble.through("cancel", ids, lambda: self._inner.cancel(ids))

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        return self._trouble.through("redrive", ids, lambda: self._inner.redrive(ids))

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        return self._trouble.through("get_job", ids, lambda: self._inner.get_job(ids))

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        return self._trouble.through("update_job", edits, lambda: self._inner.update_job(edits))

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        return self._trouble.through("delete", ids, lambda: self._inner.delete(ids))

    def stirred(self) -> Sequence[Job]:
        return self._inner.stirred()

    def requeue_expired(self, limit: int) -> Sweep:
        return self._trouble.through("requeue", [], lambda: self._inner.requeue_expired(limit))

    def promote_delayed(self, limit: int) -> Sweep:
        return self._trouble.through("promote", [], lambda: self._inner.promote_delayed(limit))

    def prune(self, limit: int) -> tuple[int, float | None]:
        return self._trouble.through("prune", [], lambda: self._inner.prune(limit))

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        return self._trouble.through(
            "purge", [], lambda: self._inner.purge(queue_name, statuses, limit)
        )

    def list_jobs(self, query: ListJobs) -> Page:
        return self._trouble.through("list_jobs", [], lambda: self._inner.list_jobs(query))

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        return self._trouble.through("list_queues", [], lambda: self._inner.list_queues(names))

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        return self._trouble.through("length", names, lambda: self._inner.get_queue_length(names))

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        return self._trouble.through("update_queue", edits, lambda: self._inner.update_queue(edits))

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        return self._trouble.through(
            "change_schedules", changes, lambda: self._inner.change_schedules(changes)
        )

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        return self._trouble.through(
            "get_schedules", names, lambda: self._inner.get_schedules(names)
        )

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        return self._trouble.through(
            "list_schedules", [], lambda: self._inner.list_schedules(after, limit)
        )

    def fire_schedules(self, limit: int) -> Sweep:
        return self._trouble.through("fire", [], lambda: self._inner.fire_schedules(limit))

    def check(self) -> Check:
        return self._trouble.through("check", [], self._inner.check)

    def close(self) -> None:
        self._inner.close()
        self._trouble.connections -= 1
        if not self._trouble.connections:
            self._trouble.all_closed.set()


class UnreliableStore:
    """A store whose connections are unreliable; with ``threads``, lanes call it in their threads."""

    def __init__(self, inner: Store, *, threads: bool = False) -> None:
        self._inner = inner
        self.inline = inner.inline and not threads
        self.max_writers = inner.max_writers
        self.id_tail = inner.id_tail
        self.trouble = Trouble()
        self.closed = 0

    def open(self) -> Check:
        if self.trouble.away:
            raise BackendUnavailable("the store is away")
        return self._inner.open()

    def connect(self) -> Backend:
        self.trouble.attempts += 1
        if self.trouble.away:
            raise BackendUnavailable("the store is away")
        self.trouble.connections += 1
        return UnreliableBackend(self._inner.connect(), self.trouble)

    def listen(self) -> Listener | None:
        return self._inner.listen()

    def close(self) -> None:
        self.closed += 1
        self._inner.close()
