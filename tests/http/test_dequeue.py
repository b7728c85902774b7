"""The route by which workers take jobs: at once, many at once, or waiting for one."""

from __future__ import annotations

import anyio
import pytest

from actorq.http import AppOptions
from tests.http.door import Door, open_door
from tests.http.shown import Shown

DEQUEUE = "/queues/work/dequeue"


async def test_a_job_is_claimed_by_a_bare_client() -> None:
    """An empty body claims the best job; the answer carries its lease (§4, §9)."""
    async with open_door() as door:
        await door.put("low")
        best = await door.put("high", priority=1)
        answer = await door.call("POST", DEQUEUE)
        job = answer.job()
        assert (job.id, job.status, job.attempt) == (best.id, "running", 1)
        assert job.lease is not None
        assert job.lease.expires_at == "2026-01-01T00:00:30.000000Z"
        assert job.lease.visibility_timeout == 30.0
        assert len(job.token) >= 16
        assert job.lease.worker_id == "anonymous"


async def test_a_worker_says_who_it_is_and_for_how_long() -> None:
    """``worker_id`` and ``visibility_timeout`` are those of the lease (§9)."""
    async with open_door() as door:
        await door.put()
        job = await door.take(worker_id="w-1", visibility_timeout="5m")
        assert job.lease is not None
        assert (job.lease.worker_id, job.lease.visibility_timeout) == ("w-1", 300.0)


async def test_an_empty_queue_is_204() -> None:
    """Nothing to give out: 204 without a body, also for a list, also after a wait (§9)."""
    async with open_door() as door:
        for wish in (None, {}, {"max": 3}, {"wait": "0.02s"}):
            answer = await door.call("POST", DEQUEUE, wish)
            assert (answer.status, answer.body) == (204, b"")
            assert set(answer.headers) == {"x-request-id"}


async def test_a_paused_queue_says_so() -> None:
    """A paused queue answers empty, and says why in a header (§8, §9)."""
    async with open_door() as door:
        await door.put()
        await door.call("POST", "/queues/work/pause")
        for wish in ({}, {"wait": 0.02}):
            answer = await door.call("POST", DEQUEUE, wish)
            assert (answer.status, answer.headers["actorq-paused"]) == (204, "true")
        await door.call("POST", "/queues/work/resume")
        assert (await door.call("POST", DEQUEUE)).status == 200


async def test_many_jobs_are_a_list() -> None:
    """``max`` makes the answer a list, of one job too, each with a lease of its own (§9)."""
    async with open_door() as door:
        for number in range(3):
            await door.put(str(number))
        first = await door.call("POST", DEQUEUE, {"max": 2})
        assert [job.payload for job in first.read(list[Shown])] == ["0", "1"]
        assert len({job.token for job in first.read(list[Shown])}) == 2
        rest = await door.call("POST", DEQUEUE, {"max": 1})
        assert [job.payload for job in rest.read(list[Shown])] == ["2"]


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        ({"max": 0}, "/max"),
        ({"max": 11}, "/max"),
        ({"max": True}, "/max"),
        ({"wait": 20.5}, "/wait"),
        ({"wait": -1}, "/wait"),
        ({"wait": None}, "/wait"),
        ({"visibility_timeout": 0.5}, "/visibility_timeout"),
        ({"visibility_timeout": "13h"}, "/visibility_timeout"),
        ({"worker_id": ""}, "/worker_id"),
        ({"worker_id": "a\0"}, "/worker_id"),
        ({"worker": "w"}, "/worker"),
    ],
)
async def test_a_wish_is_checked(wish: dict[str, object], place: str) -> None:
    """What breaks a bound is 422 that names it, and claims nothing (§9)."""
    async with open_door(AppOptions(max_batch=10)) as door:
        job = await door.put()
        assert (await door.call("POST", DEQUEUE, wish)).places() == [place]
        assert (await door.look(job.id)).status == "pending"


