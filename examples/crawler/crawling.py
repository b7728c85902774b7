"""A crawl: rounds of visits, each round to the pages that the last one found."""

from __future__ import annotations

from typing import NamedTuple

from actorq import ActorqError, JobFailed, JobHandle
from examples.crawler.tasks import Visit, app, visit


class Crawl(NamedTuple):
    """What a crawl came to: pages by their addresses, and what could not be visited."""

    pages: dict[str, Visit]
    failed: list[str]


async def crawl(start: str, depth: int) -> Crawl:
    """Visit a page, and all that it leads to within so many links; the app must be connected."""
    done = Crawl({}, [])
    seen = {start}
    frontier = [start]
    while frontier and depth >= 0:
        handles = await app.enqueue_many(visit.call(url) for url in frontier)
        found: dict[str, None] = {}
        for url, handle in zip(frontier, handles, strict=True):
            try:
                page = await _made(handle).result()
            except JobFailed:
                done.failed.append(url)
            else:
                done.pages[url] = page
                found |= dict.fromkeys(page.links)
        frontier = [url for url in found if url not in seen]
        seen.update(frontier)
        depth -= 1
    return done


def _made(one: JobHandle[Visit] | ActorqError) -> JobHandle[Visit]:
    if isinstance(one, ActorqError):
        raise one
    return one
