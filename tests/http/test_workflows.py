"""Jobs that wait for others, over HTTP: in one request and in one batch (contract §2, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from tests.http.door import NOBODY, Door, open_door
from tests.http.shown import Answer, Item, Results, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.http.door import Exchange

NEW = {"queue_name": "work", "payload": "x"}


async def batch(door: Door, *jobs: Mapping[str, object]) -> list[Item]:
    """Enqueue a batch of jobs, each of them like ``NEW`` but for what it says."""
    answer = await door.call("POST", "/jobs/batch", {"jobs": [{**NEW, **job} for job in jobs]})
    assert answer.status == 200, answer
    return answer.read(Results).results


async def made(door: Door, *jobs: Mapping[str, object]) -> list[Shown]:
    """Enqueue a batch, all of which must be taken."""
    found = [item.job for item in await batch(door, *jobs) if item.job is not None]
    assert len(found) == len(jobs)
    return found


async def finish(door: Door) -> str:
    """Claim the next job and complete it; return its payload."""
    job = await door.take()
    return (await door.call("POST", f"/jobs/{job.id}/ack", {"lease": job.token})).job().payload


def refusal(item: Item) -> tuple[int, list[str], str]:
    """Return the status of a refused item, the places that it names, and what is wrong there."""
    assert item.error is not None
    return item.status, [place.pointer for place in item.error.errors], item.error.detail


async def test_a_job_waits_for_another() -> None:
    """``depends_on`` holds a job back without a due time; it and its parent know of each other (§2, §9)."""
    async with open_door() as door:
        parent = await door.put()
        child = await door.put(depends_on=[parent.id])
        assert (child.status, child.available_at) == ("delayed", None)
        assert child.depends_on == child.waiting_for == [parent.id]
        assert (child.on_parent_failure, child.dependents) == ("cancel", None)
        parent = await door.look(parent.id)
        assert (parent.dependents, parent.depends_on, parent.waiting_for) == (
            [child.id],
            None,
            None,
        )
        await finish(door)
        child = await door.look(child.id)
        assert (child.status, child.waiting_for) == ("pending", [])
        assert child.depends_on == [parent.id]
        assert child.available_at is not None


async def test_a_chain_in_one_batch() -> None:
    """``#N`` names an earlier item: each starts when the one before it has completed (§9)."""
    async with open_door() as door:
        chain = await made(
            door, *({"payload": str(n), "depends_on": [f"#{n - 1}"] if n else []} for n in range(4))
        )
        assert [job.depends_on for job in chain] == [None, *([job.id] for job in chain[:-1])]
        assert await door.queue.get_queue_length("work") == 1
        assert [await finish(door) for _ in chain] == ["0", "1", "2", "3"]


async def test_a_group_with_a_completion_job() -> None:
    """A job that depends on a whole group starts after the last of it, whatever its own priority (§2)."""
    async with open_door() as door:
        parts: list[dict[str, object]] = [{"payload": f"part {n}"} for n in range(3)]
        last = {"payload": "last", "priority": 9, "depends_on": ["#0", "#1", "#2", "#0"]}
        *group, completion = await made(door, *parts, last)
        assert completion.depends_on == [job.id for job in group]
        assert [await finish(door) for _ in range(3)] == ["part 0", "part 1", "part 2"]
        assert await finish(door) == "last"


async def test_a_family_may_grow_out_of_a_batch() -> None:
    """In one list an id may stand beside ``#N``, and an ended parent beside one that lives (§9)."""
    async with open_door() as door:
        await door.put()
        done = await door.take()
        await door.call("POST", f"/jobs/{done.id}/ack")
        _, child = await made(door, {}, {"depends_on": [done.id, "#0"]})
        assert child.depends_on is not None
        assert child.depends_on[0] == done.id
        assert child.waiting_for == child.depends_on[1:]


async def test_refused_parents_refuse_their_children() -> None:
    """Whom an item cannot depend on is said at its place, down the line, and spares the others (§9)."""
    async with open_door() as door:
        await door.call("PATCH", "/queues/full/settings", {"max_depth": 0})
        items = await batch(
            door,
            {"payload": 1},
            {"depends_on": ["#0"]},
            {"depends_on": ["#1"]},
            {"depends_on": ["#3"]},
            {"depends_on": ["#5"]},
            {"queue_name": "full"},
            {"depends_on": ["#7"]},
            {},
            {"depends_on": ["#7", "#5"]},
            {"depends_on": ["#8"]},
            {"depends_on": ["#7", NOBODY]},
            {"depends_on": ["#7"]},
        )
        assert [item.status for item in items] == [422] * 5 + [429, 422, 201, 422, 422, 422, 201]
        assert refusal(items[1]) == (422, ["/depends_on/0"], "/depends_on/0: #0 was refused itself")
        own = "/depends_on/0: must name an earlier job of the batch"
        for number in (3, 4, 6):
            assert refusal(items[number]) == (422, ["/depends_on/0"], own)
        assert refusal(items[8])[1:] == (["/depends_on/1"], "/depends_on/1: #5 was refused itself")
        assert refusal(items[9])[1:] == (["/depends_on/0"], "/depends_on/0: #8 was refused itself")
        assert refusal(items[10])[1:] == (
            ["/depends_on/1"],
            f"/depends_on/1: no job has the id {NOBODY}",
        )
        assert await door.queue.get_queue_length("work") == 1


