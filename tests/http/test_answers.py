"""What holds of every answer: whatever text a job holds, nobody takes it for a page (row F6)."""

from __future__ import annotations

import pytest

from tests.http.door import open_door

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.mark.parametrize("field", ["payload", "task", "dedupe_key", "metadata"])
async def test_what_a_job_holds_is_data(field: str) -> None:
    """Text that would be a page elsewhere is JSON here, in every answer that shows it (F6)."""
    async with open_door() as door:
        value = {EVIL: EVIL} if field == "metadata" else EVIL
        body = {"queue_name": "work", "payload": "x", field: value}
        job = (await door.call("POST", "/jobs", body)).job(201)
        held = await door.take()
        fail = {"lease": held.token, "reason": EVIL, "retryable": False}
        answers = [
            await door.call("POST", f"/jobs/{job.id}/fail", fail),
            await door.call("GET", f"/jobs/{job.id}"),
            await door.call("GET", "/queues/work/dead"),
            await door.call("GET", "/queues"),
        ]
        for answer in answers:
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
        shown = answers[1].job()
        assert shown.errors[0].message == EVIL


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"/queues/{EVIL}/length"),
        ("GET", f"/jobs/{EVIL}"),
        ("GET", f"/{EVIL}"),
        ("GET", f"/jobs?{EVIL}=1"),
        ("BREW", "/jobs"),
        ("POST", "/jobs"),
    ],
)
async def test_refusals_are_data(method: str, target: str) -> None:
    """A refusal of odd text is a problem document, which no browser shows as a page (F6)."""
    async with open_door() as door:
        body = {"queue_name": EVIL, "payload": "x", EVIL: 1} if method == "POST" else None
        answer = await door.call(method, target, body)
        assert 400 <= answer.status < 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
