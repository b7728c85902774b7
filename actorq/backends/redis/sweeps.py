"""Sweeps: what happens as time goes by, a bounded round at a time. Every server may run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.backends.redis.access import MOST_BYTES, Row, records_of
from actorq.backends.redis.drafts import Draft, commit, decide
from actorq.backends.redis.settings import decode_settings
from actorq.backends.redis.writes import Writes
from actorq.core import lifecycle
from actorq.core.instants import SECOND_US, to_us
from actorq.core.policy import Retention
from actorq.core.results import Sweep
from actorq.core.transitions import WAITING, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.relay import Relay
    from actorq.core.job import Job

_WINDOWS_A_ROUND: Final = 500
"""How many dedupe windows one round ends: those that are over stand in the way of nothing else."""

_NOTES_A_ROUND: Final = 100
"""How many notes of the outbox one round relays: each may be for a thousand jobs."""

_QUEUES_A_STEP: Final = 100
"""How many queues one script looks at."""


class _Due(msgspec.Struct, array_like=True, frozen=True):
    now: int
    next_at: int | None
    rows: list[Row]
    notes: list[msgspec.Raw]


class _Pruned(msgspec.Struct, array_like=True, frozen=True):
    gone: list[str]
    next_at: int | None


class _Forgotten(msgspec.Struct, array_like=True, frozen=True):
    gone: int
    next_at: int | None


class Pruning(NamedTuple):
    """What a round of pruning did: the jobs and the number of records that went, and when to come again."""

    jobs: list[str]
    records: int
    next_in: float | None


_dues: Final = msgspec.msgpack.Decoder(_Due)
_pruned: Final = msgspec.msgpack.Decoder(_Pruned)
_forgotten: Final = msgspec.msgpack.Decoder(_Forgotten)


def promote(access: Access, limit: int, relay: Relay) -> Sweep:
    """Make delayed jobs pending that have become due, and bury waiting ones that lapsed."""

    def decision(job: Job, now: int) -> Job | None:
        if job.status not in WAITING:
            return None
        if job.expires_at is not None and job.expires_at <= now:
            return lifecycle.lapse(job, now)
        if job.status is Status.DELAYED and job.available_at <= now:
            return lifecycle.promote(job, now)
        return None

    return _sweep(access, relay, [access.keys.due, access.keys.lapse], limit, decision)


def reap(access: Access, limit: int, relay: Relay) -> Sweep:
    """End leases that ran out, oldest first."""

    def decision(job: Job, now: int) -> Job | None:
        if job.lease is None or job.lease.expires_at > now:
            return None
        return lifecycle.expire(job, access.policy, now)

    return _sweep(access, relay, [access.keys.leases], limit, decision)


def _sweep(
    access: Access,
    relay: Relay,
    agendas: list[bytes],
    limit: int,
    decision: Callable[[Job, int], Job | None],
) -> Sweep:
    """Change the jobs that are due, and relay what servers that died have left in the outbox."""
    notes = min(limit, _NOTES_A_ROUND)

    def attempt() -> tuple[tuple[_Due, dict[str, Job], dict[str, Job]], Writes | None]:
        answer = _look_at(access, agendas, limit, notes)
        records = records_of(answer.rows)
        draft = Draft(access.keys, answer.now, records)
        moved: dict[str, Job] = {}
        for job_id in list(records)[:limit]:
            job = draft.get(job_id)
            after = None if job is None else decision(job, answer.now)
            if after is not None:
                moved[job_id] = draft.conclude(after)
        return (answer, moved, draft.told), draft.finish()

    answer, moved, told = commit(access, attempt)
    for job_id, job in told.items():
        if job_id not in moved:
            access.outbox.stir(job)
    access.outbox.put(access, map(bytes, answer.notes), answer.now)
    relay.run()
    if moved or answer.notes:
        # What was moved may have stood on another agenda as well, or stand there now.
        answer = _look_at(access, agendas, 0, 0)
    return Sweep(tuple(moved.values()), _seconds(answer.next_at, answer.now))


def _look_at(access: Access, agendas: list[bytes], limit: int, notes: int) -> _Due:
    """Return what is due by some agendas, and notes of the outbox unless their number is negative."""
    names = [access.keys.body, access.keys.state, access.keys.outbox, *agendas]
    bounds = [b"%d" % limit, b"%d" % MOST_BYTES, b"%d" % notes]
    return _dues.decode(access.look(scripting.DUE, names, bounds))


def _seconds(due: int | None, now: int) -> float | None:
    """Return the seconds until ``due``; 0 if it is over, None if there is nothing to wait for."""
    return None if due is None else max(0, due - now) / SECOND_US


# ── retention ───────────────────────────────────────────────────────────────────────────────────


def prune(access: Access, limit: int) -> Pruning:
    """Remove ended jobs that retention lets go, then idempotency records that are over."""
    now, window_at = _end_windows(access)
    gone, job_at = _prune_jobs(access, limit)
    forgotten = _forget(access, limit - len(gone))
    dues = [due for due in (window_at, job_at, forgotten.next_at) if due is not None]
    return Pruning(gone, forgotten.gone, _seconds(min(dues, default=None), now))


def _end_windows(access: Access) -> tuple[int, int | None]:
    """Hand ended jobs whose dedupe window is over to retention; tell the time, and when to come again."""

    def attempt() -> tuple[tuple[int, int | None], Writes | None]:
        answer = _look_at(access, [access.keys.held], _WINDOWS_A_ROUND, -1)
        writes = Writes(access.keys, answer.now)
        records = list(records_of(answer.rows).values())
        for record in records:
            writes.end_window(record)
        return (answer.now, answer.next_at), writes if records else None

    return commit(access, attempt)


def _prune_jobs(access: Access, limit: int) -> tuple[list[str], int | None]:
    retentions = _retentions(access)
    gone: list[str] = []
    next_at = None
    for at in range(0, len(retentions), _QUEUES_A_STEP):
        answer = _prune_queues(access, retentions[at : at + _QUEUES_A_STEP], limit - len(gone))
        gone += answer.gone
        dues = [due for due in (next_at, answer.next_at) if due is not None]
        next_at = min(dues, default=None)
    return gone, next_at


def _retentions(access: Access) -> list[tuple[str, Retention]]:
    """Return every queue's name, and for how long it keeps what has ended."""
    flat = cast("list[bytes]", access.link.call(b"HGETALL", access.keys.queues))
    pairs = zip(flat[::2], flat[1::2], strict=True)
    plain = access.policy.retention
    return [(name.decode(), decode_settings(text).retention or plain) for name, text in pairs]


