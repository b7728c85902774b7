"""Both clients against a real server: every call, and the types of what it answers."""

from __future__ import annotations

import anyio
import pytest

from actorq import (
    Ack,
    AlreadyStarted,
    App,
    DuplicateJob,
    Edit,
    Enqueued,
    Extend,
    Fail,
    Failure,
    IdempotencyKeyReused,
    IllegalTransition,
    InvalidInput,
    LeaseLost,
    NotFound,
    NotLeased,
    Outcome,
    QueueEdit,
    QueueFull,
    Release,
    Report,
    Settled,
    StaleVersion,
    Status,
)
from actorq.sdk.door import Held
from tests.http.door import NOBODY
from tests.sdk.client.servers import open_server
from tests.sdk.client.speakers import Kind, speaking, with_each_client

pytestmark = with_each_client


async def test_a_whole_life_is_the_same_as_embedded(kind: Kind) -> None:
    """What the client answers equals the record that the queue behind the server has (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        queue = served.door.queue
        made = await speaker.say(
            lambda calls: calls.enqueue(
                "work", "päyload\0", priority=7, metadata={"a": "b"}, task="t", timeout=2.5
            )
        )
        assert made == await queue.get_job(made.id)
        taken = await speaker.say(lambda calls: calls.dequeue("work", worker_id="w1"))
        assert taken is not None
        assert taken.lease is not None
        assert taken.lease.worker_id == "w1"
        assert taken.attempt == 1
        done = await speaker.say(lambda calls: calls.ack(taken, result={"n": [1, None]}))
        assert done.status is Status.COMPLETED
        assert done.result == '{"n":[1,null]}'
        assert await speaker.say(lambda calls: calls.get_job(made.id)) == done
        again = await speaker.say(lambda calls: calls.ack(taken, result={"n": [1, None]}))
        assert again == done
        assert await speaker.say(lambda calls: calls.delete(made.id)) == done
        with pytest.raises(NotFound, match=made.id):
            await speaker.say(lambda calls: calls.get_job(made.id))


async def test_a_call_of_a_task_is_enqueued(kind: Kind) -> None:
    """A program without an event loop can enqueue what tasks are called with, options and all (§9)."""
    app = App()

    @app.task(queue="mail", max_retries=7)
    def welcome(name: str) -> None: ...

    async with open_server() as served, speaking(kind, served.url) as speaker:
        call = welcome.with_options(delay="1h", priority=3).call("Ada")
        job = await speaker.say(lambda calls: calls.enqueue_call(call))
        assert (job.task, job.queue_name, job.payload) == ("welcome", "mail", '{"name":"Ada"}')
        assert (job.priority, job.max_retries, job.status) == (3, 7, Status.DELAYED)


async def test_failures_and_hand_backs(kind: Kind) -> None:
    """Fail, release, extend and report act on the lease that the job carries (§2, §4)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        await speaker.say(lambda calls: calls.enqueue("work", "x"))
        job = await speaker.say(lambda calls: calls.dequeue("work", visibility_timeout=9.0))
        assert job is not None
        assert job.lease is not None
        assert job.lease.visibility_timeout == 9.0
        renewed = await speaker.say(lambda calls: calls.extend(job, visibility_timeout=60.0))
        assert renewed.lease is not None
        assert renewed.lease.token == job.lease.token
        assert renewed.lease.visibility_timeout == 60.0
        told = await speaker.say(lambda calls: calls.report(job, {"done": 3}))
        assert told.progress == '{"done":3}'
        assert told.lease is not None
        assert told.lease.token == ""
        back = await speaker.say(lambda calls: calls.release(job))
        assert (back.status, back.interruptions) == (Status.PENDING, 1)
        with pytest.raises(LeaseLost) as lost:
            await speaker.say(lambda calls: calls.ack(job))
        assert lost.value.job_id == job.id
        second = await speaker.say(lambda calls: calls.dequeue("work"))
        assert second is not None
        failed = await speaker.say(lambda calls: calls.fail(second, reason="no", retry_in=5.0))
        assert failed.status is Status.DELAYED
        assert failed.errors[0].message == "no"