async def handed_back(door: Door, job: Shown) -> None:
    """See that a job came back with its attempt handed back, to be claimed by another."""
    with anyio.fail_after(5):
        while (seen := await door.look(job.id)).status == "running":
            await anyio.wait_all_tasks_blocked()
    assert (seen.status, seen.attempt, seen.interruptions) == ("pending", 1, 1)
    assert (seen.retry_count, seen.errors) == (0, [])
    assert (await door.take()).attempt == 2


async def test_a_client_that_left_before_the_claim_gets_no_lease() -> None:
    """Gone when its job is claimed: the job is not answered to nobody, but handed back (F11)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("POST", DEQUEUE)
        exchange.hang_up()
        await exchange.run(door.app)
        assert exchange.sent == []
        await handed_back(door, job)


async def test_a_client_that_left_before_its_wait_claims_nothing() -> None:
    """Gone when its wait begins: the request is withdrawn, and no attempt is made (F11)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("POST", DEQUEUE, {"wait": 20})
        exchange.hang_up()
        await exchange.run(door.app)
        assert exchange.sent == []
        assert (await door.take()).attempt == 1
        assert (await door.look(job.id)).interruptions == 0


async def test_a_client_that_leaves_with_its_claim_gets_no_lease() -> None:
    """Gone in the very moment of the claim: the job is handed back with its attempt (§9, F11)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("POST", DEQUEUE, {"wait": 20})
        door.trouble.before = lambda verb: exchange.hang_up() if verb == "dequeue" else None
        await exchange.run(door.app)
        assert exchange.sent == []
        door.trouble.before = None
        await handed_back(door, job)


async def test_a_large_answer_is_not_lost_halfway() -> None:
    """Gone before the last piece of a large answer was written: its jobs are handed back (§9)."""
    async with open_door() as door:
        job = await door.put("x" * 200_000)
        exchange = door.exchange("POST", DEQUEUE)
        exchange.on_send = lambda message: exchange.hang_up() if "body" in message else None
        await exchange.run(door.app)
        assert len(exchange.sent) == 2
        assert exchange.sent[1]["more_body"]
        await handed_back(door, job)


async def test_a_large_answer_arrives() -> None:
    """A large answer to a client that stays is written in pieces, and complete (§9)."""
    async with open_door() as door:
        payload = "é" * 100_000
        await door.put(payload)
        answer = await door.call("POST", DEQUEUE)
        assert answer.job().payload == payload
        assert answer.headers["content-length"] == str(len(answer.body))


async def test_whoever_has_the_whole_answer_keeps_its_lease() -> None:
    """A client that hangs up once it has its job may be at work: nothing is taken from it (I4)."""
    async with open_door() as door:
        await door.put(delivery="at_most_once")
        exchange = door.exchange("POST", DEQUEUE)
        exchange.on_send = lambda message: exchange.hang_up() if "body" in message else None
        await exchange.run(door.app)
        job = exchange.answer().job()
        await anyio.wait_all_tasks_blocked()
        done = await door.call("POST", f"/jobs/{job.id}/ack", {"lease": job.token})
        assert done.job().status == "completed"


@pytest.mark.parametrize("wish", [{}, {"wait": 20}])
async def test_a_request_cut_by_its_server_gives_back(wish: dict[str, object]) -> None:
    """A server that cuts a request before its answer is out: the job is handed back (§9, I8)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("POST", DEQUEUE, wish)
        with anyio.CancelScope() as server:
            door.trouble.before = lambda verb: server.cancel() if verb == "dequeue" else None
            await exchange.run(door.app)
        assert exchange.sent == []
        door.trouble.before = None
        await handed_back(door, job)


async def test_a_request_cut_within_its_answer_gives_back() -> None:
    """Cut while a large answer is half written: the jobs in it are handed back (§9, I8)."""
    async with open_door() as door:
        job = await door.put("x" * 200_000)
        exchange = door.exchange("POST", DEQUEUE)
        with anyio.CancelScope() as server:
            exchange.on_send = lambda _: server.cancel()
            await exchange.run(door.app)
        await handed_back(door, job)
