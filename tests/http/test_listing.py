"""Listing jobs: filters, pages, and what a wrong query is told."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
import pytest

from actorq.http.cursors import read_cursor, write_cursor
from tests.http.door import Door, open_door
from tests.http.shown import Shown


class Page(msgspec.Struct, forbid_unknown_fields=True):
    """One page of a listing."""

    jobs: list[Shown]
    next: str | None


async def page(door: Door, query: str = "", target: str = "/jobs") -> Page:
    """List jobs."""
    answer = await door.call("GET", f"{target}?{query}")
    assert answer.status == 200, answer
    return answer.read(Page)


async def payloads(door: Door, query: str = "") -> list[str]:
    """List jobs, newest first, by payload."""
    return [job.payload for job in (await page(door, query)).jobs]


async def test_jobs_are_listed_newest_first() -> None:
    """Without a filter all jobs are listed, newest first; an empty store is an empty list (§9)."""
    async with open_door() as door:
        assert await page(door) == Page([], None)
        for number in range(3):
            await door.put(str(number))
        assert await payloads(door) == ["2", "1", "0"]


async def test_jobs_are_filtered() -> None:
    """By queue, statuses in any case, time, metadata and error text (§8, §9)."""
    async with open_door() as door:
        await door.put("a", metadata={"tenant": "x", "a.b": ""})
        door.clock.advance(60)
        await door.queue.enqueue("other", "b", metadata={"tenant": "y"})
        failed = await door.held("c", priority=1, max_retries=0)
        await door.call("POST", f"/jobs/{failed.id}/fail", {"reason": "disk 100% full"})
        for query, expected in {
            "queue_name=work": ["c", "a"],
            "queue=other": ["b"],
            "queue=nobody": [],
            "status=pending": ["b", "a"],
            "status=Pending&status=DEAD": ["c", "b", "a"],
            "status=dead,pending&queue=work": ["c", "a"],
            "created_from=2026-01-01T00:01:00Z": ["c", "b"],
            "created_to=2026-01-01T00:01:00Z": ["a"],
            "created_from=2026-01-01T01:01:00%2B01:00": ["c", "b"],
            "created_from=2026-01-01T01:01:00+01:00": ["c", "b"],
            "metadata.tenant=x": ["a"],
            "metadata.tenant=x&metadata.a.b=": ["a"],
            "metadata.tenant=x&metadata.a.b=1": [],
            "error=100%25": ["c"],
            "error=nothing": [],
        }.items():
            assert await payloads(door, query) == expected, query


async def test_pages_follow_each_other() -> None:
    """A cursor continues where the page ended, also when jobs come in between (§9)."""
    async with open_door() as door:
        for number in range(5):
            await door.put(str(number))
        seen: list[str] = []
        query: str | None = "limit=2&queue_name=work"
        while query is not None:
            answer = await door.call("GET", f"/jobs?{query}")
            found = answer.read(Page)
            seen += [job.payload for job in found.jobs]
            await door.put("late")
            if found.next is None:
                assert "link" not in answer.headers
                query = None
            else:
                query = f"limit=2&queue_name=work&cursor={found.next}"
                assert answer.headers["link"] == f'</jobs?{query}>; rel="next"'
        assert seen == ["4", "3", "2", "1", "0"]


async def test_a_link_keeps_the_filters() -> None:
    """The link to the next page is this very request with another cursor (§9)."""
    async with open_door(root="/q") as door:
        for _ in range(2):
            await door.put(metadata={"a&b": "é"})
        filters = f"limit=1&metadata.{quote('a&b')}={quote('é')}"
        first = await door.call("GET", f"/jobs?{filters}")
        link = first.headers["link"]
        assert link.startswith(f"</q/jobs?{filters}&cursor=")
        second = await door.call("GET", link.removeprefix("</q").partition(">")[0])
        assert len(second.read(Page).jobs) == 1
        assert second.read(Page).next is None


async def test_a_page_has_a_size() -> None:
    """A page of large jobs ends early and goes on with its cursor: no answer without bounds (I18)."""
    async with open_door() as door:
        for number in range(10):
            await door.put(str(number) + "x" * 1_000_000)
        first = await page(door)
        assert [job.payload[0] for job in first.jobs] == list("98765432")
        second = await page(door, f"cursor={first.next}")
        assert [job.payload[0] for job in second.jobs] == list("10")
        assert second.next is None


async def test_dead_letters_are_listed() -> None:
    """GET /queues/:name/dead lists the dead jobs of the queue, in pages (§9, I14)."""
    async with open_door() as door:
        await door.put("alive", priority=-1)
        for number in range(3):
            job = await door.held(str(number), metadata={"n": str(number)})
            body = {"retryable": False, "reason": f"boom {number}"}
            await door.call("POST", f"/jobs/{job.id}/fail", body)
        target = "/queues/work/dead"
        first = await page(door, "limit=2", target)
        assert [job.payload for job in first.jobs] == ["2", "1"]
        rest = await page(door, f"limit=2&cursor={first.next}", target)
        assert [(job.payload, job.dead_reason) for job in rest.jobs] == [("0", "rejected")]
        one = await page(door, "metadata.n=1&error=boom", target)
        assert [job.errors[0].message for job in one.jobs] == ["boom 1"]
        assert (await page(door, "", "/queues/other/dead")).jobs == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=%2B1", "/limit"),
        ("limit=%D9%A1", "/limit"),
        ("limit=" + "9" * 5_000, "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("limit=", "/limit"),
        ("status=asleep", "/status"),
        ("status=", "/status"),
        ("status=pending,", "/status"),
        ("queue_name=a%2Fb", "/queue_name"),
        ("queue_name=", "/queue_name"),
        ("queue_name=a&queue=b", "/queue"),
        ("created_from=yesterday", "/created_from"),
        ("created_from=2026-01-01T00:00:00", "/created_from"),
        ("created_to=2026-13-01T00:00:00Z", "/created_to"),
        ("metadata.=1", "/metadata"),
        ("metadata.a=%00", "/metadata"),
        ("metadata.a=1&metadata.a=2", "/metadata.a"),
        ("&".join(f"metadata.k{n}=1" for n in range(65)), "/metadata"),
        ("error=%00", "/error"),
        ("error=", "/error"),
        ("error=" + "x" * 5_000, "/error"),
        ("cursor=x", "/cursor"),
        ("cursor=", "/cursor"),
        ("cursor=AZf2pTwAfS6KQVtvDJ0eLx", "/cursor"),
        ("cursor=AZf2pTwAfS6KQVtvDJ0e%2Bw", "/cursor"),
        ("cursor=%F0%9F%98%80" + "a" * 21, "/cursor"),
        ("staus=dead", "/staus"),
        ("=", "/"),
        ("%FF=1", ""),
        ("limit=%FF", ""),
        ("&".join(["status=dead"] * 300), ""),
    ],
)
async def test_a_wrong_query_is_refused(query: str, place: str) -> None:
    """A parameter that is wrong, repeated or unknown: 422 that names it (§9, F5)."""
    async with open_door() as door:
        assert (await door.call("GET", f"/jobs?{query}")).places() == [place]


def test_a_cursor_has_one_form() -> None:
    """A cursor reads back as what it was written from, and no other text does (§9)."""
    job_id = "0197f6a5-3c00-7d2e-8a41-5b6f0c9d1e2f"
    cursor = write_cursor(job_id)
    assert read_cursor(cursor) == job_id
    assert read_cursor(None) is None
    assert job_id not in cursor
