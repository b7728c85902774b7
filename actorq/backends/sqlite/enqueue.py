"""Enqueue: new jobs, their dedupe keys and their idempotency keys, in one step (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite.queues import QueueRow, create_queue, queues_by_name
from actorq.backends.sqlite.statements import statement
from actorq.core import dependence, verdicts
from actorq.core.instants import to_us
from actorq.core.job import DependentJob, NewJob, create
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import LIVE
from actorq.errors import ActorqError, DuplicateJob, IdempotencyKeyReused, QueueFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.sqlite.rows import Entry
from actorq.backends.sqlite.work import Work

_BY_KEY: Final = statement("replays", "by_key")
_PUT: Final = statement("replays", "put")

Answer = Enqueued | PrunedReplay | ActorqError


class Replay(msgspec.Struct, frozen=True):
    """What is known of an accepted request until the instant ``until``; it outlives its job."""

    key: str
    fingerprint: str
    outcome: str
    job_id: str
    queue_name: str
    created_at: int
    until: int


def enqueue(work: Work, items: Sequence[NewJob], *, careful: bool) -> list[Answer]:
    """Accept, recognise or refuse each request; ``careful`` reckons with ids that are there already."""
    intake = _Intake(work, items, careful=careful)
    answers = intake.take_all(items)
    intake.flush()
    return answers


class _Intake:
    def __init__(self, work: Work, items: Sequence[NewJob], *, careful: bool) -> None:
        """Load what the requests may meet."""
        self._work = work
        self._queues = queues_by_name(work.sqlite, {new.queue_name for new in items})
        self._replays: dict[str, Replay] = {}
        self._new_replays: list[Replay] = []
        ids = [new.id for new in items if careful or self._may_be_refused(new)]
        self._children = [new for new in items if type(new) is DependentJob]
        ids += [parent_id for child in self._children for parent_id in child.depends_on]
        keys = [new.idempotency.key for new in items if new.idempotency is not None]
        if keys:
            self._load_replays(keys)
            ids += [replay.job_id for replay in self._replays.values()]
        if ids:
            work.load(ids)
        places = [
            (self._queues[new.queue_name].id, new.dedupe_key)
            for new in items
            if new.dedupe_key is not None and new.queue_name in self._queues
        ]
        work.load_holders(places)

    def take_all(self, items: Sequence[NewJob]) -> list[Answer]:
        """Answer requests, each of which sees the effects of those before it."""
        if not self._children:
            return [self._take(new) for new in items]
        answers: list[Answer] = []
        stand_ins: dict[str, str] = {}
        for new in items:
            answer = self._take(dependence.renamed(new, stand_ins))
            dependence.note_stand_in(stand_ins, new, answer)
            answers.append(answer)
        return answers

    def _take(self, new: NewJob) -> Answer:
        if new.idempotency is None:
            return self._accept(new)
        known = self._replays.get(new.idempotency.key)
        if known is not None and known.until > self._work.now:
            return self._replay(known, new.idempotency.fingerprint)
        answer = self._accept(new)
        if isinstance(answer, Enqueued):
            job = answer.job
            replay = Replay(
                new.idempotency.key,
                new.idempotency.fingerprint,
                answer.outcome.value,
                job.id,
                job.queue_name,
                job.created_at,
                self._work.now + to_us(self._work.policy.idempotency_ttl),
            )
            self._replays[replay.key] = replay
            self._new_replays.append(replay)
        return answer

    def flush(self) -> None:
        """Write everything."""
        self._work.flush()
        if self._new_replays:
            rows = [msgspec.structs.astuple(replay) for replay in self._new_replays]
            self._work.sqlite.executemany(_PUT, rows)

    def _may_be_refused(self, new: NewJob) -> bool:
        # A repeat needs neither room, key nor parents, so whether it is one must be known before.
        if new.dedupe_key is not None or type(new) is DependentJob:
            return True
        queue = self._queues.get(new.queue_name)
        return queue is not None and queue.settings.max_depth is not None

    def _load_replays(self, keys: list[str]) -> None:
        rows = self._work.sqlite.execute(_BY_KEY, (msgspec.json.encode(keys).decode(),)).fetchall()
        for row in cast("list[tuple[str, str, str, str, str, int, int]]", rows):
            self._replays[row[0]] = Replay(*row)

    def _replay(self, known: Replay, fingerprint: str) -> Answer:
        if known.fingerprint != fingerprint:
            return IdempotencyKeyReused()
        entry = self._work.entries.get(known.job_id)
        outcome = Outcome(known.outcome)
        if entry is None:
            return PrunedReplay(known.job_id, known.queue_name, known.created_at, outcome)
        return Enqueued(entry.job, outcome, replayed=True)

    def _accept(self, new: NewJob) -> Enqueued | ActorqError:
        work = self._work
        again = work.entries.get(new.id)
        if again is not None:
            return Enqueued(again.job)
        queue = self._queues.get(new.queue_name)
        if queue is not None:
            if new.dedupe_key is not None:
                holder = work.holder((queue.id, new.dedupe_key))
                if holder is not None:
                    return self._duplicate(new, holder)
            depth = queue.settings.max_depth
            if depth is not None and queue.waiting >= depth:
                return QueueFull(new.queue_name, depth)
        if type(new) is DependentJob:
            return self._accept_child(new, queue)
        queue = queue or self._create_queue(new.queue_name)
        queue.waiting += 1
        return Enqueued(work.add(create(new, work.now), queue.id))

    def _accept_child(self, new: DependentJob, queue: QueueRow | None) -> Enqueued | ActorqError:
        work = self._work
        entries = [work.entries.get(parent_id) for parent_id in new.depends_on]
        parents = [None if entry is None else entry.job for entry in entries]
        refused = dependence.refusal(new, parents)
        if refused is not None:
            return refused
        child = dependence.create_child(new, parents, work.now)
        if child.waits_for_others:
            for entry in filter(None, entries):
                noted = dependence.with_dependent(entry.job, new.id, work.now)
                if noted is not None:
                    work.change(entry, noted)
        queue = queue or self._create_queue(new.queue_name)
        queue.waiting += child.status in LIVE
        return Enqueued(work.add(child, queue.id))

    def _create_queue(self, name: str) -> QueueRow:
        queue = create_queue(self._work.sqlite, name)
        self._queues[name] = queue
        return queue

    def _duplicate(self, new: NewJob, holder: Entry) -> Enqueued | ActorqError:
        after = verdicts.duplicate(new, holder.job, self._work.now)
        if isinstance(after, DuplicateJob):
            return after
        if after is holder.job:
            return Enqueued(after, Outcome.DUPLICATE)
        return Enqueued(self._work.edit(holder, after), Outcome.REPLACED)