async def test_refusals_are_the_errors_of_the_family(kind: Kind) -> None:
    """What a server refuses is raised as the class that the embedded queue raises (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        job = await speaker.say(lambda calls: calls.enqueue("work", "x", dedupe_key="k"))
        with pytest.raises(DuplicateJob) as twice:
            await speaker.say(
                lambda calls: calls.enqueue("work", "y", dedupe_key="k", on_duplicate="reject")
            )
        assert twice.value.job_id == job.id
        with pytest.raises(NotLeased) as bare:
            await speaker.say(lambda calls: calls.ack(job.id))
        assert (bare.value.job_id, bare.value.status) == (job.id, "pending")
        with pytest.raises(StaleVersion) as stale:
            await speaker.say(lambda calls: calls.update_job(Edit(id=job.id, version=9)))
        assert stale.value.version == 1
        with pytest.raises(IllegalTransition, match="redrive") as wrong:
            await speaker.say(lambda calls: calls.redrive(job.id))
        assert wrong.value.status == "pending"
        with pytest.raises(NotFound):
            await speaker.say(lambda calls: calls.get_job(NOBODY))
        with pytest.raises(NotFound):
            await speaker.say(lambda calls: calls.get_job("../queues"))
        with pytest.raises(InvalidInput) as large:
            await speaker.say(lambda calls: calls.enqueue("work", "x" * 1_048_577))
        assert large.value.pointer == "/payload"
        with pytest.raises(InvalidInput) as misnamed:
            await speaker.say(lambda calls: calls.enqueue("no queue", "x"))
        assert misnamed.value.pointer == "/queue_name"


async def test_an_at_most_once_job_is_not_redriven(kind: Kind) -> None:
    """A job that was started once and failed stays dead (I4)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        await speaker.say(lambda calls: calls.enqueue("work", "x", delivery="at_most_once"))
        job = await speaker.say(lambda calls: calls.dequeue("work"))
        assert job is not None
        await speaker.say(lambda calls: calls.fail(job, reason="no"))
        with pytest.raises(AlreadyStarted) as started:
            await speaker.say(lambda calls: calls.redrive(job.id))
        assert started.value.job_id == job.id


@pytest.mark.parametrize("key", ['a "quoted\\" key', "schlüssel"])
async def test_keys_of_the_caller(kind: Kind, key: str) -> None:
    """An idempotency key of the caller's names the request, in a header or, if it must, in the body (§6)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        one, two = [
            await speaker.say(lambda calls: calls.enqueue("work", "x", idempotency_key=key))
            for _ in range(2)
        ]
        assert one.id == two.id
        with pytest.raises(IdempotencyKeyReused):
            await speaker.say(lambda calls: calls.enqueue("work", "y", idempotency_key=key))


async def test_every_enqueue_is_a_request_of_its_own(kind: Kind) -> None:
    """Two calls without a key make two jobs: each has a key that nobody else uses (§6)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        one, two = [await speaker.say(lambda calls: calls.enqueue("work", "x")) for _ in range(2)]
        assert one.id != two.id


async def test_batches_keep_the_order_and_judge_each_item(kind: Kind) -> None:
    """One result an item, in order; a refusal is a value and touches no other item (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        await served.door.queue.update_queue(QueueEdit(queue_name="full", max_depth=0))
        jobs = await speaker.say(
            lambda calls: calls.enqueue_many(
                [
                    calls.new_job("work", "0", dedupe_key="k"),
                    calls.new_job("full", "1"),
                    calls.new_job("work", "2", dedupe_key="k"),
                    calls.new_job("work", "3", dedupe_key="k", on_duplicate="replace"),
                ]
            )
        )
        first, full, second, third = jobs
        assert isinstance(first, Enqueued)
        assert isinstance(full, QueueFull)
        assert full.queue_name == "full"
        assert isinstance(second, Enqueued)
        assert isinstance(third, Enqueued)
        assert [one.outcome for one in (first, second, third)] == list(Outcome)
        assert third.job.payload == "3"


async def test_the_same_jobs_may_be_sent_again(kind: Kind) -> None:
    """A list that was sent before makes nothing twice, and each answer says so (§6)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        new = [speaker.client.new_job("work", "x") for _ in range(3)]
        once = await speaker.say(lambda calls: calls.enqueue_many(new))
        twice = await speaker.say(lambda calls: calls.enqueue_many(new))
        assert [one.job.id for one in once if isinstance(one, Enqueued)] == [
            one.job.id for one in twice if isinstance(one, Enqueued) and one.replayed
        ]
        assert len(once) == 3
        assert await served.door.queue.get_queue_length("work") == 3


