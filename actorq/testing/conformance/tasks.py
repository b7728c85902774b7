"""What the processes of a crew do: each function is one task, ``run(desk, item)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.clock import mint_token
from actorq.core.commands import Ack, Claim, Edit, Release
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome, Settled
from actorq.testing.conformance.answers import ids, token_of
from actorq.testing.conformance.bench import LONG_S, QUEUE
from actorq.testing.conformance.threads import PATIENCE_S

if TYPE_CHECKING:
    from actorq.backends.backend import Listener
    from actorq.core.job import Job, NewJob
    from actorq.testing.conformance.crew import Desk

WAITS: Final = 3
"""How many waits must have brought news, if there is any."""

BATCH: Final = 5
"""How many jobs a process enqueues, claims or settles in one call, where it does so in batches."""


def claim(desk: Desk, count: int, visibility_timeout: float = LONG_S) -> list[Job]:
    """Claim up to ``count`` jobs."""
    tokens = tuple(mint_token() for _ in range(count))
    (claimed,) = desk.backend.dequeue(
        [
            Claim(
                queue_name=QUEUE,
                worker_id="process",
                tokens=tokens,
                visibility_timeout=visibility_timeout,
            )
        ]
    )
    return list(claimed.jobs)


def claim_all(desk: Desk, count: int) -> list[str]:
    """Claim until nothing is left; return the ids in the order in which they came."""
    mine: list[str] = []
    while taken := claim(desk, count):
        mine += ids(taken)
    return mine


def enqueue_each(desk: Desk, wishes: list[NewJob]) -> list[tuple[Outcome, bool, str]]:
    """Enqueue one by one; return each outcome, whether it was a replay, and the job's id."""
    return [_seen(answer) for new in wishes for answer in desk.backend.enqueue([new])]


def enqueue_together(desk: Desk, wishes: list[NewJob]) -> list[tuple[Outcome, bool, str]]:
    """Enqueue in one batch; return each outcome, whether it was a replay, and the job's id."""
    return [_seen(answer) for answer in desk.backend.enqueue(wishes)]


def _seen(answer: object) -> tuple[Outcome, bool, str]:
    assert isinstance(answer, Enqueued), answer
    return answer.outcome, answer.replayed, answer.job.id


def ack_each(desk: Desk, job_ids: list[str]) -> list[str]:
    """Acknowledge one by one, without a token; return the ids for which it counted."""
    return [job_id for job_id in job_ids if isinstance(desk.backend.ack([Ack(job_id)])[0], Settled)]


def reap(desk: Desk, limit: int) -> list[str]:
    """Run rounds of the reaper until nothing is left; return the ids whose leases it ended."""
    ended: list[str] = []
    while jobs := desk.backend.requeue_expired(limit).jobs:
        ended += ids(jobs)
    return ended


def look(desk: Desk, _: None) -> int:
    """Return the store's clock."""
    return desk.backend.check().now


def claim_and_hang(desk: Desk, visibility_timeout: float) -> None:
    """Claim a batch, tell its tokens, and never do anything again."""
    desk.tell([token_of(job) for job in claim(desk, BATCH, visibility_timeout)])
    desk.hang()


def enqueue_for_ever(desk: Desk, wishes: list[NewJob]) -> None:
    """Enqueue in batches without a pause; tell of each when it is accepted."""
    for start in range(0, len(wishes), BATCH):
        desk.tell(
            [job_id for _, _, job_id in enqueue_together(desk, wishes[start : start + BATCH])]
        )
    desk.hang()


def settle_for_ever(desk: Desk, _: None) -> None:
    """Claim and acknowledge in batches without a pause; tell of each when it is accepted."""
    while taken := claim(desk, BATCH):
        desk.backend.ack([Ack(job.id, token_of(job)) for job in taken])
        desk.tell(ids(taken))
    desk.hang()


def fire_for_ever(desk: Desk, _: None) -> None:
    """Fire schedules in batches without a pause; tell of the ticks of each when its answer is there."""
    while jobs := desk.backend.fire_schedules(BATCH).jobs:
        desk.tell([job.tick for job in jobs])
    desk.hang()


def make_ready(desk: Desk, what: tuple[str, str]) -> None:
    """Make a job ready to be claimed, in one of the ways in which that happens."""
    how, job_id = what
    backend = desk.backend
    match how:
        case "release":
            backend.release([Release(job_id)])
        case "promote":
            backend.promote_delayed(100)
        case "expire":
            backend.requeue_expired(100)
        case "redrive":
            backend.redrive([job_id])
        case "resume":
            backend.update_queue([QueueEdit(queue_name=QUEUE, paused=False)])
        case _:
            backend.update_job([Edit(id=job_id, delay=0.0)])


def hear_news(desk: Desk, _: None) -> frozenset[str] | None:
    """Listen, say so, and return the first news."""
    listener = desk.store.listen()
    assert listener is not None
    try:
        desk.tell("listening")
        return first_news(listener)
    finally:
        listener.close()


def first_news(listener: Listener) -> frozenset[str] | None:
    """Wait until there is news; a wait may end without any before its time."""
    for _ in range(WAITS):
        news = listener.wait(PATIENCE_S)
        if news != frozenset():
            return news
    raise AssertionError("no news")
