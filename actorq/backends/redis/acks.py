"""Ack: the common end of a job, in one round when this process gave the job out itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actorq.backends.redis import scripting
from actorq.backends.redis.records import encode_state, version_mark
from actorq.backends.redis.settling import settle
from actorq.core import lifecycle
from actorq.core.job import Settlement
from actorq.core.lease import Standing, standing
from actorq.core.results import Settled
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.records import Record
    from actorq.core.commands import Ack
    from actorq.errors import ActorqError

_UNKNOWN_INSTANT = 0
"""What stands in a state for the instant that the script fills in."""


def ack(access: Access, items: Sequence[Ack]) -> list[Settled | ActorqError]:
    """Complete jobs: by what is known of them, or else by what is read first."""
    records = _known(access, items)
    if records:
        now = _complete(access, items, records)
        for item in items:
            access.recent.forget(item.id)
        if now >= 0:
            return [
                Settled(lifecycle.ack(record.job, item.result, now))
                for item, record in zip(items, records, strict=True)
            ]
    return settle(access, items)


def _known(access: Access, items: Sequence[Ack]) -> list[Record]:
    """Return the record of each item's job, or nothing if one of them needs a closer look."""
    records: dict[str, Record] = {}
    for item in items:
        record = access.recent.find(item.id)
        if record is None or record.job.dedupe_key is not None:
            return []
        if record.job.workflow is not None and record.job.workflow.dependents:
            return []
        if standing(record.job, item.token, Settlement.ACK) is not Standing.HOLDER:
            return []
        records[item.id] = record
    return list(records.values()) if len(records) == len(items) else []


def _complete(access: Access, items: Sequence[Ack], records: Sequence[Record]) -> int:
    """Write the ends of jobs; answer when, or a negative number if one has changed meanwhile."""
    keys = access.keys
    batches: dict[str, list[bytes]] = {}
    for item, record in zip(items, records, strict=True):
        job = record.job
        after = lifecycle.ack(job, item.result, _UNKNOWN_INSTANT)
        state = encode_state(after, record.state_later)
        batches.setdefault(job.queue_name, []).extend(
            (job.id.encode(), version_mark(job.version), state)
        )
    names = [keys.state, keys.queues, keys.leases]
    arguments = [access.herald.channel, access.herald.sender]
    for name, batch in batches.items():
        queue = keys.queue(name)
        names += (queue.lists[Status.RUNNING], queue.lists[Status.COMPLETED])
        names.append(queue.ended[Status.COMPLETED])
        arguments += (queue.name, b"%d" % (len(batch) // 3), *batch)
    return cast("int", access.write(scripting.ACK, names, arguments))