async def test_settlements_in_one_call(kind: Kind) -> None:
    """Acknowledged, failed and handed back in one request, each judged by itself (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        for payload in "abc":
            await served.door.queue.enqueue("work", payload)
        claimed = await speaker.say(lambda calls: calls.dequeue_many("work", 5))
        tokens = [(job.id, job.lease.token) for job in claimed.jobs if job.lease]
        (a, b, c) = tokens
        results = await speaker.say(
            lambda calls: calls.settle(
                [
                    Ack(*a, '{"n":1}'),
                    Release(*c),
                    Fail(*b, Failure("no", retryable=False)),
                    Ack(NOBODY, "t"),
                    Ack(c[0], "another's"),
                ]
            )
        )
        done = [one.job for one in results if isinstance(one, Settled)]
        assert [job.status for job in done] == [Status.COMPLETED, Status.PENDING, Status.DEAD]
        missing, lost = (one for one in results if not isinstance(one, Settled))
        assert isinstance(missing, NotFound)
        assert isinstance(lost, LeaseLost)
        assert lost.job_id == c[0]


async def test_leases_are_renewed_in_one_call(kind: Kind) -> None:
    """Held, lost and cancelled leases are told apart, in the order asked (§4)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        queue = served.door.queue
        for payload in "ab":
            await queue.enqueue("work", payload)
        claimed = await speaker.say(lambda calls: calls.dequeue_many("work", 2))
        one, two = ((job.id, job.lease.token) for job in claimed.jobs if job.lease)
        await queue.cancel(two[0])
        found = await speaker.say(
            lambda calls: calls.renew(
                "host/1.example", [Extend(*one, 60.0), Extend(*two), Extend(one[0], "other")]
            )
        )
        assert [lease.status for lease in found.leases] == [Held.OK, Held.CANCEL, Held.LOST]
        assert found.leases[0].visibility_timeout == 60.0
        assert not found.drain
        told = await speaker.say(lambda calls: calls.send_report(Report(*one, "5")))
        assert told.progress == "5"


async def test_a_change_is_waited_for(kind: Kind) -> None:
    """A wait ends with the change, or with None when its time is over (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        job = await served.door.queue.enqueue("work", "x")
        assert await speaker.say(lambda calls: calls.wait_for_change(job.id, 1, 0.0)) is None
        assert await speaker.say(lambda calls: calls.wait_for_change(job.id, 1, 0.05)) is None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.door.queue.cancel, job.id)
            changed = await speaker.say(lambda calls: calls.wait_for_change(job.id, 1, 20.0))
            assert changed is not None
            assert changed.status is Status.CANCELLED


async def test_a_claim_waits_for_a_job(kind: Kind) -> None:
    """A claim that waits gets the job as soon as it is there, and otherwise tells of a pause (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        await speaker.say(lambda calls: calls.pause("work", "because"))
        none = await speaker.say(lambda calls: calls.dequeue_many("work", 1, wait=0.05))
        assert (none.jobs, none.paused) == ((), True)
        await speaker.say(lambda calls: calls.resume("work"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.door.queue.enqueue, "work", "late")
            job = await speaker.say(lambda calls: calls.dequeue("work", wait=20.0))
            assert job is not None
            assert job.payload == "late"


async def test_a_waiting_job_is_edited(kind: Kind) -> None:
    """An edit that names the version holds only for that version (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        job = await speaker.say(lambda calls: calls.enqueue("work", "x", delay=60.0))
        later = job.available_at + 1_000_000
        edited = await speaker.say(
            lambda calls: calls.update_job(
                Edit(id=job.id, version=1, payload="y", available_at=later, metadata={"k": "v"})
            )
        )
        assert edited == await served.door.queue.get_job(job.id)
        assert (edited.payload, edited.available_at, edited.metadata) == ("y", later, {"k": "v"})
        gone = await speaker.say(lambda calls: calls.cancel(job.id))
        assert gone.status is Status.CANCELLED
