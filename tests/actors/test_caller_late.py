"""A first call that was given up may arrive late: what its repeat was told must stay true then."""

from __future__ import annotations

import pytest

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.core.job import Idempotency, NewJob, OnDuplicate
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome
from actorq.errors import ActorqError, BackendUnavailable, IdempotencyKeyReused
from tests.actors.lanes import World

KEY = Idempotency("key", "print")
OTHER = Idempotency("key", "another print")


def wish(
    job_id: str,
    *,
    dedupe_key: str | None = None,
    on_duplicate: OnDuplicate = OnDuplicate.RETURN,
    idempotency: Idempotency | None = None,
) -> NewJob:
    """Ask for a job; ``held`` has the key ``k`` already."""
    return NewJob(
        id=job_id,
        queue_name="q",
        payload="",
        dedupe_key=dedupe_key,
        on_duplicate=on_duplicate,
        idempotency=idempotency,
    )


def repeated(item: NewJob | str) -> object:
    """Make a call whose first copy got lost on the way, so that it may still be there; and repeat it."""
    world = World()
    crashes: list[str] = []
    caller = Caller(world.store.connect, lambda actor, error: crashes.append(f"{actor}: {error}"))
    world.backend.enqueue([wish("held", dedupe_key="k"), wish("known", idempotency=KEY)])
    world.backend.update_queue([QueueEdit(queue_name="q", max_depth=2)])
    kind: type[m.StorageMessage] = m.CancelJobs if isinstance(item, str) else m.EnqueueJobs
    world.trouble.refuse["cancel" if isinstance(item, str) else "enqueue"] = 1
    (answer,) = caller.batch(kind, [item])
    assert not crashes
    return answer


@pytest.mark.parametrize(
    "item",
    [
        wish("new"),
        wish("new", dedupe_key="k"),
        wish("new", dedupe_key="k", on_duplicate=OnDuplicate.REPLACE),
        wish("new", dedupe_key="k", on_duplicate=OnDuplicate.REJECT),
        wish(
            "new",
            dedupe_key="k",
            on_duplicate=OnDuplicate.REJECT,
            idempotency=Idempotency("x", "y"),
        ),
        "no such job",
    ],
    ids=["full", "duplicate", "replaced", "rejected", "rejected, with a key", "not found"],
)
def test_what_holds_for_a_moment_only_is_no_certain_answer(item: NewJob | str) -> None:
    """There may be room, or the key free, when the first copy arrives: the outcome is unknown (I1)."""
    assert isinstance(repeated(item), BackendUnavailable)


@pytest.mark.parametrize(
    "item",
    [
        wish("held", dedupe_key="k"),
        wish("new", idempotency=KEY),
        wish("new", dedupe_key="k", idempotency=Idempotency("x", "y")),
    ],
    ids=["its own job", "replay", "duplicate, with a key"],
)
def test_what_a_late_copy_will_find_is_an_answer(item: NewJob) -> None:
    """The job that was made, and the record of an idempotency key, are there for the copy, too (I11)."""
    answer = repeated(item)
    assert isinstance(answer, Enqueued)
    assert answer.outcome in {Outcome.CREATED, Outcome.DUPLICATE}


def test_a_key_of_another_request_stays_one() -> None:
    """The record outlives the copy: the refusal is for good (I11)."""
    answer = repeated(wish("new", idempotency=OTHER))
    assert isinstance(answer, IdempotencyKeyReused)


def test_a_job_that_could_be_cancelled_is_cancelled() -> None:
    """To cancel twice is to cancel once."""
    assert not isinstance(repeated("held"), ActorqError)
