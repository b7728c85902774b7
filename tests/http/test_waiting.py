"""Long polls: what ends a wait, and what becomes of a client that leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.http import AppOptions
from tests.http.door import Door, Exchange, open_door
from tests.http.shown import Answer, Shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

DEQUEUE = "/queues/work/dequeue"


class Poll:
    """A long poll under way."""

    def __init__(self, exchange: Exchange, tasks: anyio.abc.TaskGroup) -> None:
        self._exchange = exchange
        self._tasks = tasks
        self.ended = anyio.Event()

    async def start(self, door: Door) -> None:
        """Begin, and return once the request waits."""
        self._tasks.start_soon(self._run, door)
        await anyio.wait_all_tasks_blocked()

    async def _run(self, door: Door) -> None:
        await self._exchange.run(door.app)
        self.ended.set()

    async def answer(self) -> Answer:
        """Wait for the answer."""
        with anyio.fail_after(5):
            await self.ended.wait()
        return self._exchange.answer()

    async def hang_up(self) -> None:
        """Let the client go, and return once the request has ended, without an answer."""
        self._exchange.hang_up()
        with anyio.fail_after(5):
            await self.ended.wait()
        assert self._exchange.sent == []


@pytest.fixture
async def tasks() -> AsyncGenerator[anyio.abc.TaskGroup]:
    """Run requests beside the test."""
    async with anyio.create_task_group() as group:
        yield group
        group.cancel_scope.cancel()


async def poll(
    door: Door, tasks: anyio.abc.TaskGroup, target: str = DEQUEUE, **wish: object
) -> Poll:
    """Begin a long poll for a job."""
    begun = Poll(door.exchange("POST", target, {"wait": 20, **wish}), tasks)
    await begun.start(door)
    return begun


async def test_a_wait_ends_with_a_job(tasks: anyio.abc.TaskGroup) -> None:
    """A long poll is answered as soon as there is a job, and others stay waiting (§9)."""
    async with open_door() as door:
        first, second = await poll(door, tasks), await poll(door, tasks, max=5)
        job = await door.put()
        assert (await first.answer()).job().id == job.id
        assert not second.ended.is_set()
        other = await door.put()
        assert [one.id for one in (await second.answer()).read(list[Shown])] == [other.id]


async def test_a_change_ends_a_wait(tasks: anyio.abc.TaskGroup) -> None:
    """GET /jobs/:id?wait is answered when the job changes, with the new version (§9)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("GET", f"/jobs/{job.id}?wait=20", headers={"If-None-Match": '"1"'})
        watching = Poll(exchange, tasks)
        await watching.start(door)
        await door.call("POST", f"/jobs/{job.id}/cancel")
        answer = await watching.answer()
        assert (answer.job().status, answer.headers["etag"]) == ("cancelled", '"2"')


async def test_a_watched_job_may_go(tasks: anyio.abc.TaskGroup) -> None:
    """A job that is removed while somebody waits for its change: 404 (§9)."""
    async with open_door() as door:
        job = await door.put()
        await door.call("POST", f"/jobs/{job.id}/cancel")
        exchange = door.exchange("GET", f"/jobs/{job.id}?wait=20", headers={"If-None-Match": '"2"'})
        watching = Poll(exchange, tasks)
        await watching.start(door)
        await door.call("DELETE", f"/jobs/{job.id}")
        await door.queue.get_queue_length("work")
        (await watching.answer()).problem(404, "not_found")


async def test_a_client_that_leaves_is_withdrawn(tasks: anyio.abc.TaskGroup) -> None:
    """A waiting client that hangs up gets no lease: the next job goes to who waits still (§9, F11)."""
    async with open_door() as door:
        gone, there = await poll(door, tasks), await poll(door, tasks)
        await gone.hang_up()
        job = await door.put()
        claimed = (await there.answer()).job()
        assert (claimed.id, claimed.attempt, claimed.interruptions) == (job.id, 1, 0)


async def test_a_watcher_that_leaves_ends(tasks: anyio.abc.TaskGroup) -> None:
    """A client that waits for a change and hangs up ends its request, and frees its place (§9)."""
    async with open_door(AppOptions(max_waiters=1)) as door:
        job = await door.put()
        for _ in range(2):
            exchange = door.exchange(
                "GET", f"/jobs/{job.id}?wait=20", headers={"If-None-Match": '"1"'}
            )
            watching = Poll(exchange, tasks)
            await watching.start(door)
            await watching.hang_up()


async def test_waiting_places_are_bounded(tasks: anyio.abc.TaskGroup) -> None:
    """Beyond ``max_waiters``: 503 with Retry-After; who does not wait is served (§9, F10)."""
    async with open_door(AppOptions(max_waiters=2)) as door:
        first, _ = await poll(door, tasks), await poll(door, tasks)
        refused = await door.call("POST", DEQUEUE, {"wait": 1})
        assert refused.problem(503, "overloaded").retryable
        assert refused.headers["retry-after"] == "1"
        job = await door.queue.enqueue("other", "x")
        watched = await door.call("GET", f"/jobs/{job.id}?wait=1", headers={"If-None-Match": '"1"'})
        watched.problem(503, "overloaded")
        assert (await door.call("POST", "/queues/other/dequeue")).status == 200
        await first.hang_up()
        again = await door.call("POST", "/queues/other/dequeue", {"wait": 0.02})
        assert again.status == 204


async def test_a_drain_answers_all_who_wait(tasks: anyio.abc.TaskGroup) -> None:
    """When the server goes away every waiting request is answered at once, and says why (§9)."""
    async with open_door() as door:
        job = await door.put()
        exchange = door.exchange("GET", f"/jobs/{job.id}?wait=20", headers={"If-None-Match": '"1"'})
        watching = Poll(exchange, tasks)
        await watching.start(door)
        polls = [await poll(door, tasks, "/queues/empty/dequeue") for _ in range(3)]
        door.runtime.drain()
        for one in polls:
            answer = await one.answer()
            assert (answer.status, answer.headers["actorq-draining"]) == (204, "true")
        assert (await watching.answer()).status == 304
        late = await door.call("POST", DEQUEUE, {"wait": 20})
        assert (late.status, late.headers["actorq-draining"]) == (204, "true")
