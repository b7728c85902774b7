"""The example that crawls: every page once, retries where a server is away, and a real web for once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest

from examples.crawler import tasks
from examples.crawler.crawling import Crawl, crawl
from examples.crawler.tasks import conclude, round_of, visit
from examples.crawler.web import Answer, Web, little_web, read, serving, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq import App
    from actorq.testing import AppUnderTest

HOST = "http://example.org"


class PaperWeb(Web):
    """A web that is written down, whose servers may be away."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self.asked: Counter[str] = Counter()
        self.away: Counter[str] = Counter()
        self._pages = pages

    async def get(self, url: str) -> Answer:
        """Look a page up, which takes a while."""
        path = url.removeprefix(HOST)
        self.asked[path] += 1
        await anyio.sleep(0.5)
        if self.asked[path] <= self.away[path]:
            raise OSError("away")
        text = self._pages.get(path)
        return Answer(404, "") if text is None else Answer(200, text)


@pytest.fixture
def actorq_app() -> App:
    """Test the example's app."""
    return tasks.app


async def crawled(app: AppUnderTest, web: Web, depth: int = 10) -> Crawl:
    """Crawl a web with two workers."""
    with app.replace(web, Web):
        async with app.worker(concurrency=4), app.worker(concurrency=4):
            return await crawl(f"{HOST}/0", depth)


async def test_every_page_is_visited_once(app: AppUnderTest) -> None:
    """However many pages lead to a page, it is fetched once; what is not there is told."""
    web = PaperWeb(little_web(30))
    done = await crawled(app, web)
    assert set(done.pages) == {f"{HOST}/{number}" for number in range(30)}
    assert done.failed == [f"{HOST}/30"]
    assert set(web.asked.values()) == {1}


async def test_links_are_followed_so_far_and_no_further(app: AppUnderTest) -> None:
    """The depth bounds how many links lie between the start and a page."""
    done = await crawled(app, PaperWeb(little_web(30)), depth=2)
    assert sorted(done.pages) == sorted(f"{HOST}/{number}" for number in range(7))


async def test_a_server_that_is_away_is_asked_again(app: AppUnderTest) -> None:
    """A page that cannot be had for a while is visited in the end, and holds up nobody for good (§5)."""
    web = PaperWeb(little_web(5))
    web.away["/1"] = 3
    done = await crawled(app, web)
    assert len(done.pages) == 5
    assert web.asked["/1"] == 4
    (job,) = [job for job in app.jobs(visit) if job.retry_count]
    assert app.arguments(job) == {"url": f"{HOST}/1"}


async def test_two_crawls_share_their_visits(app: AppUnderTest) -> None:
    """Two crawls of the same pages at the same time make one job a page (§6)."""
    web = PaperWeb(little_web(10))
    results: list[Crawl] = []

    async def run() -> None:
        results.append(await crawl(f"{HOST}/0", 10))

    with app.replace(web, Web):
        async with app.worker(), anyio.create_task_group() as group:
            group.start_soon(run)
            group.start_soon(run)
    assert results[0] == results[1]
    assert len(app.jobs(visit)) == 11


async def test_a_crawl_goes_on_by_itself(app: AppUnderTest) -> None:
    """Each round begins the next in one step, though nobody looks on (§2)."""
    web = PaperWeb(little_web(30))
    await round_of([f"{HOST}/0"], [], 10, "alone").enqueue()
    with app.replace(web, Web):
        await app.drain(may_fail=True)
    assert set(web.asked) == {f"/{number}" for number in range(31)}
    assert [len(job.workflow.depends_on) for job in app.jobs(conclude) if job.workflow] == [
        1,
        2,
        4,
        8,
        16,
    ]


async def test_a_round_that_is_begun_twice_is_one(app: AppUnderTest) -> None:
    """A handler that runs a second time finds the jobs that it has made, also when they have ended (§6)."""
    web = PaperWeb(little_web(3))
    with app.replace(web, Web):
        for _ in range(2):
            await round_of([f"{HOST}/0"], [], 0, "twice").enqueue()
            await app.drain()
    assert (web.asked.total(), len(app.jobs(conclude))) == (1, 1)


async def test_a_real_web_is_crawled(app: AppUnderTest) -> None:
    """The same over HTTP: pages are fetched, read, and followed."""
    with serving(little_web(6)) as url, app.queue.hold_time():
        async with app.worker():
            done = await crawl(f"{url}/0", 10)
    assert [page.title for page in done.pages.values()] == [f"Page {n}" for n in range(6)]


def test_pages_are_read() -> None:
    """Links are made whole, without what leads to other hosts, or to a place within the page."""
    page = write("A & B", ["/1", "2#part", f"{HOST}/1", "http://elsewhere.org/", "?q=<"])
    title, links = read(f"{HOST}/dir/0", page)
    assert title == "A & B"
    assert links == [f"{HOST}/1", f"{HOST}/dir/2", f"{HOST}/dir/0?q=<"]
