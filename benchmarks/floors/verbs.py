"""The floor under the actors: a store's own verbs, called in one thread, in the same batches."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from actorq.clock import mint_token, random_bits, wall_clock
from actorq.core import intake
from actorq.core.commands import Ack, Claim
from actorq.core.ids import IdMint
from actorq.core.policy import Policy
from actorq.stores import make_store
from benchmarks.contest import BenchmarkError
from benchmarks.doors.embedded import accepted
from benchmarks.plan import HOLD_S, PAYLOAD, QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.backend import Backend
    from actorq.core.job import NewJob

    Step = Callable[[Backend], None]


class Steps(msgspec.Struct, frozen=True):
    """Calls of a store's verbs, made in advance: those that prepare, and those that count."""

    prepared: list[Step]
    measured: list[Step]


def rate(url: str, scenario: str, sizes: list[int]) -> float:
    """Run ``scenario`` on a store without a runtime; return the jobs a second."""
    work = steps(scenario, sizes)
    store = make_store(url)
    store.open()
    backend = store.connect()
    try:
        _take(work.prepared, backend)
        started = time.perf_counter()
        _take(work.measured, backend)
        return sum(sizes) / (time.perf_counter() - started)
    finally:
        backend.close()
        store.close()


def steps(scenario: str, sizes: list[int]) -> Steps:
    """Return the calls of a scenario, in batches of these sizes.

    Nobody else is there and the order is first in, first out: who gets which job is known before.
    """
    batches = _new_jobs(sizes)
    claims = [_claim(size) for size in sizes]
    enqueues: list[Step] = [partial(_enqueue, batch) for batch in batches]
    dequeues: list[Step] = [partial(_dequeue, claim) for claim in claims]
    acks: list[Step] = [partial(_ack, _acks(*pair)) for pair in zip(batches, claims, strict=True)]
    match scenario:
        case "enqueue":
            return Steps([], enqueues)
        case "claim":
            return Steps(enqueues, dequeues)
        case "ack":
            return Steps([*enqueues, *dequeues], acks)
        case "life":
            return Steps([], _in_turns(enqueues, dequeues, acks))
        case "pick-up":
            return Steps([], _in_turns(enqueues, dequeues))
        case unknown:
            raise BenchmarkError(f"there is no scenario {unknown!r}")


def _in_turns(*kinds: list[Step]) -> list[Step]:
    return [step for turn in zip(*kinds, strict=True) for step in turn]


def _take(work: Sequence[Step], backend: Backend) -> None:
    for step in work:
        step(backend)


def _enqueue(batch: list[NewJob], backend: Backend) -> None:
    accepted(backend.enqueue(batch))


def _dequeue(claim: Claim, backend: Backend) -> None:
    (answer,) = backend.dequeue([claim])
    if len(answer.jobs) != len(claim.tokens):
        raise BenchmarkError(f"a claim for {len(claim.tokens)} jobs got {len(answer.jobs)}")


def _ack(acks: list[Ack], backend: Backend) -> None:
    accepted(backend.ack(acks))


def _new_jobs(sizes: list[int]) -> list[list[NewJob]]:
    ids, policy = IdMint(wall_clock, random_bits), Policy()
    return [[intake.new_job(ids.mint(), QUEUE, PAYLOAD, policy) for _ in range(n)] for n in sizes]


def _claim(size: int) -> Claim:
    tokens = tuple(mint_token() for _ in range(size))
    return Claim(queue_name=QUEUE, worker_id="bare", tokens=tokens, visibility_timeout=HOLD_S)


def _acks(batch: list[NewJob], claim: Claim) -> list[Ack]:
    return [Ack(new.id, token) for new, token in zip(batch, claim.tokens, strict=True)]
