"""What a request must look like: its path, its method, the type of its body, its id."""

from __future__ import annotations

import pytest

from tests.http.door import NOBODY, open_door

NOWHERE = [
    "",
    "/",
    "*",
    "jobs",
    "//jobs",
    "/Jobs",
    "/jobs%00",
    "/%2e%2e/jobs",
    "http://x/jobs",
    "/jobs/x/explode",
    "/jobs/",
    "/jobs/x/ack/",
    "/queues/",
    "/jobs%2F" + NOBODY,
    "/queues/a%2Fpause",
    "/queues/a%2flength",
    "/queues/a/b/c/d",
    "/queues/%7B%7D/nothing",
    "/workers/w",
]


@pytest.mark.parametrize("target", NOWHERE)
async def test_an_unknown_path_is_404(target: str) -> None:
    """Nothing under this path: 404, whatever the path looks like; an escaped slash is none (F4, F13)."""
    async with open_door() as door:
        for method in ("GET", "POST"):
            (await door.call(method, target)).problem(404, "no_such_route")


async def test_a_slash_at_the_end_is_pointed_out() -> None:
    """The usual slip in a path is named, and only where it was made (F13)."""
    async with open_door() as door:
        for target, is_slip in (("/queues/", True), ("/queue", False), ("/", False)):
            problem = (await door.call("GET", target)).problem(404, "no_such_route")
            assert ("ends with a slash" in problem.detail) is is_slip


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", "/jobs", "GET, HEAD, POST"),
        ("DELETE", "/jobs", "GET, HEAD, POST"),
        ("OPTIONS", "/jobs", "GET, HEAD, POST"),
        ("BREW", "/jobs", "GET, HEAD, POST"),
        ("get", "/jobs", "GET, HEAD, POST"),
        ("POST", f"/jobs/{NOBODY}", "DELETE, GET, HEAD, PATCH"),
        ("GET", f"/jobs/{NOBODY}/ack", "POST"),
        ("HEAD", "/jobs/batch", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405(method: str, target: str, allowed: str) -> None:
    """A method that the path does not take: 405 with Allow (§9, F13)."""
    async with open_door() as door:
        answer = await door.call(method, target)
        assert answer.headers["allow"] == allowed
        if method != "HEAD":
            answer.problem(405, "method_not_allowed")
        else:
            assert (answer.status, answer.body) == (405, b"")


@pytest.mark.parametrize(
    "media",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/json; charset=latin-1",
        "application/msgpack",
        "application/json, text/plain",
        "",
        "é",
    ],
)
async def test_another_media_type_is_415(media: str) -> None:
    """A body that is not sent as JSON in UTF-8: 415 that says what is taken (§9)."""
    async with open_door() as door:
        body = b'{"queue":"q","payload":"x"}'
        answer = await door.call("POST", "/jobs", pieces=[body], headers={"Content-Type": media})
        answer.problem(415, "unsupported_media_type")
        assert answer.headers["accept"] == "application/json"
        assert await door.queue.list_queues() == []


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"; profile=x',
        "application/merge-patch+json",
    ],
)
async def test_json_may_be_named_in_many_ways(media: str) -> None:
    """JSON by any of its names is taken (§9)."""
    async with open_door() as door:
        body = b'{"queue":"q","payload":"x"}'
        answer = await door.call("POST", "/jobs", pieces=[body], headers={"Content-Type": media})
        assert answer.status == 201


async def test_an_empty_body_has_no_type() -> None:
    """An empty body is nothing, whatever its client says of its type (§9: bare clients)."""
    async with open_door() as door:
        job = await door.held()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "0"}
        answer = await door.call("POST", f"/jobs/{job.id}/ack", headers=headers)
        assert answer.job().status == "completed"


async def test_a_packed_body_is_415() -> None:
    """A body with a Content-Encoding: 415; nothing is unpacked, so nothing can explode (§9)."""
    async with open_door() as door:
        for coding, status in (("gzip", 415), ("identity", 201)):
            answer = await door.call(
                "POST",
                "/jobs",
                {"queue": "q", "payload": "x"},
                headers={"Content-Encoding": coding},
            )
            assert answer.status == status


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ("abc-1.2:3_4", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("a b", False),
        ("a\r\nb", False),
        ("é", False),
        ("<b>", False),
    ],
)
async def test_a_request_id_is_kept_if_it_is_harmless(sent: str, is_kept: bool) -> None:
    """X-Request-Id is given back on every answer; one that could do harm is replaced (§9)."""
    async with open_door() as door:
        for target in ("/healthz", "/nothing"):
            answer = await door.call("GET", target, headers={"X-Request-Id": sent})
            assert (answer.headers["x-request-id"] == sent) is is_kept
        made = {(await door.call("GET", "/healthz")).headers["x-request-id"] for _ in range(3)}
        assert len(made) == 3
