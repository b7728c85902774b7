"""Many jobs in one request: the order of answers, and that each item is judged by itself."""

from __future__ import annotations

import pytest

from actorq.http import AppOptions
from tests.http.door import NOBODY, Door, open_door
from tests.http.shown import Item, Results


async def batch(door: Door, *jobs: object) -> list[Item]:
    """Enqueue a batch."""
    answer = await door.call("POST", "/jobs/batch", {"jobs": jobs})
    assert answer.status == 200, answer
    return answer.read(Results).results


async def settle(door: Door, *items: object) -> list[Item]:
    """Settle a batch."""
    answer = await door.call("POST", "/jobs/settle", {"items": items})
    assert answer.status == 200, answer
    return answer.read(Results).results


def codes(items: list[Item]) -> list[str]:
    """Return the code of each refusal, and the status of each job."""
    return [item.error.code if item.error else str(item.job and item.job.status) for item in items]


async def test_a_batch_is_answered_in_order() -> None:
    """Each job has the status that it would have had alone; one refusal spares the rest (§9)."""
    async with open_door() as door:
        new = {"queue_name": "mail", "payload": "a"}
        await door.call("PATCH", "/queues/full/settings", {"max_depth": 0})
        items = await batch(
            door,
            {**new, "dedupe_key": "k"},
            {**new, "payload": 1},
            {**new, "dedupe_key": "k"},
            {**new, "queue_name": "full"},
            {**new, "nonsense": 1},
            "no object",
            {**new, "dedupe_key": "k", "on_duplicate": "reject"},
            {**new, "payload": "last"},
        )
        assert [item.status for item in items] == [201, 422, 200, 429, 422, 422, 409, 201]
        made, last = items[0].job, items[-1].job
        assert made is not None
        assert last is not None
        assert last.payload == "last"
        assert items[2].job is not None
        assert (items[2].job.id, items[2].job.duplicate) == (made.id, True)
        refusal = items[1].error
        assert refusal is not None
        assert [place.pointer for place in refusal.errors] == ["/payload"]
        assert await door.queue.get_queue_length("mail") == 2


async def test_equal_keys_in_one_batch_are_one_request() -> None:
    """Of two equal idempotency keys in one batch the second is the replay (§6)."""
    async with open_door() as door:
        new = {"queue_name": "mail", "payload": "a", "idempotency_key": "k"}
        first, again, other = await batch(door, new, new, {**new, "payload": "b"})
        assert first.job is not None
        assert again.job is not None
        assert (again.status, again.job.id, again.replayed) == (201, first.job.id, True)
        assert not first.replayed
        assert (other.status, codes([other])) == (422, ["idempotency_key_reused"])


async def test_a_replay_of_a_pruned_job_in_a_batch() -> None:
    """A pruned job's replay in a batch says what is known of it (§6)."""
    async with open_door() as door:
        new = {"queue_name": "mail", "payload": "a", "idempotency_key": "k"}
        first = (await batch(door, new))[0].job
        assert first is not None
        await door.queue.cancel(first.id)
        await door.queue.delete(first.id)
        answer = await door.call("POST", "/jobs/batch", {"jobs": [new]})
        assert answer.read(dict[str, list[dict[str, object]]])["results"] == [
            {
                "status": 201,
                "replayed": True,
                "job": {
                    "id": first.id,
                    "queue_name": "mail",
                    "created_at": first.created_at,
                    "pruned": True,
                },
            }
        ]


async def test_a_batch_takes_no_key_of_its_own() -> None:
    """The header Idempotency-Key could mean no single job of a batch: 422 (§6)."""
    async with open_door() as door:
        answer = await door.call(
            "POST", "/jobs/batch", {"jobs": []}, headers={"Idempotency-Key": "k"}
        )
        assert answer.places() == [""]


@pytest.mark.parametrize(("route", "member"), [("batch", "jobs"), ("settle", "items")])
async def test_a_batch_has_bounds(route: str, member: str) -> None:
    """MAX_BATCH bounds the items; an empty batch has an empty answer (§9)."""
    async with open_door(AppOptions(max_batch=2)) as door:
        target, nothing = f"/jobs/{route}", dict[str, object]()
        assert (await door.call("POST", target, {member: []})).read(Results).results == []
        at_bound = await door.call("POST", target, {member: [nothing] * 2})
        assert [item.status for item in at_bound.read(Results).results] == [422, 422]
        assert (await door.call("POST", target, {member: [nothing] * 3})).places() == [f"/{member}"]
        assert (await door.call("POST", target, {})).places() == [f"/{member}"]
        assert (await door.call("POST", target, {member: nothing})).places() == [f"/{member}"]


async def test_settlements_are_answered_in_order() -> None:
    """Ack, fail and release in one call, mixed: results in order, each with its own end (§9)."""
    async with open_door() as door:
        jobs = [await door.held() for _ in range(4)]
        items = await settle(
            door,
            {"id": jobs[3].id, "action": "release", "lease": jobs[3].token},
            {"id": jobs[0].id, "action": "ack", "lease": jobs[0].token, "result": {"n": 1}},
            {"id": NOBODY, "action": "ack"},
            {"id": jobs[1].id, "action": "FAIL", "lease": {"token": jobs[1].token}, "error": "e"},
            {"id": "no id", "action": "ack"},
            {"id": jobs[2].id, "action": "ack", "lease": "made up"},
            {"id": jobs[2].id, "action": "explode"},
            {"id": jobs[0].id, "action": "ack", "lease": jobs[0].token},
            {"action": "ack"},
        )
        assert codes(items) == [
            "pending",
            "completed",
            "not_found",
            "delayed",
            "not_found",
            "lease_lost",
            "invalid_input",
            "completed",
            "invalid_input",
        ]
        assert [item.status for item in items] == [200, 200, 404, 200, 404, 409, 422, 200, 422]
        assert items[1].job is not None
        assert items[1].job.result == {"n": 1}


async def test_settlements_need_tokens_where_they_are_required() -> None:
    """REQUIRE_LEASE_TOKEN holds for each item of a settlement (§4)."""
    async with open_door(AppOptions(require_lease_token=True)) as door:
        job = await door.held()
        bare, full = await settle(
            door,
            {"id": job.id, "action": "ack"},
            {"id": job.id, "action": "ack", "lease": job.token},
        )
        assert (bare.status, codes([bare])) == (428, ["token_required"])
        assert full.status == 200


async def test_one_way_of_settling_may_fail_alone() -> None:
    """When the store is away for some items, each of those says so, and the others stand (§9)."""
    async with open_door() as door:
        acked, failed = await door.held(), await door.held()
        door.trouble.refuse["fail"] = 2
        first, second = await settle(
            door,
            {"id": acked.id, "action": "ack"},
            {"id": failed.id, "action": "fail", "lease": failed.token},
        )
        assert (first.status, second.status) == (200, 503)
        assert codes([second]) == ["backend_unavailable"]
