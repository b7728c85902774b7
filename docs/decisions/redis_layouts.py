"""Measures the ways to keep jobs in Redis that docs/decisions/redis.md compares.

    python docs/decisions/redis_layouts.py redis://127.0.0.1:6390

Give it a server of its own: everything on it is removed. It prints microseconds per job: processor time of
the server and of this program, in batches of 100 with 100 bytes of payload.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from actorq.backends.redis import RedisStore
from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from actorq.backends.redis.scripting import Script
from actorq.clock import mint_token, random_bits, wall_clock
from actorq.core.commands import Ack, Claim, Fail
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend
    from actorq.core.job import Job

BATCH: Final = 100
ROUNDS: Final = 80
PAYLOAD: Final = "x" * 100

_IDS: Final = """
local ids = {}
for i = 1, 100 do
  ids[i] = string.format('01a20f53-%04x-7%03x-8000-%012x', ARGV[1] / 4096, ARGV[1] % 4096, i)
end
local function each(make)
  local values = {}
  for i, id in ipairs(ids) do
    make(values, id)
  end
  return values
end
local function pairs_of(value)
  return each(function(values, id)
    values[#values + 1] = id
    values[#values + 1] = value
  end)
end
local function scored(score, tail)
  return each(function(values, id)
    values[#values + 1] = score
    values[#values + 1] = id .. tail
  end)
end
local function members(tail)
  return each(function(values, id)
    values[#values + 1] = id .. tail
  end)
end
local body, state = string.rep('b', 150), string.rep('s', 90)
"""
"""What every bare script begins with: the ids of its batch, which follow those of the batch before."""

KEY_A_JOB: Final = """
for _, id in ipairs(ids) do
  redis.call('SET', KEYS[1] .. id, body)
end
"""
FIELD_A_JOB: Final = "redis.call('HSET', KEYS[1], unpack(pairs_of(body)))"

FILL_RECORDS: Final = """
local record = cmsgpack.pack({'q', string.rep('x', 100), 0, 3, false, 0, 0, {}, 0, 0, 1, 2, 3, 4, 5, 'tok'})
redis.call('HSET', KEYS[1], unpack(pairs_of(record)))
"""
REWRITE: Final = """
local records, changed = redis.call('HMGET', KEYS[1], unpack(ids)), {}
for i, record in ipairs(records) do
  local job = cmsgpack.unpack(record)
  job[15] = job[15] + 1
  job[16] = ids[i]
  changed[2 * i - 1], changed[2 * i] = ids[i], cmsgpack.pack(job)
end
redis.call('HSET', KEYS[1], unpack(changed))
"""
STATE_BESIDE: Final = """
redis.call('HMGET', KEYS[1], unpack(ids))
redis.call('HSET', KEYS[2], unpack(pairs_of(state)))
"""

LIFE: Final = """
redis.call('HSET', KEYS[1], unpack(pairs_of(body)))
redis.call('ZADD', KEYS[3], unpack(scored(0, 'created!')))
{pending_made}
redis.call('HMGET', KEYS[1], unpack(ids))
redis.call('ZREM', KEYS[3], unpack(members('created!')))
{pending_claimed}
redis.call('HSET', KEYS[2], unpack(pairs_of(state)))
redis.call('ZADD', KEYS[5], unpack(scored(ARGV[1], '')))
{running_claimed}
redis.call('HSET', KEYS[2], unpack(pairs_of(state)))
redis.call('ZREM', KEYS[5], unpack(ids))
{running_done}
redis.call('ZADD', KEYS[7], unpack(scored(0, 'created!')))
redis.call('ZADD', KEYS[8], unpack(scored(ARGV[1], '')))
"""
"""The commands of a whole life, with places for those of further lists."""

PENDING_LIST: Final = {
    "pending_made": "redis.call('ZADD', KEYS[4], unpack(scored(0, 'created!')))",
    "pending_claimed": "redis.call('ZREM', KEYS[4], unpack(members('created!')))",
}
RUNNING_LIST: Final = {
    "running_claimed": "redis.call('ZADD', KEYS[6], unpack(scored(0, 'created!')))",
    "running_done": "redis.call('ZREM', KEYS[6], unpack(members('created!')))",
}
NOTHING: Final = dict.fromkeys((*PENDING_LIST, *RUNNING_LIST), "")


class Cost(NamedTuple):
    """Microseconds of processor time for one job."""

    server: float
    client: float


def measure(link: Link, step: Callable[[int], object], rounds: int = ROUNDS) -> Cost:
    """Do ``step`` so many times, and return what one job of its batches cost."""
    server, client = _server_time(link), time.process_time()
    for number in range(rounds):
        step(number)
    jobs = rounds * BATCH / 1e6
    return Cost((_server_time(link) - server) / jobs, (time.process_time() - client) / jobs)


def _server_time(link: Link) -> float:
    text = cast("bytes", link.call(b"INFO", b"cpu")).decode()
    about = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return float(about["used_cpu_user"]) + float(about["used_cpu_sys"])


def bare(link: Link, text: str, before: str | None = None) -> Cost:
    """Measure a bare script, on batches that ``before`` has made."""
    keys = [f"{{bare}}:{number}".encode() for number in range(8)]
    link.call(b"FLUSHALL")
    if before is not None:
        first = Script("before", _IDS + before)
        for number in range(ROUNDS):
            link.run(first, keys, [b"%d" % number])
    script = Script("measured", _IDS + text)
    return measure(link, lambda number: link.run(script, keys, [b"%d" % number]))


def _life(link: Link, lists: dict[str, str]) -> Cost:
    """Measure the commands of a whole life, with those of these lists."""
    return bare(link, LIFE.format(**(NOTHING | lists)))


class Life:
    """The store's own verbs."""

    def __init__(self, backend: Backend) -> None:
        """Work on one connection."""
        self._backend = backend
        self._mint = IdMint(wall_clock, random_bits)
        self._taken: list[tuple[Job, ...]] = []

    def take_over(self, other: Life) -> None:
        """Settle from now on what ``other`` has claimed."""
        self._taken, other._taken = other._taken, []

    def enqueue(self, _: int) -> None:
        """Enqueue a batch."""
        mint = self._mint.mint
        jobs = [NewJob(id=mint(), queue_name="q", payload=PAYLOAD) for _ in range(BATCH)]
        self._backend.enqueue(jobs)

    def claim(self, _: int) -> None:
        """Claim a batch."""
        tokens = tuple(mint_token() for _ in range(BATCH))
        (claimed,) = self._backend.dequeue([Claim(queue_name="q", worker_id="w", tokens=tokens)])
        self._taken.append(claimed.jobs)

    def ack(self, _: int) -> None:
        """Acknowledge a batch."""
        self._backend.ack([Ack(job.id, _token(job)) for job in self._taken.pop(0)])

    def fail(self, _: int) -> None:
        """Fail a batch."""
        failure = Failure("broken", retryable=False)
        jobs = self._taken.pop(0)
        self._backend.fail([Fail(job.id, _token(job), failure) for job in jobs])

    def whole(self, number: int) -> None:
        """Do all of it."""
        self.enqueue(number)
        self.claim(number)
        self.ack(number)


def _token(job: Job) -> str | None:
    return None if job.lease is None else job.lease.token


def main(url: str) -> None:
    """Print a table."""
    link = Link(ServerAddress(url, 30.0))
    rows: list[tuple[str, Cost]] = [
        ("enqueue: a key for each job", bare(link, KEY_A_JOB)),
        ("enqueue: a field of one hash for each job", bare(link, FIELD_A_JOB)),
        ("claim: the record rewritten by cmsgpack", bare(link, REWRITE, FILL_RECORDS)),
        ("claim: a state put beside the record", bare(link, STATE_BESIDE, FILL_RECORDS)),
        (
            "life, commands: lists apart from claims and leases",
            _life(link, PENDING_LIST | RUNNING_LIST),
        ),
        ("life, commands: one set for pending jobs", _life(link, RUNNING_LIST)),
        ("life, commands: and one for running jobs", _life(link, {})),
    ]
    link.call(b"FLUSHALL")
    store = RedisStore(url, "layouts", Policy())
    store.open()
    backend, other = store.connect(), RedisStore(url, "layouts", Policy()).connect()
    life, elsewhere = Life(backend), Life(other)
    rows += [
        ("store: enqueue", measure(link, life.enqueue)),
        ("store: claim", measure(link, life.claim)),
        ("store: ack in one round", measure(link, life.ack)),
    ]
    for step in (life.enqueue, life.claim):
        measure(link, step)
    elsewhere.take_over(life)
    rows.append(("store: ack of what another process gave out", measure(link, elsewhere.ack)))
    for step in (life.enqueue, life.claim):
        measure(link, step)
    rows += [
        ("store: fail", measure(link, life.fail)),
        ("store: whole life", measure(link, life.whole)),
    ]
    for name, cost in rows:
        sys.stdout.write(f"{name:52} server {cost.server:5.1f}   client {cost.client:5.1f}\n")
    link.call(b"FLUSHALL")
    for one in (backend, other, link):
        one.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case [place]:
            main(place)
        case _:
            raise ConfigurationError("say where the server is: redis://127.0.0.1:6390")
