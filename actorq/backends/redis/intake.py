"""Enqueue: new jobs, with their dedupe and idempotency keys, in one step.

Most batches ask for nothing special, and one script writes them in one round. Any other batch is
decided here, item after item, on what was read, and written if nothing of that has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.backends.redis.access import Row, records_of
from actorq.backends.redis.drafts import Draft, commit
from actorq.backends.redis.keys import dedupe_field
from actorq.backends.redis.records import encode_new
from actorq.backends.redis.settings import decode_settings
from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.job import Job, NewJob, OnDuplicate, create
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import WAITING, Status
from actorq.errors import ActorqError, DuplicateJob, IdempotencyKeyReused, QueueFull

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.records import Record
    from actorq.backends.redis.writes import Writes

Answer = Enqueued | PrunedReplay | ActorqError

_HEX_OF_TIME: Final = (slice(0, 8), slice(9, 13))
_NOT_PLAIN: Final = -1


def enqueue(access: Access, items: Sequence[NewJob]) -> list[Answer]:
    """Write new jobs."""
    if all(new.dedupe_key is None and new.idempotency is None for new in items):
        created_at = _enqueue_plain(access, items)
        if created_at != _NOT_PLAIN:
            return [Enqueued(create(new, created_at)) for new in items]
    return commit(access, lambda: _attempt(access, items))


# ── batches that ask for nothing special ────────────────────────────────────────────────────────


def _enqueue_plain(access: Access, items: Sequence[NewJob]) -> int:
    """Write jobs without keys; answer when, or that they have to be decided one by one."""
    ids = {new.id for new in items}
    if len(ids) < len(items):
        return _NOT_PLAIN
    keys = access.keys
    batches: dict[str, list[bytes]] = {}
    for new in items:
        batches.setdefault(new.queue_name, []).extend(
            (
                new.id.encode(),
                b"%d" % -new.priority,
                _due(new),
                _text(new.expires_at),
                encode_new(new),
            )
        )
    names = [keys.body, keys.queues, keys.accepted, keys.due, keys.lapse, keys.drift]
    arguments = [
        access.herald.channel,
        access.herald.sender,
        *(b"%d" % ms for ms in _times_in(ids)),
    ]
    for name, batch in batches.items():
        queue = keys.queue(name)
        names += (queue.pending, queue.lists[Status.PENDING], queue.lists[Status.DELAYED])
        loud = b"1" if access.herald.is_due(name) else b"0"
        arguments += (queue.name, loud, b"%d" % (len(batch) // 5), *batch)
    return cast("int", access.write(scripting.ENQUEUE, names, arguments))


def _due(new: NewJob) -> bytes:
    if new.available_at is not None:
        return b"%d" % new.available_at
    return b"%d" % -to_us(new.delay) if new.delay else b""


def _text(instant: int | None) -> bytes:
    return b"" if instant is None else b"%d" % instant


def _times_in(ids: set[str]) -> tuple[int, int]:
    """Return the earliest and the latest time that ids tell, in milliseconds."""
    return time_in(min(ids)), time_in(max(ids))


def time_in(job_id: str) -> int:
    """Return the time that an id tells, in milliseconds; 0 if it tells none."""
    try:
        return int("".join(job_id[part] for part in _HEX_OF_TIME), 16)
    except ValueError:
        return 0


# ── all others ──────────────────────────────────────────────────────────────────────────────────


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


def _attempt(access: Access, items: Sequence[NewJob]) -> tuple[list[Answer], Writes | None]:
    desk = _Desk(access, items)
    answers = [desk.take(new) for new in items]
    return answers, desk.finish()


class _Desk:
    """One attempt to accept a batch: what was read, and what its items have changed so far."""

    def __init__(self, access: Access, items: Sequence[NewJob]) -> None:
        """Read everything that may matter to ``items``."""
        self._access = access
        self._names = list(dict.fromkeys(new.queue_name for new in items))
        self._fields = list(dict.fromkeys(_fields_of(items)))
        keys = [new.idempotency.key for new in items if new.idempotency is not None]
        self._keys = list(dict.fromkeys(keys))
        sight = self._look([new.id for new in items])
        self.now = sight.now
        records = records_of(sight.rows)
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

    def take(self, new: NewJob) -> Answer:
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
        queue.take_one()
        self._made.append(new.id)
        if field is not None:
            self._holders[field] = new.id
        return Enqueued(self._draft.write(create(new, self.now)))

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
