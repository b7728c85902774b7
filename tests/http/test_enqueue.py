"""The route that makes a job: aliases, duplicates, and requests that are sent twice."""

from __future__ import annotations

import pytest

from tests.http.door import open_door

NEW = {"queue_name": "mail", "payload": "hello"}


async def test_a_job_is_made() -> None:
    """POST /jobs answers 201 with the job, its Location and its ETag (§9)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", NEW)
        job = answer.job(201)
        assert (job.queue_name, job.payload, job.status) == ("mail", "hello", "pending")
        assert answer.headers["location"] == f"/jobs/{job.id}"
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_job_is_made_without_a_content_type() -> None:
    """A client that says nothing of its body's type is understood (§9: seven routes, bare client)."""
    async with open_door() as door:
        made = await door.call("POST", "/jobs", pieces=[b'{"queue":"mail","payload":"hello"}'])
        assert made.job(201).queue_name == "mail"


async def test_aliases_and_lenient_forms_are_understood() -> None:
    """``queue``, ``delay_seconds``, text durations, and words in any case are understood (§1)."""
    async with open_door() as door:
        body = {
            "queue": "mail",
            "payload": "",
            "delay_seconds": "1h30m",
            "delivery": "At-Most-Once",
            "timeout": "5m",
            "backoff": {"base": "2s", "max": "1h"},
        }
        job = (await door.call("POST", "/jobs", body)).job(201)
        assert (job.status, job.delivery) == ("delayed", "at_most_once")
        assert job.available_at == "2026-01-01T01:30:00.000000Z"


async def test_a_duplicate_is_answered_with_the_job_that_is_there() -> None:
    """A held dedupe key: 200, the existing job, ``duplicate`` (§6, §9)."""
    async with open_door() as door:
        first = await door.put(dedupe_key="k")
        body = {"queue_name": "work", "payload": "other", "dedupe_key": "k"}
        again = await door.call("POST", "/jobs", body)
        assert again.job().id == first.id
        assert again.job().duplicate
        assert not again.job().replaced
        assert again.job().payload == "x"


async def test_a_duplicate_may_replace_or_be_refused() -> None:
    """``on_duplicate``: replace says so; reject is 409 naming the job (§6)."""
    async with open_door() as door:
        first = await door.put(dedupe_key="k")
        body = {"queue_name": "work", "payload": "other", "dedupe_key": "k"}
        replaced = (await door.call("POST", "/jobs", {**body, "on_duplicate": "replace"})).job()
        assert (replaced.id, replaced.payload, replaced.replaced) == (first.id, "other", True)
        refused = await door.call("POST", "/jobs", {**body, "on_duplicate": "reject"})
        assert refused.problem(409, "duplicate_job").job_id == first.id


@pytest.mark.parametrize("header", ["abc", '"abc"', '  "abc" '])
async def test_a_request_sent_twice_makes_one_job(header: str) -> None:
    """Idempotency-Key, quoted or bare: the first status again, marked as a replay (§6)."""
    async with open_door() as door:
        headers = {"Idempotency-Key": header}
        first = await door.call("POST", "/jobs", NEW, headers=headers)
        again = await door.call("POST", "/jobs", NEW, headers=headers)
        in_body = await door.call("POST", "/jobs", {**NEW, "idempotency_key": "abc"})
        assert "idempotent-replayed" not in first.headers
        for replay in (again, in_body):
            assert replay.job(201).id == first.job(201).id
            assert replay.headers["idempotent-replayed"] == "true"
        both = await door.call("POST", "/jobs", {**NEW, "idempotency_key": "abc"}, headers=headers)
        assert both.job(201).id == first.job(201).id


async def test_an_idempotency_key_belongs_to_one_request() -> None:
    """Another request under the key, or two different keys: 422 (§6)."""
    async with open_door() as door:
        headers = {"Idempotency-Key": "abc"}
        await door.call("POST", "/jobs", NEW, headers=headers)
        other = await door.call("POST", "/jobs", {**NEW, "priority": 1}, headers=headers)
        other.problem(422, "idempotency_key_reused")
        both = await door.call("POST", "/jobs", {**NEW, "idempotency_key": "d"}, headers=headers)
        assert both.places() == ["/idempotency_key"]


@pytest.mark.parametrize("header", ["", '"', '"a"b"', '"a\\x"', "é", "a\tb", "x" * 256])
async def test_a_malformed_idempotency_key_is_refused(header: str) -> None:
    """A key that is empty, too long, half quoted or not printable: 422, and no job (§6)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", NEW, headers={"Idempotency-Key": header})
        assert answer.places() == ["/idempotency_key"]
        assert await door.queue.get_queue_length("mail") == 0


async def test_a_replay_of_a_pruned_job_says_what_is_known() -> None:
    """The replay of a job pruned since: id, queue_name, created_at, ``pruned`` (§6)."""
    async with open_door() as door:
        headers = {"Idempotency-Key": "abc"}
        made = (await door.call("POST", "/jobs", NEW, headers=headers)).job(201)
        await door.queue.cancel(made.id)
        await door.queue.delete(made.id)
        replay = await door.call("POST", "/jobs", NEW, headers=headers)
        assert replay.status == 201
        assert replay.headers["idempotent-replayed"] == "true"
        assert replay.read(dict[str, object]) == {
            "id": made.id,
            "queue_name": "mail",
            "created_at": made.created_at,
            "pruned": True,
        }


async def test_a_full_queue_says_when_to_come_again() -> None:
    """``max_depth`` reached: 429 with Retry-After, retryable (§8, §9)."""
    async with open_door() as door:
        await door.call("PATCH", "/queues/mail/settings", {"max_depth": 1})
        await door.call("POST", "/jobs", NEW)
        answer = await door.call("POST", "/jobs", NEW)
        assert answer.problem(429, "queue_full").retryable
        assert answer.headers["retry-after"] == "1"
