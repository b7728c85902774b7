"""Enqueue: new jobs, their dedupe keys and their idempotency keys, in one step (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.backends.postgres import arrays, queues
from actorq.backends.postgres.families import Entangled
from actorq.core import dependence, lifecycle
from actorq.core.bounds import is_job_id
from actorq.core.instants import to_us
from actorq.core.job import FORMAT, DependentJob, NewJob, OnDuplicate, create
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import LIVE, WAITING, Status
from actorq.errors import (
    ActorqError,
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidInput,
    QueueFull,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Result, Statement
    from actorq.backends.postgres.queues import Queue
    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.work import Place, Work

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


def enqueue(work: Work, items: Sequence[NewJob]) -> list[Answer]:
    """Accept, recognise or refuse each request.

    What is free when it is looked for may be taken when it is written: then the write fails, and all
    of this is done again. So nothing is locked that is only looked at.
    """
    intake = Intake(work, items)
    intake.load()
    answers = intake.take_all(items)
    intake.finish()
    return answers


class Intake:
    """What takes new jobs: it loads, answers one after the other, and finishes the transaction."""

    def __init__(self, work: Work, items: Sequence[NewJob]) -> None:
        """Take ``items``; nothing is read yet."""
        self._work = work
        self._items = [new for new in items if is_job_id(new.id)]
        self._children = [new for new in self._items if type(new) is DependentJob]
        self._older: list[str] = []
        self._queues: dict[str, Queue] = {}
        self._replays: dict[str, Replay] = {}
        self._new_replays: list[Replay] = []

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def load(self) -> None:
        """Load what the requests may meet."""
        work = self._work
        names = {new.queue_name for new in self._items}
        self._queues = queues.named(work, names)
        if len(self._queues) < len(names):
            self._queues = queues.create(work, names)
        if self._children:
            self._lock_parents()
        # Before a request is refused or called a duplicate it must be known not to be a repeat.
        bounded = any(queue.settings.max_depth is not None for queue in self._queues.values())
        keyed = any(new.dedupe_key is not None for new in self._items)
        careful = bounded or keyed or bool(self._children)
        # Otherwise a repeat is so rare that the write may find out.
        ids = [new.id for new in self._items] if careful or work.again else []
        ids += self._load_replays()
        if ids:
            (result,) = work.ask(work.statements("jobs.read", arrays.uuids(ids)))
            work.enter(result)
        work.load_holders(self._places(self._items), lock=self._replacing())
        self._lock_bounded()

    def _lock_parents(self) -> None:
        """Lock the jobs that others are to depend on, together with those that may be replaced."""
        work = self._work
        ids = [parent_id for child in self._children for parent_id in child.depends_on]
        if places := self._replacing():
            ids += work.peek_holders(places)
        work.lock(ids)

    def _replacing(self) -> list[Place]:
        return self._places(n for n in self._items if n.on_duplicate is OnDuplicate.REPLACE)

    def _load_replays(self) -> list[str]:
        keys = [new.idempotency.key for new in self._items if new.idempotency is not None]
        if keys:
            (result,) = self._work.ask(self._work.statements("replays.by_key", arrays.texts(keys)))
            self._replays = {replay.key: replay for replay in result.rows(_read_replay)}
        return [replay.job_id for replay in self._replays.values()]

    def _places(self, items: Iterable[NewJob]) -> list[Place]:
        keyed = [(self._queues[new.queue_name].id, new.dedupe_key) for new in items]
        return [(queue, key) for queue, key in keyed if key is not None]

    def _lock_bounded(self) -> None:
        bounded = [q for q in self._queues.values() if q.settings.max_depth is not None]
        if not bounded:
            return
        locked = queues.lock(self._work, bounded)
        held = queues.figures(self._work, locked)
        for queue in locked.values():
            counts = held.get(queue.id, queues.Figures()).counts
            queue.waiting = sum(counts[status] for status in WAITING)
            self._queues[queue.name] = queue

    # ── deciding ────────────────────────────────────────────────────────────────────────────────

    def take_all(self, items: Sequence[NewJob]) -> list[Answer]:
        """Answer requests; a job that stands for one of them stands for it to those who depend on it."""
        if not self._children:
            return [self.take(new) for new in items]
        answers: list[Answer] = []
        stand_ins: dict[str, str] = {}
        for new in items:
            answer = self.take(dependence.renamed(new, stand_ins))
            dependence.note_stand_in(stand_ins, new, answer)
            answers.append(answer)
        return answers

    def take(self, new: NewJob) -> Answer:
        """Answer one request."""
        if not is_job_id(new.id):
            return InvalidInput("/id", "must be a UUID in lower case")
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
        queue = self._queues[new.queue_name]
        if new.dedupe_key is not None:
            holder = work.holder((queue.id, new.dedupe_key))
            if holder is not None:
                return self._duplicate(new, holder)
        depth = queue.settings.max_depth
        if depth is not None and queue.waiting >= depth:
            return QueueFull(new.queue_name, depth)
        if type(new) is DependentJob:
            return self._accept_child(new, queue)
        queue.waiting += 1
        return Enqueued(work.add(create(new, work.now), queue.id).job)

    def _accept_child(self, new: DependentJob, queue: Queue) -> Enqueued | ActorqError:
        work = self._work
        found = [work.entries.get(parent_id) for parent_id in new.depends_on]
        loose = [
            entry.job.id
            for entry in found
            if entry is not None and entry.was is not None and entry.job.status in LIVE
            and entry.job.id not in work.locked
        ]  # fmt: skip
        if loose:
            # What stands for a parent is known only now; it must not end meanwhile.
            raise Entangled(loose)
        parents = [None if entry is None else entry.job for entry in found]
        refused = dependence.refusal(new, parents)
        if refused is not None:
            return refused
        child = dependence.create_child(new, parents, work.now)
        if child.waits_for_others:
            for parent in filter(None, found):
                self._note_child(parent, new.id)
        queue.waiting += child.status in WAITING
        return Enqueued(work.add(child, queue.id).job)

    def _note_child(self, parent: Entry, child_id: str) -> None:
        work = self._work
        noted = dependence.with_dependent(parent.job, child_id, work.now)
        if noted is None:
            return
        work.change(parent, noted)
        if parent.was is None:
            return
        work.families.stirred[noted.id] = parent
        if noted.status is Status.PENDING:
            # While it is locked a claim passes over it.
            work.awake.add(parent.queue)
        if parent.format < FORMAT:
            parent.format = FORMAT
            self._older.append(noted.id)

    def _duplicate(self, new: NewJob, holder: Entry) -> Enqueued | ActorqError:
        if new.on_duplicate is OnDuplicate.REJECT:
            return DuplicateJob(holder.job.id, new.dedupe_key or "")
        if new.on_duplicate is OnDuplicate.REPLACE and holder.job.status in WAITING:
            job = lifecycle.replace_waiting(holder.job, new, self._work.now)
            return Enqueued(self._work.change(holder, job), Outcome.REPLACED)
        return Enqueued(holder.job, Outcome.DUPLICATE)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def finish(self, *beside: Statement) -> list[Result]:
        """Write everything, and what stands ``beside`` it; return what that gave."""
        work = self._work
        last: list[Statement] = []
        if self._new_replays:
            last.append(_remember(work, self._new_replays))
        if self._older:
            # Or a server of that format would drop what it does not know of them.
            older = arrays.uuids(sorted(self._older)), arrays.int4(FORMAT)
            last.append(work.statements("families.raise_format", *older))
        unused = {queue.id for queue in self._queues.values() if queue.is_new}
        if unused:
            unused -= {entry.queue for entry in work.entries.values()}
        if unused:
            # A queue is there from its first job on, and all that was to be in these was refused.
            last.append(work.statements("queues.withdraw", arrays.int4s(sorted(unused))))
        drift = work.shared.drift
        if self._items:
            drift = drift.covering(self._items, work.now)
        if drift is not work.shared.drift:
            widest = arrays.int8(drift.least), arrays.int8(drift.greatest)
            last.append(work.statements("listing.widen_drift", *widest))
        results = work.finish(*last, *beside)
        work.shared.drift = drift
        return results[len(last) :]


def _remember(work: Work, replays: Sequence[Replay]) -> Statement:
    ordered = sorted(replays, key=lambda replay: replay.key)
    return work.statements(
        "replays.remember",
        arrays.texts([replay.key for replay in ordered]),
        arrays.texts([replay.fingerprint for replay in ordered]),
        arrays.texts([replay.outcome for replay in ordered]),
        arrays.uuids([replay.job_id for replay in ordered]),
        arrays.texts([replay.queue_name for replay in ordered]),
        arrays.int8s([replay.created_at for replay in ordered]),
        arrays.int8(ordered[0].until),
        arrays.int8(work.now),
    )


def _read_replay(row: Sequence[Any]) -> Replay:
    return Replay(*row)