def _prune_queues(
    access: Access, retentions: Sequence[tuple[str, Retention]], limit: int
) -> _Pruned:
    keys = access.keys
    names, arguments = [keys.body, keys.state, keys.pruned], [b"%d" % limit]
    for queue_name, retention in retentions:
        queue = keys.queue(queue_name)
        for status, seconds, most in (
            (Status.COMPLETED, retention.completed, retention.max_completed),
            (Status.DEAD, retention.dead, retention.max_dead),
            (Status.CANCELLED, retention.cancelled, retention.max_cancelled),
        ):
            names += (queue.ended[status], queue.lists[status])
            arguments += (queue.name, b"%d" % to_us(seconds), b"%d" % most)
    return _pruned.decode(cast("bytes", access.write(scripting.PRUNE, names, arguments)))


def _forget(access: Access, limit: int) -> _Forgotten:
    """Let idempotency records go whose time is over."""
    names = [access.keys.replays, access.keys.forgets]
    answer = access.write(scripting.FORGET, names, [b"%d" % limit])
    return _forgotten.decode(cast("bytes", answer))


def purge(access: Access, queue_name: str, statuses: frozenset[Status], limit: int) -> list[str]:
    """Remove jobs of these statuses and return their ids; running ones stay."""
    gone: list[str] = []
    for status in sorted(statuses - {Status.RUNNING}):
        last = limit - len(gone) - 1
        if last < 0:
            break
        key = access.keys.queue(queue_name).lists[status]
        members = cast("list[bytes]", access.link.call(b"ZRANGE", key, b"0", b"%d" % last))
        ids = [member[:-8].decode() for member in members]

        def decision(draft: Draft, job_id: str, status: Status = status) -> bool:
            job = draft.get(job_id)
            if job is None or job.status is not status:
                return False
            draft.remove(job)
            return True

        removed = decide(access, ids, str, decision)
        gone += [job_id for job_id, went in zip(ids, removed, strict=True) if went]
    return gone
