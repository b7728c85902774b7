"""The desk: where new jobs with keys, or for queues with a bound, are accepted one after the other.

Everything that may matter to a batch is read at once; the items are decided on that, each seeing what the
items before it have done; and it is all written if nothing of what was read has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.redis import births, scripting
from actorq.backends.redis.access import Row, records_of
from actorq.backends.redis.drafts import Draft
from actorq.backends.redis.keys import dedupe_field, time_in
from actorq.backends.redis.settings import decode_settings
from actorq.core import dependence, lifecycle
from actorq.core.instants import to_us
from actorq.core.job import Job, NewJob, OnDuplicate
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import WAITING, Status
from actorq.errors import ActorqError, DuplicateJob, IdempotencyKeyReused, QueueFull

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.records import Record
    from actorq.backends.redis.writes import Writes

Answer = Enqueued | PrunedReplay | ActorqError


class _Replay(msgspec.Struct, array_like=True, frozen=True):
    """What is known of an accepted request; its job's id is at the end, where a script finds it."""

    until: int
    fingerprint: str
    outcome: Outcome
    queue_name: str
    created_at: int
    job_id: str


class _Sight(msgspec.Struct, array_like=True, frozen=True):
    """The answer of the script ``look``."""

    now: int
    queues: list[tuple[str | None, int]]
    holders: list[tuple[str | None, str | None]]
    replays: list[msgspec.Raw]
    rows: list[Row]


_sights: Final = msgspec.msgpack.Decoder(_Sight)
_replays: Final = msgspec.msgpack.Decoder(_Replay | None)
_encode: Final = msgspec.msgpack.Encoder().encode


def attempt(
    access: Access, items: Sequence[NewJob], elsewhere: Mapping[str, Job] | None = None
) -> tuple[list[Answer], Writes | None]:
    """Decide a batch on what is there now; return the answers, and the writes that make them true.

    ``elsewhere`` are the parents of its jobs that are in other shards.
    """
    desk = _Desk(access, items, dict(elsewhere or {}))
    return desk.take_all(items), desk.finish()


