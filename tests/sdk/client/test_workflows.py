"""Jobs that depend on each other, made over HTTP: by ids, and by their places in one request."""

from __future__ import annotations

import json
from operator import methodcaller
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from actorq import (
    App,
    BackendUnavailable,
    Enqueued,
    InvalidInput,
    ListJobs,
    OnParentFailure,
    QueueEdit,
    QueueFull,
    Status,
    Workflow,
    chain,
    group,
)
from actorq.core.instants import LATEST_US
from actorq.sdk.client import Refused
from actorq.sdk.client.door import open_door
from actorq.sdk.door import Draft
from tests.sdk.client.servers import open_odd, open_server
from tests.sdk.client.speakers import HASTY, Kind, speaking, with_each_client

if TYPE_CHECKING:
    from actorq import ActorqError, Job, PrunedReplay
    from tests.sdk.client.servers import Visit

pytestmark = with_each_client


def made(answer: Enqueued | PrunedReplay | ActorqError) -> Job:
    """Return the job that was made."""
    assert isinstance(answer, Enqueued)
    return answer.job


async def test_a_job_is_shown_as_it_stands(kind: Kind) -> None:
    """A client's record of a job in a workflow is the queue's own, for parent and child (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        parent = await speaker.say(lambda calls: calls.enqueue("work", "x"))
        child = await speaker.say(
            lambda calls: calls.enqueue(
                "work", "y", depends_on=[parent], on_parent_failure="run", delay=60.0
            )
        )
        assert child.workflow == Workflow(
            depends_on=(parent.id,),
            waiting_for=(parent.id,),
            on_parent_failure=OnParentFailure.RUN,
            not_before=child.created_at + 60_000_000,
        )
        assert (child.available_at, child.waits_for_others) == (LATEST_US, True)
        for job in (parent, child):
            shown = await speaker.say(methodcaller("get_job", job.id))
            assert shown == await served.door.queue.get_job(job.id)


async def test_jobs_of_one_list_depend_on_each_other(kind: Kind) -> None:
    """Whoever made them: their ids are names that the server never hears (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        client, queue = speaker.client, served.door.queue
        old = await queue.enqueue("work", "old")
        one = client.new_job("work", "1")
        two = queue.new_job("work", "2", depends_on=[one])
        three = client.new_job("work", "3", depends_on=[one, old.id, two])
        jobs = list(
            map(made, await speaker.say(lambda calls: calls.enqueue_many([one, two, three])))
        )
        parents = [() if job.workflow is None else job.workflow.depends_on for job in jobs]
        assert parents == [(), (jobs[0].id,), (jobs[0].id, old.id, jobs[1].id)]
        assert not {one.id, two.id, three.id} & {job.id for job in jobs}


async def test_a_job_falls_with_its_parent(kind: Kind) -> None:
    """One whose parent in the same list is refused, or stands behind it, is refused too, and no other."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        client = speaker.client
        lost = client.new_job("work", "1", depends_on=["01a00000-0000-7000-8000-000000000000"])
        child = client.new_job("work", "2", depends_on=[lost])
        later = client.new_job("work", "4")
        early = client.new_job("work", "3", depends_on=[later])
        answers = await speaker.say(lambda calls: calls.enqueue_many([lost, child, early, later]))
        assert [type(answer) for answer in answers] == [InvalidInput] * 3 + [Enqueued]
        assert [str(answer).partition(":")[0] for answer in answers[:3]] == ["/depends_on/0"] * 3


async def test_what_depends_on_each_other_is_not_cut(kind: Kind) -> None:
    """It goes in one request, or not at all; what does not is cut as always."""

    async def refuse(visit: Visit) -> None:
        await visit.answer(422)

    options = replace(HASTY, max_batch=2, max_body=100)
    async with open_odd(refuse) as server, speaking(kind, server.url, options) as speaker:
        one = speaker.client.new_job("work", "x" * 200)
        two = speaker.client.new_job("work", "x" * 200, depends_on=[one])
        three = speaker.client.new_job("work", "x")
        with pytest.raises(InvalidInput, match="at most 2 may depend on each other, not 3"):
            await speaker.say(lambda calls: calls.enqueue_many([one, two, three]))
        assert not server.visits
        for jobs, number in (([one, two], 2), ([one, three], 1)):
            with pytest.raises(Refused):
                await speaker.say(methodcaller("enqueue_many", jobs))
            assert len(json.loads(server.visits[-1].body)["jobs"]) == number


async def test_a_chain_is_one_call(kind: Kind) -> None:
    """Enqueued by a client it is made in one step, or refused as a whole; its last job is answered (§9)."""
    app = App()

    @app.task
    async def work(number: int) -> None:
        """Do nothing."""

    narrow = work.with_options(queue="narrow")
    async with open_server() as served, speaking(kind, served.url) as speaker:
        whole = group([work.call(1), work.call(2)], then=work.call(3))
        job = await speaker.say(lambda calls: calls.enqueue_call(whole))
        assert job.workflow is not None
        assert (job.payload, len(job.workflow.waiting_for)) == ('{"number":3}', 2)
        single = await speaker.say(lambda calls: calls.enqueue_call(chain(work.call(4))))
        assert (single.payload, single.workflow) == ('{"number":4}', None)
        await served.door.queue.update_queue(QueueEdit(queue_name="narrow", max_depth=1))
        wide = chain(group([narrow.call(5), narrow.call(6)]), work.call(7))
        with pytest.raises(QueueFull):
            await speaker.say(lambda calls: calls.enqueue_call(wide))
        (left,) = (await served.door.queue.list_jobs(ListJobs(queue_name="narrow"))).jobs
        assert left.status is Status.CANCELLED


async def test_the_door_names_earlier_drafts(kind: Kind) -> None:
    """By their places in the call, beside ids; and reads many jobs, some of which are not there."""
    del kind
    async with open_server() as served, open_door(served.url) as door:
        old = await served.door.queue.enqueue("work", "old")
        drafts = [
            Draft(queue_name="work", payload="1"),
            Draft(queue_name="work", payload="2", options={"depends_on": [old]}, after=(0,)),
        ]
        one, two = map(made, await door.enqueue_many(drafts))
        assert two.workflow is not None
        assert two.workflow.depends_on == (old.id, one.id)
        ids = [two.id, "01a00000-0000-7000-8000-000000000000", *[one.id] * 20]
        found = await door.get_jobs(ids)
        assert [job and job.id for job in found] == [two.id, None, *[one.id] * 20]
        assert await door.get_jobs([]) == []
        served.door.trouble.away = True
        with pytest.raises(BackendUnavailable):
            await door.get_jobs(ids)
