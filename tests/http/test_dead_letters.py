"""Dead letters in bulk: redriven, or removed."""

from __future__ import annotations

from actorq.http import AppOptions
from tests.http.door import NOBODY, Door, open_door
from tests.http.shown import Figures, Results


async def test_dead_letters_are_purged() -> None:
    """POST /queues/:name/dead/purge removes the dead and nothing else (§9)."""
    async with open_door() as door:
        for _ in range(3):
            await door.bury()
        await door.put()
        assert await door.purge("/queues/work/dead/purge") == 3
        assert (await door.call("GET", "/queues/work")).read(Figures).pending == 1


async def redrive(door: Door, body: object = None) -> list[str]:
    """Redrive in bulk; return what became of each job."""
    answer = await door.call("POST", "/queues/work/redrive", body)
    assert answer.status == 200, answer
    results = answer.read(Results).results
    return [one.error.code if one.error else str(one.job and one.job.status) for one in results]


async def test_dead_letters_are_redriven_in_bulk() -> None:
    """The newest ``limit`` of the queue's dead jobs, or all; each is answered (§9, I14)."""
    async with open_door() as door:
        ids = [await door.bury() for _ in range(3)]
        other = await door.queue.enqueue("other", "x")
        assert await redrive(door, {"limit": 2}) == ["pending", "pending"]
        assert (await door.look(ids[0])).status == "dead"
        assert await redrive(door) == ["pending"]
        assert await redrive(door) == []
        assert (await door.queue.get_job(other.id)).version == 1


async def test_named_jobs_are_redriven() -> None:
    """``ids``: in order, and each by itself; a job of another queue is not there (§2, §9)."""
    async with open_door() as door:
        dead = await door.bury()
        held = await door.bury(dedupe_key="k")
        await door.put(dedupe_key="k")
        once = await door.bury(delivery="at_most_once", priority=1)
        alive = await door.put()
        other = await door.queue.enqueue("other", "x")
        ids = [alive.id, dead, held, once, NOBODY, "no id", other.id, dead]
        assert await redrive(door, {"ids": ids}) == [
            "illegal_transition",
            "pending",
            "duplicate_job",
            "already_started",
            "not_found",
            "not_found",
            "not_found",
            "pending",
        ]
        assert await redrive(door, {"ids": []}) == []


async def test_a_bulk_redrive_has_bounds() -> None:
    """MAX_BATCH bounds both ways to name the jobs, and only one may be used (§9)."""
    async with open_door(AppOptions(max_batch=2)) as door:
        target = "/queues/work/redrive"
        for body, place in (
            ({"limit": 3}, "/limit"),
            ({"limit": 0}, "/limit"),
            ({"ids": [NOBODY] * 3}, "/ids"),
            ({"ids": [NOBODY], "limit": 1}, "/limit"),
            ({"ids": [1]}, "/ids/0"),
        ):
            assert (await door.call("POST", target, body)).places() == [place]
