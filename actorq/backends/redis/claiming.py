"""Dequeue: claim and lease in one script, and find again what a claim took whose answer was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.backends.redis.access import MOST_BYTES, Row, records_of
from actorq.backends.redis.drafts import Draft, judge
from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.results import Claimed
from actorq.core.transitions import WAITING, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.core.commands import Claim
    from actorq.core.job import Job

MOST_ROUNDS: Final = 5
"""How often one call looks beyond jobs which may not start any more; what is left waits for the next."""

FIND_STEP: Final = 2_000
"""How many leases are searched for lost claims in one step."""


class _Taken(msgspec.Struct, array_like=True, frozen=True):
    """What the script says to one claim: the jobs that it got, and the lapsed ones that it met."""

    paused: bool
    limited: bool
    lapsed: list[str]
    rows: list[Row]


class _Answer(msgspec.Struct, array_like=True, frozen=True):
    now: int
    claims: list[_Taken]


class _Found(msgspec.Struct, array_like=True, frozen=True):
    looked_at: int
    rows: list[Row]


_answers: Final = msgspec.msgpack.Decoder(_Answer)
_found: Final = msgspec.msgpack.Decoder(_Found)
_encode: Final = msgspec.msgpack.Encoder().encode


def dequeue(access: Access, claims: Sequence[Claim]) -> list[Claimed]:
    """Claim and lease the best pending jobs, and bury those that were met too late."""
    answers = [Claimed()] * len(claims)
    wanting = list(range(len(claims)))
    for _ in range(MOST_ROUNDS):
        if not wanting:
            break
        tokens = [claims[place].tokens[len(answers[place].jobs) :] for place in wanting]
        taken = _claim(access, [claims[place] for place in wanting], tokens)
        lapsed: list[str] = []
        short: list[int] = []
        for place, tokens_left, one in zip(wanting, tokens, taken, strict=True):
            records = records_of(one.rows)
            access.recent.keep(records)
            jobs = tuple(record.job for record in records.values())
            answers[place] = Claimed(answers[place].jobs + jobs, one.paused, one.limited)
            lapsed += one.lapsed
            if one.lapsed and len(jobs) < len(tokens_left):
                short.append(place)
        judge(access, lapsed, _bury)
        wanting = short
    return answers


def _claim(
    access: Access, claims: Sequence[Claim], tokens: Sequence[Sequence[str]]
) -> list[_Taken]:
    keys = access.keys
    names = [keys.body, keys.state, keys.queues, keys.leases, keys.lapse]
    arguments = [b"%d" % MOST_BYTES]
    for claim, own in zip(claims, tokens, strict=True):
        queue = keys.queue(claim.queue_name)
        names += (queue.lists[Status.PENDING], queue.lists[Status.RUNNING])
        asked = claim.visibility_timeout
        seconds = access.policy.visibility_timeout if asked is None else asked
        arguments += (
            queue.name,
            _encode(claim.worker_id),
            b"%d" % to_us(seconds),
            repr(float(seconds)).encode(),
            b"" if asked is None else b"1",
            b"%d" % len(own),
            *map(_encode, own),
        )
    return _answers.decode(cast("bytes", access.write(scripting.DEQUEUE, names, arguments))).claims


def _bury(draft: Draft, job: Job) -> None:
    if job.status in WAITING and job.expires_at is not None and job.expires_at <= draft.now:
        draft.write(lifecycle.lapse(job, draft.now))


def find_claims(access: Access, tokens: Sequence[str]) -> list[Job]:
    """Return the running jobs which are leased under one of ``tokens``.

    No index by token is kept, for that would cost every claim something: all leases are searched
    here, in steps, which happens after lost answers only.
    """
    jobs: list[Job] = []
    lengths: dict[int, list[bytes]] = {}
    for token in map(_encode, tokens):
        lengths.setdefault(len(token), []).append(token)
    for length, group in lengths.items():
        jobs += _find(access, length, group)
    return jobs


def _find(access: Access, length: int, tokens: list[bytes]) -> list[Job]:
    keys = access.keys
    found: dict[str, Job] = {}
    first = 0
    while True:
        bounds = [b"%d" % first, b"%d" % (first + FIND_STEP - 1), b"%d" % length]
        answer = _found.decode(
            access.look(scripting.FIND, [keys.leases, keys.body, keys.state], [*bounds, *tokens])
        )
        found |= {job_id: record.job for job_id, record in records_of(answer.rows).items()}
        if answer.looked_at < FIND_STEP:
            return list(found.values())
        # Leases that end meanwhile shift the rest down: the steps overlap, so that none is missed.
        first += FIND_STEP // 2
