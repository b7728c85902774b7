"""JSON that is made to break parsers, and what may stand in a body or a result."""

from __future__ import annotations

import pytest

from actorq.core.policy import Policy
from tests.http.door import open_door

DEEP = 100_000


JSON = {"Content-Type": "application/json"}


NOT_JSON: list[bytes] = [
    b"",
    b" \n",
    b"{",
    b"nul",
    b"{'a': 1}",
    b'{"payload": NaN}',
    b'{"payload": "x", "priority": NaN}',
    b'{"payload": "x", "priority": Infinity}',
    b'{"payload": "x", "priority": 01}',
    b'{"payload": "x",}',
    b'{"payload": "x"} {}',
    b'{"payload": 1, "queue": }',
    b'\xef\xbb\xbf{"queue":"q","payload":"x"}',
    '{"queue":"q","payload":"x"}'.encode("utf-16"),
    b'{"queue":"q","payload":"\xff"}',
    b'{"queue":"q","payload":"\xed\xa0\x80"}',
    b'{"queue":"q","payload":"\\ud800"}',
    b'{"queue":"q","payload":"\\udc00x"}',
    b'{"queue":"q","payload":"a\nb"}',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"payload":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"metadata":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
]


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
@pytest.mark.parametrize("target", ["/jobs", "/jobs/batch", "/jobs/settle"])
async def test_what_is_not_json_is_400(target: str, body: bytes) -> None:
    """No JSON in UTF-8, or nested beyond reason: 400 or 422 with a problem document (§9, F3)."""
    async with open_door() as door:
        answer = await door.call("POST", target, pieces=[body], headers=JSON)
        # Of a wrong type and a depth bomb behind it, either may be seen first.
        assert answer.status in {400, 422}
        if answer.status == 400:
            answer.problem(400, "not_json")
        else:
            assert len(answer.places()) >= 1


@pytest.mark.parametrize("body", [b"{", b"nul", b'"\xff"', b'{"lease": "t"} x', b'{"lease": 1'])
async def test_a_body_that_may_be_empty_is_checked_too(body: bytes) -> None:
    """Where a body may be left out, one that is there must be JSON (§9)."""
    async with open_door() as door:
        job = await door.held()
        for target in (f"/jobs/{job.id}/ack", f"/jobs/{job.id}/cancel", "/queues/q/dequeue"):
            answer = await door.call("POST", target, pieces=[body])
            answer.problem(400, "not_json")
        assert (await door.look(job.id)).version == job.version


@pytest.mark.parametrize(
    "body",
    [
        b'{"queue":"q","payload":"a","payload":"b"}',
        b'{"queue":"q","payload":"a","metadata":{"k":"1","k":"2"}}',
        b'{"queue":"q","payload":"a","metadata":{"k":"1","\\u006b":"2"}}',
        b'{"queue":"q","payload":"a","backoff":{"base":1,"base":2}}',
    ],
)
async def test_a_member_may_be_named_once(body: bytes) -> None:
    """Duplicate keys, spelled alike or not, at any depth: 422, for parsers differ (§9, F3)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", pieces=[body])
        assert "twice" in answer.problem(422, "invalid_input").detail
        batch = await door.call("POST", "/jobs/batch", pieces=[b'{"jobs":[' + body + b"]}"])
        assert batch.places() == [""]


@pytest.mark.parametrize(
    "result",
    [
        b"1e400000",
        b"-1e400000",
        b"1" * 5_000,
        b'{"a":1,"a":2}',
        b'[{"deep":[1e999]}]',
        b"[" * DEEP + b"]" * DEEP,
        b'"\\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"NaN",
        b"[" + b"0," * 1_000_001 + b"0]",
        b'"' + b"x" * 2_000 + b'"',
    ],
    ids=range(12),
)
async def test_a_result_can_be_read_by_everybody(result: bytes) -> None:
    """A result is any JSON value that every parser reads: others are 400 or 422, never 500 (F3)."""
    async with open_door(policy=Policy(max_payload_bytes=2_000)) as door:
        job = await door.held()
        body = b'{"result":' + result + b"}"
        answer = await door.call("POST", f"/jobs/{job.id}/ack", pieces=[body])
        assert answer.status in {400, 422}, answer
        item = (
            b'{"items":[{"id":"' + job.id.encode() + b'","action":"ack","result":' + result + b"}]}"
        )
        settled = await door.call("POST", "/jobs/settle", pieces=[item])
        assert settled.status in {200, 400, 422}
        assert (await door.look(job.id)).status == "running"
