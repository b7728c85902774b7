"""What the simulated store tells the history, and that whatever it commits can be taken back."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from actorq.core.commands import Ack, Edit, Extend, Fail, Release
from actorq.core.job import Delivery, NewJob
from actorq.core.retry import Failure
from actorq.core.schedule import NewSchedule, PutSchedule
from actorq.core.ticks import Timing
from actorq.testing.conformance.audit import audit
from actorq.testing.invariants.events import Move
from tests.testing.simulation.store.hand import QUEUE, Scene, claim, new

if TYPE_CHECKING:
    from actorq.backends.backend import Backend
    from actorq.core.queue import QueueStats
    from actorq.core.schedule import Schedule


def test_every_event_has_its_name() -> None:
    """A history tells by which event of the table each job moved, in the order of the commits (§2)."""
    scene = Scene()
    backend = scene.backend
    backend.enqueue([new("a"), NewJob(id="b", queue_name=QUEUE, payload="", delay=60.0)])
    backend.update_job(
        [Edit(id="b", delay=0.0), Edit(id="b", delay=60.0), Edit(id="b", priority=1)]
    )
    backend.dequeue([claim("1")])
    backend.extend([Extend("a", "1")])
    backend.fail([Fail("a", "1", Failure(retry_in=1.0))])
    scene.hand.pass_by(1.0)
    backend.promote_delayed(10)
    backend.dequeue([claim("2")])
    backend.release([Release("a", "2")])
    backend.dequeue([claim("3")])
    scene.hand.pass_by(31.0)
    backend.requeue_expired(10)
    backend.dequeue([claim("4")])
    backend.fail([Fail("a", "4", Failure(retryable=False))])
    backend.redrive(["a"])
    backend.dequeue([claim("5")])
    backend.cancel(["a", "b"])
    backend.ack([Ack("a", "5")])
    backend.delete(["a"])
    assert [event for job_id, event in scene.moves() if job_id == "b"] == [
        "enqueue",
        "promote",
        "reschedule",
        "edit",
        "cancel",
    ]
    assert [event for job_id, event in scene.moves() if job_id == "a"] == [
        *("enqueue", "claim", "extend", "retry", "promote", "claim", "release", "claim"),
        *("expire", "claim", "bury", "redrive", "claim", "request_cancel", "ack", "delete"),
    ]


def test_a_move_tells_what_the_rules_are_about() -> None:
    """A move carries the record's state, lease and counts, and only a failure of its own (I4 to I8)."""
    scene = Scene()
    job = NewJob(id="a", queue_name=QUEUE, payload="p", delivery=Delivery.AT_MOST_ONCE, priority=7)
    scene.backend.enqueue([job])
    scene.backend.dequeue([claim("t")])
    scene.backend.fail([Fail("a", "t", Failure("broken"))])
    born, claimed, buried = [event for event in scene.hand.events if isinstance(event, Move)]
    assert (born.before, born.job.status, born.job.priority) == (None, "pending", 7)
    assert (claimed.before, claimed.job.token, claimed.job.attempt) == ("pending", "t", 1)
    assert claimed.job.lease_until == claimed.store_time + 30_000_000
    assert (buried.job.status, buried.job.dead_reason) == ("dead", "retries_exhausted")
    assert [claimed.job.failures, buried.job.failures] == [0, 1]
    assert [born.step, claimed.step, buried.step] == [1, 2, 3]


@pytest.mark.parametrize("seed", range(8))
def test_every_step_can_be_taken_back(seed: int) -> None:
    """After a fall back to any step, records, indexes and figures are what they were then (I2, I13)."""
    scene = Scene(lag=1e9)
    random = Random(seed)
    before: dict[int, tuple[dict[str, object], list[QueueStats], list[Schedule]]] = {}
    instants: dict[int, float] = {}
    for number in range(120):
        act(scene.backend, random, number)
        scene.hand.pass_by(random.choice([0.0, 1.0, 20.0]))
        step = scene.store.journal.step
        if step not in before:
            instants[step] = scene.hand.time()
        before[step] = (
            dict(scene.store.data.jobs),
            scene.backend.list_queues(),
            scene.backend.list_schedules("", 10),
        )
    while before:
        step = random.choice(sorted(before))
        since = max(at for known, at in instants.items() if known <= step)
        scene.store.fail_over(lag=scene.hand.time() - since, split=0.0)
        backend = scene.connect()
        jobs, figures, schedules = before[step]
        assert scene.store.data.jobs == jobs
        assert backend.list_queues() == figures
        assert backend.list_schedules("", 10) == schedules
        audit(backend)
        before = {known: then for known, then in before.items() if known < step}


def act(backend: Backend, random: Random, number: int) -> None:
    """Do something to a store."""
    held = [job for job in backend.find_claims([f"t{n}" for n in range(number)]) if job.lease]
    match random.randrange(11):
        case 0 | 1 | 2:
            job = NewJob(
                id=f"job-{number:03d}",
                queue_name=random.choice([QUEUE, "other"]),
                payload="p",
                delay=random.choice([None, 5.0]),
                dedupe_key=random.choice([None, "k"]),
                dedupe_window=random.choice([0.0, 30.0]),
            )
            backend.enqueue([job, job])
        case 3 | 4:
            backend.dequeue([claim(f"t{number}")])
        case 5 if held:
            backend.ack([Ack(held[0].id, held[0].lease.token if held[0].lease else None)])
        case 6 if held:
            backend.fail([Fail(held[0].id, None, Failure(retryable=bool(number % 2)))])
        case 7:
            timing = Timing(every=random.choice([10.0, 30.0]))
            job = NewJob(id="", queue_name=QUEUE, payload="tick")
            new_one = NewSchedule(name="s", job=job, timing=timing)
            backend.change_schedules([PutSchedule(new=new_one)])
        case 8:
            backend.fire_schedules(10)
        case 9:
            backend.prune(10)
            backend.promote_delayed(10)
        case _:
            backend.requeue_expired(10)
