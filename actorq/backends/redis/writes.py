"""Writes: what a batch of decisions changes, as one call of the script that compares and writes.

Which index entries a job has follows from its record alone. So a change is the difference between the
entries of the record as it was and as it shall be, and no verb keeps an index by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.backends.redis.entries import entries, possible_entries, window_holds
from actorq.backends.redis.keys import dedupe_field
from actorq.backends.redis.origin import later_of
from actorq.backends.redis.outbox import GRACE_US, Ended, member_of
from actorq.backends.redis.records import encode_body, encode_state, version_mark
from actorq.core import dependence
from actorq.core.transitions import ENDED, LIVE, Status

if TYPE_CHECKING:
    from actorq.backends.redis.keys import Keys
    from actorq.backends.redis.news import Herald
    from actorq.backends.redis.outbox import Note
    from actorq.backends.redis.records import Record
    from actorq.core.job import Job

_STEP: Final = 2_000
"""How many values one step of the script takes at most."""

_NO_JOB, _NO_STATE = b"-", b""
_REMOVING: Final = frozenset({b"ZREM", b"HDEL", b"HDELIF"})


class Writes:
    """The changes of one batch in one shard, decided at one instant."""

    def __init__(self, keys: Keys, decided_at: int) -> None:
        """Start with nothing to do."""
        self._keys = keys
        self.decided_at = decided_at
        self.notes: list[bytes] = []
        self._makes_jobs = False
        self._marks: list[bytes] = []
        self._fields: list[tuple[bytes, bytes, bytes]] = []
        self._depths: list[tuple[bytes, bytes, int]] = []
        self._ready: dict[str, None] = {}
        self._freed: dict[str, None] = {}
        self._new_queues: dict[str, None] = {}
        self._counts: dict[tuple[bytes, str], int] = {}
        self._steps: dict[tuple[bytes, bytes], list[bytes]] = {}

    # ── conditions ──────────────────────────────────────────────────────────────────────────────

    def expect(self, key: bytes, field: bytes, value: bytes) -> None:
        """Hold only if the field has this value; the empty one stands for a field that is not there."""
        self._fields.append((key, field, value))

    def expect_free(self, field: bytes) -> None:
        """Hold only if no live job holds the dedupe key of this field."""
        self.expect(self._keys.holders, field, b"")

    def expect_room(self, queue_name: str, more: int, most: int) -> None:
        """Hold only if the queue can take ``more`` waiting jobs and has ``most`` then at the most."""
        lists = self._keys.queue(queue_name).lists
        self._depths.append((lists[Status.PENDING], lists[Status.DELAYED], most - more))

    # ── changes ─────────────────────────────────────────────────────────────────────────────────

    def change(self, before: Record | None, after: Job | None) -> None:
        """Put ``after`` in the place of ``before``: make, change or remove a job."""
        if before is not None:
            mark = _NO_STATE if before.untouched else version_mark(before.job.version)
            self._marks += (before.job.id.encode(), mark)
            if after is None:
                self._remove(before.job)
            else:
                self._update(before, after)
        elif after is not None:
            self._make(after)

    def _make(self, job: Job) -> None:
        self._makes_jobs = True
        job_id = job.id.encode()
        self._marks += (job_id, _NO_JOB)
        self._add(b"HSET", self._keys.body, job_id, encode_body(job, later_of(job)))
        if job.version > 1 or job.workflow is not None:
            self._add(b"HSET", self._keys.state, job_id, encode_state(job, {}))
        self._count(self._keys.accepted, job.queue_name)
        self._move(None, job)

    def _update(self, before: Record, after: Job) -> None:
        job, job_id = before.job, after.id.encode()
        self._add(b"HSET", self._keys.state, job_id, encode_state(after, before.state_later))
        if not _same_body(job, after):
            self._add(
                b"HSET",
                self._keys.body,
                job_id,
                encode_body(after, before.body_later, before.format),
            )
        self._move(job, after)
        if job.status is Status.RUNNING and after.status is not Status.RUNNING:
            self._freed[job.queue_name] = None
        if after.workflow is not None:
            self._note_end(job, after)

    def _note_end(self, job: Job, after: Job) -> None:
        children = dependence.to_tell(job.status, after)
        if children:
            self.note(Ended(after.id, after.version, after.status, children))
        elif job.status in ENDED and after.status in LIVE and dependence.dependents(job):
            # It lives again: what its last end decided must not be left to its next one.
            self.note(Ended(job.id, job.version, job.status, dependence.dependents(job)))

    def _remove(self, job: Job) -> None:
        job_id = job.id.encode()
        self._add(b"HDEL", self._keys.body, job_id)
        self._add(b"HDEL", self._keys.state, job_id)
        self._count(self._keys.pruned, job.queue_name)
        self._move(job, None)
        children = dependence.dependents(job)
        if children and job.status in LIVE:
            self.note(Ended(job.id, job.version + 1, None, children))

    def end_window(self, record: Record) -> None:
        """Let a dedupe window that is over free its key, and retention find the job."""
        job, job_id = record.job, record.job.id.encode()
        self._marks += (job_id, version_mark(job.version))
        self._add(b"ZREM", self._keys.held, job_id)
        ended = self._keys.queue(job.queue_name).ended[job.status]
        self._add(b"ZADD", ended, b"%d" % (job.completed_at or 0), job_id)
        self._free_window(job)

    def settings(self, queue_name: str, value: bytes) -> None:
        """Set a queue's settings."""
        self._add(b"HSET", self._keys.queues, queue_name.encode(), value)

    def add_queue(self, queue_name: str) -> None:
        """Make a queue known, unless somebody did so meanwhile."""
        self._new_queues[queue_name] = None

    def remember(self, key: str, replay: bytes, until: int) -> None:
        """Keep an idempotency record."""
        self._add(b"HSET", self._keys.replays, key.encode(), replay)
        self._add(b"ZADD", self._keys.forgets, b"%d" % until, key.encode())

    def schedule(self, name: str, before: bytes, after: bytes | None, due_at: int | None) -> None:
        """Put a schedule in the place of ``before``, if that is still there (empty: nothing is)."""
        field = name.encode()
        self.expect(self._keys.schedules, field, before)
        if after is None:
            self._add(b"HDEL", self._keys.schedules, field)
        else:
            self._add(b"HSET", self._keys.schedules, field, after)
        if due_at is None:
            self._add(b"ZREM", self._keys.ticks, field)
        else:
            self._add(b"ZADD", self._keys.ticks, b"%d" % due_at, field)

    def note(self, note: Note) -> None:
        """Note who must hear of this; whoever writes it relays it."""
        member = member_of(note)
        self.notes.append(member)
        self._add(b"ZADD", self._keys.outbox, b"%d" % (self.decided_at + GRACE_US), member)

    def widen(self, earliest_ms: int, latest_ms: int) -> None:
        """Take the times in the ids of new jobs into account."""
        numbers = (self.decided_at, earliest_ms, latest_ms)
        self._add(b"WIDEN", self._keys.drift, *(b"%d" % number for number in numbers))

    def tell(self, queue_name: str) -> None:
        """Tell the other servers that the queue may have ready jobs."""
        self._ready[queue_name] = None

    def _count(self, key: bytes, queue_name: str) -> None:
        self._counts[key, queue_name] = self._counts.get((key, queue_name), 0) + 1

    # ── indexes ─────────────────────────────────────────────────────────────────────────────────

    def _move(self, before: Job | None, after: Job | None) -> None:
        old = {} if before is None else possible_entries(self._keys, before)
        new = {} if after is None else entries(self._keys, after)
        for place in old.keys() - new.keys():
            self._add(b"ZREM", *place)
        for (key, member), score in new.items():
            if old.get((key, member)) != score:
                self._add(b"ZADD", key, b"%d" % score, member)
        if after is not None and after.status is Status.PENDING:
            self._ready[after.queue_name] = None
        job = after or before
        if job is not None and job.dedupe_key is not None:
            self._move_key(before, after, dedupe_field(job.queue_name, job.dedupe_key))

    def _move_key(self, before: Job | None, after: Job | None, field: bytes) -> None:
        held = before is not None and before.status in LIVE
        holds = after is not None and after.status in LIVE
        if before is not None and not held:
            self._free_window(before)
        if holds and not held and after is not None:
            self._add(b"HSET", self._keys.holders, field, after.id.encode())
        if held and not holds:
            self._add(b"HDEL", self._keys.holders, field)
        # A job may be made that has ended: with its parents.
        if (held or before is None) and after is not None and window_holds(after):
            self._add(b"HSET", self._keys.windows, field, after.id.encode())

    def _free_window(self, job: Job) -> None:
        field = dedupe_field(job.queue_name, job.dedupe_key or "")
        self._add(b"HDELIF", self._keys.windows, field, job.id.encode())

    def _add(self, command: bytes, key: bytes, *values: bytes) -> None:
        self._steps.setdefault((command, key), []).extend(values)

    # ── the call ────────────────────────────────────────────────────────────────────────────────

    def call(self, herald: Herald, max_age_us: int) -> tuple[list[bytes], list[bytes]]:
        """Return keys and arguments for the script ``write``."""
        known = {self._keys.body: 1, self._keys.state: 2, self._keys.queues: 3}

        def number(key: bytes) -> bytes:
            return b"%d" % known.setdefault(key, len(known) + 1)

        arguments = [herald.channel, herald.sender, b"%d" % self.decided_at, b"%d" % max_age_us]
        arguments.append(b"0" if self._makes_jobs else b"1")
        arguments += (b"%d" % (len(self._marks) // 2), *self._marks)
        arguments.append(b"%d" % len(self._fields))
        for key, field, value in self._fields:
            arguments += (number(key), field, value)
        arguments.append(b"%d" % len(self._depths))
        for pending, delayed, most in self._depths:
            arguments += (number(pending), number(delayed), b"%d" % most)
        for names in (self._ready, self._freed):
            arguments += (b"%d" % len(names), *(name.encode() for name in names))
        steps = self._ordered_steps()
        arguments.append(b"%d" % len(steps))
        for command, key, values in steps:
            arguments += (command, number(key), b"%d" % len(values), *values)
        return list(known), arguments

    def _ordered_steps(self) -> list[tuple[bytes, bytes, list[bytes]]]:
        """Return the steps, those that free memory first, none with more values than Lua unpacks."""
        steps = [
            (command, key, values[at : at + _STEP])
            for (command, key), values in self._steps.items()
            for at in range(0, len(values), _STEP)
        ]
        steps.sort(key=lambda step: step[0] not in _REMOVING)
        steps += [
            (b"HSETNX", self._keys.queues, [name.encode(), b"{}"]) for name in self._new_queues
        ]
        steps += [
            (b"HINCRBY", key, [name.encode(), b"%d" % count])
            for (key, name), count in self._counts.items()
        ]
        return steps


def _same_body(job: Job, after: Job) -> bool:
    """Tell whether all is equal that an edit may change of a body."""
    return (
        job.payload == after.payload
        and job.priority == after.priority
        and job.max_retries == after.max_retries
        and job.metadata == after.metadata
    )
