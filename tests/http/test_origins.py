"""Pages of other web sites: a browser that reaches the server is no reason to do what they ask (row F7)."""

from __future__ import annotations

import pytest

from tests.http.door import open_door

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "null"},
    {"Origin": "http://jobs.example.evil.example:8080"},
    {"Origin": "http://jobs.example:8080", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://jobs.example:8080, https://evil.example"},
]
OWN = [
    {},
    {"Origin": "http://jobs.example:8080"},
    {"Origin": "https://jobs.example:8080"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://behind.a.proxy", "Sec-Fetch-Site": "same-origin"},
]
HOST = {"Host": "jobs.example:8080"}


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_changes_nothing(headers: dict[str, str]) -> None:
    """What a browser sends for a page of another origin is 403, whatever the route (F7)."""
    async with open_door() as door:
        job = await door.held()
        sent = {**headers, **HOST}
        for method, target in [
            ("POST", "/jobs"),
            ("POST", f"/jobs/{job.id}/ack"),
            ("POST", f"/jobs/{job.id}/cancel"),
            ("PATCH", "/queues/work/settings"),
            ("POST", "/queues/work/purge"),
            ("POST", "/queues/work/dequeue"),
            ("DELETE", f"/jobs/{job.id}"),
        ]:
            answer = await door.call(method, target, headers=sent)
            assert not answer.problem(403, "cross_origin").retryable
        assert (await door.look(job.id)).version == job.version


@pytest.mark.parametrize("headers", OWN)
async def test_own_pages_and_programs_are_served(headers: dict[str, str]) -> None:
    """What is not sent by a browser, or for a page of this very origin, is carried out (F7)."""
    async with open_door() as door:
        job = await door.put()
        answer = await door.call("POST", f"/jobs/{job.id}/cancel", headers={**headers, **HOST})
        assert answer.job().status == "cancelled"


@pytest.mark.parametrize("headers", [*FOREIGN, *OWN])
async def test_reading_gives_nothing_to_a_foreign_page(headers: dict[str, str]) -> None:
    """Reading changes nothing and is served; no header lets a foreign page see the answer (F7)."""
    async with open_door() as door:
        job = await door.put()
        answer = await door.call("GET", f"/jobs/{job.id}", headers={**headers, **HOST})
        assert answer.job().version == job.version
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "GET"])
async def test_no_method_that_reads_changes_anything(method: str) -> None:
    """Every route that changes something refuses the methods that a link or an image uses (F7)."""
    async with open_door() as door:
        job = await door.held()
        for target in [
            f"/jobs/{job.id}/ack",
            f"/jobs/{job.id}/fail",
            f"/jobs/{job.id}/cancel",
            "/queues/work/purge",
            "/queues/work/pause",
            "/queues/work/dequeue",
            "/jobs/batch",
            "/jobs/settle",
        ]:
            answer = await door.call(method, target)
            assert answer.status in {404, 405}, (target, answer)
        assert (await door.look(job.id)).version == job.version
