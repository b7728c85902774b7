"""The names of all keys, one set for each shard.

Every key of a shard carries the same hash tag, so that Redis Cluster keeps them in one slot and a script
may work on all of them. A queue lives in one shard, whole; a schedule in that of its own name.

    body       hash    id → what the job is: payload, priority, metadata (changed by edits only)
    state      hash    id → how it stands, with its lease; absent as long as nothing happened to it
    list:S:Q   zset    id and time of creation: the order of listings, and the counts; all scores are 0,
                       but pending jobs have -priority, for theirs is the order of claims as well
    ended:S:Q  zset    id, by the time of its end: the order in which retention lets go
    due        zset    id of delayed jobs, by due time
    lapse      zset    id of waiting jobs that may not start after an instant, by that instant
    leases     zset    id of running jobs, by the end of the lease
    held       zset    id of ended jobs whose dedupe window holds their key, by the end of the window
    holders    hash    queue and dedupe key → id of the live job that holds it
    windows    hash    queue and dedupe key → id of the ended job whose window holds it
    replays    hash    idempotency key → what was answered
    forgets    zset    idempotency key, by the time at which it is forgotten
    queues     hash    queue → its settings; every queue that ever had a job is here
    accepted   hash    queue → jobs ever accepted
    pruned     hash    queue → jobs removed since
    where      hash    id → shard of the job, where the id names this one and the job is in another
    schedules  hash    schedule → its record, with jobs that are to be delivered to other shards
    ticks      zset    schedule, by when it is next to be looked at
    outbox     zset    notes of what jobs elsewhere have to hear, by when they may be relayed by anybody
    drift      hash    bounds of the distance between the time in an id and the time of creation
"""

from __future__ import annotations

from typing import Final

from actorq.core.transitions import ENDED, Status

_KNOWN_QUEUES: Final = 10_000
"""How many queues' key names are kept at hand; beyond, they are made anew."""


_HEX_OF_TIME: Final = (slice(0, 8), slice(9, 13))
"""Where an id tells its time."""


class QueueKeys:
    """The keys of one queue."""

    __slots__ = ("ended", "lists", "name")

    def __init__(self, tag: str, name: str) -> None:
        """Name the keys of the queue ``name``."""
        self.name = name.encode()
        self.lists = {status: f"{tag}:list:{status}:{name}".encode() for status in Status}
        self.ended = {status: f"{tag}:ended:{status}:{name}".encode() for status in ENDED}


class Keys:
    """The keys of one shard."""

    def __init__(self, namespace: str, shard: int) -> None:
        """Name the keys of shard number ``shard``."""
        tag = self._tag = f"{{{namespace}:{shard}}}"
        self.shard = shard
        self.body = f"{tag}:body".encode()
        self.state = f"{tag}:state".encode()
        self.due = f"{tag}:due".encode()
        self.lapse = f"{tag}:lapse".encode()
        self.leases = f"{tag}:leases".encode()
        self.held = f"{tag}:held".encode()
        self.holders = f"{tag}:holders".encode()
        self.windows = f"{tag}:windows".encode()
        self.replays = f"{tag}:replays".encode()
        self.forgets = f"{tag}:forgets".encode()
        self.queues = f"{tag}:queues".encode()
        self.accepted = f"{tag}:accepted".encode()
        self.pruned = f"{tag}:pruned".encode()
        self.drift = f"{tag}:drift".encode()
        self.probe = f"{tag}:probe".encode()
        self.where = f"{tag}:where".encode()
        self.schedules = f"{tag}:schedules".encode()
        self.outbox = f"{tag}:outbox".encode()
        self.ticks = f"{tag}:ticks".encode()
        self._queues: dict[str, QueueKeys] = {}

    def queue(self, name: str) -> QueueKeys:
        """Return the keys of the queue ``name``."""
        keys = self._queues.get(name)
        if keys is None:
            if len(self._queues) >= _KNOWN_QUEUES:
                self._queues.clear()
            keys = self._queues[name] = QueueKeys(self._tag, name)
        return keys


def dedupe_field(queue_name: str, dedupe_key: str) -> bytes:
    """Return the field of a dedupe key; a queue's name holds no U+0000."""
    return f"{queue_name}\0{dedupe_key}".encode()


def listed(job_id: str, created_at: int) -> bytes:
    """Return a job's member in the lists: sorted by id, and telling when the job was made."""
    return job_id.encode() + created_at.to_bytes(8, "big")


def time_in(job_id: str) -> int:
    """Return the time that an id tells, in milliseconds; 0 if it tells none."""
    try:
        return int("".join(job_id[part] for part in _HEX_OF_TIME), 16)
    except ValueError:
        return 0