@pytest.mark.parametrize("name", ["#0", "#1", "x", NOBODY])
async def test_a_single_request_has_no_siblings(name: str) -> None:
    """Outside a batch there is nobody to name by a place; nor does a job depend on an unknown one (§9)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", {**NEW, "depends_on": [name]})
        assert answer.places() == ["/depends_on/0"]
        assert await door.queue.list_queues() == []


KEYED: list[dict[str, object]] = [
    {"payload": "first", "idempotency_key": "1"},
    {"payload": "second", "idempotency_key": "2", "depends_on": ["#0"]},
    {"payload": "third", "idempotency_key": "3", "depends_on": ["#1", "#0"]},
]


async def test_a_batch_sent_twice_is_one() -> None:
    """Under the same keys every item is a replay, though new ids were minted for it (§6, I11)."""
    async with open_door() as door:
        first = await batch(door, *KEYED)
        again = await batch(door, *KEYED)
        assert [item.status for item in again] == [201, 201, 201]
        assert all(item.replayed for item in again)
        assert [item.job and item.job.id for item in again] == [
            item.job and item.job.id for item in first
        ]


async def test_what_was_done_of_a_batch_is_not_done_again() -> None:
    """A batch of which a part was taken is sent again whole: the rest depends on what is there (§6)."""
    async with open_door() as door:
        first = await made(door, *KEYED[:2])
        items = await batch(door, *KEYED)
        assert [item.replayed for item in items] == [True, True, False]
        assert items[2].job is not None
        assert items[2].job.depends_on == [first[1].id, first[0].id]


async def test_another_family_under_the_same_keys_is_refused() -> None:
    """Who depends on another job than before asks for something else: 422 (§6)."""
    async with open_door() as door:
        await batch(door, *KEYED)
        other = {"payload": "other", "idempotency_key": "other"}
        for parents in ([], ["#0"], [NOBODY]):
            *_, item = await batch(door, other, {**KEYED[1], "depends_on": parents})
            assert item.error is not None
            assert (item.status, item.error.code) == (422, "idempotency_key_reused")


async def test_a_cancel_goes_down_the_line() -> None:
    """Cancelling a job cancels whoever depends on it, and theirs, unless they run regardless (§2)."""
    async with open_door() as door:
        chain = await made(
            door,
            {},
            {"depends_on": ["#0"]},
            {"depends_on": ["#1"]},
            {"depends_on": ["#2"], "on_parent_failure": "run"},
            {"depends_on": ["#3"]},
        )
        await door.call("POST", f"/jobs/{chain[0].id}/cancel")
        seen = [await door.look(job.id) for job in chain]
        assert [job.status for job in seen] == ["cancelled"] * 3 + ["pending", "delayed"]
        assert (seen[1].available_at, seen[1].waiting_for) == (None, [chain[0].id])


async def test_a_waiting_child_can_be_changed() -> None:
    """PATCH changes one that waits; a new due time is shown, and holds once the others have ended (§9)."""
    async with open_door() as door:
        parent = await door.put()
        child = await door.put(depends_on=[parent.id], delay=60)
        assert child.not_before == "2026-01-01T00:01:00.000000Z"
        changes = {"priority": 9, "payload": "new", "delay": 30}
        edited = (await door.call("PATCH", f"/jobs/{child.id}", changes)).job()
        assert (edited.priority, edited.payload, edited.version) == (9, "new", 2)
        assert (edited.available_at, edited.waiting_for) == (None, [parent.id])
        assert edited.not_before == "2026-01-01T00:00:30.000000Z"
        await finish(door)
        child = await door.look(child.id)
        assert (child.status, child.available_at) == ("delayed", "2026-01-01T00:00:30.000000Z")
        assert (child.waiting_for, child.not_before) == ([], None)


class Watch:
    """A wait for the change of one job, under way."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.ended = anyio.Event()

    async def run(self, door: Door) -> None:
        """Wait for the answer."""
        await self._exchange.run(door.app)
        self.ended.set()

    async def answer(self) -> Answer:
        """Return the answer, which must come."""
        with anyio.fail_after(5):
            await self.ended.wait()
        return self._exchange.answer()


@pytest.mark.parametrize(("verb", "status"), [("ack", "pending"), ("cancel", "cancelled")])
async def test_the_end_of_a_parent_ends_a_wait_for_its_child(verb: str, status: str) -> None:
    """GET /jobs/:id?wait of a job that waits for another is answered when that one ends (§9)."""
    async with open_door() as door, anyio.create_task_group() as tasks:
        parent = await (door.held() if verb == "ack" else door.put())
        child = await door.put(depends_on=[parent.id])
        wait = Watch(
            door.exchange("GET", f"/jobs/{child.id}?wait=20", headers={"If-None-Match": '"1"'})
        )
        tasks.start_soon(wait.run, door)
        await anyio.wait_all_tasks_blocked()
        assert not wait.ended.is_set()
        await door.call("POST", f"/jobs/{parent.id}/{verb}")
        answer = await wait.answer()
        assert (answer.job().status, answer.headers["etag"]) == (status, '"2"')


async def test_the_end_of_a_parent_ends_a_long_poll() -> None:
    """A worker that waits for a job gets the child as soon as its parent has ended (§3)."""
    async with open_door() as door, anyio.create_task_group() as tasks:
        parent = await door.held()
        child = await door.put(queue_name="then", depends_on=[parent.id])
        wait = Watch(door.exchange("POST", "/queues/then/dequeue", {"wait": 20}))
        tasks.start_soon(wait.run, door)
        await anyio.wait_all_tasks_blocked()
        await door.call("POST", f"/jobs/{parent.id}/ack")
        assert (await wait.answer()).job().id == child.id