class _Desk:
    """One attempt to accept a batch: what was read, and what its items have changed so far."""

    def __init__(self, access: Access, items: Sequence[NewJob], elsewhere: dict[str, Job]) -> None:
        """Read everything that may matter to ``items``."""
        self._access = access
        self._names = list(dict.fromkeys(new.queue_name for new in items))
        self._fields = list(dict.fromkeys(_fields_of(items)))
        keys = [new.idempotency.key for new in items if new.idempotency is not None]
        self._keys = list(dict.fromkeys(keys))
        self._elsewhere = elsewhere
        parents = births.parents_here(access, items)
        sight = self._look([new.id for new in items])
        self.now = sight.now
        # What was read first may be older, but whatever is written is compared.
        records = parents | records_of(sight.rows)
        self._draft = Draft(access.keys, sight.now, records)
        pairs = zip(self._names, sight.queues, strict=True)
        self._queues = {name: _Queue(name, *found) for name, found in pairs}
        self._found = dict(zip(self._fields, sight.holders, strict=True))
        self._holders = {
            field: self._holder_of(pair, records) for field, pair in self._found.items()
        }
        self._kept = dict(zip(self._keys, map(bytes, sight.replays), strict=True))
        self._replays = {key: _replays.decode(kept) for key, kept in self._kept.items()}
        self._made: list[str] = []
        self._new_replays: dict[str, _Replay] = {}

    def _look(self, ids: list[str]) -> _Sight:
        keys = self._access.keys
        names = [keys.body, keys.state, keys.queues, keys.holders, keys.windows, keys.replays]
        for name in self._names:
            lists = keys.queue(name).lists
            names += (lists[Status.PENDING], lists[Status.DELAYED])
        arguments: list[bytes] = []
        for group in (
            [name.encode() for name in self._names],
            self._fields,
            [key.encode() for key in self._keys],
            [job_id.encode() for job_id in ids],
        ):
            arguments += (b"%d" % len(group), *group)
        return _sights.decode(self._access.look(scripting.LOOK, names, arguments))

    def _holder_of(
        self, pair: tuple[str | None, str | None], records: dict[str, Record]
    ) -> str | None:
        """Return the id of the job that holds a key: a live one before a window."""
        for job_id in pair:
            record = None if job_id is None else records.get(job_id)
            if record is not None and record.job.holds_key(self.now):
                return job_id
        return None

    # ── one item ────────────────────────────────────────────────────────────────────────────────

    def take_all(self, items: Sequence[NewJob]) -> list[Answer]:
        """Answer requests, each of which sees the effects of those before it."""
        if not births.has_children(items):
            return [self._take(new) for new in items]
        answers: list[Answer] = []
        stand_ins: dict[str, str] = {}
        for new in items:
            answers.append(self._take(dependence.renamed(new, stand_ins)))
            dependence.note_stand_in(stand_ins, new, answers[-1])
        return answers

    def _take(self, new: NewJob) -> Answer:
        """Accept one request, or recognise it, or refuse it."""
        request = new.idempotency
        if request is None:
            return self._accept(new)
        known = self._replays[request.key]
        if known is not None and known.until > self.now:
            return self._repeat(known, request.fingerprint)
        answer = self._accept(new)
        if isinstance(answer, Enqueued):
            self._new_replays[request.key] = self._replays[request.key] = _Replay(
                self.now + to_us(self._access.policy.idempotency_ttl),
                request.fingerprint,
                answer.outcome,
                answer.job.queue_name,
                answer.job.created_at,
                answer.job.id,
            )
        return answer

    def _repeat(self, known: _Replay, fingerprint: str) -> Answer:
        if known.fingerprint != fingerprint:
            return IdempotencyKeyReused()
        job = self._draft.get(known.job_id)
        if job is None:
            return PrunedReplay(known.job_id, known.queue_name, known.created_at, known.outcome)
        return Enqueued(job, known.outcome, replayed=True)

    def _accept(self, new: NewJob) -> Enqueued | ActorqError:
        job = self._draft.get(new.id)
        if job is not None:
            return Enqueued(job)
        field = None if new.dedupe_key is None else dedupe_field(new.queue_name, new.dedupe_key)
        holder = None if field is None else self._holders[field]
        if holder is not None:
            return self._duplicate(new, holder)
        queue = self._queues[new.queue_name]
        if queue.full:
            return QueueFull(new.queue_name, queue.max_depth or 0)
        made = births.make(self._draft, new, self._elsewhere)
        if isinstance(made, ActorqError):
            return made
        queue.take_one()
        self._made.append(new.id)
        if field is not None and made.holds_key(self.now):
            self._holders[field] = new.id
        return Enqueued(made)

    def _duplicate(self, new: NewJob, holder_id: str) -> Enqueued | ActorqError:
        holder = cast("Job", self._draft.get(holder_id))
        if new.on_duplicate is OnDuplicate.REJECT:
            return DuplicateJob(holder.id, new.dedupe_key or "")
        if new.on_duplicate is OnDuplicate.REPLACE and holder.status in WAITING:
            after = lifecycle.replace_waiting(holder, new, self.now)
            return Enqueued(self._draft.write(after), Outcome.REPLACED)
        return Enqueued(holder, Outcome.DUPLICATE)

    # ── the whole ───────────────────────────────────────────────────────────────────────────────

    def finish(self) -> Writes | None:
        """Return what the batch comes to, on condition that its grounds still hold."""
        writes = self._draft.finish()
        if writes is None and not self._new_replays:
            return None
        writes = self._draft.writes
        keys = self._access.keys
        for field, (live, window) in self._found.items():
            writes.expect(keys.holders, field, (live or "").encode())
            writes.expect(keys.windows, field, (window or "").encode())
        for key in self._keys:
            kept = self._kept[key]
            writes.expect(keys.replays, key.encode(), b"" if kept == _encode(None) else kept)
        for key, replay in self._new_replays.items():
            writes.remember(key, _encode(replay), replay.until)
        for queue in self._queues.values():
            queue.finish(writes)
        if self._made:
            writes.widen(time_in(min(self._made)), time_in(max(self._made)))
        return writes


class _Queue:
    """A queue as it was read, and how many jobs of the batch it took."""

    def __init__(self, name: str, settings: str | None, waiting: int) -> None:
        self._name = name
        self._known = settings is not None
        self.max_depth = decode_settings(settings).max_depth
        self._waiting = waiting
        self._taken = 0

    @property
    def full(self) -> bool:
        return self.max_depth is not None and self._waiting + self._taken >= self.max_depth

    def take_one(self) -> None:
        self._taken += 1

    def finish(self, writes: Writes) -> None:
        if self._taken and not self._known:
            writes.add_queue(self._name)
        if self._taken and self.max_depth is not None:
            writes.expect_room(self._name, self._taken, self.max_depth)


def _fields_of(items: Sequence[NewJob]) -> Iterator[bytes]:
    for new in items:
        if new.dedupe_key is not None:
            yield dedupe_field(new.queue_name, new.dedupe_key)
