"""Jobs in bulk: those that ``new_job`` made, and those that somebody made by hand (contract §1)."""

from __future__ import annotations

from typing import Any

import pytest

import actorq

ID = "018f0000-0000-7000-8000-000000000001"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"id": "x"}, "/id"),
    ({"id": 5}, "/id"),
    ({"queue_name": "bad name"}, "/queue_name"),
    ({"payload": 5}, "/payload"),
    ({"payload": b"x"}, "/payload"),
    ({"payload": "\ud800"}, "/payload"),
    ({"priority": 2**31}, "/priority"),
    ({"delay": 1.0, "available_at": 1}, "/delay"),
    ({"delivery": "never"}, "/delivery"),
    ({"metadata": {"a": 1}}, "/metadata"),
]


@pytest.mark.parametrize(("wish", "place"), WRONG)
async def test_a_job_made_by_hand_is_checked(wish: dict[str, Any], place: str) -> None:
    """What no door lets in does not come in by way of the record itself, and nothing is written (§1, I15)."""
    made: dict[str, Any] = {"id": ID, "queue_name": "q", "payload": "x"}
    async with actorq.open_queue("memory://") as queue:
        jobs = [queue.new_job("q", "x"), actorq.NewJob(**{**made, **wish})]
        with pytest.raises(actorq.InvalidInput) as caught:
            await queue.enqueue_many(jobs)
        assert caught.value.pointer == f"/jobs/1{place}"
        assert await queue.list_queues() == []


async def test_what_is_no_job_is_refused_before_it_is_sent() -> None:
    """A text among the jobs to make names its place, and the queue goes on (§1)."""
    async with actorq.open_queue("memory://") as queue:
        wrong: list[Any] = [queue.new_job("q", "x"), "x"]
        with pytest.raises(actorq.InvalidInput) as caught:
            await queue.enqueue_many(wrong)
        assert caught.value.pointer == "/jobs/1"
        assert await queue.get_queue_length("q") == 0


async def test_a_right_one_made_by_hand_is_taken_as_it_is() -> None:
    """Every wish is kept, the id too, and the same job again is the same request (§6)."""
    async with actorq.open_queue("memory://") as queue:
        job = actorq.NewJob(id=ID, queue_name="q", payload="x", priority=7, metadata={"a": "b"})
        for _ in range(2):
            (result,) = await queue.enqueue_many([job])
            assert isinstance(result, actorq.Enqueued)
            assert (result.job.id, result.job.priority) == (ID, 7)
            assert result.job.metadata == {"a": "b"}
        assert await queue.get_queue_length("q") == 1
